//! What a bucket holds, and how fast it fills.

use std::fmt;

use super::word::{TICK_NS, TICKS_A_MINUTE};

/// The most tokens a minute.
const MAX_PER_MINUTE: u32 = 60_000;

/// The longest that an empty bucket may need to be full again, in minutes: a day.
const MAX_FULL_MINUTES: u32 = 24 * 60;

/// Tokens a minute, and how many a full bucket holds.
///
/// The time of a token is rounded up to whole ticks of 65.5 µs, so that a rate is never exceeded:
/// at 1,000 a minute it is 0.03 % less than asked for, at 60,000 (the most) 4.6 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_minute: u32,
    burst: u32,
    /// What a token costs.
    pub(super) cost_ticks: u64,
    /// In what time an empty bucket is full.
    pub(super) depth_ticks: u64,
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
    /// So many tokens a minute, and at once.
    ///
    /// # Errors
    /// See [`RateError`].
    pub fn new(per_minute: u32, burst: u32) -> Result<Self, RateError> {
        if per_minute == 0 || per_minute > MAX_PER_MINUTE {
            return Err(RateError::PerMinute);
        }
        if burst == 0 {
            return Err(RateError::NoBurst);
        }
        if u64::from(burst) > u64::from(per_minute) * u64::from(MAX_FULL_MINUTES) {
            return Err(RateError::TooDeep);
        }
        let cost_ticks = cost_ticks(per_minute);
        Ok(Self {
            per_minute,
            burst,
            cost_ticks,
            depth_ticks: cost_ticks * u64::from(burst),
        })
    }

    /// Tokens a minute.
    pub const fn per_minute(self) -> u32 {
        self.per_minute
    }

    /// Tokens at once.
    pub const fn burst(self) -> u32 {
        self.burst
    }
}

const fn cost_ticks(per_minute: u32) -> u64 {
    (60_000_000_000_u64).div_ceil(TICK_NS * per_minute as u64)
}

// Far less than the half of the clock's range that counts as the future.
const _: () = assert!(
    2 * cost_ticks(1) * MAX_FULL_MINUTES as u64 + TICKS_A_MINUTE < super::word::FUTURE_TICKS
);

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

    #[test]
    fn a_rate_is_never_more_than_was_asked_for() {
        for per_minute in [1, 7, 30, 59, 1_000, 7_777, 60_000] {
            let rate = Rate::new(per_minute, 1).unwrap();
            let minute_ns = rate.cost_ticks * TICK_NS * u64::from(per_minute);
            assert!(minute_ns >= 60_000_000_000, "{per_minute}");
            let loss = minute_ns as f64 / 60e9 - 1.0;
            assert!(loss < 0.047, "{per_minute}: {loss}");
            assert!(per_minute > 1_000 || loss < 0.0011, "{per_minute}: {loss}");
        }
    }

    #[test]
    fn senseless_rates_are_refused() {
        assert_eq!(Rate::new(0, 1), Err(RateError::PerMinute));
        assert_eq!(Rate::new(60_001, 1), Err(RateError::PerMinute));
        assert_eq!(Rate::new(1, 0), Err(RateError::NoBurst));
        assert_eq!(Rate::new(1, 1_441), Err(RateError::TooDeep));
        assert!(Rate::new(1, 1_440).is_ok());
    }
}
