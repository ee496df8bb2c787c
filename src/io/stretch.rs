use super::{CaptureError, Found, Record};
use crate::wire::Frame;

/// How much of a capture is read at once, at most: large enough that a read is worth its system call and that the largest pcap record fits; small
/// enough to stay in a core's second-level cache, from which records are then read.
pub const STRETCH_BYTES: usize = 512 * 1024;

/// A stretch of a capture that is in memory, and where its records are.
#[derive(Default)]
pub(super) struct Stretch {
    pub(super) bytes: Vec<u8>,
    pub(super) found: Vec<Found>,
    pub(super) then: Then,
    /// Bytes read of the file when it was filled, before decompression.
    pub(super) bytes_read: u64,
}

/// What comes behind the records of a stretch.
#[derive(Default)]
pub(super) enum Then {
    /// Another stretch.
    #[default]
    More,
    Fault(CaptureError),
    End,
}

impl Stretch {
    #[inline(always)]
    pub(super) fn record(&self, found: &Found) -> Record<'_> {
        let Found {
            start,
            captured,
            original_len,
            link_type,
            timestamp_ns,
        } = *found;
        let start = start as usize;
        let captured = self.bytes.get(start..start + captured as usize);
        Record {
            frame: Frame {
                bytes: captured.unwrap_or_default(),
                original_len,
                link_type,
            },
            timestamp_ns,
        }
    }
}
