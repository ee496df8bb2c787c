//! A run's totals: computed from the expectations of a case, and as the product prints them.

use crate::case::Expectation;
use serde_json::Value;
use std::collections::BTreeMap;

/// Frames, and the octets they had on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    /// One frame.
    pub(crate) fn of(octets: usize) -> Self {
        Self {
            frames: 1,
            bytes: octets as u64,
        }
    }

    fn add(&mut self, other: Self) {
        self.frames += other.frames;
        self.bytes += other.bytes;
    }
}

/// By verdict; what counted nothing is not there.
type ByVerdict = BTreeMap<String, Tally>;

/// By `<verdict>-<reason>`, and by verdict for each rule and each plan.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    counters: BTreeMap<String, Tally>,
    rules: BTreeMap<String, ByVerdict>,
    plans: BTreeMap<String, ByVerdict>,
}

/// How the product calls the plan of those who have none.
const NO_PLAN: &str = "(no plan)";

impl Totals {
    /// Counts one frame as expected.
    pub(crate) fn add(&mut self, expected: &Expectation<'_>, tally: Tally) {
        let Expectation {
            verdict,
            reason,
            rule,
            plan,
            ..
        } = *expected;
        self.counters
            .entry(format!("{verdict}-{reason}"))
            .or_default()
            .add(tally);
        if !rule.is_empty() {
            let by_verdict = self.rules.entry(rule.to_owned()).or_default();
            by_verdict.entry(verdict.to_owned()).or_default().add(tally);
        }
        let plan = if plan.is_empty() { NO_PLAN } else { plan };
        let by_verdict = self.plans.entry(plan.to_owned()).or_default();
        by_verdict.entry(verdict.to_owned()).or_default().add(tally);
    }

    /// What `replay --output json` printed.
    pub(crate) fn from_json(report: &Value) -> Result<Self, String> {
        Ok(Self {
            counters: tallies(report.get("counters"))?,
            rules: rows(report.get("rules"))?,
            plans: rows(report.get("plans"))?,
        })
    }

    /// The text of `counters.yaml`.
    pub(crate) fn to_yaml(&self) -> String {
        let mut text = format!("counters:\n{}", lines(&self.counters, "  "));
        for (title, rows) in [("rules", &self.rules), ("plans", &self.plans)] {
            text += &format!("{title}:{}\n", if rows.is_empty() { " {}" } else { "" });
            for (name, by_verdict) in rows {
                text += &format!("  {name}:\n{}", lines(by_verdict, "    "));
            }
        }
        text
    }
}

fn lines(tallies: &BTreeMap<String, Tally>, indent: &str) -> String {
    let line = |(name, Tally { frames, bytes }): (&String, &Tally)| {
        format!("{indent}{name}: {{ frames: {frames}, bytes: {bytes} }}\n")
    };
    tallies.iter().map(line).collect()
}

/// A map of names to counts.
fn tallies(value: Option<&Value>) -> Result<BTreeMap<String, Tally>, String> {
    let map = value
        .and_then(Value::as_object)
        .ok_or("the report lacks a map of counts")?;
    let one = |(name, count): (&String, &Value)| {
        let number = |key| count.get(key).and_then(Value::as_u64);
        let tally = Tally {
            frames: number("frames")?,
            bytes: number("bytes")?,
        };
        Some((name.clone(), tally))
    };
    map.iter()
        .map(one)
        .collect::<Option<_>>()
        .ok_or_else(|| format!("no counts: {map:?}"))
}

/// A list of rules or plans.
fn rows(value: Option<&Value>) -> Result<BTreeMap<String, ByVerdict>, String> {
    let list = value
        .and_then(Value::as_array)
        .ok_or("the report lacks a list")?;
    let one = |row: &Value| {
        let name = row
            .get("name")
            .and_then(Value::as_str)
            .ok_or("a row without a name")?;
        Ok((name.to_owned(), tallies(row.get("counts"))?))
    };
    list.iter().map(one).collect()
}

/// What to report where the balance does not close over this many frames.
pub(crate) fn unbalanced(report: &Value, frames: usize) -> Option<String> {
    let Some(balance) = report.get("balance") else {
        return Some("no balance".to_owned());
    };
    let count = |key| balance.get(key).and_then(Value::as_u64).unwrap_or(0);
    let out: u64 = ["forward", "drop", "reject", "limit", "indeterminate"]
        .into_iter()
        .map(count)
        .sum();
    let rx = count("rx");
    (rx != frames as u64 || out != rx).then(|| format!("{frames} frames, and balance {balance}"))
}
