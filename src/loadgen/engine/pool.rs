use crate::wire::{self, BURST, Frame, LinkType, Shape, TRANSPORT_OCTETS};
use std::hint::black_box;

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
    headers: HeaderLines,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    line: u32,
    len_bytes: u32,
}

/// Which lines hold headers.
#[derive(Debug)]
enum HeaderLines {
    /// Every line of the pool.
    All(usize),
    /// These, in the order of the frames.
    Some(Vec<u32>),
}

/// More lines than 32 bits number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frames of more than 256 GiB do not fit a pool")]
pub struct TooLarge;

impl Pool {
    /// Lays Ethernet frames out.
    ///
    /// # Errors
    /// They take more than 256 GiB.
    pub fn new<F: AsRef<[u8]>>(frames: impl IntoIterator<Item = F>) -> Result<Self, TooLarge> {
        let (mut lines, mut places, mut headers) = (Vec::new(), Vec::new(), Vec::new());
        for frame in frames {
            let frame = frame.as_ref();
            let line = lines.len() / LINE_BYTES;
            places.push(Place {
                line: u32::try_from(line).or(Err(TooLarge))?,
                len_bytes: u32::try_from(frame.len()).or(Err(TooLarge))?,
            });
            for header in line..line + header_lines(frame) {
                headers.push(u32::try_from(header).or(Err(TooLarge))?);
            }
            lines.extend_from_slice(frame);
            lines.resize(lines.len().next_multiple_of(LINE_BYTES), 0);
        }
        let count = lines.len() / LINE_BYTES;
        // In place: a second copy of a large pool might not fit.
        lines.resize(lines.len() + LINE_BYTES, 0);
        let start = lines.as_ptr().align_offset(LINE_BYTES) % LINE_BYTES;
        lines.copy_within(..count * LINE_BYTES, start);
        Ok(Self {
            bytes: lines,
            start,
            places,
            headers: match headers.len() {
                all if all == count => HeaderLines::All(all),
                _ => HeaderLines::Some(headers),
            },
        })
    }

    /// How many frames it holds.
    pub fn frames(&self) -> usize {
        self.places.len()
    }

    /// How many cache lines hold headers.
    pub fn header_lines(&self) -> usize {
        match &self.headers {
            HeaderLines::All(count) => *count,
            HeaderLines::Some(lines) => lines.len(),
        }
    }

    /// Whether every line of the pool holds headers, one behind the other.
    pub fn is_packed(&self) -> bool {
        matches!(self.headers, HeaderLines::All(_))
    }

    /// The frames, in bursts.
    pub fn bursts(&self) -> impl Iterator<Item = impl Iterator<Item = &[u8]> + Clone> {
        let lines = self.lines();
        let frame = |place: &Place| {
            let offset = place.line as usize * LINE_BYTES;
            let end = offset + place.len_bytes as usize;
            lines.get(offset..end).unwrap_or_default()
        };
        let bursts = self.places.chunks(BURST);
        bursts.map(move |burst| burst.iter().map(frame))
    }

    /// What no program that looks at these frames can do without: one word of each header's line
    /// is read in the order of the frames, and nothing is decided.
    #[inline(never)]
    pub fn floor(&self) -> u64 {
        let (lines, _) = black_box(self).lines().as_chunks::<LINE_BYTES>();
        let word = |line: &[u8; LINE_BYTES]| {
            let (word, _) = line.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
            u64::from_ne_bytes(*word)
        };
        match &self.headers {
            HeaderLines::All(count) => {
                let lines = lines.iter().take(*count);
                lines.fold(0, |sum, line| sum ^ word(line))
            }
            HeaderLines::Some(headers) => headers
                .iter()
                .filter_map(|line| lines.get(*line as usize))
                .fold(0, |sum, line| sum ^ word(line)),
        }
    }

    fn lines(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

/// How many lines the headers of a frame reach into: so many that a parser that sees no more of
/// it finds the same. TCP is decided by its first 14 octets; its header has 6 more.
fn header_lines(frame: &[u8]) -> usize {
    let whole = wire::parse(frame, LinkType::ETHERNET);
    let lines = frame.len().div_ceil(LINE_BYTES);
    let undecided = match whole.shape {
        Shape::Tcp => TCP_HEADER_OCTETS - usize::from(TRANSPORT_OCTETS),
        _ => 0,
    };
    let enough = |lines: &usize| {
        let seen = frame.get(..lines * LINE_BYTES - undecided).unwrap_or(frame);
        wire::parse_part(seen, frame.len() - seen.len(), LinkType::ETHERNET) == whole
    };
    (1..lines).find(enough).unwrap_or(lines)
}

/// A frame of which all octets are there.
pub(super) fn whole(bytes: &[u8]) -> Frame<'_> {
    Frame {
        bytes,
        original_len: bytes.len() as u32,
        link_type: LinkType::ETHERNET,
    }
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
    fn frames_begin_at_cache_lines_and_come_back_in_bursts() {
        let frames: Vec<_> = (0..=130)
            .map(|n| frame(n, 60 + 40 * usize::from(n % 3)))
            .collect();
        let pool = Pool::new(&frames).unwrap();
        let bursts: Vec<Vec<_>> = pool.bursts().map(Iterator::collect).collect();
        assert_eq!(bursts.iter().map(Vec::len).collect::<Vec<_>>(), [64, 64, 3]);
        assert!(bursts.iter().flatten().eq(frames.iter()));
        for frame in bursts.iter().flatten() {
            assert_eq!(frame.as_ptr().align_offset(LINE_BYTES), 0);
        }
    }

    #[test]
    fn the_floor_reads_a_word_of_each_header_line_and_of_no_other() {
        let least: Vec<_> = (0..100).map(|n| frame(n, 60)).collect();
        let pool = Pool::new(&least).unwrap();
        assert_eq!((pool.header_lines(), pool.is_packed()), (100, true));
        assert_eq!(pool.floor(), words(&least, &[0]));

        let large: Vec<_> = (0..100).map(|n| frame(n, 1_514)).collect();
        let pool = Pool::new(&large).unwrap();
        assert_eq!((pool.header_lines(), pool.is_packed()), (100, false));
        assert_eq!(pool.floor(), words(&large, &[0]));
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
        assert_eq!((pool.header_lines(), pool.is_packed()), (200, true));
        assert_eq!(pool.floor(), words(&frames, &[0, 64]));
    }
}
