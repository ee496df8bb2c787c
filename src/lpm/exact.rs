//! An exact table of the prefixes of one length, up to 64 bits: two loads a lookup, and no branch.
//!
//! ```text
//! key ─bijection─▶ low bits ─▶ shift of its group ─┐
//!              └─▶ high bits ──────────────── + ───┴─▶ bucket of 8 slots = one cache line
//! ```
//!
//! A slot holds the low 56 bits of the permuted key and the 8-bit value. Keys whose low 56 bits
//! are equal have the same group, hence the same shift, and high bits that differ in their upper
//! eight: with 256 buckets or more they never meet in one bucket. So bucket and slot together are
//! the whole key, and a false match is impossible.
//!
//! The build chooses each group's shift such that no bucket overflows (hash and displace), which
//! fills six slots of eight and leaves nothing to a second table.

/// Slots of a bucket: one cache line.
const SLOTS: usize = 8;

/// Fewer buckets than this would not tell keys of equal low bits apart, and an empty slot could
/// not be told from a key (see [`empty_slot`]).
const MIN_BUCKETS: u64 = 512;

/// Keys of a group in the mean, at most. More make the search for a shift long, fewer make the
/// shifts fall out of the first-level cache.
const GROUP_KEYS: u64 = 8;

/// Slots that a build fills of every [`SLOTS`]. With 7 the search for shifts begins to fail for
/// one table in thirty; and later insertions need room.
const FILLED_SLOTS: u64 = 6;

/// The key of the permutation that a build tries first.
const FIRST_SEED: u64 = 0x9E6C_63D0_876A_9A43;

/// How far a shift of 1 moves a key: 2^32 by the golden ratio, which spreads 256 shifts evenly.
const SHIFT_STEP: u32 = 0x9E37_79B9;

/// The group of the empty slots. Its shift stays 0.
const EMPTY_GROUP: usize = 0;

/// Eight slots of 56 bits of key and 8 of value: the key's low 32 bits, and the next 24 above
/// the value. So eight comparisons are a few vector instructions of any processor.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Bucket {
    low: [u32; SLOTS],
    high: [u32; SLOTS],
}

impl Bucket {
    /// The value of the slot that holds the low 56 bits of `key`, or `otherwise`.
    #[inline(always)]
    fn lookup_or(&self, key: u64, otherwise: u8) -> u8 {
        let [wanted_low, wanted_high] = halves(key, otherwise);
        let slots = self.low.iter().zip(&self.high);
        let difference = slots.fold(0, |found, (low, high)| {
            // Where the key is equal, this is the difference of the values alone.
            let difference = high ^ wanted_high;
            let equal = (*low == wanted_low) & (difference >> 8 == 0);
            found | u32::from(equal).wrapping_neg() & difference
        });
        // At most one slot is equal. Not a choice between two values, which the compiler would
        // be free to make a branch.
        otherwise ^ difference as u8
    }

    /// Puts a key in the first slot that holds `free`.
    fn store(&mut self, free: [u32; 2], [low, high]: [u32; 2]) {
        let mut slots = self.low.iter_mut().zip(&mut self.high);
        if let Some(slot) = slots.find(|(low, high)| [**low, **high] == free) {
            (*slot.0, *slot.1) = (low, high);
        }
    }
}

/// The low 56 bits of a key, and a value, as a slot holds them.
#[inline(always)]
fn halves(key: u64, value: u8) -> [u32; 2] {
    [key as u32, ((key >> 32) as u32) << 8 | u32::from(value)]
}

/// The prefixes of one length.
pub(super) struct Exact {
    /// The bits of the address that are the key.
    mask: u64,
    seed: u64,
    /// A power of two.
    shifts: Vec<u8>,
    buckets: Vec<Bucket>,
}

impl Exact {
    /// What a table of so many keys takes.
    pub(super) fn needed_bytes(keys: u64) -> u64 {
        bucket_count(keys).saturating_mul(size_of::<Bucket>() as u64) + group_count(keys)
    }

    /// Builds from keys that all differ; `length` is 1–64, the key's bits are left-aligned.
    pub(super) fn build(length: u8, keys: &[(u64, u8)]) -> Self {
        let groups = group_count(keys.len() as u64) as usize;
        let buckets = bucket_count(keys.len() as u64) as usize;
        let mut seed = FIRST_SEED;
        loop {
            let mut table = Self {
                mask: u64::MAX << (64 - length),
                seed,
                shifts: vec![0; groups],
                buckets: empty_buckets(buckets),
            };
            if table.place(keys) {
                return table;
            }
            // At the end a quarter of the buckets is full: one shift in ten fits a group of eight,
            // and one group in 10^13 finds none among 256. Other keys, other groups.
            seed = permute(seed, 0);
        }
    }

    /// The value of the key, or `otherwise`.
    #[inline(always)]
    pub(super) fn lookup_or(&self, address: u64, otherwise: u8) -> u8 {
        let permuted = permute(address & self.mask, self.seed);
        match self.buckets.get(self.bucket_index(permuted)) {
            Some(bucket) => bucket.lookup_or(permuted, otherwise),
            None => otherwise,
        }
    }

    /// What the table takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        (self.buckets.capacity() * size_of::<Bucket>() + self.shifts.capacity()) as u64
    }

    #[inline(always)]
    fn bucket_index(&self, permuted: u64) -> usize {
        let shift = self.shifts.get(self.group(permuted)).copied();
        shifted_bucket(permuted, shift.unwrap_or(0), self.buckets.len())
    }

    #[inline(always)]
    fn group(&self, permuted: u64) -> usize {
        permuted as usize & self.shifts.len().wrapping_sub(1)
    }

    /// Finds a shift for each group, the largest groups first, while there is room for them.
    /// False if a group fits nowhere.
    fn place(&mut self, keys: &[(u64, u8)]) -> bool {
        let mut permuted: Vec<_> = keys
            .iter()
            .map(|&(key, value)| (permute(key, self.seed), value))
            .collect();
        permuted.sort_unstable_by_key(|&(key, _)| self.group(key));
        let mut groups: Vec<_> = permuted
            .chunk_by(|a, b| self.group(a.0) == self.group(b.0))
            .map(|keys| (keys.first().map_or(0, |&(key, _)| self.group(key)), keys))
            .collect();
        groups.sort_by_key(|&(group, keys)| (group != EMPTY_GROUP, std::cmp::Reverse(keys.len())));

        let mut filled = vec![0; self.buckets.len()];
        groups.into_iter().all(|(group, keys)| {
            let shifts = if group == EMPTY_GROUP {
                0..=0
            } else {
                0..=u8::MAX
            };
            let mut shifts = shifts.into_iter();
            let Some(shift) = shifts.find(|&shift| reserve(keys, shift, &mut filled)) else {
                return false;
            };
            self.store(group, keys, shift);
            true
        })
    }

    /// Stores the keys of a group that [`reserve`] has found room for.
    fn store(&mut self, group: usize, keys: &[(u64, u8)], shift: u8) {
        let buckets = self.buckets.len();
        if let Some(place) = self.shifts.get_mut(group) {
            *place = shift;
        }
        for &(key, value) in keys {
            let index = shifted_bucket(key, shift, buckets);
            if let Some(bucket) = self.buckets.get_mut(index) {
                bucket.store(empty_slot(index, buckets), halves(key, value));
            }
        }
    }
}

fn empty_buckets(buckets: usize) -> Vec<Bucket> {
    (0..buckets)
        .map(|index| {
            let [low, high] = empty_slot(index, buckets);
            Bucket {
                low: [low; SLOTS],
                high: [high; SLOTS],
            }
        })
        .collect()
}

fn group_count(keys: u64) -> u64 {
    keys.div_ceil(GROUP_KEYS).next_power_of_two()
}

fn bucket_count(keys: u64) -> u64 {
    keys.div_ceil(FILLED_SLOTS).max(MIN_BUCKETS)
}

/// Scales 32 bits of the key, moved by its group's shift, to the number of buckets.
#[inline(always)]
fn shifted_bucket(permuted: u64, shift: u8, buckets: usize) -> usize {
    let moved = ((permuted >> 32) as u32).wrapping_add(u32::from(shift).wrapping_mul(SHIFT_STEP));
    ((u64::from(moved) * buckets as u64) >> 32) as usize
}

/// Takes a slot for each key of a group, or none and false.
fn reserve(keys: &[(u64, u8)], shift: u8, filled: &mut [u8]) -> bool {
    let buckets = filled.len();
    for (taken, &(key, _)) in keys.iter().enumerate() {
        let Some(count) = filled.get_mut(shifted_bucket(key, shift, buckets)) else {
            return false;
        };
        if usize::from(*count) < SLOTS {
            *count += 1;
            continue;
        }
        for &(key, _) in keys.iter().take(taken) {
            if let Some(count) = filled.get_mut(shifted_bucket(key, shift, buckets)) {
                *count -= 1;
            }
        }
        return false;
    }
    true
}

/// What stands in a bucket's free slots: the low bits of keys that never come to this bucket.
///
/// They belong to the group whose shift is 0, so their bucket follows from bits 32–63. Bits 32–55
/// are chosen opposite to the middle of this bucket on the circle of 2^24; a bucket is at most
/// 2^23 wide, so that no upper eight bits lead into it.
fn empty_slot(bucket: usize, buckets: usize) -> [u32; 2] {
    let middle = ((bucket as u64 * 2 + 1) << 31) / buckets as u64;
    let opposite = (middle + (1 << 23)) & 0xFF_FFFF;
    halves(opposite << 32, 0)
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

#[cfg(test)]
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
                assert_eq!(
                    table.lookup_or(stranger, 77),
                    77,
                    "{stranger:x} beside {key:x}"
                );
                assert_eq!(
                    table.lookup_or(stranger, 78),
                    78,
                    "{stranger:x} beside {key:x}"
                );
            }
        }
    }

    #[test]
    fn every_size_around_a_power_of_two_holds_its_keys_and_no_other() {
        for count in [0, 1, 8, 9, 255, 256, 257, 3_071, 3_072, 3_073, 20_000] {
            let keys = numbered(strewn(count));
            let table = Exact::build(64, &keys);
            assert_eq!(table.memory_bytes(), Exact::needed_bytes(count));
            assert_holds_exactly(&table, &keys);
        }
    }

    #[test]
    fn a_bucket_that_twenty_keys_want_is_relieved_by_shifts() {
        let wants_bucket_99 =
            |&key: &u64| shifted_bucket(permute(key, FIRST_SEED), 0, MIN_BUCKETS as usize) == 99;
        let crowd = strewn(100_000).filter(wants_bucket_99).take(20);
        let keys = numbered(crowd.chain((1..=480).map(|key| key << 40)));
        assert_eq!(keys.len(), 500);

        let table = Exact::build(64, &keys);
        assert_eq!(table.buckets.len(), MIN_BUCKETS as usize);
        assert_holds_exactly(&table, &keys);
    }

    #[test]
    fn nine_keys_that_no_shift_can_part_take_another_seed() {
        // Equal in bits 32–63, hence in one bucket under any shift, and in group 3 of 8.
        assert_eq!(group_count(64), 8);
        let crowd = (1..=9).map(|index| unpermute(99 << 55 | index << 8 | 3, FIRST_SEED));
        let keys = numbered(crowd.chain((1..=55).map(|key| key << 40)));
        assert_eq!(keys.len(), 64);

        let table = Exact::build(64, &keys);
        assert_ne!(table.seed, FIRST_SEED);
        assert_holds_exactly(&table, &keys);
    }

    #[test]
    fn a_free_slot_is_no_key_of_its_bucket() {
        for buckets in [512, 513, 1_000, 65_537] {
            for bucket in 0..buckets.min(1_000) {
                let [low, high] = empty_slot(bucket, buckets);
                let key = u64::from(low) | u64::from(high >> 8) << 32;
                for upper_eight in 0..=255 {
                    assert_ne!(shifted_bucket(key | upper_eight << 56, 0, buckets), bucket);
                }
            }
        }
    }

    #[test]
    fn keys_whose_slots_would_be_alike_never_share_a_bucket() {
        for key in strewn(2_000) {
            for shift in [0, 1, 100, 255] {
                let mut buckets: Vec<_> = (0..256)
                    .map(|upper| key & !(0xFF << 56) | upper << 56)
                    .map(|key| shifted_bucket(key, shift, MIN_BUCKETS as usize))
                    .collect();
                buckets.sort_unstable();
                assert!(buckets.windows(2).all(|pair| pair[0] != pair[1]), "{key:x}");
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
