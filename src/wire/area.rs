/// Octets from one header on, and what ends them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area<'a> {
    /// What is there, and may be read.
    pub(super) bytes: &'a [u8],
    /// They end where the frame ends, and no length field says that this is their end: if the
    /// capture cut the frame, more would follow.
    pub(super) open: bool,
}

impl<'a> Area<'a> {
    /// A whole frame.
    pub(super) fn frame(bytes: &'a [u8]) -> Self {
        Self { bytes, open: true }
    }

    /// The first `len_bytes` of them, as a length field says; all of them when it promises more.
    pub(super) fn bounded(self, len_bytes: usize) -> Self {
        match self.bytes.get(..len_bytes) {
            Some(bytes) => Self { bytes, open: false },
            None => self,
        }
    }

    /// Takes `len_bytes` off the front, or nothing when fewer are there.
    pub(super) fn take(&mut self, len_bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len_bytes)?;
        self.bytes = rest;
        Some(taken)
    }

    /// Takes `N` octets off the front, or nothing when fewer are there.
    pub(super) fn take_array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(taken)
    }
}
