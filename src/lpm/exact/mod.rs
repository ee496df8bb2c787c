//! An exact table of the prefixes of one length, up to 64 bits: two loads a lookup, and no branch.
//!
//! ```text
//! key ─bijection─▶ low bits ─▶ shift of its group ─┐
//!              └─▶ high bits ──────────────── + ───┴─▶ slot
//! ```
//!
//! A slot holds the low 55 bits of the permuted key, a bit that says that it is taken, and the
//! 8-bit value. Keys whose low 55 bits are equal have the same group, hence the same shift, and are
//! moved by it alike, so that their upper nine bits keep them at least 2^23 apart on the circle of
//! 2^32: with more than 512 slots they never meet in one slot. So slot and stored bits together
//! are the whole key, and a false match is impossible.
//!
//! The build chooses each group's shift such that every key has a slot of its own (hash and
//! displace), which fills three slots of four and leaves nothing to a second table.
//!
//! A slot is one atomic, so that a key and its value change at once (`writer.rs`).

mod writer;

pub(super) use writer::ExactWriter;

use super::atomics::{AtomicU16, AtomicU64, Ordering};

/// No fewer than 513, which would not tell keys of equal low bits apart.
const MIN_SLOTS: u64 = 1 << 10;

/// In a table with room for more keys, fewer slots than this would leave a group few shifts to
/// move to (see `writer.rs`). A model under loom has only two keys.
const MIN_LIVE_SLOTS: u64 = if cfg!(all(test, loom)) {
    MIN_SLOTS
} else {
    1 << 14
};

/// Keys of a group in the mean, at most. More make the search for a shift long, fewer make the
/// shifts fall out of the first-level cache.
const GROUP_KEYS: u64 = 4;

/// The key of the permutation that a build tries first.
const FIRST_SEED: u64 = 0x9E6C_63D0_876A_9A43;

/// The bit of a slot that says that it is taken.
const TAKEN: u64 = 1 << 8;

/// The prefixes of one length.
pub(super) struct Exact {
    length: u8,
    /// The bits of the address that are the key.
    mask: u64,
    seed: u64,
    /// A power of two.
    shifts: Vec<AtomicU16>,
    /// 0 is a free slot.
    slots: Vec<AtomicU64>,
}

impl Exact {
    /// What a table of so many keys takes, with room for `spare` more.
    pub(super) fn needed_bytes(keys: u64, spare: u32) -> u64 {
        let slots = slot_count(keys, spare).saturating_mul(size_of::<AtomicU64>() as u64);
        slots.saturating_add(group_count(keys, spare) * size_of::<AtomicU16>() as u64)
    }

    /// Builds from keys that all differ, with room for `spare` more; `length` is 1–64, the key's
    /// bits are left-aligned.
    pub(super) fn build(length: u8, keys: &[(u64, u8)], spare: u32) -> Self {
        let groups = group_count(keys.len() as u64, spare) as usize;
        let slots = slot_count(keys.len() as u64, spare) as usize;
        let mut seed = FIRST_SEED;
        loop {
            let table = Self {
                length,
                mask: u64::MAX << (64 - length),
                seed,
                shifts: (0..groups).map(|_| AtomicU16::new(0)).collect(),
                slots: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            };
            if table.place(keys) {
                return table;
            }
            // Other keys, other groups.
            seed = permute(seed, 0);
        }
    }

    /// The value of the key, or `otherwise`.
    #[inline(always)]
    pub(super) fn lookup_or(&self, address: u64, otherwise: u8) -> u8 {
        let permuted = permute(address & self.mask, self.seed);
        value_or(
            load(&self.slots, self.slot_of(permuted)),
            permuted,
            otherwise,
        )
    }

    /// Looks many up at once, step by step: the loads of a step do not wait for each other. Values
    /// of keys that are not there stay as they are.
    #[inline(always)]
    pub(super) fn lookup_each<const N: usize>(&self, addresses: &[u64; N], values: &mut [u8; N]) {
        // Copies: behind a reference the compiler would have to look anew after each load that
        // acquires.
        let (mask, seed) = (self.mask, self.seed);
        let (shifts, slots) = (self.shifts.as_slice(), self.slots.as_slice());
        let permuted = addresses.map(|address| permute(address & mask, seed));
        let shift_of = permuted.map(|permuted| shift(shifts, group(permuted, shifts.len())));
        let mut found = permuted;
        for (found, shift) in found.iter_mut().zip(shift_of) {
            *found = shifted_slot(*found, shift, slots.len()) as u64;
        }
        let found = found.map(|slot| load(slots, slot as usize));
        for ((value, found), permuted) in values.iter_mut().zip(found).zip(permuted) {
            *value = value_or(found, permuted, *value);
        }
    }

    /// What the table takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        (self.slots.capacity() * size_of::<AtomicU64>()
            + self.shifts.capacity() * size_of::<AtomicU16>()) as u64
    }

    /// The length of the prefixes.
    pub(super) fn length(&self) -> u8 {
        self.length
    }

    /// The most keys that it could hold.
    pub(super) fn slot_count(&self) -> u64 {
        self.slots.len() as u64
    }

    #[inline(always)]
    fn slot_of(&self, permuted: u64) -> usize {
        let shift = self.shift(self.group(permuted));
        shifted_slot(permuted, shift, self.slots.len())
    }

    #[inline(always)]
    fn shift(&self, group: usize) -> u16 {
        shift(&self.shifts, group)
    }

    #[inline(always)]
    fn group(&self, permuted: u64) -> usize {
        group(permuted, self.shifts.len())
    }

    /// Finds a shift for each group, the largest groups first, while there is room for them.
    /// False if a group fits nowhere.
    fn place(&self, keys: &[(u64, u8)]) -> bool {
        let permuted = keys
            .iter()
            .map(|&(key, value)| (permute(key, self.seed), value));
        let mut permuted: Vec<_> = permuted.collect();
        permuted.sort_unstable_by_key(|&(key, _)| self.group(key));
        let groups = permuted.chunk_by(|a, b| self.group(a.0) == self.group(b.0));
        let mut groups: Vec<_> = groups.collect();
        groups.sort_by_key(|keys| std::cmp::Reverse(keys.len()));

        let mut taken = vec![false; self.slots.len()];
        groups.into_iter().all(|keys| {
            let shift = (0..=u16::MAX).find(|&shift| reserve(keys, shift, &mut taken));
            shift.is_some_and(|shift| {
                self.store(keys, shift);
                true
            })
        })
    }

    /// Stores the keys of a group in the slots of a shift, which are free, and then the shift.
    fn store(&self, keys: &[(u64, u8)], shift: u16) {
        for &(key, value) in keys {
            if let Some(slot) = self.slots.get(shifted_slot(key, shift, self.slots.len())) {
                slot.store(packed(key, value), Ordering::Relaxed);
            }
        }
        let group = keys.first().map(|&(key, _)| self.group(key));
        if let Some(place) = group.and_then(|group| self.shifts.get(group)) {
            place.store(shift, Ordering::Release);
        }
    }
}

/// Acquired: who finds a shift finds what was stored for it.
#[inline(always)]
fn shift(shifts: &[AtomicU16], group: usize) -> u16 {
    let shift = shifts.get(group);
    shift.map_or(0, |shift| shift.load(Ordering::Acquire))
}

#[inline(always)]
fn load(slots: &[AtomicU64], slot: usize) -> u64 {
    let slot = slots.get(slot);
    slot.map_or(0, |slot| slot.load(Ordering::Relaxed))
}

#[inline(always)]
fn group(permuted: u64, groups: usize) -> usize {
    permuted as usize & groups.wrapping_sub(1)
}

/// The value of a slot that holds the key, or `otherwise`.
#[inline(always)]
fn value_or(slot: u64, permuted: u64, otherwise: u8) -> u8 {
    // Where the key is equal, this is the difference of the values alone.
    let difference = slot ^ packed(permuted, otherwise);
    // Not a choice between two values, which the compiler would be free to make a branch.
    let equal = u64::from(difference < TAKEN).wrapping_neg();
    otherwise ^ (difference & equal) as u8
}

/// The low 55 bits of a permuted key, and its value, as a slot holds them.
#[inline(always)]
fn packed(permuted: u64, value: u8) -> u64 {
    permuted << 9 | TAKEN | u64::from(value)
}

fn group_count(keys: u64, spare: u32) -> u64 {
    let keys = keys.saturating_add(spare.into());
    keys.div_ceil(GROUP_KEYS).next_power_of_two()
}

/// A build fills three slots of four. A key that comes later must find a shift for its whole group
/// at once, which wants more free slots: then it is five of eight when the room is used up.
fn slot_count(keys: u64, spare: u32) -> u64 {
    match spare {
        0 => keys.saturating_mul(4).div_ceil(3).max(MIN_SLOTS),
        _ => {
            let keys = keys.saturating_add(spare.into());
            keys.saturating_mul(8).div_ceil(5).max(MIN_LIVE_SLOTS)
        }
    }
}

/// Scales 32 bits of the key, moved by its group's shift, to the number of slots.
///
/// A step of the shift moves each key by its own low bits, so that no two keys of a group stay
/// together; only keys whose low 55 bits are equal do.
#[inline(always)]
fn shifted_slot(permuted: u64, shift: u16, slots: usize) -> usize {
    ((u64::from(moved(permuted, shift)) * slots as u64) >> 32) as usize
}

#[inline(always)]
fn moved(permuted: u64, shift: u16) -> u32 {
    let step = permuted as u32 | 1;
    ((permuted >> 32) as u32).wrapping_add(u32::from(shift).wrapping_mul(step))
}

/// Takes a slot for each key of a group, or none and false.
fn reserve(keys: &[(u64, u8)], shift: u16, taken: &mut [bool]) -> bool {
    let slots = taken.len();
    for (reserved, &(key, _)) in keys.iter().enumerate() {
        let slot = taken.get_mut(shifted_slot(key, shift, slots));
        if let Some(slot) = slot.filter(|slot| !**slot) {
            *slot = true;
            continue;
        }
        for &(key, _) in keys.iter().take(reserved) {
            if let Some(slot) = taken.get_mut(shifted_slot(key, shift, slots)) {
                *slot = false;
            }
        }
        return false;
    }
    true
}

/// A keyed bijection of 64 bits: multiplications by odd numbers, and shifts that an xor can undo.
///
/// The key is fixed. Who could choose prefixes that crowd one group chooses the configuration
/// already, and would only make the build try the next key.
#[inline(always)]
pub(super) fn permute(key: u64, seed: u64) -> u64 {
    let mut x = (key ^ seed).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    x ^= x >> 32;
    x = x.wrapping_mul(0xA076_1D64_78BD_642F);
    x ^ x >> 32
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Keys of 64 bits that look random and all differ.
    fn strewn(count: u64) -> impl Iterator<Item = u64> {
        (1..=count).map(|index| index.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17))
    }

    fn numbered(keys: impl Iterator<Item = u64>) -> Vec<(u64, u8)> {
        keys.zip((0..=u8::MAX).cycle()).collect()
    }

    fn assert_holds_exactly(table: &Exact, keys: &[(u64, u8)]) {
        for &(key, value) in keys {
            assert_eq!(table.lookup_or(key, !value), value, "{key:x}");
        }
        let known: std::collections::HashSet<_> = keys.iter().map(|&(key, _)| key).collect();
        for &(key, _) in keys.iter().take(500) {
            let neighbours = (0..64).map(|bit| key ^ 1 << bit);
            for stranger in neighbours.filter(|key| !known.contains(key)) {
                for otherwise in [77, 78] {
                    let found = table.lookup_or(stranger, otherwise);
                    assert_eq!(found, otherwise, "{stranger:x} beside {key:x}");
                }
            }
        }
    }

    #[test]
    fn every_size_around_a_power_of_two_holds_its_keys_and_no_other() {
        for count in [0, 1, 4, 5, 255, 256, 257, 767, 768, 769, 20_000] {
            let keys = numbered(strewn(count));
            for spare in [0, 1_000] {
                let table = Exact::build(64, &keys, spare);
                assert_eq!(table.memory_bytes(), Exact::needed_bytes(count, spare));
                assert_holds_exactly(&table, &keys);
            }
        }
    }

    #[test]
    fn keys_that_want_one_slot_are_parted_by_shifts() {
        let wants_slot_99 =
            |&key: &u64| shifted_slot(permute(key, FIRST_SEED), 0, MIN_SLOTS as usize) == 99;
        let crowd = strewn(100_000).filter(wants_slot_99).take(20);
        let keys = numbered(crowd.chain((1..=480).map(|key| key << 40)));
        assert_eq!(keys.len(), 500);

        let table = Exact::build(64, &keys, 0);
        assert_eq!(table.slots.len(), MIN_SLOTS as usize);
        assert_holds_exactly(&table, &keys);
    }

    #[test]
    fn keys_that_no_shift_can_part_take_another_seed() {
        // Equal in bits 0–31 and near in bits 32–63, hence in one slot under any shift.
        let crowd = (0..2).map(|index| unpermute(99 << 55 | index << 32 | 3, FIRST_SEED));
        let keys = numbered(crowd.chain((1..=62).map(|key| key << 40)));

        let table = Exact::build(64, &keys, 0);
        assert_ne!(table.seed, FIRST_SEED);
        assert_holds_exactly(&table, &keys);
    }

    #[test]
    fn keys_whose_slots_would_be_alike_never_share_a_slot() {
        for key in strewn(1_000) {
            for shift in [0, 1, 100, u16::MAX] {
                let mut slots: Vec<_> = (0..512)
                    .map(|upper| key & !(0x1FF << 55) | upper << 55)
                    .map(|key| shifted_slot(key, shift, MIN_SLOTS as usize))
                    .collect();
                slots.sort_unstable();
                assert!(slots.windows(2).all(|pair| pair[0] != pair[1]), "{key:x}");
            }
        }
    }

    #[test]
    fn the_permutation_is_undone_by_its_inverse() {
        for key in strewn(10_000) {
            assert_eq!(unpermute(permute(key, FIRST_SEED), FIRST_SEED), key);
        }
    }

    fn unpermute(mut x: u64, seed: u64) -> u64 {
        let inverse_of = |odd: u64| {
            // Newton's iteration doubles the correct low bits: 3, 6, 12, 24, 48, 96.
            (0..5).fold(odd, |x, _| {
                x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)))
            })
        };
        x = (x ^ x >> 32).wrapping_mul(inverse_of(0xA076_1D64_78BD_642F));
        x = (x ^ x >> 32).wrapping_mul(inverse_of(0xD6E8_FEB8_6659_FD93));
        x ^ seed
    }
}
