//! The `--at` of every command.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::str::FromStr;

/// As of when a policy is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum When {
    /// As of now.
    #[default]
    Now,
    /// An instant.
    Instant(Timestamp),
    /// A date or a time of day in the policy's own zone.
    Civil(DateTime),
}

impl When {
    /// The instant, for a policy whose dates are read in `zone`.
    pub(super) fn instant(&self, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::Now => Ok(Timestamp::now()),
            Self::Instant(instant) => Ok(*instant),
            // As in a policy, a time that the clocks show twice, or never, is no answer.
            Self::Civil(civil) => zone.to_ambiguous_timestamp(*civil).unambiguous(),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "now" {
            return Ok(Self::Now);
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(Self::Instant(instant));
        }
        if let Ok(zoned) = text.parse::<Zoned>() {
            return Ok(Self::Instant(zoned.timestamp()));
        }
        text.parse::<DateTime>().map(Self::Civil).map_err(|_| {
            "expected `now`, a date (2006-12-01), a time in the policy's zone \
             (2006-12-01T09:00:00), or one with an offset (2006-12-01T09:00:00+09:00)"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_the_clocks_show_twice_or_never_is_refused() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for text in ["2024-10-27T02:30:00", "2024-03-31T02:30:00"] {
            let when: When = text.parse().unwrap();
            assert!(when.instant(&berlin).is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_is_midnight_in_the_policys_zone() {
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let midnight = "2006-11-30T15:00:00Z".parse().unwrap();
        for text in [
            "2006-12-01",
            "2006-12-01T00:00:00",
            "2006-12-01T00:00:00+09:00",
        ] {
            let when: When = text.parse().unwrap();
            assert_eq!(when.instant(&tokyo).unwrap(), midnight, "{text}");
        }
        assert!("yesterday".parse::<When>().is_err());
    }
}
