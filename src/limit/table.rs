//! The table: lines of one claim word and seven slots, 64 bytes each.
//!
//! A key has two lines, which its hash names, and one of the 14 slots there. A slot is one word: the
//! tag, and the tick at which the bucket will be full (the generic cell rate algorithm: a token
//! moves that tick by its cost, and is refused where it would come to lie more than a whole bucket
//! ahead). So a take is one compare-and-swap, and fails if the slot has become somebody else's.
//!
//! What must not happen is that one key moves into two slots, and has two buckets. So whoever wants
//! to move in says so first, in the claim word of the lower one of the two lines:
//!
//! ```text
//! read the claim word ─▶ carry out the claim it tells of ─▶ look for the tag, and for a free slot
//!         ▲                                                             │
//!         └── refused ◀── swap the claim word for one's own claim ◀─────┘
//!                                   └─▶ carry it out: swap the free slot
//! ```
//!
//! - A claim can be carried out by anybody, in the same way: it names tag, place and the tick at
//!   which the place was judged to be free; so all judge alike. If the slot still is free at that
//!   tick, it becomes the tag's; if not, the claim is void, and remains so.
//! - For a slot's tick only ever grows, with every swap. Who carries out an old claim late finds
//!   the slot changed. (A bucket that is [cut down](Buckets::take) is the exception: for this to
//!   matter a thread would have to rest for a minute between two of its steps.)
//! - A claim word is swapped only when the claim in it is done with, and only by whoever has looked
//!   for its tag since that claim stood there. So the tag stands nowhere else.
//!
//! Loads and swaps of slots are relaxed: the claim word's acquire and release order them.

use std::hash::BuildHasher as _;

use super::atomics::{AtomicU64, Ordering};
use super::word::{Claim, Slot, TICKS_A_MINUTE, Tag, Tick};
use super::{Key, Moment, Rate};

#[cfg(not(all(test, loom)))]
type Secret = std::hash::RandomState;
/// A model must be the same each time it is run.
#[cfg(all(test, loom))]
type Secret = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

/// Slots of a line.
const WAYS: usize = if cfg!(all(test, loom)) { 1 } else { 7 };

/// How many keys a line is to hold where there are as many as the table was made for.
const KEYS_A_LINE: usize = if cfg!(all(test, loom)) { 1 } else { 4 };

const DEFAULT_SUBSCRIBERS: u32 = 65_536;

/// A bucket that is further from full than an empty one, by more than this, is cut down.
const SKEW_TICKS: u64 = TICKS_A_MINUTE;

/// Buckets of a bounded number of subscribers, shared by all workers.
#[derive(Debug)]
pub struct Buckets {
    lines: Box<[Line]>,
    secret: Secret,
}

/// What became of a wish for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There was one.
    Token,
    /// The bucket is empty.
    Empty,
    /// The key has no bucket, and there is no room for one.
    TableFull,
}

/// Room for 65,536 subscribers, in 1 MiB.
impl Default for Buckets {
    fn default() -> Self {
        Self::new(DEFAULT_SUBSCRIBERS)
    }
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line {
    claim: AtomicU64,
    slots: [AtomicU64; WAYS],
}

/// Where a tag may stand.
#[derive(Clone, Copy)]
struct Home {
    tag: Tag,
    low: usize,
    high: usize,
}

/// What both lines hold for a tag.
enum Survey {
    Present,
    Free { place: usize, slot: Slot },
    NoRoom,
}

impl Buckets {
    /// Room for so many subscribers whose buckets are not full, and more: at that number four of
    /// seven slots are taken, or fewer, and none was refused in any test (see
    /// `docs/decisions/2026-11-22-limits.md`).
    pub fn new(subscribers: u32) -> Self {
        let lines = (subscribers as usize).div_ceil(KEYS_A_LINE).max(2);
        Self {
            lines: (0..lines.next_power_of_two())
                .map(|_| Line::default())
                .collect(),
            secret: Secret::default(),
        }
    }

    /// What the table takes, now and ever.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.lines)
    }

    /// How many buckets there can be.
    pub fn slots(&self) -> usize {
        self.lines.len() * WAYS
    }

    /// How many buckets are not full. Reads the whole table: nothing for a worker.
    pub fn in_use(&self, now: Moment) -> usize {
        let now = Tick::at(now);
        let slots = self.lines.iter().flat_map(|line| &line.slots);
        slots
            .filter(|slot| !Slot::from_word(slot.load(Ordering::Relaxed)).is_free(now))
            .count()
    }

    /// Takes a token from the bucket of `key`, which fills as `rate` says.
    ///
    /// If the rate is another than before, what has been taken remains taken, in time: the bucket is
    /// as far from full as it was. Where that is further than an empty one, by more than a minute,
    /// it is cut down to an empty one. So it is when moments go back by more than that (one capture
    /// behind the other): the bucket is empty then, and fills from there.
    pub fn take(&self, key: Key, rate: Rate, now: Moment) -> Taken {
        let home = self.home(key);
        let now = Tick::at(now);
        loop {
            let step = match self.find(home) {
                Some((slot, found)) => spend(slot, found, home.tag, rate, now),
                None => self.claim(home, rate, now),
            };
            if let Some(taken) = step {
                return taken;
            }
        }
    }

    fn home(&self, key: Key) -> Home {
        let hash = self.secret.hash_one(key);
        let tag = Tag::of(hash);
        let one = hash as usize & (self.lines.len() - 1);
        let other = self.other_line(tag, one);
        Home {
            tag,
            low: one.min(other),
            high: one.max(other),
        }
    }

    /// The second line of a tag, from either one.
    fn other_line(&self, tag: Tag, line: usize) -> usize {
        line ^ (tag.spread() as usize & (self.lines.len() - 1) | 1)
    }

    #[expect(clippy::indexing_slicing, reason = "lines are masked, places below 14")]
    fn slot(&self, home: Home, place: usize) -> &AtomicU64 {
        let line = if place < WAYS { home.low } else { home.high };
        &self.lines[line].slots[place % WAYS]
    }

    #[expect(clippy::indexing_slicing, reason = "lines are masked")]
    fn claim_word(&self, home: Home) -> &AtomicU64 {
        &self.lines[home.low].claim
    }

    fn find(&self, home: Home) -> Option<(&AtomicU64, Slot)> {
        (0..2 * WAYS).find_map(|place| {
            let slot = self.slot(home, place);
            let found = Slot::from_word(slot.load(Ordering::Relaxed));
            found.is_of(home.tag).then_some((slot, found))
        })
    }

    /// Moves into a free slot, and takes a token; none: look again.
    fn claim(&self, home: Home, rate: Rate, now: Tick) -> Option<Taken> {
        let word = self.claim_word(home);
        let before = Claim::from_word(word.load(Ordering::Acquire));
        self.carry_out(before, home.low);
        let since = now.coarse();
        let (place, slot) = match self.survey(home, since) {
            Survey::Present => return None,
            Survey::NoRoom => return Some(Taken::TableFull),
            Survey::Free { place, slot } => (place, slot),
        };
        let claim = Claim::new(home.tag, place, since);
        swap(word, before.word(), claim.word(), Ordering::AcqRel).ok()?;
        let moved_in = Slot::new(home.tag, now.plus(rate.cost_ticks()));
        let place = self.slot(home, place);
        swap(place, slot.word(), moved_in.word(), Ordering::Relaxed).ok()?;
        Some(Taken::Token)
    }

    /// Sees to it that a claim that stands in the line `low` is done with: its tag has moved in, with
    /// a bucket that is full but for one tick, or never will.
    fn carry_out(&self, claim: Claim, low: usize) {
        let Some(tag) = claim.tag() else {
            return;
        };
        let high = self.other_line(tag, low);
        let slot = self.slot(Home { tag, low, high }, claim.place());
        let mut found = Slot::from_word(slot.load(Ordering::Relaxed));
        let moved_in = Slot::new(tag, claim.since().plus(1));
        while !found.is_of(tag) && found.is_free(claim.since()) {
            match swap(slot, found.word(), moved_in.word(), Ordering::Relaxed) {
                Ok(()) => return,
                Err(word) => found = Slot::from_word(word),
            }
        }
    }

    /// Whether the tag is there; if not, a slot that was free at `since`, in the emptier line.
    fn survey(&self, home: Home, since: Tick) -> Survey {
        let mut free = [0; 2];
        let mut first = [None; 2];
        for place in 0..2 * WAYS {
            let slot = Slot::from_word(self.slot(home, place).load(Ordering::Relaxed));
            if slot.is_of(home.tag) {
                return Survey::Present;
            }
            let [low, high] = &mut free;
            let [first_low, first_high] = &mut first;
            let (free, first) = if place < WAYS {
                (low, first_low)
            } else {
                (high, first_high)
            };
            if slot.is_free(since) {
                *free += 1;
                first.get_or_insert((place, slot));
            }
        }
        let ([low, high], [first_low, first_high]) = (free, first);
        let chosen = if high > low { first_high } else { first_low };
        match chosen {
            Some((place, slot)) => Survey::Free { place, slot },
            None => Survey::NoRoom,
        }
    }
}

/// Takes a token from the bucket in a slot; none if the slot is no longer the tag's.
fn spend(slot: &AtomicU64, mut found: Slot, tag: Tag, rate: Rate, now: Tick) -> Option<Taken> {
    let cost = rate.cost_ticks();
    let full = rate.depth_ticks(cost);
    // Who carried a claim out for somebody else left a tick missing; it denies no token.
    let depth = full + 1;
    while found.is_of(tag) {
        let missing = found.full().ahead_of(now);
        let (left, taken) = if missing + cost <= depth {
            (missing + cost, Taken::Token)
        } else if missing <= depth + SKEW_TICKS {
            return Some(Taken::Empty);
        } else {
            (full, Taken::Empty)
        };
        let next = Slot::new(tag, now.plus(left));
        match swap(slot, found.word(), next.word(), Ordering::Relaxed) {
            Ok(()) => return Some(taken),
            Err(word) => found = Slot::from_word(word),
        }
    }
    None
}

fn swap(word: &AtomicU64, from: u64, to: u64, order: Ordering) -> Result<(), u64> {
    let failed = Ordering::Relaxed;
    word.compare_exchange(from, to, order, failed).map(|_| ())
}
