//! `sekisho matrix`: the table that an ISP publishes, from what runs.

use super::explain::LangArg;
use super::policies::PolicyArgs;
use super::when::When;
use super::{Exit, Failure, Format, out};
use crate::policy;
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// As of when: `now`, a date or a time in the policy's zone (2006-12-01, 2006-12-01T09:00:00), or
    /// a time with an offset.
    #[arg(long, value_name = "TIME", default_value = "now")]
    at: When,
    /// The language of the headings.
    #[arg(long, value_enum, default_value_t = LangArg::En)]
    lang: LangArg,
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let policies = args.policy.load()?;
    let at = policies.instant(&args.at)?;
    let mut tables = Vec::new();
    for tenant in 0..policies.tenants().len() {
        let table = policy::published(&policies.program, tenant, at);
        tables.extend(table.map_err(|error| Failure::Said(Exit::Config, error.to_string()))?);
    }
    match format {
        Format::Text => {
            let texts: Vec<_> = tables
                .iter()
                .map(|table| table.text(args.lang.into()))
                .collect();
            out::print(&texts.join("\n"))?;
        }
        Format::Json => {
            out::print_json("matrix", &json!({ "at": at.to_string(), "tables": tables }))?;
        }
    }
    Ok(Exit::Ok)
}
