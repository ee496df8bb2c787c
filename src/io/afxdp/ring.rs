//! The four rings between this side and the kernel: one writes entries and moves `producer` on, the
//! other reads them and moves `consumer` on. Both count on beyond the size, and wrap at 2³².
#![expect(
    unsafe_code,
    reason = "entries lie in memory that the kernel reads and writes too"
)]

use super::mapping::{Mapping, Place, Plain};
use rustix::io::Errno;
use rustix::net::xdp::{XdpRingFlags, XdpRingOffset};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, Ordering};

/// A ring that this side writes to: fill and tx.
#[derive(Debug)]
pub(super) struct Producer<T> {
    ring: Ring<T>,
    /// The next entry to write.
    next: u32,
}

/// A ring that this side reads from: rx and completion.
#[derive(Debug)]
pub(super) struct Consumer<T> {
    ring: Ring<T>,
    /// The next entry to read.
    next: u32,
}

/// Entries that are there to be read; taken when [`Consumer::release`] says so.
#[derive(Debug)]
pub(super) struct Entries<'r, T> {
    ring: &'r Ring<T>,
    first: u32,
    count: u32,
}

#[derive(Debug)]
struct Ring<T> {
    mapping: Mapping,
    producer: Place<AtomicU32>,
    consumer: Place<AtomicU32>,
    /// Absent on kernels before 5.4.
    flags: Option<Place<AtomicU32>>,
    entries: Place<T>,
    /// One less than how many entries there are, a power of two.
    mask: u32,
}

impl<T: Plain> Producer<T> {
    pub(super) fn map(
        socket: BorrowedFd<'_>,
        page: u64,
        offsets: XdpRingOffset,
        entries: u32,
    ) -> Result<Self, Errno> {
        let ring = Ring::map(socket, page, offsets, entries)?;
        let next = ring.producer().load(Ordering::Relaxed);
        Ok(Self { ring, next })
    }

    /// How many entries the ring has.
    pub(super) fn size(&self) -> u32 {
        self.ring.mask + 1
    }

    /// Writes an entry, which the kernel sees with the next [`publish`](Self::publish). The caller
    /// never has more entries before the kernel than the ring holds.
    #[inline(always)]
    pub(super) fn write(&mut self, entry: T) {
        let index = (self.next & self.ring.mask) as usize;
        // SAFETY: the table is of this ring's mapping, and the mask keeps the index below its size. The
        // kernel reads what `producer` has passed and `consumer` has not: with no more entries before
        // it than the ring holds, this one is not among them.
        unsafe { self.ring.mapping.write(&self.ring.entries, index, entry) };
        self.next = self.next.wrapping_add(1);
    }

    /// Hands what was written to the kernel.
    #[inline(always)]
    pub(super) fn publish(&self) {
        self.ring.producer().store(self.next, Ordering::Release);
    }

    /// How many entries the kernel has not yet taken.
    #[inline(always)]
    pub(super) fn untaken(&self) -> u32 {
        let taken = self.ring.consumer().load(Ordering::Acquire);
        self.next.wrapping_sub(taken)
    }

    /// Whether the kernel asks for a system call to look at the ring.
    #[inline(always)]
    pub(super) fn needs_wakeup(&self) -> bool {
        // A kernel without the flag always has to be called.
        self.ring.flags().is_none_or(|flags| {
            let set = XdpRingFlags::from_bits_retain(flags.load(Ordering::Relaxed));
            set.contains(XdpRingFlags::XDP_RING_NEED_WAKEUP)
        })
    }
}

impl<T: Plain> Consumer<T> {
    pub(super) fn map(
        socket: BorrowedFd<'_>,
        page: u64,
        offsets: XdpRingOffset,
        entries: u32,
    ) -> Result<Self, Errno> {
        let ring = Ring::map(socket, page, offsets, entries)?;
        let next = ring.consumer().load(Ordering::Relaxed);
        Ok(Self { ring, next })
    }

    /// What the kernel has written and nobody taken, so many entries at most.
    #[inline(always)]
    pub(super) fn entries(&self, at_most: u32) -> Entries<'_, T> {
        let written = self.ring.producer().load(Ordering::Acquire);
        Entries {
            ring: &self.ring,
            first: self.next,
            count: written.wrapping_sub(self.next).min(at_most),
        }
    }

    /// Takes so many of these entries: the kernel may write there again.
    #[inline(always)]
    pub(super) fn release(&mut self, count: u32) {
        if count > 0 {
            self.next = self.next.wrapping_add(count);
            self.ring.consumer().store(self.next, Ordering::Release);
        }
    }
}

impl<T: Plain> Entries<'_, T> {
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// One of them, if it is one of them.
    #[inline(always)]
    pub(super) fn get(&self, index: u32) -> Option<T> {
        if index >= self.count {
            return None;
        }
        let index = (self.first.wrapping_add(index) & self.ring.mask) as usize;
        // SAFETY: the table is of this ring's mapping, and the mask keeps the index below its size.
        // `producer` has passed the entry, and was loaded to acquire it; the kernel does not write there
        // again before `consumer` passes it, which takes a mutable borrow of the ring.
        Some(unsafe { self.ring.mapping.read(&self.ring.entries, index) })
    }
}

impl<T: Plain> Ring<T> {
    fn map(
        socket: BorrowedFd<'_>,
        page: u64,
        offsets: XdpRingOffset,
        entries: u32,
    ) -> Result<Self, Errno> {
        let count = entries as usize;
        let len_bytes = usize::try_from(offsets.desc)
            .ok()
            .and_then(|header| header.checked_add(count.checked_mul(size_of::<T>())?))
            .ok_or(Errno::OVERFLOW)?;
        let mapping = Mapping::shared(socket, page, len_bytes)?;
        Ok(Self {
            producer: mapping.place(offsets.producer, 1)?,
            consumer: mapping.place(offsets.consumer, 1)?,
            flags: match offsets.flags {
                Some(offset) => Some(mapping.place(offset, 1)?),
                None => None,
            },
            entries: mapping.place(offsets.desc, count)?,
            mask: entries - 1,
            mapping,
        })
    }

    #[inline(always)]
    fn producer(&self) -> &AtomicU32 {
        // SAFETY: `map` made the place, of this mapping.
        unsafe { self.mapping.atomic(&self.producer) }
    }

    #[inline(always)]
    fn consumer(&self) -> &AtomicU32 {
        // SAFETY: as above.
        unsafe { self.mapping.atomic(&self.consumer) }
    }

    #[inline(always)]
    fn flags(&self) -> Option<&AtomicU32> {
        // SAFETY: as above.
        let flags = |place| unsafe { self.mapping.atomic(place) };
        self.flags.as_ref().map(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
    use std::os::fd::AsFd;

    const ENTRIES: u32 = 8;
    const OFFSETS: XdpRingOffset = XdpRingOffset {
        producer: 0,
        consumer: 64,
        desc: 192,
        flags: Some(128),
    };

    /// The kernel's side is this ring seen from its other end.
    fn both_ends(first: u32) -> (Producer<u64>, Consumer<u64>) {
        let memory = memfd_create("ring", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&memory, 4_096).unwrap();
        let begin = Ring::<u64>::map(memory.as_fd(), 0, OFFSETS, ENTRIES).unwrap();
        begin.producer().store(first, Ordering::Relaxed);
        begin.consumer().store(first, Ordering::Relaxed);
        (
            Producer::map(memory.as_fd(), 0, OFFSETS, ENTRIES).unwrap(),
            Consumer::map(memory.as_fd(), 0, OFFSETS, ENTRIES).unwrap(),
        )
    }

    #[test]
    fn entries_keep_their_order_also_where_the_count_wraps() {
        let (mut producer, mut consumer) = both_ends(u32::MAX - 20);
        let (mut written, mut read) = (0_u64, 0_u64);
        for round in 0..20 {
            for _ in 0..round % (ENTRIES + 1) {
                producer.write(written);
                written += 1;
            }
            assert_eq!(consumer.entries(u32::MAX).count(), 0, "not yet published");
            producer.publish();
            assert_eq!(u64::from(producer.untaken()), written - read);
            let entries = consumer.entries(u32::MAX);
            let count = entries.count();
            for index in 0..count {
                assert_eq!(entries.get(index), Some(read));
                read += 1;
            }
            assert_eq!(entries.get(count), None);
            consumer.release(count);
            assert_eq!((read, producer.untaken()), (written, 0));
        }
    }

    #[test]
    fn what_is_not_released_is_read_again() {
        let (mut producer, mut consumer) = both_ends(0);
        for entry in 0..5 {
            producer.write(entry);
        }
        producer.publish();
        consumer.release(2);
        assert_eq!(producer.untaken(), 3);
        let entries = consumer.entries(2);
        assert_eq!(
            [0, 1, 2].map(|index| entries.get(index)),
            [Some(2), Some(3), None]
        );
    }

    #[test]
    fn a_ring_that_would_not_lie_in_its_memory_is_refused() {
        let memory = memfd_create("ring", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&memory, 4_096).unwrap();
        for offsets in [
            XdpRingOffset {
                consumer: 1 << 20,
                ..OFFSETS
            },
            XdpRingOffset {
                producer: 2,
                ..OFFSETS
            },
            XdpRingOffset {
                flags: Some(u64::MAX),
                ..OFFSETS
            },
        ] {
            assert!(Producer::<u64>::map(memory.as_fd(), 0, offsets, ENTRIES).is_err());
        }
    }
}
