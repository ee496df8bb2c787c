//! `sekisho check`: what is wrong with policies and pipelines, what policies would take, and whether
//! they do what the acceptance cases say.

mod cases;
mod subject;

use super::policies::{Policies, show_instant};
use super::{Exit, Failure, Format, out};
use crate::control::pipeline;
use crate::policy::{self, Severity, Tenant};
use cases::Outcomes;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use subject::{Sound, Subject, subjects};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Policies and pipelines; several policies, one for each ISP, are checked as one box that
    /// serves them all, and each pipeline with the policies that it names.
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
    let subjects = subjects(&args.files);
    let warned = subjects
        .iter()
        .any(|subject| subject.has(Severity::Warning));
    let said: Vec<Value> = match format {
        Format::Text => {
            subjects.iter().for_each(Subject::complain);
            Vec::new()
        }
        Format::Json => subjects.iter().flat_map(Subject::said).collect(),
    };
    let Some(sound) = subjects.into_iter().map(Subject::sound).collect() else {
        if format == Format::Json {
            out::print_json("check", &json!({ "ok": false, "diagnostics": said }))?;
        }
        return Ok(Exit::Config);
    };
    let sound: Vec<Sound> = sound;
    let mut outcomes = Vec::new();
    for subject in &sound {
        let run = |path| cases::run(path, &subject.policies);
        outcomes.push(args.cases.as_deref().map(run).transpose()?);
    }
    let failed = outcomes.iter().flatten().any(|ran| !ran.passed());
    let exit = if failed || (args.strict && warned) {
        Exit::No
    } else {
        Exit::Ok
    };
    let each = sound.iter().zip(&outcomes);
    match format {
        Format::Text => {
            let text: String = each
                .map(|(subject, ran)| shown(args, subject, ran.as_ref()))
                .collect();
            out::print(&text)?;
        }
        Format::Json => {
            let mut body = Map::new();
            let mut pipelines = Vec::new();
            for (subject, ran) in each {
                let one = shown_json(args, subject, ran.as_ref());
                match subject.pipeline {
                    None => body.extend(one),
                    Some(_) => pipelines.push(Value::Object(one)),
                }
            }
            if !pipelines.is_empty() {
                body.insert("pipelines".into(), pipelines.into());
            }
            body.insert("ok".into(), (exit == Exit::Ok).into());
            body.insert("diagnostics".into(), said.into());
            out::print_json("check", &body)?;
        }
    }
    Ok(exit)
}

/// All that was asked for of one box.
fn shown(args: &Args, subject: &Sound, ran: Option<&Outcomes>) -> String {
    let mut text = subject.line();
    text += &summary(&subject.policies);
    if let (Some(outcomes), Some(file)) = (ran, &args.cases) {
        text += &outcomes.text(file);
    }
    if args.print_effective {
        if let Some((_, pipeline)) = &subject.pipeline {
            text += &pipeline::effective_yaml(pipeline);
        }
        text += &policy::effective_yaml(subject.policies.program.resolved());
    }
    text
}

fn shown_json(args: &Args, subject: &Sound, ran: Option<&Outcomes>) -> Map<String, Value> {
    let mut body = subject.json();
    body.extend(summary_json(&subject.policies));
    body.insert("cases".into(), ran.map_or(Value::Null, Outcomes::json));
    if args.print_effective {
        if let Some((_, pipeline)) = &subject.pipeline {
            let effective = pipeline::effective(pipeline);
            body.insert("effective_pipeline".into(), effective);
        }
        let effective = policy::effective(subject.policies.program.resolved());
        body.insert("effective".into(), effective.into());
    }
    body
}

/// What the policies hold, what their tables take, and what happens when.
fn summary(policies: &Policies) -> String {
    let mut text = String::new();
    for tenant in policies.tenants() {
        let ([sold, groups], [subscribers, hosts]) = sizes(tenant);
        text += &format!(
            "policy    {} ({}): {} plans, {} subscriber prefixes, {}{} destination prefixes, {} rules\n",
            tenant.name,
            policies.file(tenant),
            out::grouped(sold),
            out::grouped(subscribers),
            match groups {
                0 => String::new(),
                _ => format!("{groups} groups of hosts with {hosts} prefixes, "),
            },
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

/// How many plans are sold and how many groups of hosts there are, and the prefixes of both.
fn sizes(tenant: &Tenant) -> ([u64; 2], [u64; 2]) {
    let is_group = |plan: usize| {
        let plan = tenant.plans.get(plan);
        plan.is_some_and(|plan| plan.role.is_some())
    };
    let both = |of: &mut dyn Iterator<Item = usize>| {
        of.fold([0, 0], |[sold, groups], plan| match is_group(plan) {
            false => [sold + 1, groups],
            true => [sold, groups + 1],
        })
    };
    let prefixes = tenant.subscribers.iter().map(|entry| entry.plan);
    (both(&mut (0..tenant.plans.len())), both(&mut { prefixes }))
}

fn summary_json(policies: &Policies) -> Map<String, Value> {
    let tenants = policies.tenants().iter().map(|tenant| {
        let ([sold, groups], [subscribers, hosts]) = sizes(tenant);
        json!({
            "isp": tenant.name,
            "file": policies.file(tenant),
            "plans": sold,
            "subscriber_prefixes": subscribers,
            "groups_of_hosts": groups,
            "host_prefixes": hosts,
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
