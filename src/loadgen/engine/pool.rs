use crate::wire::{self, LinkType, Shape, TRANSPORT_OCTETS, Unwrap};

/// A processor's cache line.
const LINE_BYTES: usize = 64;

/// Without options.
const TCP_HEADER_OCTETS: usize = 20;

/// Distinct frames in memory, as a ring of receive buffers holds them: each begins at a cache
/// line.
#[derive(Debug)]
pub struct Pool {
    bytes: Vec<u8>,
    /// Of the first line: the allocator aligns to less.
    start: usize,
    places: Vec<Place>,
    /// The lines that hold headers, in the order of the frames.
    headers: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    line: u32,
    len_bytes: u32,
}

/// More lines than 32 bits number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frames of more than 256 GiB do not fit a pool")]
pub struct TooLarge;

/// What no program that is handed these frames can do without: one word of each line that holds
/// headers is read, from where the list says it is, and nothing is decided.
#[inline(never)]
pub fn floor(words: &[&[u8; 8]]) -> u64 {
    words
        .iter()
        .fold(0, |sum, word| sum ^ u64::from_ne_bytes(**word))
}

impl Pool {
    /// Lays Ethernet frames out.
    ///
    /// # Errors
    /// They take more than 256 GiB.
    pub fn new<F: AsRef<[u8]>>(frames: impl IntoIterator<Item = F>) -> Result<Self, TooLarge> {
        Self::opened(frames, &Unwrap::default())
    }

    /// Lays Ethernet frames out whose tunnels are opened: the headers in these are read, too.
    ///
    /// # Errors
    /// They take more than 256 GiB.
    pub fn opened<F: AsRef<[u8]>>(
        frames: impl IntoIterator<Item = F>,
        unwrap: &Unwrap,
    ) -> Result<Self, TooLarge> {
        let (mut lines, mut places, mut headers) = (Vec::new(), Vec::new(), Vec::new());
        for frame in frames {
            let frame = frame.as_ref();
            let line = lines.len() / LINE_BYTES;
            places.push(Place {
                line: u32::try_from(line).or(Err(TooLarge))?,
                len_bytes: u32::try_from(frame.len()).or(Err(TooLarge))?,
            });
            for header in line..line + header_lines(frame, unwrap) {
                headers.push(u32::try_from(header).or(Err(TooLarge))?);
            }
            lines.extend_from_slice(frame);
            lines.resize(lines.len().next_multiple_of(LINE_BYTES), 0);
        }
        let used = lines.len();
        // In place: a second copy of a large pool might not fit.
        lines.resize(used + LINE_BYTES, 0);
        let start = lines.as_ptr().align_offset(LINE_BYTES) % LINE_BYTES;
        lines.copy_within(..used, start);
        Ok(Self {
            bytes: lines,
            start,
            places,
            headers,
        })
    }

    /// The frames, as a port hands them over.
    pub fn frames(&self) -> Vec<&[u8]> {
        let lines = self.lines();
        let frame = |place: &Place| {
            let offset = place.line as usize * LINE_BYTES;
            let end = offset + place.len_bytes as usize;
            lines.get(offset..end).unwrap_or_default()
        };
        self.places.iter().map(frame).collect()
    }

    /// The first word of each line that holds headers, in the order of the frames: for [`floor`].
    pub fn header_words(&self) -> Vec<&[u8; 8]> {
        let (lines, _) = self.lines().as_chunks::<LINE_BYTES>();
        let lines = self
            .headers
            .iter()
            .filter_map(|line| lines.get(*line as usize));
        lines.filter_map(|line| line.first_chunk()).collect()
    }

    /// How many lines hold headers.
    pub fn header_lines(&self) -> usize {
        self.headers.len()
    }

    /// Whether every line holds headers, one behind the other.
    pub fn is_packed(&self) -> bool {
        self.headers.len() * LINE_BYTES + LINE_BYTES == self.bytes.len()
    }

    fn lines(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

/// How many lines the headers of a frame reach into: so many that a parser that sees no more of
/// it finds the same. TCP is decided by its first 14 octets; its header has 6 more.
fn header_lines(frame: &[u8], unwrap: &Unwrap) -> usize {
    let whole = wire::parse(frame, LinkType::ETHERNET, unwrap);
    let lines = frame.len().div_ceil(LINE_BYTES);
    let undecided = match whole.shape {
        Shape::Tcp => TCP_HEADER_OCTETS - usize::from(TRANSPORT_OCTETS),
        _ => 0,
    };
    let enough = |lines: &usize| {
        let seen = frame.get(..lines * LINE_BYTES - undecided).unwrap_or(frame);
        let missing_bytes = frame.len() - seen.len();
        wire::parse_part(seen, missing_bytes, LinkType::ETHERNET, unwrap) == whole
    };
    (1..lines).find(enough).unwrap_or(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 segment, padded with ones to so many octets.
    fn frame(number: u8, octets: usize) -> Vec<u8> {
        let mut frame = vec![number; 12];
        frame.extend([0x08, 0x00, 0x45, 0]);
        frame.extend((octets as u16 - 14).to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 1]);
        frame.extend([0xc0, 0, 0, 25, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2]);
        frame.resize(octets, 1);
        frame
    }

    fn words<'a>(frames: impl IntoIterator<Item = &'a Vec<u8>>, at: &[usize]) -> u64 {
        let word =
            |frame: &Vec<u8>, at: usize| u64::from_ne_bytes(frame[at..at + 8].try_into().unwrap());
        let mut sum = 0;
        for frame in frames {
            for at in at {
                sum ^= word(frame, *at);
            }
        }
        sum
    }

    #[test]
    fn frames_begin_at_cache_lines_and_come_back_as_they_were() {
        let frames: Vec<_> = (0..=130)
            .map(|n| frame(n, 60 + 40 * usize::from(n % 3)))
            .collect();
        let pool = Pool::new(&frames).unwrap();
        assert_eq!(pool.frames(), frames);
        for frame in pool.frames() {
            assert_eq!(frame.as_ptr().align_offset(LINE_BYTES), 0);
        }
    }

    #[test]
    fn the_floor_reads_a_word_of_each_header_line_and_of_no_other() {
        for (octets, packed) in [(60, true), (1_514, false)] {
            let frames: Vec<_> = (0..100).map(|n| frame(n, octets)).collect();
            let pool = Pool::new(&frames).unwrap();
            let header_words = pool.header_words();
            assert_eq!((header_words.len(), pool.is_packed()), (100, packed));
            assert_eq!(floor(&header_words), words(&frames, &[0]));
        }
    }

    #[test]
    fn headers_that_end_in_a_second_line_are_two_lines() {
        let tagged = |n| {
            let mut frame = frame(n, 60);
            frame.splice(12..12, [0x81, 0, 0, 100].repeat(3));
            frame
        };
        let frames: Vec<_> = (0..100).map(tagged).collect();
        let pool = Pool::new(&frames).unwrap();
        assert_eq!((pool.header_words().len(), pool.is_packed()), (200, true));
        assert_eq!(floor(&pool.header_words()), words(&frames, &[0, 64]));
    }
}
