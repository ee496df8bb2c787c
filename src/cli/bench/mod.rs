//! `sekisho bench`: what the engine costs on this machine, and what changed.

mod baseline;
mod engine;
mod exports;
mod machine;
mod text;

use super::{Exit, Failure, Format};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Frames in memory through the stages, beside the floor: the same frames read and not decided.
    Engine(Box<engine::Args>),
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    match &args.what {
        What::Engine(args) => engine::run(args, format),
    }
}

/// A bar on stderr, when that is a terminal.
fn progress(cases: usize) -> ProgressBar {
    let bar = ProgressBar::new(cases as u64);
    match ProgressStyle::with_template("{pos}/{len} {wide_bar} {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
