//! Dates and instants, as an operator writes them.

use crate::policy::Origin;
use crate::policy::diagnostic::{Code, Diagnostic};
use crate::policy::raw::{node::Text, spelling};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The zone of that name.
pub(crate) fn zone(name: &Text) -> Result<TimeZone, Diagnostic> {
    TimeZone::get(&name.text).map_err(|_| {
        let known: Vec<String> = jiff::tz::db()
            .available()
            .map(|name| name.to_string())
            .collect();
        let near = spelling::nearest(&name.text, &known);
        let help = near.map_or_else(
            || "expected a name such as `Asia/Tokyo`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Diagnostic::new(
            Code::BAD_TIME_ZONE,
            format!(
                "`{}` is not a zone of the IANA time zone database",
                name.text
            ),
            &name.origin,
            "unknown zone",
        )
        .help(help)
    })
}

/// A date (its 00:00:00), a civil time, or a time with an offset.
pub(crate) fn instant(written: &Text, zone: &TimeZone) -> Result<Timestamp, Diagnostic> {
    let text = written.text.as_str();
    if !begins_with_date(text) {
        return Err(bad_date(text, &written.origin));
    }
    if text.len() == DATE_LENGTH {
        return midnight(date(text, &written.origin)?, zone)
            .ok_or_else(|| bad_date(text, &written.origin));
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let civil: DateTime = text.parse().map_err(|_| bad_date(text, &written.origin))?;
    let candidates = zone.to_ambiguous_timestamp(civil);
    if candidates.is_ambiguous() {
        return Err(ambiguous(text, &written.origin, zone));
    }
    candidates
        .unambiguous()
        .map_err(|_| bad_date(text, &written.origin))
}

/// 00:00:00 of the day after a date.
pub(super) fn end_of_day(
    text: &str,
    origin: &Origin,
    zone: &TimeZone,
) -> Result<Timestamp, Diagnostic> {
    if !begins_with_date(text) || text.len() != DATE_LENGTH {
        return Err(bad_date(text, origin).help("expected a day, such as 2027-03-31"));
    }
    let next = date(text, origin)?.checked_add(1.day()).ok();
    next.and_then(|next| midnight(next, zone))
        .ok_or_else(|| bad_date(text, origin))
}

const DATE_LENGTH: usize = "2006-11-01".len();

fn date(text: &str, origin: &Origin) -> Result<Date, Diagnostic> {
    text.parse().map_err(|_| bad_date(text, origin))
}

/// The first instant of a day; where the clocks skip midnight, the first that there is.
fn midnight(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    date.to_zoned(zone.clone()).ok().map(|day| day.timestamp())
}

/// Other spellings that the date library reads (`20061101`, week dates) are not for policies.
fn begins_with_date(text: &str) -> bool {
    let mut bytes = text.bytes();
    "0000-00-00".bytes().all(|shape| match bytes.next() {
        Some(byte) if shape == b'0' => byte.is_ascii_digit(),
        found => found == Some(shape),
    })
}

fn bad_date(text: &str, origin: &Origin) -> Diagnostic {
    Diagnostic::new(
        Code::BAD_DATE,
        format!("`{text}` is not a date"),
        origin,
        "no such day or time",
    )
    .help("expected such as 2006-11-01, 2006-11-01T09:00:00 or 2006-11-01T09:00:00+09:00")
}

fn ambiguous(text: &str, origin: &Origin, zone: &TimeZone) -> Diagnostic {
    let zone = zone.iana_name().unwrap_or("this zone");
    Diagnostic::new(
        Code::AMBIGUOUS_TIME,
        format!("the clocks of {zone} show `{text}` twice, or never"),
        origin,
        "no single instant",
    )
    .help("write the offset behind it, such as -04:00")
}
