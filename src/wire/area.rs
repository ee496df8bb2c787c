/// Octets from one header on, and what ends them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area<'a> {
    /// What is there, and may be read.
    pub(super) bytes: &'a [u8],
    /// How many more may follow on the wire, as far as the length fields let them.
    missing_bytes: usize,
}

impl<'a> Area<'a> {
    /// A frame of which so many octets are not there.
    pub(super) fn frame(bytes: &'a [u8], missing_bytes: usize) -> Self {
        Self {
            bytes,
            missing_bytes,
        }
    }

    /// The first `len_bytes` of them, as a length field says; all of them when it promises more.
    pub(super) fn bounded(self, len_bytes: usize) -> Self {
        match self.bytes.get(..len_bytes) {
            Some(bytes) => Self {
                bytes,
                missing_bytes: 0,
            },
            None => Self {
                missing_bytes: self.missing_bytes.min(len_bytes - self.bytes.len()),
                ..self
            },
        }
    }

    /// Whether octets are missing, and with them there can be so many.
    pub(super) fn could_hold(&self, len_bytes: usize) -> bool {
        self.missing_bytes > 0 && self.on_wire_bytes() >= len_bytes
    }

    /// How many there were on the wire, as far as one can tell.
    pub(super) fn on_wire_bytes(&self) -> usize {
        self.bytes.len().saturating_add(self.missing_bytes)
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
