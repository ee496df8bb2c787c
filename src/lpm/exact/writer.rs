//! Changes of an exact table while others look up.
//!
//! A new key takes the slot that its group's shift leads it to: one store. Where that is taken,
//! the whole group moves to another shift:
//!
//! ```text
//! copy the group's keys to the slots of shift s' ─▶ store s' ─▶ readers move ─▶ free the old slots
//! ```
//!
//! A lookup loads the shift once, and then one slot. Under the old shift it finds the old copy,
//! which stays until no reader can have loaded that shift; under the new one it finds the new
//! copy, which was stored before. So a key that is there is never missed.
//!
//! Nor is a key found that is not there. While both shifts are in use, a slot may hold a key of
//! the group that belongs to it under the other shift only, and a slot does not hold the key's
//! upper nine bits. So a group moves only to a shift under which no key stands where the old
//! shift leads any key of the same low 55 bits, nor the other way round ([`confusable`]); the same
//! is asked of a key that comes while old copies stay.
//!
//! A group that has grown so large that it fits nowhere else stays, and the group in whose slot its
//! new key belongs moves away.

use std::collections::VecDeque;

use super::{Exact, TAKEN, moved, packed, permute, shifted_slot};
use crate::lpm::atomics::{AtomicU64, Ordering};
use crate::lpm::readers::{Epoch, Readers};
use crate::lpm::{Part, Refused};

/// Groups whose old copies wait for readers, at most: some four slots each.
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
    shift: u16,
    /// Slots, and the permuted keys in them.
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
        let new = (permute(key, exact.seed), value);
        let there = self.add(exact, readers, new)?
            || self.move_group(exact, readers, exact.group(new.0), Some(new))?
            || self.make_way(exact, readers, new)? && self.add(exact, readers, new)?;
        if !there {
            return Err(self.refused(exact, readers));
        }
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
            for (slot, key) in group.copies {
                exact.free(slot, key);
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

    /// Puts a new key into its slot; false if that is taken.
    fn add(
        &mut self,
        exact: &Exact,
        readers: &Readers,
        (permuted, value): (u64, u8),
    ) -> Result<bool, Refused> {
        let slot = exact.slot_of(permuted);
        if !exact.is_free(slot) || self.is_confused(exact, permuted) {
            self.reclaim(exact, readers);
        }
        if self.is_confused(exact, permuted) {
            return Err(self.refused(exact, readers));
        }
        let free = exact.is_free(slot);
        if let Some(slot) = exact.slots.get(slot).filter(|_| free) {
            slot.store(packed(permuted, value), Ordering::Release);
        }
        Ok(free)
    }

    /// Whether a key of a group that has moved could be taken for another one by a reader that
    /// still uses the old shift.
    fn is_confused(&self, exact: &Exact, permuted: u64) -> bool {
        let group = exact.group(permuted);
        let mut moves = self.retired.iter().filter(|moved| moved.group == group);
        moves.any(|moved| {
            let shifts = [moved.shift, exact.shift(group)];
            confusable(permuted, shifts, exact.slots.len())
        })
    }

    /// Moves a group, with a new key of it, to a shift whose slots are free; false if there is
    /// none.
    fn move_group(
        &mut self,
        exact: &Exact,
        readers: &Readers,
        group: usize,
        new: Option<(u64, u8)>,
    ) -> Result<bool, Refused> {
        let moves = self.retired.iter().any(|moved| moved.group == group);
        if moves || self.retired.len() >= MOST_RETIRED {
            return Err(self.refused(exact, readers));
        }
        let before = exact.shift(group);
        let old = self.groups.get(group).into_iter().flatten();
        let old = old.map(|key| permute(key.key, exact.seed));
        let mut keys = Vec::from_iter(new);
        let mut copies = Vec::new();
        for key in old {
            let place = shifted_slot(key, before, exact.slots.len());
            let slot = exact.slots.get(place);
            keys.extend(slot.map(|slot| (key, slot.load(Ordering::Relaxed) as u8)));
            copies.push((place, key));
        }
        let mut shifts = 0..=u16::MAX;
        let Some(after) = shifts.find(|after| exact.has_room(&keys, [before, *after])) else {
            return Ok(false);
        };
        exact.store(&keys, after);
        let epoch = readers.advance();
        self.retired.push_back(Retired {
            epoch,
            group,
            shift: before,
            copies,
        });
        Ok(true)
    }

    /// Moves the group away whose key is in the slot of a new one; false if it fits nowhere else.
    fn make_way(
        &mut self,
        exact: &Exact,
        readers: &Readers,
        (permuted, _): (u64, u8),
    ) -> Result<bool, Refused> {
        let slot = exact.slots.get(exact.slot_of(permuted));
        let low_bits = slot.map_or(0, |slot| slot.load(Ordering::Relaxed) >> 9);
        let group = exact.group(low_bits);
        Ok(group != exact.group(permuted) && self.move_group(exact, readers, group, None)?)
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
        let slot = self.slot_with(self.slot_of(permuted), permuted)?;
        Some(slot.load(Ordering::Relaxed) as u8)
    }

    fn group_of(&self, key: u64) -> usize {
        self.group(permute(key, self.seed))
    }

    fn is_free(&self, slot: usize) -> bool {
        let slot = self.slots.get(slot);
        slot.is_some_and(|slot| slot.load(Ordering::Relaxed) == 0)
    }

    /// A slot, if it holds that permuted key.
    fn slot_with(&self, slot: usize, permuted: u64) -> Option<&AtomicU64> {
        let slot = self.slots.get(slot)?;
        let difference = slot.load(Ordering::Relaxed) ^ packed(permuted, 0);
        (difference < TAKEN).then_some(slot)
    }

    /// Stores another value of a permuted key that is there, or frees its slot.
    fn replace(&self, permuted: u64, value: Option<u8>) {
        if let Some(slot) = self.slot_with(self.slot_of(permuted), permuted) {
            let replaced = value.map_or(0, |value| packed(permuted, value));
            slot.store(replaced, Ordering::Release);
        }
    }

    fn free(&self, slot: usize, permuted: u64) {
        if let Some(slot) = self.slot_with(slot, permuted) {
            slot.store(0, Ordering::Release);
        }
    }

    /// Whether the keys of a group find free slots under the second shift, and none of them can
    /// be taken for another while some readers use the first one.
    fn has_room(&self, keys: &[(u64, u8)], shifts @ [_, after]: [u16; 2]) -> bool {
        let slots = self.slots.len();
        let slot = |key| shifted_slot(key, after, slots);
        keys.iter().all(|&(key, _)| self.is_free(slot(key)))
            && keys.iter().enumerate().all(|(index, &(key, _))| {
                let mut others = keys.iter().take(index);
                others.all(|&(other, _)| slot(other) != slot(key))
                    && !confusable(key, shifts, slots)
            })
    }
}

/// Whether, of two shifts, one leads a key, or another one with its low 55 bits, to the slot to
/// which the other shift leads the key.
fn confusable(permuted: u64, [one, other]: [u16; 2], slots: usize) -> bool {
    reaches(permuted, one, shifted_slot(permuted, other, slots), slots)
        || reaches(permuted, other, shifted_slot(permuted, one, slots), slots)
}

/// Whether a shift leads some key with the low 55 bits of this one to a slot.
///
/// The upper nine bits place such keys 2^23 apart on the circle of 2^32; a slot is an interval of
/// it, less than 2^23 wide.
fn reaches(permuted: u64, shift: u16, slot: usize, slots: usize) -> bool {
    let first = |slot: u64| (slot << 32).div_ceil(slots as u64);
    let (start, end) = (first(slot as u64), first(slot as u64 + 1));
    let moved = u64::from(moved(permuted, shift));
    moved.wrapping_sub(start) % (1 << 23) < end - start
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_a_shift_reaches_is_what_some_upper_bits_lead_to() {
        for slots in [1_024, 1_025, 3_000, 16_384] {
            for index in 1..200_u64 {
                let key = index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let shift = (index * 321) as u16;
                let variants = (0..512).map(|upper| key & !(0x1FF << 55) | upper << 55);
                let reached: Vec<_> = variants
                    .map(|key| shifted_slot(key, shift, slots))
                    .collect();
                for slot in (0..slots).step_by(7).chain([slots - 1]) {
                    assert_eq!(reaches(key, shift, slot, slots), reached.contains(&slot));
                }
            }
        }
    }

    /// Fills a table until groups must move, and asks it as a reader would who loaded the shift
    /// before each move.
    #[test]
    fn a_reader_with_the_old_shift_finds_what_it_found_before() {
        let readers = Readers::new();
        let mut reader = readers.register();
        let exact = Exact::build(64, &[], 10_000);
        let mut writer = ExactWriter::new(&exact, &[], std::iter::empty());
        let keys = (1..=7_000_u64).map(|index| index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut present = Vec::new();
        let mut moved = 0;
        for key in keys {
            let group = exact.group_of(key);
            let before = exact.shift(group);
            if writer.insert(&exact, &readers, key, 7, true).is_err() {
                reader.announce();
                continue;
            }
            let of_group = present.iter().filter(|key| exact.group_of(**key) == group);
            let old_slot = |key: u64| {
                let permuted = permute(key, exact.seed);
                exact.slot_with(shifted_slot(permuted, before, exact.slots.len()), permuted)
            };
            for key in of_group.copied().collect::<Vec<u64>>() {
                assert!(old_slot(key).is_some(), "{key:x} is missed");
            }
            if exact.shift(group) != before {
                moved += 1;
                // Keys that differ from the new one in the upper bits of the permuted key only.
                let permuted = permute(key, exact.seed);
                for upper in (0..512).filter(|upper| *upper != permuted >> 55) {
                    let stranger = permuted & !(0x1FF << 55) | upper << 55;
                    let slot = shifted_slot(stranger, before, exact.slots.len());
                    assert!(exact.slot_with(slot, stranger).is_none());
                }
            }
            present.push(key);
            reader.announce();
        }
        assert!(moved > 100, "{moved} groups moved");
        writer.reclaim(&exact, &readers);
        assert_eq!(writer.retired(), 0);
        let taken = (0..exact.slots.len()).filter(|slot| !exact.is_free(*slot));
        assert_eq!(taken.count(), present.len());
    }

    #[test]
    fn a_stalled_reader_bounds_the_copies_that_wait() {
        let readers = Readers::new();
        let mut stalled = readers.register();
        let exact = Exact::build(64, &[], 60_000);
        let mut writer = ExactWriter::new(&exact, &[], std::iter::empty());
        let mut keys = (1..60_000_u64).map(|index| index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let refused = keys.by_ref().find_map(|key| {
            let refused = writer.insert(&exact, &readers, key, 7, true).err()?;
            Some((key, refused))
        });
        let (key, refused) = refused.unwrap();
        assert!(
            matches!(refused, Refused::Waiting { readers: 1, .. }),
            "{refused}"
        );
        assert!(writer.retired.len() <= MOST_RETIRED);
        assert_eq!(exact.lookup_or(key, 1), 1);
        stalled.announce();
        assert_eq!(writer.insert(&exact, &readers, key, 7, true), Ok(()));
    }
}

/// A move under loom, which runs it in every order that the memory model allows.
#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::lpm::exact::{FIRST_SEED, slot_count};
    use loom::thread;
    use std::sync::Arc;

    /// Both keys are of the one group that there is, and shift 0 leads both to one slot.
    #[test]
    fn a_key_that_is_there_is_found_while_its_group_moves() {
        let (first, second) = colliding();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(move || {
            let exact = Arc::new(Exact::build(64, &[(first, 1)], 1));
            let mut writer = ExactWriter::new(&exact, &[(first, 1)], std::iter::empty());
            let readers = Readers::new();
            let mut reader = readers.register();
            let table = Arc::clone(&exact);
            let thread = thread::spawn(move || {
                for _ in 0..2 {
                    reader.announce();
                    assert_eq!(table.lookup_or(first, 0), 1);
                    assert!([0, 2].contains(&table.lookup_or(second, 0)));
                }
            });
            writer.insert(&exact, &readers, second, 2, true).unwrap();
            assert_ne!(exact.shift(0), 0);
            writer.reclaim(&exact, &readers);
            thread.join().unwrap();
            writer.reclaim(&exact, &readers);
            assert_eq!(writer.retired(), 0);
            let values = [first, second].map(|key| exact.lookup_or(key, 0));
            assert_eq!(values, [1, 2]);
        });
    }

    fn colliding() -> (u64, u64) {
        let slots = slot_count(1, 1) as usize;
        let slot = |key| shifted_slot(permute(key, FIRST_SEED), 0, slots);
        let second = (2_u64..).find(|key| slot(*key) == slot(1));
        (1, second.unwrap())
    }
}
