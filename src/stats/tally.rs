use super::{Count, Counters, Reason, Verdict};

/// Neighbouring frames are added in different words, so that no addition waits for the one before
/// it.
const LANES: usize = 4;

/// One word counts frames above this bit, and octets below.
const FRAMES_SHIFT: u32 = 40;

/// What is in the words at most when they are carried over: less than 2^24 frames and 2^40 octets,
/// with room for one burst more, of which every frame may claim 4 GiB.
const MOST_FRAMES: u64 = 1 << 23;
const MOST_BYTES: u64 = 1 << 39;

const VERDICTS: usize = Verdict::ALL.len();
const REASONS: usize = Reason::ALL.len();

/// How frames are counted of which no rule speaks.
const QUIET: (Verdict, Reason) = (Verdict::Forward, Reason::NotCandidate);

/// What one worker counts, with as few stores a frame as may be.
///
/// A frame is one addition for each thing that it is counted under, to a word that holds frames
/// and octets; the words are carried over into [`Counters`] when these are read, and before they
/// overflow. Nearly every frame is *quiet*: forwarded because no rule speaks of it. These are
/// one addition each, under their plan; the rest of their count is made once a burst.
#[derive(Clone, Debug)]
pub struct Tally {
    counters: Counters,
    reasons: Words,
    rules: Words,
    plans: Words,
    /// What is in the words.
    frames: u64,
    bytes: u64,
}

/// By number, then by verdict.
#[derive(Clone, Debug)]
struct Words(Box<[[u64; LANES]]>);

/// A frame that is to be counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// What became of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The number of the rule that matched; 0 for none.
    pub rule: u16,
    /// The number of the plan; 0 for none.
    pub plan: u8,
    /// Octets on the wire.
    pub bytes: u32,
}

impl Tally {
    /// For rules and plans numbered from 1; number 0 means "none".
    pub fn new(rules: usize, plans: usize) -> Self {
        Self {
            counters: Counters::new(rules, plans),
            reasons: Words::new(REASONS),
            rules: Words::new(rules + 1),
            plans: Words::new(plans + 1),
            frames: 0,
            bytes: 0,
        }
    }

    /// Counts up to 64 frames.
    #[inline(always)]
    pub fn add(&mut self, frames: impl Iterator<Item = Counted>) {
        let mut count = Count::default();
        let mut reasons = self.reasons.rows();
        let mut rules = self.rules.rows();
        let mut plans = self.plans.rows();
        for (lane, frame) in (0..).zip(frames) {
            let one = Count::of(frame.bytes);
            reasons.add(lane, frame.reason as usize, frame.verdict, one);
            rules.add(lane, usize::from(frame.rule), frame.verdict, one);
            plans.add(lane, usize::from(frame.plan), frame.verdict, one);
            count += one;
        }
        self.hold(count);
    }

    /// Counts up to 64 quiet frames, each by its plan and its octets.
    #[inline(always)]
    pub fn add_quiet(&mut self, frames: impl Iterator<Item = (u8, u32)>) {
        let mut count = Count::default();
        let mut plans = self.plans.rows();
        for (lane, (plan, bytes)) in (0..).zip(frames) {
            let one = Count::of(bytes);
            plans.add(lane, usize::from(plan), QUIET.0, one);
            count += one;
        }
        self.counters.by_reason(QUIET.0, QUIET.1, count);
        self.counters.by_rule(QUIET.0, 0, count);
        self.hold(count);
    }

    /// Counts quiet frames that are looked up under no plan.
    #[inline(always)]
    pub fn add_quiet_unplanned(&mut self, frames: impl Iterator<Item = u32>) {
        let mut count = Count::default();
        for bytes in frames {
            count += Count::of(bytes);
        }
        self.counters.by_reason(QUIET.0, QUIET.1, count);
        self.counters.by_rule(QUIET.0, 0, count);
        self.counters.by_plan(QUIET.0, 0, count);
    }

    /// Everything that was counted.
    pub fn counters(&mut self) -> &Counters {
        self.carry_over();
        &self.counters
    }

    #[inline(always)]
    fn hold(&mut self, count: Count) {
        self.frames += count.frames;
        self.bytes += count.bytes;
        if self.frames >= MOST_FRAMES || self.bytes >= MOST_BYTES {
            self.carry_over();
        }
    }

    #[cold]
    fn carry_over(&mut self) {
        let counters = &mut self.counters;
        self.reasons.drain(|number, verdict, count| {
            if let Some(reason) = Reason::ALL.get(number) {
                counters.by_reason(verdict, *reason, count);
            }
        });
        self.rules
            .drain(|number, verdict, count| counters.by_rule(verdict, number, count));
        self.plans
            .drain(|number, verdict, count| counters.by_plan(verdict, number, count));
        (self.frames, self.bytes) = (0, 0);
    }
}

impl Words {
    fn new(numbers: usize) -> Self {
        Self(vec![[0; LANES]; numbers * VERDICTS].into_boxed_slice())
    }

    #[inline(always)]
    fn rows(&mut self) -> Rows<'_> {
        Rows(&mut self.0)
    }

    /// Empties every word.
    fn drain(&mut self, mut count_of: impl FnMut(usize, Verdict, Count)) {
        for (number, of_verdicts) in self.0.chunks_mut(VERDICTS).enumerate() {
            for (verdict, lanes) in Verdict::ALL.into_iter().zip(of_verdicts) {
                let mut count = Count::default();
                for word in lanes {
                    count += Count {
                        frames: *word >> FRAMES_SHIFT,
                        bytes: *word & ((1 << FRAMES_SHIFT) - 1),
                    };
                    *word = 0;
                }
                if count.frames > 0 {
                    count_of(number, verdict, count);
                }
            }
        }
    }
}

/// The words of a burst's additions: borrowed once, so that no addition looks anew where they are.
struct Rows<'w>(&'w mut [[u64; LANES]]);

impl Rows<'_> {
    /// A number that has no word is counted nowhere, as in [`Counters`].
    #[inline(always)]
    fn add(&mut self, lane: usize, number: usize, verdict: Verdict, count: Count) {
        if let Some(lanes) = self.0.get_mut(number * VERDICTS + verdict as usize)
            && let Some(word) = lanes.get_mut(lane % LANES)
        {
            *word += count.frames << FRAMES_SHIFT | count.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: u32) -> Counted {
        Counted {
            verdict: Verdict::Drop,
            reason: Reason::Port25Syn,
            rule: 2,
            plan: 3,
            bytes,
        }
    }

    #[test]
    fn a_frame_is_counted_once_under_reason_rule_and_plan() {
        let mut tally = Tally::new(2, 3);
        tally.add([frame(60), frame(100)].into_iter());
        tally.add_quiet([(3, 1_500), (0, 64)].into_iter());
        tally.add_quiet_unplanned([70].into_iter());
        let counters = tally.counters().clone();
        let two = Count {
            frames: 2,
            bytes: 160,
        };
        let quiet = Count {
            frames: 3,
            bytes: 1_634,
        };
        assert_eq!(counters.reason(Verdict::Drop, Reason::Port25Syn), two);
        assert_eq!(counters.rules()[2][Verdict::Drop as usize], two);
        assert_eq!(counters.plans()[3][Verdict::Drop as usize], two);
        assert_eq!(
            counters.reason(Verdict::Forward, Reason::NotCandidate),
            quiet
        );
        assert_eq!(counters.rules()[0][Verdict::Forward as usize], quiet);
        assert_eq!(
            counters.plans()[3][Verdict::Forward as usize],
            Count::of(1_500)
        );
        assert_eq!(counters.plans()[0][Verdict::Forward as usize].bytes, 134);
        assert_eq!(tally.counters().reasons().count(), 2, "counted once");
    }

    #[test]
    fn words_are_carried_over_before_they_overflow() {
        let mut tally = Tally::new(2, 3);
        let bursts = 2 * MOST_FRAMES / 64;
        for _ in 0..bursts {
            tally.add([frame(u32::MAX); 64].into_iter());
        }
        let frames = bursts * 64;
        let expected = Count {
            frames,
            bytes: frames * u64::from(u32::MAX),
        };
        let counters = tally.counters();
        assert_eq!(counters.reason(Verdict::Drop, Reason::Port25Syn), expected);
        assert_eq!(counters.rules()[2][Verdict::Drop as usize], expected);
        assert_eq!(counters.plans()[3][Verdict::Drop as usize], expected);
    }
}
