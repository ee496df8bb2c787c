//! What a frame costs, from the cases of an export.
//!
//! The nearest case gives the cost. For everything in which it differs from what is wanted, what
//! that makes is read from two cases that differ in nothing else, and added: the difference
//! between IPv6 and IPv4, say, or a point between two table sizes. Where no two such cases exist
//! nothing is added, and that is said.

use super::basis::Grounds;
use crate::loadgen::{Accounting, Case, Encapsulation, Export, Family, Mix, Size, Spread};

/// The frames in memory of a case that is like a NIC: those of its rings.
const RING_FRAMES: f64 = 32_768.0;

/// What is wanted; `None` is "whatever was measured".
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Want {
    pub(super) family: Option<Family>,
    pub(super) encapsulation: Option<Encapsulation>,
    pub(super) spread: Option<Spread>,
    pub(super) account: Accounting,
    pub(super) mix: Mix,
    pub(super) bytes: Option<f64>,
    pub(super) prefixes: Option<f64>,
    pub(super) port25_share: Option<f64>,
}

/// What a frame costs in the engine.
#[derive(Clone, Debug)]
pub(super) struct Cost {
    pub(super) ns: f64,
    /// The far end of the interval.
    pub(super) high_ns: f64,
    /// The stages' shares, as in the nearest case.
    pub(super) stages: Vec<(String, f64)>,
    pub(super) grounds: Grounds,
}

/// In what cases differ, the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Mix,
    Account,
    Encapsulation,
    Family,
    Spread,
    Port25,
    Bytes,
    Prefixes,
}

const AXES: [Axis; 8] = [
    Axis::Mix,
    Axis::Account,
    Axis::Encapsulation,
    Axis::Family,
    Axis::Spread,
    Axis::Port25,
    Axis::Bytes,
    Axis::Prefixes,
];

/// The cost of what is wanted; `None` if the export has no case.
pub(super) fn cost(export: &Export, want: &Want) -> Option<Cost> {
    let near = export.cases.iter().map(|case| (distance(case, want), case));
    let (_, base) = near.min_by(|a, b| a.0.total_cmp(&b.0))?;
    let mut grounds = Grounds::default();
    grounds.cases.insert(base.name.clone());
    let mut added_ns = 0.0;
    for axis in AXES {
        if apart(axis, base, want) > 0.0 {
            added_ns += correction(export, base, want, axis, &mut grounds);
        }
    }
    if !base.is_sound() {
        let step = format!(
            "the floor of {} was too slow: its figures are doubtful",
            base.name
        );
        grounds.steps.insert(step);
    }
    let stages_ns: f64 = base.stages.iter().map(|stage| stage.ns).sum();
    let share = |ns: f64| if stages_ns > 0.0 { ns / stages_ns } else { 0.0 };
    let stages = base
        .stages
        .iter()
        .map(|stage| (stage.name.clone(), share(stage.ns)));
    Some(Cost {
        // Nothing is cheaper than reading the frame.
        ns: (base.whole.ns + added_ns).max(base.floor.ns),
        high_ns: (base.whole.high_ns + added_ns).max(base.floor.ns),
        stages: stages.collect(),
        grounds,
    })
}

/// What the octets of a case's frames are.
pub(super) fn case_bytes(size: Size) -> f64 {
    match size {
        Size::Least => 64.0,
        Size::Imix => super::Frames::imix().mean_bytes(),
        Size::Largest => 1518.0,
    }
}

fn distance(case: &Case, want: &Want) -> f64 {
    let weights = (0..).map(|place| 4f64.powi(8 - place));
    let apart = |(axis, weight): (Axis, f64)| weight * apart(axis, case, want);
    // Among equals, frames like a NIC's rings; soundness before that.
    let frames = (count(case.frames).max(1.0) / RING_FRAMES).log2().abs();
    let doubt = if case.is_sound() { 0.0 } else { 0.9 };
    AXES.into_iter().zip(weights).map(apart).sum::<f64>() + 0.01 * frames + doubt
}

/// From 0, the same, to 1, as far as can be.
fn apart(axis: Axis, case: &Case, want: &Want) -> f64 {
    let differs = |differs: bool| if differs { 1.0 } else { 0.0 };
    match axis {
        Axis::Mix => differs(case.traffic != want.mix),
        Axis::Account => differs(case.account != want.account),
        Axis::Encapsulation => differs(want.encapsulation.is_some_and(|e| e != case.encapsulation)),
        Axis::Family => differs(want.family.is_some_and(|f| f != case.family)),
        Axis::Spread => differs(want.spread.is_some_and(|s| s != case.table)),
        Axis::Port25 | Axis::Bytes | Axis::Prefixes => {
            let position = |value: f64| position(axis, value);
            match wanted(axis, want) {
                Some(value) if (position(value) - position(measured(axis, case))).abs() > 1e-3 => {
                    ((position(value) - position(measured(axis, case))).abs() / 20.0)
                        .clamp(1e-3, 1.0)
                }
                _ => 0.0,
            }
        }
    }
}

/// Where a value of a numeric axis lies: table sizes by their logarithm, port-25 shares and sizes
/// as they are (in scales on which 20 is far).
fn position(axis: Axis, value: f64) -> f64 {
    match axis {
        Axis::Prefixes => value.max(1.0).log2(),
        Axis::Port25 => value * 20.0,
        _ => value / 76.0,
    }
}

fn wanted(axis: Axis, want: &Want) -> Option<f64> {
    match axis {
        Axis::Port25 => want.port25_share,
        Axis::Bytes => want.bytes,
        Axis::Prefixes => want.prefixes,
        _ => None,
    }
}

fn measured(axis: Axis, case: &Case) -> f64 {
    match axis {
        Axis::Port25 => case.port25_share,
        Axis::Bytes => case_bytes(case.size),
        _ => count(case.prefixes),
    }
}

/// Nanoseconds to add because `base` differs from what is wanted on one axis.
fn correction(export: &Export, base: &Case, want: &Want, axis: Axis, grounds: &mut Grounds) -> f64 {
    let found = match wanted(axis, want) {
        Some(value) => along(export, base, axis, value),
        None => across(export, base, want, axis),
    };
    let name = axis_name(axis, want);
    match found {
        Some(Found { ns, cases, note }) => {
            let (first, last) = (cases.0.name.as_str(), cases.1.name.as_str());
            grounds.cases.extend([first.to_owned(), last.to_owned()]);
            grounds
                .steps
                .insert(format!("{name}: {note} {first} and {last}"));
            ns
        }
        None => {
            let step = format!(
                "{name}: no two cases show what it makes; {} stands for it",
                base.name
            );
            grounds.steps.insert(step);
            0.0
        }
    }
}

/// A difference in nanoseconds, and the cases that show it.
struct Found<'a> {
    ns: f64,
    cases: (&'a Case, &'a Case),
    note: &'static str,
}

/// Two cases that differ in nothing but the axis: one as `base`, one as wanted.
fn across<'a>(export: &'a Export, base: &Case, want: &Want, axis: Axis) -> Option<Found<'a>> {
    let starts = export.cases.iter().filter(|case| same(axis, case, base));
    let pairs = starts.flat_map(|start| {
        let ends = export
            .cases
            .iter()
            .filter(|end| apart(axis, end, want) == 0.0);
        let alike = ends.filter(move |end| differ_only(axis, start, end));
        alike.map(move |end| (start, end))
    });
    let nearest = pairs.min_by(|a, b| unlike(a.0, base).total_cmp(&unlike(b.0, base)))?;
    Some(Found {
        ns: nearest.1.whole.ns - nearest.0.whole.ns,
        cases: nearest,
        note: "the difference between",
    })
}

/// Along a numeric axis, between the two cases that the value lies between.
fn along<'a>(export: &'a Export, base: &Case, axis: Axis, value: f64) -> Option<Found<'a>> {
    let mut series = series(export, base, axis);
    let place = |case: &Case| position(axis, measured(axis, case));
    series.sort_by(|a, b| place(a).total_cmp(&place(b)));
    // The same case twice spans nothing.
    series.dedup_by(|a, b| place(a).total_cmp(&place(b)).is_eq());
    let (wanted, from) = (position(axis, value), place(base));
    let pair = |at: f64| {
        let after = series
            .iter()
            .position(|case| place(case) >= at)
            .unwrap_or(series.len());
        let first = after.clamp(1, series.len().saturating_sub(1).max(1)) - 1;
        Some((*series.get(first)?, *series.get(first + 1)?))
    };
    let cost_at = |at: f64| {
        let (a, b) = pair(at)?;
        let share = (at - place(a)) / (place(b) - place(a));
        // Beyond the largest table the last step goes on; beyond the other ends nothing changes.
        let most = if axis == Axis::Prefixes && b.whole.ns > a.whole.ns {
            f64::MAX
        } else {
            1.0
        };
        Some(a.whole.ns + share.clamp(0.0, most) * (b.whole.ns - a.whole.ns))
    };
    let cases = pair(wanted)?;
    let inside = (place(cases.0)..=place(cases.1)).contains(&wanted);
    Some(Found {
        ns: cost_at(wanted)? - cost_at(from)?,
        cases,
        note: if inside {
            "interpolated between"
        } else {
            "beyond what was measured, by"
        },
    })
}

/// Cases that differ in nothing but the axis, as like `base` as there are.
fn series<'a>(export: &'a Export, base: &Case, axis: Axis) -> Vec<&'a Case> {
    let of = |start: &Case| -> Vec<&'a Case> {
        let like = |case: &&Case| case.name == start.name || differ_only(axis, start, case);
        export.cases.iter().filter(like).collect()
    };
    let own = of(base);
    if own.len() > 1 {
        return own;
    }
    let mut starts: Vec<&Case> = export.cases.iter().collect();
    starts.sort_by(|a, b| unlike(a, base).total_cmp(&unlike(b, base)));
    let others = starts.into_iter().map(of);
    others
        .into_iter()
        .find(|series| series.len() > 1)
        .unwrap_or_default()
}

fn same(axis: Axis, a: &Case, b: &Case) -> bool {
    match axis {
        Axis::Mix => a.traffic == b.traffic,
        Axis::Account => a.account == b.account,
        Axis::Encapsulation => a.encapsulation == b.encapsulation,
        Axis::Family => a.family == b.family,
        Axis::Spread => a.table == b.table,
        Axis::Bytes => a.size == b.size,
        Axis::Prefixes => a.prefixes == b.prefixes,
        Axis::Port25 => (a.port25_share - b.port25_share).abs() < 1e-12,
    }
}

fn differ_only(axis: Axis, a: &Case, b: &Case) -> bool {
    let others = AXES.into_iter().filter(|other| *other != axis);
    a.frames == b.frames && !same(axis, a, b) && others.into_iter().all(|other| same(other, a, b))
}

/// How much a case differs from another, whatever the axis.
fn unlike(case: &Case, base: &Case) -> f64 {
    let weights = (0..).map(|place| 2f64.powi(8 - place));
    let differ = |(axis, weight): (Axis, f64)| if same(axis, case, base) { 0.0 } else { weight };
    let frames = if case.frames == base.frames { 0.0 } else { 0.5 };
    AXES.into_iter().zip(weights).map(differ).sum::<f64>() + frames
}

fn axis_name(axis: Axis, want: &Want) -> String {
    let word = |word: Option<&'static str>| word.unwrap_or("any");
    match axis {
        Axis::Mix => format!("{} traffic", want.mix),
        Axis::Account => format!("account {}", want.account),
        Axis::Encapsulation => {
            let named = want.encapsulation.map(Encapsulation::label);
            format!("encapsulation {}", word(named))
        }
        Axis::Family => format!("family {}", word(want.family.map(Family::label))),
        Axis::Spread => format!("{} subscribers", word(want.spread.map(Spread::label))),
        Axis::Port25 => format!("a port-25 share of {}", want.port25_share.unwrap_or(0.0)),
        Axis::Bytes => format!("frames of {:.0} octets", want.bytes.unwrap_or(0.0)),
        Axis::Prefixes => "the size of the table".to_owned(),
    }
}

pub(super) fn count(number: u64) -> f64 {
    // Exact up to 2^53, which no count here reaches.
    number as f64
}
