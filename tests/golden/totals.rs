//! A run's totals: computed from the expectations of a case, and as the product prints them.

use crate::case::Expectation;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Frames, and the octets they had on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    /// One frame.
    pub(crate) fn of(octets: usize) -> Self {
        Self { frames: 1, bytes: octets as u64 }
    }
}

/// By name; what counted nothing is not there.
type Tallies = BTreeMap<String, Tally>;

/// By `<verdict>-<reason>`, by rule and by plan.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    counters: Tallies,
    rules: Tallies,
    plans: Tallies,
}

impl Totals {
    /// Counts one frame as expected.
    pub(crate) fn add(&mut self, expected: &Expectation<'_>, tally: Tally) {
        let counter = format!("{}-{}", expected.verdict, expected.reason);
        let named = [
            (&mut self.counters, counter.as_str()),
            (&mut self.rules, expected.rule),
            (&mut self.plans, expected.plan),
        ];
        for (tallies, name) in named.into_iter().filter(|(_, name)| !name.is_empty()) {
            let sum = tallies.entry(name.to_owned()).or_default();
            sum.frames += tally.frames;
            sum.bytes += tally.bytes;
        }
    }

    /// What `replay --output json` printed.
    pub(crate) fn from_json(report: &Value) -> Result<Self, String> {
        Ok(Self {
            counters: tallies(report, "counters")?,
            rules: tallies(report, "rules")?,
            plans: tallies(report, "plans")?,
        })
    }

    /// The text of `counters.yaml`.
    pub(crate) fn to_yaml(&self) -> String {
        let mut text = String::new();
        for (title, tallies) in
            [("counters", &self.counters), ("rules", &self.rules), ("plans", &self.plans)]
        {
            let open = if tallies.is_empty() { " {}" } else { "" };
            let _ = writeln!(text, "{title}:{open}");
            for (name, Tally { frames, bytes }) in tallies {
                let _ = writeln!(text, "  {name}: {{ frames: {frames}, bytes: {bytes} }}");
            }
        }
        text
    }
}

fn tallies(report: &Value, title: &str) -> Result<Tallies, String> {
    let map = report.get(title).and_then(Value::as_object);
    let map = map.ok_or_else(|| format!("the report has no map {title:?}"))?;
    let mut tallies = Tallies::new();
    for (name, value) in map {
        let count = |key| value.get(key).and_then(Value::as_u64);
        let (Some(frames), Some(bytes)) = (count("frames"), count("bytes")) else {
            return Err(format!("{title}.{name} has no frames and bytes"));
        };
        if frames > 0 {
            tallies.insert(name.clone(), Tally { frames, bytes });
        }
    }
    Ok(tallies)
}

/// The lines to report when the balance does not close over this many frames.
pub(crate) fn unbalanced(report: &Value, frames: usize) -> Option<String> {
    let Some(balance) = report.get("balance") else { return Some("no balance".to_owned()) };
    let count = |key| balance.get(key).and_then(Value::as_u64).unwrap_or(0);
    let out: u64 =
        ["forward", "drop", "reject", "limit", "indeterminate"].into_iter().map(count).sum();
    let rx = count("rx");
    (rx != frames as u64 || out != rx).then(|| format!("{frames} frames, and balance {balance}"))
}
