use crate::io::{CaptureError, CaptureReader};
use crate::wire::{Frame, LinkType};

/// A processor's cache line.
const LINE_BYTES: usize = 64;

/// Whole Ethernet frames in memory, one behind the other, and an index of them. Each begins at a
/// cache line.
#[derive(Debug, Default)]
pub struct Arena {
    bytes: Vec<u8>,
    /// Of the first line: the allocator aligns to less.
    start: usize,
    places: Vec<Place>,
}

/// Where a frame lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Its first line.
    line: u32,
    len_bytes: u32,
}

/// Why frames cannot be laid out.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum ArenaError {
    /// The capture cannot be read to its end.
    #[error(transparent)]
    Capture(#[from] CaptureError),

    #[error("{file}: record {record} is of link type {}, where a port receives Ethernet", .found.0)]
    NotEthernet {
        file: String,
        record: usize,
        found: LinkType,
    },

    #[error(
        "{file}: record {record} holds {captured} of {original} octets, where a port receives \
         whole frames"
    )]
    Cut {
        file: String,
        record: usize,
        captured: usize,
        original: u32,
    },

    #[error("frames of more than 256 GiB do not fit")]
    TooLarge,
}

impl ArenaError {
    /// Why a port cannot receive this frame of a capture, if it cannot.
    #[inline]
    pub(super) fn unfit(file: &str, record: usize, frame: &Frame<'_>) -> Option<Self> {
        let file = || file.to_owned();
        if frame.link_type != LinkType::ETHERNET {
            Some(Self::NotEthernet {
                file: file(),
                record,
                found: frame.link_type,
            })
        } else if frame.is_cut() {
            Some(Self::Cut {
                file: file(),
                record,
                captured: frame.bytes.len(),
                original: frame.original_len,
            })
        } else {
            None
        }
    }
}

impl Arena {
    /// Lays frames out in the order given.
    ///
    /// # Errors
    /// They take more than 256 GiB.
    pub fn of<F: AsRef<[u8]>>(frames: impl IntoIterator<Item = F>) -> Result<Self, ArenaError> {
        let mut arena = Self::default();
        for frame in frames {
            arena.append(frame.as_ref())?;
        }
        arena.align();
        Ok(arena)
    }

    /// Reads a capture to its end.
    ///
    /// # Errors
    /// It is damaged, or holds what no Ethernet port receives.
    pub fn read(mut capture: CaptureReader) -> Result<Self, ArenaError> {
        let mut arena = Self::default();
        loop {
            let file = capture.name().to_owned();
            let records = capture.read_burst()?;
            if records.is_empty() {
                break;
            }
            for record in records {
                let (frame, number) = (record.frame, arena.len() + 1);
                if let Some(unfit) = ArenaError::unfit(&file, number, &frame) {
                    return Err(unfit);
                }
                arena.append(frame.bytes)?;
            }
        }
        arena.align();
        Ok(arena)
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The octets of each, in their order.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.bytes.get(self.start..).unwrap_or_default();
        self.places.iter().map(|place| {
            let begin = place.line as usize * LINE_BYTES;
            let end = begin + place.len_bytes as usize;
            lines.get(begin..end).unwrap_or_default()
        })
    }

    fn append(&mut self, octets: &[u8]) -> Result<(), ArenaError> {
        let line = self.bytes.len() / LINE_BYTES;
        self.places.push(Place {
            line: u32::try_from(line).or(Err(ArenaError::TooLarge))?,
            len_bytes: u32::try_from(octets.len()).or(Err(ArenaError::TooLarge))?,
        });
        self.bytes.extend_from_slice(octets);
        // A frame without octets has a line of its own, too.
        let used = self.bytes.len().max(line * LINE_BYTES + 1);
        self.bytes.resize(used.next_multiple_of(LINE_BYTES), 0);
        Ok(())
    }

    /// Moves everything to where lines begin; in place, as a second copy might not fit.
    fn align(&mut self) {
        let used = self.bytes.len();
        self.bytes.resize(used + LINE_BYTES, 0);
        self.start = self.bytes.as_ptr().align_offset(LINE_BYTES) % LINE_BYTES;
        self.bytes.copy_within(..used, self.start);
    }
}
