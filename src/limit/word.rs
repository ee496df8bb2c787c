//! What a slot and a claim say, each in one word, so that its parts change together.
//!
//! ```text
//! slot   tag 22 bits │ full: the tick at which the bucket is full, 42 bits
//! claim  tag 22 bits │ place 4 bits │ since: 38 bits, ticks / 16
//! ```
//!
//! Ticks are counted modulo 2⁴², nine years. What lies less than an eighth of that (417 days) ahead
//! is the future; all else is the past.

use super::Moment;

pub(super) const TICK_NS: u64 = 1 << TICK_SHIFT;
pub(super) const TICKS_A_MINUTE: u64 = 60_000_000_000 / TICK_NS;
/// How far the future reaches.
pub(super) const FUTURE_TICKS: u64 = 1 << (TICK_BITS - 3);

const TICK_SHIFT: u32 = 16;
const TICK_BITS: u32 = 42;
const TICK_MASK: u64 = (1 << TICK_BITS) - 1;
/// A claim's moment leaves these bits out.
const COARSE_BITS: u32 = 4;
const COARSE_MASK: u64 = TICK_MASK >> COARSE_BITS;
const PLACE_SHIFT: u32 = TICK_BITS - COARSE_BITS;
const PLACE_MASK: u64 = (1 << COARSE_BITS) - 1;

/// A moment in ticks, modulo their range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick(u64);

impl Tick {
    pub(super) fn at(moment: Moment) -> Self {
        Self(moment.0 >> TICK_SHIFT & TICK_MASK)
    }

    pub(super) fn plus(self, ticks: u64) -> Self {
        Self(self.0.wrapping_add(ticks) & TICK_MASK)
    }

    /// How far this tick lies ahead of `now`; 0 for the past.
    pub(super) fn ahead_of(self, now: Self) -> u64 {
        let ahead = self.0.wrapping_sub(now.0) & TICK_MASK;
        if ahead < FUTURE_TICKS { ahead } else { 0 }
    }

    /// The moment as a claim tells it: up to 15 ticks earlier.
    pub(super) fn coarse(self) -> Self {
        Self(self.0 >> COARSE_BITS << COARSE_BITS)
    }
}

/// Which of the keys that may stand in a line this is; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(u64);

impl Tag {
    /// From the upper bits of a hash.
    pub(super) fn of(hash: u64) -> Self {
        Self((hash >> TICK_BITS).max(1))
    }

    /// Bits for a choice that follows from the tag alone.
    pub(super) fn spread(self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
    }
}

/// A slot: whose bucket, and when it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(u64);

impl Slot {
    pub(super) fn new(tag: Tag, full: Tick) -> Self {
        Self(tag.0 << TICK_BITS | full.0)
    }

    pub(super) fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(super) fn word(self) -> u64 {
        self.0
    }

    pub(super) fn is_of(self, tag: Tag) -> bool {
        self.0 >> TICK_BITS == tag.0
    }

    pub(super) fn full(self) -> Tick {
        Tick(self.0 & TICK_MASK)
    }

    /// Whether it holds nothing that must be remembered. The same word and tick give every thread
    /// the same answer.
    pub(super) fn is_free(self, now: Tick) -> bool {
        self.0 == 0 || self.full().ahead_of(now) == 0
    }
}

/// That a tag is about to move into a place that was free at a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim(u64);

impl Claim {
    /// `since` must be [coarse](Tick::coarse), and `place` below 16.
    pub(super) fn new(tag: Tag, place: usize, since: Tick) -> Self {
        let place = place as u64 & PLACE_MASK;
        Self(tag.0 << TICK_BITS | place << PLACE_SHIFT | since.0 >> COARSE_BITS)
    }

    pub(super) fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(super) fn word(self) -> u64 {
        self.0
    }

    /// None before the first.
    pub(super) fn tag(self) -> Option<Tag> {
        (self.0 != 0).then_some(Tag(self.0 >> TICK_BITS))
    }

    pub(super) fn place(self) -> usize {
        (self.0 >> PLACE_SHIFT & PLACE_MASK) as usize
    }

    pub(super) fn since(self) -> Tick {
        Tick((self.0 & COARSE_MASK) << COARSE_BITS)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const YEAR_NS: u64 = 365 * 86_400_000_000_000;

    #[test]
    fn parts_come_back_as_they_went_in() {
        for hash in [0, 1, 1 << 42, u64::MAX, 0x0123_4567_89ab_cdef] {
            let (tag, tick) = (Tag::of(hash), Tick::at(Moment(hash)));
            let slot = Slot::from_word(Slot::new(tag, tick).word());
            assert!(slot.is_of(tag) && slot.full() == tick);
            let claim = Claim::new(tag, 13, tick.coarse());
            let claim = Claim::from_word(claim.word());
            let parts = (claim.tag(), claim.place(), claim.since());
            assert_eq!(parts, (Some(tag), 13, tick.coarse()));
        }
    }

    #[test]
    fn the_future_is_an_eighth_of_the_range_wherever_it_begins() {
        for start in [0, YEAR_NS, 9 * YEAR_NS, 56 * YEAR_NS, u64::MAX] {
            let now = Tick::at(Moment(start));
            assert_eq!(now.ahead_of(now), 0);
            assert_eq!(now.plus(1).ahead_of(now), 1);
            assert_eq!(now.ahead_of(now.plus(1)), 0);
            assert_eq!(now.plus(FUTURE_TICKS - 1).ahead_of(now), FUTURE_TICKS - 1);
            let eight_years = Tick::at(Moment(start.wrapping_add(7 * YEAR_NS)));
            assert!(Slot::new(Tag::of(1), now).is_free(eight_years));
        }
    }
}
