//! Changes of an exact table while others look up.
//!
//! A new key takes a free slot of its bucket: one store. Where the bucket is full, its whole group
//! moves to another shift:
//!
//! ```text
//! copy the group's keys to the buckets of shift s' ─▶ store s' ─▶ readers move ─▶ free the old slots
//! ```
//!
//! A lookup loads the shift once, and then one bucket. Under the old shift it finds the old copies,
//! which stay until no reader can have loaded that shift; under the new one it finds the new
//! copies, which were stored before. So a key that is there is never missed.
//!
//! Nor is a key found that is not there. While both shifts are in use, a bucket may hold a key of
//! the group that belongs to it under the other shift only, and a slot does not hold the key's
//! upper eight bits. So a group moves only to a shift under which no key stands where the old
//! shift leads any key of the same low 56 bits, nor the other way round ([`confusable`]); the same
//! is asked of a key that comes while old copies stay.
//!
//! Group 0 keeps shift 0: the patterns of free slots are keys of that group.

use std::collections::VecDeque;

use super::{EMPTY_GROUP, Exact, empty_slot, packed, permute, shifted_bucket};
use crate::lpm::atomics::Ordering;
use crate::lpm::readers::{Epoch, Readers};
use crate::lpm::{Part, Refused};

/// Groups whose old copies wait for readers, at most: some nine slots each.
const MOST_RETIRED: usize = 1_024;

/// Which keys stand in an exact table.
pub(in crate::lpm) struct ExactWriter {
    groups: Vec<Vec<Key>>,
    /// The oldest first.
    retired: VecDeque<Retired>,
}

#[derive(Clone, Copy)]
struct Key {
    key: u64,
    /// Whether a prefix of the table's own length put it here, not a shorter one around it.
    own: bool,
}

/// The old copies of a group that has moved.
struct Retired {
    epoch: Epoch,
    group: usize,
    shift: u8,
    /// Buckets and low 56 bits.
    copies: Vec<(usize, u64)>,
}

impl ExactWriter {
    /// Takes charge of a table that was built from these keys; `own` are those of prefixes of its
    /// own length.
    pub(in crate::lpm) fn new(
        exact: &Exact,
        keys: &[(u64, u8)],
        own: impl Iterator<Item = u64>,
    ) -> Self {
        let mut writer = Self {
            groups: vec![Vec::new(); exact.shifts.len()],
            retired: VecDeque::new(),
        };
        for &(key, _) in keys {
            writer.push(exact, Key { key, own: false });
        }
        for key in own {
            if let Some(key) = writer.key(exact, key) {
                key.own = true;
            }
        }
        writer
    }

    /// Whether a key is there, and whether a prefix of the table's own length put it there.
    pub(in crate::lpm) fn owns(&self, exact: &Exact, key: u64) -> Option<bool> {
        let keys = self.groups.get(exact.group_of(key))?;
        keys.iter()
            .find(|found| found.key == key)
            .map(|key| key.own)
    }

    /// The keys of prefixes of the table's own length.
    pub(in crate::lpm) fn own_keys(&self) -> impl Iterator<Item = u64> + '_ {
        let keys = self.groups.iter().flatten();
        keys.filter(|key| key.own).map(|key| key.key)
    }

    /// Gives a key a value, be it new or not.
    pub(in crate::lpm) fn insert(
        &mut self,
        exact: &Exact,
        readers: &Readers,
        key: u64,
        value: u8,
        own: bool,
    ) -> Result<(), Refused> {
        if let Some(found) = self.key(exact, key) {
            found.own = own;
            exact.replace(permute(key, exact.seed), Some(value));
            return Ok(());
        }
        if self.add(exact, readers, key, value)? {
            self.push(exact, Key { key, own });
            return Ok(());
        }
        self.move_group(exact, readers, key, value)?;
        self.push(exact, Key { key, own });
        Ok(())
    }

    /// Takes a key out, if it is there.
    pub(in crate::lpm) fn remove(&mut self, exact: &Exact, key: u64) {
        if let Some(keys) = self.groups.get_mut(exact.group_of(key)) {
            keys.retain(|found| found.key != key);
        }
        exact.replace(permute(key, exact.seed), None);
    }

    /// Frees the slots of old copies that no reader can look for.
    pub(in crate::lpm) fn reclaim(&mut self, exact: &Exact, readers: &Readers) {
        let passed = readers.passed();
        while let Some(group) = self.retired.pop_front_if(|group| group.epoch <= passed) {
            for (bucket, key) in group.copies {
                exact.free(bucket, key);
            }
        }
    }

    /// Slots that wait for readers.
    pub(in crate::lpm) fn retired(&self) -> usize {
        self.retired.iter().map(|group| group.copies.len()).sum()
    }

    fn key(&mut self, exact: &Exact, key: u64) -> Option<&mut Key> {
        let keys = self.groups.get_mut(exact.group_of(key))?;
        keys.iter_mut().find(|found| found.key == key)
    }

    fn push(&mut self, exact: &Exact, key: Key) {
        if let Some(keys) = self.groups.get_mut(exact.group_of(key.key)) {
            keys.push(key);
        }
    }

    /// Puts a new key into its bucket; false if that is full.
    fn add(
        &mut self,
        exact: &Exact,
        readers: &Readers,
        key: u64,
        value: u8,
    ) -> Result<bool, Refused> {
        let permuted = permute(key, exact.seed);
        let bucket = exact.bucket_index(permuted);
        if exact.free_slot(bucket).is_none() || self.is_confused(exact, permuted) {
            self.reclaim(exact, readers);
        }
        if self.is_confused(exact, permuted) {
            return Err(self.refused(exact, readers));
        }
        let free = exact.free_slot(bucket);
        if let Some(free) = free {
            free.store(packed(permuted, value), Ordering::Release);
        }
        Ok(free.is_some())
    }

    /// Whether a key of a group that has moved could be taken for another one by a reader that
    /// still uses the old shift.
    fn is_confused(&self, exact: &Exact, permuted: u64) -> bool {
        let group = exact.group(permuted);
        let mut moves = self.retired.iter().filter(|moved| moved.group == group);
        moves.any(|moved| {
            let shifts = [moved.shift, exact.shift(group)];
            confusable(permuted, shifts, exact.buckets.len())
        })
    }

    /// Moves the group of a new key, with it, to a shift whose buckets have room.
    fn move_group(
        &mut self,
        exact: &Exact,
        readers: &Readers,
        new: u64,
        value: u8,
    ) -> Result<(), Refused> {
        let new = permute(new, exact.seed);
        let group = exact.group(new);
        let moves = self.retired.iter().any(|moved| moved.group == group);
        if moves || self.retired.len() >= MOST_RETIRED {
            return Err(self.refused(exact, readers));
        }
        let keys = self.groups.get(group).into_iter().flatten();
        let old: Vec<_> = keys.map(|key| permute(key.key, exact.seed)).collect();
        let before = exact.shift(group);
        let mut shifts = (0..=u8::MAX).filter(|_| group != EMPTY_GROUP);
        let Some(after) = shifts.find(|after| exact.has_room(&old, new, before, *after)) else {
            return Err(self.refused(exact, readers));
        };
        let buckets = exact.buckets.len();
        let mut keys = vec![(new, value)];
        let mut copies = Vec::with_capacity(old.len());
        for key in old {
            let bucket = shifted_bucket(key, before, buckets);
            let slot = exact.slot(bucket, key);
            keys.extend(slot.map(|slot| (key, slot.load(Ordering::Relaxed) as u8)));
            copies.push((bucket, key));
        }
        exact.store(group, &keys, after);
        let epoch = readers.advance();
        self.retired.push_back(Retired {
            epoch,
            group,
            shift: before,
            copies,
        });
        Ok(())
    }

    /// Why a group cannot move: it may when the readers have left what has moved before.
    fn refused(&self, exact: &Exact, readers: &Readers) -> Refused {
        let rebuild = Refused::Rebuild(Part::Keys(exact.length));
        self.retired.front().map_or(rebuild, |oldest| {
            Refused::waiting(self.retired(), readers, oldest.epoch)
        })
    }
}

impl Exact {
    /// The value of a key that is there.
    pub(in crate::lpm) fn value(&self, key: u64) -> Option<u8> {
        let permuted = permute(key, self.seed);
        let slot = self.slot(self.bucket_index(permuted), permuted)?;
        Some(slot.load(Ordering::Relaxed) as u8)
    }

    fn group_of(&self, key: u64) -> usize {
        self.group(permute(key, self.seed))
    }

    /// The slot of a bucket that holds a permuted key.
    fn slot(&self, bucket: usize, permuted: u64) -> Option<&crate::lpm::atomics::AtomicU64> {
        let bucket = self.buckets.get(bucket)?;
        bucket.find(|slot| slot >> 8 == packed(permuted, 0) >> 8)
    }

    /// Stores another value of a permuted key that is there, or frees its slot.
    fn replace(&self, permuted: u64, value: Option<u8>) {
        let bucket = self.bucket_index(permuted);
        match value {
            None => self.free(bucket, permuted),
            Some(value) => {
                if let Some(slot) = self.slot(bucket, permuted) {
                    slot.store(packed(permuted, value), Ordering::Release);
                }
            }
        }
    }

    fn free(&self, bucket: usize, permuted: u64) {
        if let Some(slot) = self.slot(bucket, permuted) {
            slot.store(empty_slot(bucket, self.buckets.len()), Ordering::Release);
        }
    }

    /// Whether the keys of a group and a new one find free slots under the shift `after`, and
    /// none of them can be taken for another while some readers use the shift `before`.
    fn has_room(&self, old: &[u64], new: u64, before: u8, after: u8) -> bool {
        let buckets = self.buckets.len();
        let keys = || old.iter().chain([&new]).copied();
        let bucket = |key| shifted_bucket(key, after, buckets);
        keys().all(|key| {
            let sharing = keys().filter(|other| bucket(*other) == bucket(key)).count();
            self.free_slots(bucket(key)) >= sharing && !confusable(key, [before, after], buckets)
        })
    }

    fn free_slots(&self, bucket: usize) -> usize {
        let empty = empty_slot(bucket, self.buckets.len());
        let slots = self
            .buckets
            .get(bucket)
            .into_iter()
            .flat_map(|bucket| &bucket.0);
        slots
            .filter(|slot| slot.load(Ordering::Relaxed) == empty)
            .count()
    }
}

/// Whether, of two shifts, one leads a key, or another one with its low 56 bits, to the bucket to
/// which the other shift leads the key.
fn confusable(permuted: u64, [one, other]: [u8; 2], buckets: usize) -> bool {
    reaches(
        permuted,
        one,
        shifted_bucket(permuted, other, buckets),
        buckets,
    ) || reaches(
        permuted,
        other,
        shifted_bucket(permuted, one, buckets),
        buckets,
    )
}

/// Whether a shift leads some key with the low 56 bits of this one to a bucket.
///
/// The upper eight bits place such keys 2^24 apart on the circle of 2^32; a bucket is an interval
/// of it, at most 2^23 wide.
fn reaches(permuted: u64, shift: u8, bucket: usize, buckets: usize) -> bool {
    let moved =
        ((permuted >> 32) as u32).wrapping_add(u32::from(shift).wrapping_mul(super::SHIFT_STEP));
    let first = |bucket: u64| (bucket << 32).div_ceil(buckets as u64);
    let (start, end) = (first(bucket as u64), first(bucket as u64 + 1));
    u64::from(moved).wrapping_sub(start) % (1 << 24) < end - start
}
