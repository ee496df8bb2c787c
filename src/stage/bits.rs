/// Frames of a burst, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(pub(super) u64);

impl Bits {
    /// The first `count` frames; 64 at most.
    #[inline]
    pub(super) fn first(count: usize) -> Self {
        match count {
            0 => Self(0),
            _ => Self(u64::MAX >> 64_usize.saturating_sub(count)),
        }
    }

    /// A frame that is below 64.
    #[inline(always)]
    pub(super) fn one(index: usize) -> Self {
        Self(1 << (index & 63))
    }

    /// Of a column that holds 1 where it is so, and 0 elsewhere.
    #[inline(always)]
    pub(super) fn of(column: &[u8; 64]) -> Self {
        let (eights, _) = column.as_chunks();
        // The product gathers the lowest bits of eight octets in its highest octet.
        let bits = eights
            .iter()
            .map(|eight| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56);
        let places = (0..).step_by(8);
        Self(bits.zip(places).fold(0, |all, (bits, at)| all | bits << at))
    }

    #[inline(always)]
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[inline(always)]
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline(always)]
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    #[inline(always)]
    pub(super) fn count(self) -> u32 {
        self.0.count_ones()
    }

    #[inline(always)]
    pub(super) fn any(self) -> bool {
        self.0 != 0
    }

    #[inline(always)]
    pub(super) fn has(self, index: usize) -> bool {
        self.0 >> (index & 63) & 1 == 1
    }
}

/// Their indices, all below 64.
impl Iterator for Bits {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let index = self.0.trailing_zeros();
        (self.0 != 0).then(|| {
            self.0 &= self.0 - 1;
            index as usize & 63
        })
    }
}
