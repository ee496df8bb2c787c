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
//! fills seven slots of eight and leaves nothing to a second table.

/// Slots of a bucket: one cache line.
const SLOTS: usize = 8;

/// Fewer buckets than this would not tell keys of equal low bits apart, and an empty slot could
/// not be told from a key (see [`empty_slot`]).
const MIN_BUCKETS: u64 = 512;

/// Keys of a group in the mean, at most. More make the search for a shift long, fewer make the
/// shifts fall out of the first-level cache.
const GROUP_KEYS: u64 = 8;

/// Slots that a build fills of every [`SLOTS`]; the rest is what the search needs to be short.
const FILLED_SLOTS: u64 = 7;

/// How far a shift of 1 moves a key: 2^32 by the golden ratio, which spreads 256 shifts evenly.
const SHIFT_STEP: u32 = 0x9E37_79B9;

/// The group of the empty slots. Its shift stays 0.
const EMPTY_GROUP: usize = 0;

/// A slot of 56 bits of key and 8 of value, 8 of them.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket([u64; SLOTS]);

/// The prefixes of one length.
#[derive(Debug)]
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
        let mut seed = 0x9E6C_63D0_876A_9A43;
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
            // Every group takes one of 256 shifts, and a random one fits with some 10 % when the
            // table is at its fullest: to come here is rarer than one build in a billion.
            seed = permute(seed, 0);
        }
    }

    /// The value of the key, or `otherwise`.
    #[inline]
    pub(super) fn lookup_or(&self, address: u64, otherwise: u8) -> u8 {
        let permuted = permute(address & self.mask, self.seed);
        let wanted = permuted << 8;
        let Some(bucket) = self.buckets.get(self.bucket_index(permuted)) else {
            return otherwise;
        };
        // An equal key leaves only the value; any other leaves more than eight bits.
        let nearest = bucket
            .0
            .iter()
            .fold(u64::MAX, |nearest, slot| nearest.min(slot ^ wanted));
        u8::try_from(nearest).unwrap_or(otherwise)
    }

    /// What the table takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        (self.buckets.capacity() * size_of::<Bucket>() + self.shifts.capacity()) as u64
    }

    #[inline]
    fn bucket_index(&self, permuted: u64) -> usize {
        let shift = self.shifts.get(self.group(permuted)).copied();
        shifted_bucket(permuted, shift.unwrap_or(0), self.buckets.len())
    }

    #[inline]
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
            let empty = empty_slot(index, buckets);
            let bucket = self.buckets.get_mut(index);
            if let Some(slot) = bucket.and_then(|bucket| bucket.0.iter_mut().find(|s| **s == empty))
            {
                *slot = key << 8 | u64::from(value);
            }
        }
    }
}

fn empty_buckets(buckets: usize) -> Vec<Bucket> {
    let empty = |bucket| Bucket([empty_slot(bucket, buckets); SLOTS]);
    (0..buckets).map(empty).collect()
}

fn group_count(keys: u64) -> u64 {
    keys.div_ceil(GROUP_KEYS).next_power_of_two()
}

fn bucket_count(keys: u64) -> u64 {
    keys.div_ceil(FILLED_SLOTS).max(MIN_BUCKETS)
}

/// Scales 32 bits of the key, moved by its group's shift, to the number of buckets.
#[inline]
fn shifted_bucket(permuted: u64, shift: u8, buckets: usize) -> usize {
    let moved = ((permuted >> 32) as u32).wrapping_add(u32::from(shift).wrapping_mul(SHIFT_STEP));
    (u64::from(moved) * buckets as u64 >> 32) as usize
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
fn empty_slot(bucket: usize, buckets: usize) -> u64 {
    let middle = ((bucket as u64 * 2 + 1) << 31) / buckets as u64;
    let opposite = (middle + (1 << 23)) & 0xFF_FFFF;
    opposite << 40
}

/// A keyed bijection of 64 bits: multiplications by odd numbers, and shifts that an xor can undo.
///
/// The key is fixed. Who could choose prefixes that crowd one group chooses the configuration
/// already, and would only make the build try the next key.
#[inline]
pub(super) fn permute(key: u64, seed: u64) -> u64 {
    let mut x = (key ^ seed).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    x ^= x >> 32;
    x = x.wrapping_mul(0xA076_1D64_78BD_642F);
    x ^ x >> 32
}
