//! `sekisho diff`: whom a change of policy hits, and which frames of a capture.

mod frames;

use super::deployment::{PipelineArg, settings};
use super::policies::{self, Policies, show_instant};
use super::when::When;
use super::{Exit, Failure, Format, out};
use crate::policy::diff::{Addresses, Change, Diff, Segment, Side, diff};
use crate::stage::Account;
use jiff::Timestamp;
use serde_json::json;
use std::path::PathBuf;

/// Prefixes of one change that are shown to people; JSON has them all.
const SHOWN: usize = 8;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The policy as it was.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The policy as it will be.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// As of when: `now`, a date or a time in the policy's zone (2006-12-01, 2006-12-01T09:00:00), or
    /// a time with an offset.
    #[arg(long, value_name = "TIME", default_value = "now")]
    at: When,
    #[command(flatten)]
    pipeline: PipelineArg,
    /// Captures whose frames are decided under both.
    #[arg(value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let [old, new] = [&args.old, &args.new].map(|file| policies::load(std::slice::from_ref(file)));
    let pipeline = args.pipeline.load();
    // All have been read, so the errors of all stand on stderr.
    let (old, new, pipeline) = (old?, new?, pipeline?);
    let at = policies::instant(new.tenants().iter().chain(old.tenants()), &args.at)?;
    let found = diff(&old.program, &new.program, at)
        .map_err(|error| Failure::Said(Exit::Config, error.to_string()))?;
    let mut frames = frames::Changed::default();
    for path in &args.captures {
        // Each side has buckets of its own.
        let settings = || settings(pipeline.as_ref(), Account::Candidates);
        frames.compare(path, [(&old, settings()), (&new, settings())], at)?;
    }
    match format {
        Format::Text => out::print(&text(&found, &new, at, &frames, !args.captures.is_empty()))?,
        Format::Json => out::print_json(
            "diff",
            &json!({
                "at": at.to_string(),
                "changes": found.changes,
                "counting": found.counting,
                "subscribers": found.subscribers,
                "captures": frames.json(),
            }),
        )?,
    }
    Ok(frames.exit())
}

fn text(
    found: &Diff,
    new: &Policies,
    at: Timestamp,
    frames: &frames::Changed,
    with_captures: bool,
) -> String {
    let mut text = match new.tenants().first() {
        Some(tenant) => format!("as of     {}\n", show_instant(tenant, at)),
        None => String::new(),
    };
    if found.subscribers.is_empty() {
        text += "hits      nobody: no verdict changes\n";
    }
    for of_family in &found.subscribers {
        text += &format!("hits      {}\n", addresses(of_family));
    }
    for (note, changes) in [("", &found.changes), ("counted only: ", &found.counting)] {
        for change in changes {
            text += &format!("\n{note}{}", block(change));
        }
    }
    if with_captures {
        text += &format!("\n{}", frames.text());
    }
    text
}

/// One change: what happens now, to whom, toward whom.
fn block(change: &Change) -> String {
    let Change {
        segments,
        old,
        new,
        subscribers,
        peers,
    } = change;
    let segments: Vec<_> = segments.iter().map(|segment| words(*segment)).collect();
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
    let both = |of: fn(&Side) -> &Option<String>| match of(old) == of(new) {
        true => name(of(old)),
        false => format!("{} → {}", name(of(old)), name(of(new))),
    };
    format!(
        "{} → {}: {}\n  rule         {}\n  plan         {}: {}\n  peers        {}: {}\n",
        old.text,
        new.text,
        segments.join(", "),
        both(|side| &side.rule),
        both(|side| &side.plan),
        addresses(subscribers),
        both(|side| &side.class),
        addresses(peers),
    )
}

fn words(segment: Segment) -> &'static str {
    match segment {
        Segment::OutOpening => "connections to port 25",
        Segment::OutLater => "segments of running connections to port 25",
        Segment::InOpening => "answers and connections from port 25",
        Segment::InLater => "segments of running connections from port 25",
        Segment::CalledOpening => "connections that come in to port 25",
        Segment::CalledLater => "segments of running connections that came in to port 25",
    }
}

/// `256 IPv4 addresses: 198.51.100.0/24`
fn addresses(of_family: &Addresses) -> String {
    let Addresses {
        family,
        prefixes,
        count,
    } = of_family;
    let shown: Vec<_> = prefixes
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    let more = match prefixes.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {} more prefixes", out::grouped(more as u64)),
    };
    let count = out::grouped(*count);
    format!(
        "{count} {} addresses: {}{more}",
        family.label(),
        shown.join(" ")
    )
}
