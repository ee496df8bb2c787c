//! Frames for benchmarks, laid out in memory as a ring of receive buffers would hold their
//! headers.

mod layout;
mod random;

pub(crate) use layout::{Layout, Talk, any_address};
pub(crate) use random::Random;

/// What fits a first- or second-level cache, and what does not.
pub(crate) const POOLS: [usize; 2] = [4_096, 262_144];

/// A processor's cache line.
const LINE_BYTES: usize = 64;

/// Distinct frames, each from the beginning of a cache line on. They end with their headers (or
/// with the padding to 60 octets), so that every line of the pool is a header's.
pub(crate) struct Pool {
    bytes: Vec<u8>,
    /// Of the first line: the allocator aligns to less.
    start: usize,
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    offset: u32,
    len: u32,
}

impl Pool {
    pub(crate) fn new(frames: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut lines = Vec::new();
        let mut places = Vec::new();
        for frame in frames {
            places.push(Place {
                offset: u32::try_from(lines.len()).unwrap(),
                len: u32::try_from(frame.len()).unwrap(),
            });
            lines.extend(&frame);
            lines.resize(lines.len().next_multiple_of(LINE_BYTES), 0);
        }
        let mut bytes = vec![0; lines.len() + LINE_BYTES];
        let start = bytes.as_ptr().align_offset(LINE_BYTES);
        bytes[start..start + lines.len()].copy_from_slice(&lines);
        Self {
            bytes,
            start,
            places,
        }
    }

    /// The frames, as a port hands them over.
    pub(crate) fn frames(&self) -> Vec<&[u8]> {
        let lines = &self.bytes[self.start..];
        let frame = |place: &Place| {
            let offset = place.offset as usize;
            &lines[offset..offset + place.len as usize]
        };
        self.places.iter().map(frame).collect()
    }
}

/// What no program that looks at these frames can do without: a word of each header's cache line
/// is read, in their order, and nothing is decided.
#[inline]
pub(crate) fn floor(frames: &[&[u8]]) -> u64 {
    frames.iter().fold(0, |sum, frame| {
        let words = frame.chunks(LINE_BYTES).filter_map(<[u8]>::first_chunk);
        words.fold(sum, |sum, word| sum ^ u64::from_ne_bytes(*word))
    })
}
