//! When.

use super::model::Model;
use super::traffic::Traffic;
use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::Serialize;

/// How far ahead is looked.
pub const HORIZON_YEARS: i32 = 30;
const HORIZON_MONTHS: i32 = HORIZON_YEARS * 12;

/// Load and capacity on one day, in frames a second of the ordinary mix.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// The day.
    pub day: Date,
    /// At the peak.
    pub peak_pps: f64,
    /// The peak with its headroom.
    pub required_pps: f64,
    /// What is carried without loss while the spare boxes have failed.
    pub lossless_pps: f64,
}

/// The first day on which the peak with its headroom exceeds the capacity, and the last day that
/// was looked at.
pub(super) fn outgrown(model: &Model<'_>, workers: u32) -> (Option<Date>, Date) {
    let headroom = model.traffic.headroom.value;
    let capacity = model.capacity(workers);
    let day = first_day(model, |days| model.peak(days).work * headroom > capacity);
    let horizon = later(model.traffic.start, HORIZON_MONTHS.months());
    (day, day.unwrap_or(horizon))
}

/// The first day on which something holds that, in one month or another, begins to hold.
pub(super) fn first_day(model: &Model<'_>, holds: impl Fn(f64) -> bool) -> Option<Date> {
    let start = model.traffic.start;
    let holds = |day: Date| holds(model.days(day));
    if holds(start) {
        return Some(start);
    }
    let months = (1..=HORIZON_MONTHS).map(|month| later(start, month.months()));
    let mut before = start;
    for day in months {
        if holds(day) {
            let mut first = later(before, 1.day());
            while first < day && !holds(first) {
                first = later(first, 1.day());
            }
            return Some(first);
        }
        before = day;
    }
    None
}

/// The first day on which one direction of a link is full at the peak.
pub(super) fn link_full(traffic: &Traffic) -> Option<(String, Date)> {
    let growth = traffic.traffic_growth.value;
    let full = |link: &super::Link| {
        let used = link.up.max(link.down);
        let years = (1.0 / used).ln() / growth.ln_1p();
        let days = if used >= 1.0 {
            0.0
        } else {
            (years * 365.25).ceil()
        };
        let soon = days.is_finite() && (0.0..=365.25 * f64::from(HORIZON_YEARS)).contains(&days);
        soon.then(|| {
            (
                link.name.clone(),
                later(traffic.start, (days as i32).days()),
            )
        })
    };
    traffic
        .links
        .iter()
        .filter_map(full)
        .min_by_key(|(_, day)| *day)
}

/// Month by month, to a little beyond all that matters.
pub(super) fn points(model: &Model<'_>, workers: u32, outgrown: Option<Date>) -> Vec<Point> {
    let start = model.traffic.start;
    let target = model.traffic.target.value;
    let last = outgrown.unwrap_or(target).max(target);
    let capacity = model.capacity(workers);
    let point = |day: Date| {
        let (days, headroom) = (model.days(day), model.traffic.headroom.value);
        let peak_pps = model.peak_pps(days);
        Point {
            day,
            peak_pps,
            required_pps: peak_pps * headroom,
            lossless_pps: capacity / (model.frame_ns(days) * 1e-9),
        }
    };
    let months = (0..=HORIZON_MONTHS + 12).map(|month| later(start, month.months()));
    let end = later(last, 6.months());
    months.take_while(|day| *day <= end).map(point).collect()
}

/// A day so much later, or the last that there is.
fn later(day: Date, span: Span) -> Date {
    day.checked_add(span).unwrap_or(Date::MAX)
}
