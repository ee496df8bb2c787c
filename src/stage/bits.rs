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

    /// Adds a frame, if so; no branch.
    #[inline(always)]
    pub(super) fn add_if(&mut self, index: usize, is_so: bool) {
        self.0 |= u64::from(is_so) << (index & 63);
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
