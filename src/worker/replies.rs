//! How often rejected frames are answered.

use crate::limit::Moment;
use std::fmt;
use std::ops::AddAssign;

/// How often rejected frames are answered: a flood of them must not become one of replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyRate {
    /// Replies a second, in the long run; 0 answers none.
    pub per_second: u32,
    /// Replies at once, after a pause; none where it is 0.
    pub burst: u32,
}

impl Default for ReplyRate {
    fn default() -> Self {
        Self {
            per_second: 1_000,
            burst: 100,
        }
    }
}

/// What became of the frames that are to be answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replies {
    /// Replies that were made. What a transmit ring had no room for is among them.
    pub generated: u64,
    /// Frames without one because the rate was used up, or no buffer was free.
    pub withheld: u64,
    /// Frames that may not be answered, or cannot be.
    pub impossible: u64,
}

/// One worker's share of a rate: a bucket of tokens, of which each reply takes one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// From one token to the next; `None` when there is none.
    period_ns: Option<u64>,
    /// A bucket is full when it was not taken from for so long.
    full_ns: u64,
    /// When it will be full again, if nobody takes from it.
    full_at_ns: u64,
}

impl Bucket {
    /// A full one, of the share that each of so many workers has.
    pub(super) fn share(rate: ReplyRate, workers: usize) -> Self {
        let workers = workers.max(1) as u64;
        let period_ns = (workers * 1_000_000_000).checked_div(rate.per_second.into());
        let burst = match u64::from(rate.burst) {
            0 => 0,
            burst => (burst / workers).max(1),
        };
        Self {
            period_ns: period_ns.filter(|_| burst > 0),
            full_ns: burst.saturating_mul(period_ns.unwrap_or(0)),
            full_at_ns: 0,
        }
    }

    /// Whether there is a token. The clock does not go backwards.
    pub(super) fn has_one(&self, now: Moment) -> bool {
        let missing_ns = self.full_at_ns.saturating_sub(now.0);
        self.period_ns
            .is_some_and(|period_ns| missing_ns + period_ns <= self.full_ns)
    }

    /// Takes the token that is there.
    pub(super) fn take(&mut self, now: Moment) {
        let period_ns = self.period_ns.unwrap_or(0);
        self.full_at_ns = self.full_at_ns.max(now.0) + period_ns;
    }
}

/// Of several workers together.
impl AddAssign for Replies {
    fn add_assign(&mut self, other: Self) {
        self.generated += other.generated;
        self.withheld += other.withheld;
        self.impossible += other.impossible;
    }
}

impl fmt::Display for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            generated,
            withheld,
            impossible,
        } = self;
        write!(
            f,
            "{generated} generated, {withheld} withheld, {impossible} impossible"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    /// How many are answered when frames come all the time, from one moment to another.
    fn flood(bucket: &mut Bucket, from_ns: u64, to_ns: u64) -> u64 {
        let mut taken = 0;
        for now_ns in (from_ns..to_ns).step_by(10_000) {
            if bucket.has_one(Moment(now_ns)) {
                bucket.take(Moment(now_ns));
                taken += 1;
            }
        }
        taken
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::share(ReplyRate::default(), 1);
        let begin_ns = 77 * SECOND_NS;
        assert_eq!(flood(&mut bucket, begin_ns, begin_ns + 1), 1);
        for _ in 1..100 {
            assert!(bucket.has_one(Moment(begin_ns)));
            bucket.take(Moment(begin_ns));
        }
        for (waited_ns, is_there) in [(0, false), (999_999, false), (1_000_000, true)] {
            assert_eq!(bucket.has_one(Moment(begin_ns + waited_ns)), is_there);
        }
        let end_ns = begin_ns + 10 * SECOND_NS;
        assert_eq!(flood(&mut bucket, begin_ns, end_ns), 9_999);
        // A pause fills it, and no pause fills it further.
        let later_ns = end_ns + 3_600 * SECOND_NS;
        assert_eq!(flood(&mut bucket, later_ns, later_ns + SECOND_NS), 1_099);
    }

    #[test]
    fn shares_are_never_more_than_the_whole() {
        for workers in [1, 2, 3, 7, 64] {
            let mut buckets = vec![Bucket::share(ReplyRate::default(), workers); workers];
            let floods = buckets.iter_mut().map(|bucket| flood(bucket, 0, SECOND_NS));
            let all: u64 = floods.sum();
            assert!((1_000..=1_100).contains(&all), "{workers} workers: {all}");
        }
    }

    #[test]
    fn a_rate_of_nothing_answers_nothing() {
        for (per_second, burst) in [(0, 100), (1_000, 0), (0, 0)] {
            let mut bucket = Bucket::share(ReplyRate { per_second, burst }, 1);
            assert_eq!(flood(&mut bucket, 0, SECOND_NS), 0);
        }
        let slow = ReplyRate {
            per_second: 1,
            burst: u32::MAX,
        };
        assert!(Bucket::share(slow, 1_000).has_one(Moment::default()));
        let fast = ReplyRate {
            per_second: u32::MAX,
            burst: 1,
        };
        assert!(Bucket::share(fast, 1).has_one(Moment::default()));
    }
}
