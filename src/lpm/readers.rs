//! Who reads the tables, and how far each reader is: so a writer learns when nobody can hold what
//! it has taken out.
//!
//! ```text
//! writer   take a page out ─▶ advance: epoch e ─▶ … every reader at e or later? ─▶ use it again
//! reader   … lookups ─▶ announce: "I have seen epoch e, and hold nothing from before" ─▶ lookups …
//! ```
//!
//! An announcement is a load of the epoch and a store to a cache line of the reader's own; neither
//! waits for anybody. The load acquires the epoch, so that whoever has seen epoch *e* no longer
//! finds what was taken out before it. The store releases the reader's earlier lookups, so that
//! they are over before the writer writes to that memory. Registering and leaving take a lock that
//! the writer's question takes too: a reader that the writer did not see begins its lookups after
//! that question, hence after what was taken out before it.

use std::sync::{Arc, PoisonError};

use crossbeam_utils::CachePadded;

use super::atomics::{AtomicU64, Mutex, MutexGuard, Ordering};

/// The readers of one or more tables.
#[derive(Debug)]
pub struct Readers {
    epoch: CachePadded<AtomicU64>,
    announced: Mutex<Vec<Announcement>>,
}

/// The epoch that a reader has seen, in a cache line that nobody else writes to.
type Announcement = Arc<CachePadded<AtomicU64>>;

/// A point in the order of changes; see [`Readers::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(u64);

impl Readers {
    /// Nobody reads yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            epoch: CachePadded::new(AtomicU64::new(0)),
            announced: Mutex::new(Vec::new()),
        })
    }

    /// A reader that counts from now on, until it is dropped or parked.
    pub fn register(self: &Arc<Self>) -> Reader {
        let announced = Arc::new(CachePadded::new(AtomicU64::new(0)));
        let mut all = self.lock();
        announced.store(self.epoch.load(Ordering::Acquire), Ordering::Release);
        all.push(Arc::clone(&announced));
        drop(all);
        Reader {
            readers: Arc::clone(self),
            announced,
        }
    }

    /// How many readers there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Begins an epoch. What the caller has taken out of the readers' reach before this call may be
    /// used again, or freed, as soon as the readers [have passed](Self::have_passed) the epoch.
    #[must_use = "what was taken out waits for this epoch"]
    pub fn advance(&self) -> Epoch {
        Epoch(self.epoch.fetch_add(1, Ordering::AcqRel) + 1)
    }

    /// Whether every reader has announced a burst that began after `epoch`.
    pub fn have_passed(&self, epoch: Epoch) -> bool {
        self.behind(epoch) == 0
    }

    /// How many readers have not announced a burst since `epoch`.
    pub fn behind(&self, epoch: Epoch) -> usize {
        let all = self.lock();
        let seen = all.iter().map(|reader| reader.load(Ordering::Acquire));
        seen.filter(|seen| *seen < epoch.0).count()
    }

    /// The latest epoch that all readers have passed.
    pub(super) fn passed(&self) -> Epoch {
        let all = self.lock();
        let seen = all.iter().map(|reader| reader.load(Ordering::Acquire));
        Epoch(seen.min().unwrap_or(u64::MAX))
    }

    /// Nothing that could panic is done under the lock.
    fn lock(&self) -> MutexGuard<'_, Vec<Announcement>> {
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One reader: a worker, or any other thread that asks a table that is written to.
///
/// Between two announcements the reader may look up as often as it likes; it must carry nothing
/// that it found in a table over an announcement but values.
#[derive(Debug)]
pub struct Reader {
    readers: Arc<Readers>,
    announced: Announcement,
}

impl Reader {
    /// Says that a burst begins, and that the lookups of the one before are over. An empty poll
    /// announces too: until then, what the writer has taken out waits for this reader.
    #[inline]
    pub fn announce(&mut self) {
        let epoch = self.readers.epoch.load(Ordering::Acquire);
        self.announced.store(epoch, Ordering::Release);
    }

    /// Takes the reader out of the count, for a worker that will be still for a while.
    #[must_use = "a parked reader must be resumed before the next lookup"]
    pub fn park(self) -> Parked {
        Parked(Arc::clone(&self.readers))
    }
}

/// A worker that stops, also one that panics, is taken out of the count.
impl Drop for Reader {
    fn drop(&mut self) {
        let mut all = self.readers.lock();
        all.retain(|other| !Arc::ptr_eq(other, &self.announced));
    }
}

/// A reader that does not look up anything, and that nobody waits for.
#[derive(Debug)]
pub struct Parked(Arc<Readers>);

impl Parked {
    /// Counts again.
    pub fn resume(self) -> Reader {
        self.0.register()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_passed_when_every_reader_has_announced_after_it() {
        let readers = Readers::new();
        let (mut first, mut second) = (readers.register(), readers.register());
        let epoch = readers.advance();
        assert_eq!(readers.behind(epoch), 2);
        first.announce();
        first.announce();
        assert_eq!(readers.behind(epoch), 1);
        second.announce();
        assert!(readers.have_passed(epoch));
        assert!(readers.passed() >= epoch);
    }

    #[test]
    fn nobody_waits_for_a_reader_that_is_parked_or_gone() {
        let readers = Readers::new();
        let (first, second) = (readers.register(), readers.register());
        let epoch = readers.advance();
        let parked = first.park();
        assert_eq!(readers.behind(epoch), 1);
        drop(second);
        assert!(readers.have_passed(epoch));

        let resumed = parked.resume();
        assert!(readers.have_passed(epoch), "it resumed after that epoch");
        assert!(!readers.have_passed(readers.advance()));
        drop(resumed);
        assert_eq!(readers.count(), 0);
    }

    #[test]
    fn announcements_do_not_share_a_cache_line() {
        let readers = Readers::new();
        let registered: Vec<_> = (0..8).map(|_| readers.register()).collect();
        let mut lines: Vec<_> = registered
            .iter()
            .map(|reader| Arc::as_ptr(&reader.announced) as usize / 64)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 8);
    }
}
