use super::input::{Input, InputFault};

/// Large enough that a read is worth its system call and that the largest pcap record fits; small
/// enough to stay in a core's second-level cache, from which records are then read.
const CAPACITY_BYTES: usize = 512 * 1024;

/// The stretch of a capture that is in memory.
pub(super) struct ReadBuffer {
    input: Input,
    bytes: Vec<u8>,
    /// `bytes[start..end]` was read and not consumed.
    start: usize,
    end: usize,
    /// Bytes consumed since the start of the capture.
    consumed: u64,
}

impl ReadBuffer {
    pub(super) fn new(input: Input) -> Self {
        Self {
            input,
            bytes: vec![0; CAPACITY_BYTES],
            start: 0,
            end: 0,
            consumed: 0,
        }
    }

    pub(super) fn input(&self) -> &Input {
        &self.input
    }

    /// Where the first unread byte stands in the capture.
    pub(super) fn offset(&self) -> u64 {
        self.consumed
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Gives up the first `len` unread bytes.
    pub(super) fn consume(&mut self, len: usize) {
        let len = len.min(self.end - self.start);
        self.start += len;
        self.consumed += len as u64;
    }

    /// Reads until `needed` bytes are unread, or until the end; says whether they are there.
    ///
    /// Reads no more often than it must, so that a capture that is still being written to a pipe
    /// is handed on as it comes.
    pub(super) fn fill(&mut self, needed: usize) -> Result<bool, InputFault> {
        if self.end - self.start >= needed {
            return Ok(true);
        }
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if needed > self.bytes.len() {
            self.bytes.resize(needed, 0);
        }
        while self.end < needed {
            let space = self.bytes.get_mut(self.end..).unwrap_or_default();
            match self.input.read(space)? {
                0 => return Ok(false),
                len => self.end += len,
            }
        }
        Ok(true)
    }
}
