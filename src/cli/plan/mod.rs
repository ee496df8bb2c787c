//! `sekisho plan`: the hardware that traffic needs, and until when.

mod needs;
mod page;
mod text;

use super::files::refuse_inputs;
use super::{Exit, Failure, Format, out};
use crate::io::{OutputFile, is_stdout};
use crate::loadgen::Export;
use crate::loadgen::capacity::{self, Traffic};
use jiff::civil::Date;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the traffic is: links, frame sizes, subscribers, growth (docs/capacity-planning.md).
    #[arg(value_name = "TRAFFIC.yaml")]
    traffic: PathBuf,
    /// What was measured: the JSON that `sekisho bench` exports.
    #[arg(long, value_name = "EXPORT.json")]
    bench: PathBuf,
    /// The last day on which the hardware must suffice, instead of the description's.
    #[arg(long, value_name = "DATE")]
    at: Option<Date>,
    /// The lcores of one box, one of them for control, instead of the description's: do they
    /// suffice?
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=4096))]
    cores: Option<u32>,
    /// Write the plan as one HTML page with charts, which opens offline.
    #[arg(long, value_name = "OUT.html")]
    html: Option<PathBuf>,
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let mut traffic = read_traffic(&args.traffic)?;
    let export = read_export(&args.bench)?;
    if let Some(day) = args.at {
        let start = traffic.start;
        if day < start || capacity::is_too_far(start, day) {
            let years = capacity::HORIZON_YEARS;
            let message = format!(
                "--at: {day} is not within {years} years from {start}, the start of the description"
            );
            return Err(Failure::usage(message));
        }
        traffic.target = capacity::Setting {
            value: day,
            given: true,
        };
    }
    traffic.cores = args.cores.or(traffic.cores);
    let Some(plan) = capacity::plan(&traffic, &export) else {
        let message = format!(
            "{}: the export has no case to reckon from",
            args.bench.display()
        );
        return Err(Failure::Said(Exit::Config, message));
    };
    let files = [&args.traffic, &args.bench].map(|path| path.display().to_string());
    let report = match format {
        Format::Text => text::text(&plan, &files),
        Format::Json => {
            let [traffic, bench] = &files;
            let body = json!({ "traffic": traffic, "bench": bench, "plan": plan });
            out::json("plan", &body)?
        }
    };
    match &args.html {
        Some(path) => {
            let inputs = [args.traffic.as_path(), args.bench.as_path()];
            refuse_inputs(&[path], inputs.into_iter())?;
            let html = page::page(&plan, &files).html();
            if is_stdout(path) {
                out::print(&html)?;
                out::note(&report);
            } else {
                write_page(path, &html)?;
                out::print(&report)?;
            }
        }
        None => out::print(&report)?,
    }
    Ok(if plan.suffices { Exit::Ok } else { Exit::No })
}

fn read_traffic(path: &Path) -> Result<Traffic, Failure> {
    let name = path.display().to_string();
    let unreadable = |error| Failure::io(format_args!("{name}: {error}"));
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let loaded = capacity::read(&name, bytes).map_err(unreadable)?;
    out::diagnostics(&loaded.sources, &loaded.diagnostics);
    loaded.traffic.ok_or(Failure::Reported(Exit::Config))
}

fn read_export(path: &Path) -> Result<Export, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::io(format_args!("{name}: {error}")))?;
    Export::read(&text).map_err(|error| Failure::Said(Exit::Config, format!("{name}: {error}")))
}

fn write_page(path: &Path, html: &str) -> Result<(), Failure> {
    let mut file = OutputFile::create(path).map_err(Failure::io)?;
    let written = file.write_all(html.as_bytes());
    written.map_err(|cause| Failure::io(file.error(cause)))?;
    file.finish().map_err(Failure::io)
}
