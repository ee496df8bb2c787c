use super::{Count, Counters, Reason, Verdict};

/// Neighbouring frames of one plan are added in different places, so that no addition waits for
/// the one before it.
const LANES: usize = 4;

/// One word counts frames above this bit, and octets below.
const FRAMES_SHIFT: u32 = 40;

/// What is in the words at most when they are carried over: less than 2^24 frames and 2^40 octets,
/// with room for one burst more, of which every frame may claim 4 GiB.
const MOST_FRAMES: u64 = 1 << 23;
const MOST_BYTES: u64 = 1 << 39;

/// What one worker counts, with as few stores a frame as may be.
///
/// Nearly every frame is forwarded because no rule speaks of it: such *quiet* frames are one
/// addition each, to a sum for each plan. The sums are carried over into [`Counters`] when these
/// are read, and before they overflow.
#[derive(Clone, Debug)]
pub struct Tally {
    counters: Counters,
    /// By plan.
    quiet: Box<[[u64; LANES]; 256]>,
    /// What is in `quiet`.
    quiet_frames: u64,
    quiet_bytes: u64,
}

impl Tally {
    /// Counters for rules and plans numbered from 1; number 0 means "none".
    pub fn new(rules: usize, plans: usize) -> Self {
        Self {
            counters: Counters::new(rules, plans),
            quiet: Box::new([[0; LANES]; 256]),
            quiet_frames: 0,
            quiet_bytes: 0,
        }
    }

    /// Counts one frame.
    #[inline]
    pub fn add(&mut self, verdict: Verdict, reason: Reason, rule: u16, plan: u8, bytes: u32) {
        self.counters
            .add(verdict, reason, rule, plan, Count::of(bytes));
    }

    /// Counts up to 64 quiet frames: of each any number (best different from the one before), its
    /// plan, and its octets.
    #[inline]
    pub fn add_quiet(&mut self, frames: impl Iterator<Item = (usize, u8, u32)>) {
        let mut bytes_in_all = 0;
        let mut count = 0;
        for (number, plan, bytes) in frames {
            if let Some(word) = self.word(number, plan) {
                *word += 1 << FRAMES_SHIFT | u64::from(bytes);
            }
            bytes_in_all += u64::from(bytes);
            count += 1;
        }
        self.quiet_frames += count;
        self.quiet_bytes += bytes_in_all;
        if self.quiet_frames >= MOST_FRAMES || self.quiet_bytes >= MOST_BYTES {
            self.carry_over();
        }
    }

    /// Counts quiet frames of one plan, each by its octets.
    #[inline]
    pub fn add_quiet_alike(&mut self, plan: u8, frames: impl Iterator<Item = u32>) {
        let mut count = Count::default();
        for bytes in frames {
            count += Count::of(bytes);
        }
        let (verdict, reason) = QUIET;
        self.counters.add(verdict, reason, 0, plan, count);
    }

    /// Everything that was counted.
    pub fn counters(&mut self) -> &Counters {
        self.carry_over();
        &self.counters
    }

    #[inline]
    fn word(&mut self, number: usize, plan: u8) -> Option<&mut u64> {
        self.quiet
            .get_mut(usize::from(plan))?
            .get_mut(number % LANES)
    }

    #[cold]
    fn carry_over(&mut self) {
        let (verdict, reason) = QUIET;
        for (plan, words) in (0..=u8::MAX).zip(self.quiet.iter_mut()) {
            for word in words {
                let count = Count {
                    frames: *word >> FRAMES_SHIFT,
                    bytes: *word & ((1 << FRAMES_SHIFT) - 1),
                };
                self.counters.add(verdict, reason, 0, plan, count);
                *word = 0;
            }
        }
        (self.quiet_frames, self.quiet_bytes) = (0, 0);
    }
}

/// How quiet frames are counted.
const QUIET: (Verdict, Reason) = (Verdict::Forward, Reason::NotCandidate);
