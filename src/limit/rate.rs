//! What a bucket holds, and how fast it fills.

use std::fmt;

use super::word::{TICK_NS, TICKS_A_MINUTE};

/// The most tokens a minute.
const MAX_PER_MINUTE: u32 = 60_000;

/// The longest that an empty bucket may need to be full again, in minutes: a day.
const MAX_FULL_MINUTES: u64 = 24 * 60;

/// Tokens a minute in the long run, and how many a full bucket holds.
///
/// The time of a token is rounded up to whole ticks of 65.5 µs, so that a rate is never exceeded:
/// at 1,000 a minute it is 0.03 % less than asked for, at 60,000 (the most) 4.6 %. A rate that
/// [`check`](Self::check) refuses is taken for the nearest that it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// A minute.
    pub per_minute: u32,
    /// After a pause.
    pub burst: u32,
}

/// Why there is no such rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateError {
    /// Nothing a minute, or more than 60,000.
    PerMinute,
    /// A bucket that holds nothing.
    NoBurst,
    /// An empty bucket would need more than a day to be full again.
    TooDeep,
}

impl Rate {
    /// Whether there is such a rate.
    ///
    /// # Errors
    /// See [`RateError`].
    pub const fn check(self) -> Result<(), RateError> {
        if self.per_minute == 0 || self.per_minute > MAX_PER_MINUTE {
            Err(RateError::PerMinute)
        } else if self.burst == 0 {
            Err(RateError::NoBurst)
        } else if self.burst as u64 > self.per_minute as u64 * MAX_FULL_MINUTES {
            Err(RateError::TooDeep)
        } else {
            Ok(())
        }
    }

    /// What a token costs.
    pub(super) fn cost_ticks(self) -> u64 {
        cost_ticks(self.per_minute.clamp(1, MAX_PER_MINUTE).into())
    }

    /// In what time an empty bucket is full, at so much a token.
    pub(super) fn depth_ticks(self, cost_ticks: u64) -> u64 {
        let most = MAX_FULL_MINUTES * u64::from(self.per_minute.clamp(1, MAX_PER_MINUTE));
        cost_ticks * u64::from(self.burst).clamp(1, most)
    }
}

const fn cost_ticks(per_minute: u64) -> u64 {
    60_000_000_000_u64.div_ceil(TICK_NS * per_minute)
}

// Far less than the part of the clock's range that counts as the future.
const _: () =
    assert!(2 * cost_ticks(1) * MAX_FULL_MINUTES + TICKS_A_MINUTE < super::word::FUTURE_TICKS);

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PerMinute => "a rate is from 1 to 60,000 a minute",
            Self::NoBurst => "a burst is at least 1",
            Self::TooDeep => "the burst is more than what comes in a day",
        })
    }
}

impl std::error::Error for RateError {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn rate(per_minute: u32, burst: u32) -> Rate {
        Rate { per_minute, burst }
    }

    #[test]
    fn a_rate_is_never_more_than_was_asked_for() {
        for per_minute in [1, 7, 30, 59, 1_000, 7_777, 60_000] {
            let minute_ns = rate(per_minute, 1).cost_ticks() * TICK_NS * u64::from(per_minute);
            assert!(minute_ns >= 60_000_000_000, "{per_minute}");
            let loss = minute_ns as f64 / 60e9 - 1.0;
            assert!(loss < 0.049, "{per_minute}: {loss}");
            assert!(per_minute > 1_000 || loss < 0.0011, "{per_minute}: {loss}");
        }
    }

    #[test]
    fn senseless_rates_are_refused() {
        assert_eq!(rate(0, 1).check(), Err(RateError::PerMinute));
        assert_eq!(rate(60_001, 1).check(), Err(RateError::PerMinute));
        assert_eq!(rate(1, 0).check(), Err(RateError::NoBurst));
        assert_eq!(rate(1, 1_441).check(), Err(RateError::TooDeep));
        assert_eq!(rate(1, 1_440).check(), Ok(()));
    }

    #[test]
    fn a_senseless_rate_is_taken_for_the_nearest() {
        let day_ticks = cost_ticks(1) * 1_440;
        let depth = |rate: Rate| rate.depth_ticks(rate.cost_ticks());
        assert_eq!(depth(rate(0, 0)), cost_ticks(1));
        assert_eq!(depth(rate(0, u32::MAX)), day_ticks);
        assert!(depth(rate(u32::MAX, u32::MAX)) < 2 * day_ticks);
    }
}
