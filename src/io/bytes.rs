/// How a file writes its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// Reads numbers off the front of a slice.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    order: ByteOrder,
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self { rest: bytes, order }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let taken = self.array()?;
        Some(match self.order {
            ByteOrder::Little => u16::from_le_bytes(taken),
            ByteOrder::Big => u16::from_be_bytes(taken),
        })
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Option<u32> {
        let taken = self.array()?;
        Some(match self.order {
            ByteOrder::Little => u32::from_le_bytes(taken),
            ByteOrder::Big => u32::from_be_bytes(taken),
        })
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        let taken = self.array()?;
        Some(match self.order {
            ByteOrder::Little => i64::from_le_bytes(taken),
            ByteOrder::Big => i64::from_be_bytes(taken),
        })
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }
}
