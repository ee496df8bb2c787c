//! `sekisho check`: what is wrong with policies, what they would take, and whether they do what
//! the acceptance cases say.

mod cases;

use super::policies::{self, Policies, show_instant};
use super::{Exit, Failure, Format, out};
use crate::policy::{self, Severity};
use serde_json::{Map, Value, json};
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
    let warned = checked.has(Severity::Warning);
    if format == Format::Text {
        out::diagnostics(&checked.sources, &checked.diagnostics);
    }
    let said: Vec<_> = checked
        .diagnostics
        .iter()
        .map(|d| d.to_json(&checked.sources))
        .collect();
    let Some(policies) = checked.usable() else {
        if format == Format::Json {
            out::print_json("check", &json!({ "ok": false, "diagnostics": said }))?;
        }
        return Ok(Exit::Config);
    };
    let outcomes = args
        .cases
        .as_deref()
        .map(|path| cases::run(path, &policies))
        .transpose()?;
    let failed = outcomes.as_ref().is_some_and(|outcomes| !outcomes.passed());
    let exit = if failed || (args.strict && warned) {
        Exit::No
    } else {
        Exit::Ok
    };
    match format {
        Format::Text => {
            let mut text = summary(&policies);
            if let (Some(outcomes), Some(file)) = (&outcomes, &args.cases) {
                text += &outcomes.text(file);
            }
            if args.print_effective {
                text += &policy::effective_yaml(policies.program.resolved());
            }
            out::print(&text)?;
        }
        Format::Json => {
            let mut body = summary_json(&policies);
            body.insert("ok".into(), (exit == Exit::Ok).into());
            body.insert("diagnostics".into(), said.into());
            let cases = outcomes.as_ref().map_or(Value::Null, cases::Outcomes::json);
            body.insert("cases".into(), cases);
            if args.print_effective {
                let effective = policy::effective(policies.program.resolved());
                body.insert("effective".into(), effective.into());
            }
            out::print_json("check", &body)?;
        }
    }
    Ok(exit)
}

/// What the policies hold, what their tables take, and what happens when.
fn summary(policies: &Policies) -> String {
    let mut text = String::new();
    for tenant in policies.tenants() {
        text += &format!(
            "policy    {} ({}): {} plans, {} subscriber prefixes, {} destination prefixes, {} rules\n",
            tenant.name,
            policies.file(tenant),
            out::grouped(tenant.plans.len() as u64),
            out::grouped(tenant.subscribers.len() as u64),
            out::grouped(tenant.destinations.len() as u64),
            out::grouped(tenant.rules.len() as u64),
        );
    }
    let memory = policies.program.memory();
    text += &format!(
        "memory    {} bytes: subscribers IPv4 {}, IPv6 {}; peers IPv4 {}, IPv6 {}; matrix {}\n",
        out::grouped(memory.total_bytes()),
        out::grouped(memory.v4_subscribers_bytes),
        out::grouped(memory.v6_subscribers_bytes),
        out::grouped(memory.v4_peers_bytes),
        out::grouped(memory.v6_peers_bytes),
        out::grouped(memory.matrix_bytes),
    );
    for event in policies.program.events() {
        let Some(tenant) = policies.tenants().get(event.tenant) else {
            continue;
        };
        let (at, place) = (
            show_instant(tenant, event.at),
            policies.place(&event.origin),
        );
        text += &format!("event     {at}  {}  ({place})\n", event.text());
    }
    text
}

fn summary_json(policies: &Policies) -> Map<String, Value> {
    let tenants = policies.tenants().iter().map(|tenant| {
        json!({
            "isp": tenant.name,
            "file": policies.file(tenant),
            "plans": tenant.plans.len(),
            "subscriber_prefixes": tenant.subscribers.len(),
            "destination_prefixes": tenant.destinations.len(),
            "rules": tenant.rules.len(),
        })
    });
    let memory = policies.program.memory();
    let events = policies.program.events().iter().map(|event| {
        json!({
            "at": event.at.to_string(),
            "isp": policies.tenants().get(event.tenant).map(|tenant| &tenant.name),
            "change": event.text(),
            "place": policies.place(&event.origin),
        })
    });
    let memory = json!({
        "total_bytes": memory.total_bytes(),
        "v4_subscribers_bytes": memory.v4_subscribers_bytes,
        "v6_subscribers_bytes": memory.v6_subscribers_bytes,
        "v4_peers_bytes": memory.v4_peers_bytes,
        "v6_peers_bytes": memory.v6_peers_bytes,
        "matrix_bytes": memory.matrix_bytes,
    });
    Map::from_iter([
        ("policies".to_owned(), tenants.collect()),
        ("memory".to_owned(), memory),
        ("events".to_owned(), events.collect()),
    ])
}
