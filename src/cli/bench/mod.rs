//! `sekisho bench`: what the engine costs on this machine, and what changed.

mod baseline;
mod engine;
mod exports;
mod machine;
mod replay;
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
    /// Captures replayed, beside the same captures read and not decided.
    Replay(replay::Args),
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    match &args.what {
        What::Engine(args) => engine::run(args, format),
        What::Replay(args) => replay::run(args, format),
    }
}

/// Figures of an unoptimised build are no figures; `allowed`: the user knows.
fn refuse_debug(allowed: bool) -> Result<(), Failure> {
    if cfg!(debug_assertions) && !allowed {
        return Err(Failure::usage(
            "this program was built without optimisation, and its figures mean nothing: build it \
             with --release, or give --allow-debug to see that it works",
        ));
    }
    Ok(())
}

/// A bar on stderr, when that is a terminal.
fn progress(cases: usize) -> ProgressBar {
    let bar = ProgressBar::new(cases as u64);
    match ProgressStyle::with_template("{pos}/{len} {wide_bar} {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
