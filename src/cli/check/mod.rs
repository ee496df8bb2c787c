//! `sekisho check`: what is wrong with policies, what they would take, and whether they do what
//! the acceptance cases say.

mod cases;

use super::policies::{self, Checked, Policies, show_instant};
use super::{Exit, Failure, Format, out};
use crate::policy::{self, Change, Event, Severity};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Policies; several, one for each ISP, are checked as one box that serves them all.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run acceptance cases through the real stages; rows of other ISPs are skipped.
    #[arg(long, value_name = "CASES.csv")]
    cases: Option<PathBuf>,
    /// Show what is in force, defaults and all.
    #[arg(long)]
    print_effective: bool,
    /// Warnings count as a failure.
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let checked = policies::check(&args.files);
    let warned = !checked.of(Severity::Warning).is_empty();
    if format == Format::Text {
        out::diagnostics(&checked.sources, &checked.diagnostics);
    }
    let said = checked.diagnostics.iter().map(|d| d.to_json(&checked.sources)).collect();
    let Some(policies) = usable(checked) else {
        if format == Format::Json {
            let body = json!({ "ok": false, "diagnostics": Value::Array(said) });
            out::print_json("check", &body)?;
        }
        return Ok(Exit::Config);
    };
    let outcomes = match &args.cases {
        Some(path) => Some(cases::run(path, &policies)?),
        None => None,
    };
    let passed = outcomes.as_ref().is_none_or(cases::Outcomes::passed);
    let exit = if !passed || (args.strict && warned) { Exit::No } else { Exit::Ok };
    match format {
        Format::Text => out::print(&text(args, &policies, outcomes.as_ref())?)?,
        Format::Json => out::print_json("check", &json!({
            "ok": exit == Exit::Ok,
            "diagnostics": Value::Array(said),
            "policies": policies.resolved().tenants.iter().map(|t| policy::summary(t)).collect::<Vec<_>>(),
            "memory_bytes": policies.program.memory(),
            "events": policies.program.events().iter().map(|e| event_json(&policies, e)).collect::<Vec<_>>(),
            "cases": outcomes.as_ref().map(cases::Outcomes::json),
            "effective": args.print_effective.then(|| policy::effective(policies.resolved())),
        }))?,
    }
    Ok(exit)
}
