//! sekisho beside its peers, in one run. `bash benches/peers/run.sh` installs what this needs.

mod classification;
mod contest;
mod ffi;
mod forwarding;
mod frames;
mod lookups;
mod machine;
mod measure;
mod prefixes;
mod provider;
mod queries;
mod random;
mod report;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use machine::Pages;
use measure::Effort;
use report::Report;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Measures sekisho beside its peers, and prints Markdown tables of ratios.
#[derive(Parser)]
struct Arguments {
    /// A smoke run: few and short samples.
    #[arg(long)]
    quick: bool,
    /// Writes what is printed to a file, too.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Runs one part only.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// The pages that everyone's tables lie in.
    #[arg(long, value_enum, default_value = "small")]
    pages: Pages,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Lookups,
    Classification,
    Forwarding,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let runs = |part| arguments.only.is_none_or(|only| only == part);
    let effort = if arguments.quick {
        Effort {
            samples: 5,
            sample: Duration::from_millis(2),
            patience: Duration::from_secs(20),
            frames: 15_000,
        }
    } else {
        Effort {
            samples: 11,
            sample: Duration::from_millis(20),
            patience: Duration::from_secs(300),
            frames: 100_000,
        }
    };
    let mut report = Report::default();
    let eal = arguments.pages.start_eal()?;
    report.section(&machine::describe(arguments.pages));
    if runs(Part::Lookups) {
        lookups::run_all(&eal, effort, &mut report);
    }
    if runs(Part::Classification) {
        classification::run_all(&eal, effort, &mut report);
    }
    if runs(Part::Forwarding) {
        // From here on an interrupt clears the namespaces away first.
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        forwarding::run_all(effort, &stop, &mut report);
    }
    let whole = report.conclude();
    if let Some(path) = &arguments.markdown {
        report.write(path)?;
    }
    Ok(ExitCode::from(u8::from(!whole)))
}
