//! `sekisho selftest`: the catalogue of tricks on the machine that it runs on.

use super::{Exit, Failure, Format, out};
use crate::evasion::{Fault, Judged, Report, Trial, Trick};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Faults of one trick that are shown as text; JSON has all.
const SHOWN: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show every trick, not only those that fail.
    #[arg(long)]
    list: bool,
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let trial = Trial::new().map_err(|fault| Failure::Said(Exit::No, fault))?;
    let report = trial.run();
    match format {
        Format::Text => out::print(&text(&report, args.list))?,
        Format::Json => out::print_json("selftest", &json(&report))?,
    }
    Ok(if report.faults.is_empty() {
        Exit::Ok
    } else {
        Exit::No
    })
}

fn text(report: &Report, list: bool) -> String {
    let mut text = String::new();
    for (trick, frames) in &report.tricks {
        let faults = faults_of(report, trick);
        if !list && faults.is_empty() {
            continue;
        }
        let Trick { number, name, .. } = trick;
        let word = if faults.is_empty() { "ok" } else { "FAIL" };
        let _ = writeln!(text, "{word:<5} E{number:<3} {name}: {frames} frames");
        for judged in faults.iter().take(SHOWN) {
            let Judged {
                place,
                expected,
                found,
                ..
            } = judged;
            let label = judged.fault.label();
            let _ = writeln!(
                text,
                "      {label}: {place}: expected {expected}, found {found}"
            );
        }
        if let Some(more @ 1..) = faults.len().checked_sub(SHOWN) {
            let _ = writeln!(text, "      and {more} more");
        }
    }
    let _ = write!(
        text,
        "{} frames of {} tricks: {} leaked, {} harmed",
        out::grouped(report.frames as u64),
        report.tricks.len(),
        report.count(Fault::Leaked),
        report.count(Fault::Harmed),
    );
    match report.count(Fault::Misnamed) {
        0 => {}
        misnamed => {
            let _ = write!(text, ", {misnamed} turned back otherwise");
        }
    }
    text.push('\n');
    text
}

fn json(report: &Report) -> Value {
    let tricks = report.tricks.iter().map(|(trick, frames)| {
        json!({
            "number": format!("E{}", trick.number),
            "name": trick.name,
            "tries": trick.tries,
            "source": trick.source,
            "frames": frames,
            "ok": faults_of(report, trick).is_empty(),
        })
    });
    let faults = report.faults.iter().map(|judged| {
        json!({
            "trick": judged.trick.name,
            "fault": judged.fault.label(),
            "place": judged.place,
            "expected": judged.expected.to_string(),
            "found": judged.found.to_string(),
        })
    });
    json!({
        "ok": report.faults.is_empty(),
        "frames": report.frames,
        "leaked": report.count(Fault::Leaked),
        "harmed": report.count(Fault::Harmed),
        "misnamed": report.count(Fault::Misnamed),
        "tricks": tricks.collect::<Vec<_>>(),
        "faults": faults.collect::<Vec<_>>(),
    })
}

fn faults_of<'a>(report: &'a Report, trick: &Trick) -> Vec<&'a Judged> {
    let faults = report.faults.iter();
    faults
        .filter(|judged| judged.trick.number == trick.number)
        .collect()
}
