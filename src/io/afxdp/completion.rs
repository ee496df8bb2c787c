use super::ring::Consumer;
use super::umem::{Owner, Umem};

/// Where the kernel puts chunks whose frames have left.
#[derive(Debug)]
pub(super) struct CompletionRing(Consumer<u64>);

/// What came back through a completion ring.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Completed {
    /// Chunks, a segment each.
    pub(super) chunks: u32,
    /// Frames: chunks that held the first segment of one.
    pub(super) frames: u32,
}

impl CompletionRing {
    pub(super) fn new(ring: Consumer<u64>) -> Self {
        Self(ring)
    }

    /// Puts all that is there into the pool.
    #[inline(always)]
    pub(super) fn reap(&mut self, umem: &Umem) -> Completed {
        let entries = self.0.entries(u32::MAX);
        let chunks = entries.count();
        let mut frames = 0;
        for index in 0..chunks {
            let offset = entries.get(index).and_then(|at| u32::try_from(at).ok());
            let had = offset.and_then(|offset| umem.give_back(offset));
            frames += u32::from(matches!(had, Some(Owner::Access | Owner::Network)));
        }
        self.0.release(chunks);
        Completed { chunks, frames }
    }
}
