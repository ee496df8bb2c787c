//! `sekisho run`: a pipeline at work.

use super::{Exit, Failure, Format, ctl, files, out};
use crate::control::pipeline;
use crate::control::run::{self, Outcome, RunError};
use crate::control::supervisor::{Ending, Signals, Weight};
use crate::io::port::DeviceFault;
use crate::policy::Severity;
use ipnet::IpNet;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals as Incoming;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The pipeline.
    #[arg(value_name = "PIPELINE")]
    file: PathBuf,
    /// Look whether it could begin, and begin nothing.
    #[arg(long)]
    check: bool,
    /// Take back the plan that a prefix has above the file, before it begins: for one that the
    /// policies no longer have.
    #[arg(long, value_name = "PREFIX", conflicts_with = "check")]
    unset: Vec<IpNet>,
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let pipeline = load(args)?;
    if args.check {
        run::check(&pipeline).map_err(failure)?;
        return Ok(Exit::Ok);
    }
    refuse_inputs(&args.file, &pipeline)?;
    let signals = Arc::new(Signals::default());
    heed(&signals)?;
    let outcome = run::run(&pipeline, &args.unset, &signals, &say).map_err(failure)?;
    report(&outcome, format)
}

fn load(args: &Args) -> Result<pipeline::Pipeline, Failure> {
    let mut loaded = pipeline::load(&args.file);
    if loaded.pipeline.is_none() {
        loaded
            .diagnostics
            .retain(|found| found.severity == Severity::Error);
    }
    out::diagnostics(&loaded.sources, &loaded.diagnostics);
    loaded.pipeline.ok_or(Failure::Reported(Exit::Config))
}

/// A capture that is written replaces the file of its name, whatever other names that has.
fn refuse_inputs(file: &Path, pipeline: &pipeline::Pipeline) -> Result<(), Failure> {
    let pipeline::Driver::Pcap(with) = &pipeline.driver else {
        return Ok(());
    };
    let sides = [&with.access, &with.network];
    let written: Vec<_> = sides
        .iter()
        .filter_map(|side| side.write.as_deref())
        .collect();
    let read = sides.iter().filter_map(|side| side.read.as_deref());
    let read = read.chain(pipeline.policies.iter().map(PathBuf::as_path));
    files::refuse_inputs(&written, read.chain([file]))
}

/// From now on, signals ask instead of ending the program.
fn heed(signals: &Arc<Signals>) -> Result<(), Failure> {
    let mut incoming = Incoming::new([SIGINT, SIGTERM, SIGHUP]).map_err(Failure::io)?;
    let signals = Arc::clone(signals);
    let listener = std::thread::Builder::new().name("signals".to_owned());
    let listening = listener.spawn(move || {
        for signal in incoming.forever() {
            match signal {
                SIGHUP => signals.reload.store(true, Ordering::Release),
                _ => signals.drain.store(true, Ordering::Release),
            }
        }
    });
    listening.map(drop).map_err(Failure::io)
}

/// A line to stderr, where systemd's journal stamps it.
fn say(weight: Weight, text: fmt::Arguments<'_>) {
    let word = match weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
    };
    out::complain(word, text);
}

fn report(outcome: &Outcome, format: Format) -> Result<Exit, Failure> {
    let stats = &outcome.stats;
    let ending = match &outcome.ending {
        Ending::Drained => "drained".to_owned(),
        Ending::Over => "over".to_owned(),
        Ending::Gone(why) => why.to_string(),
    };
    let printed = match format {
        Format::Json => out::print_json(
            "run",
            &json!({
                "ending": ending,
                "balances": outcome.balances,
                "faults": outcome.faults,
                "stats": stats,
            }),
        ),
        Format::Text => out::print(&ctl::stats(stats)),
    };
    let mut exit = Exit::Ok;
    if !outcome.balances {
        out::complain(
            "error",
            "the counters do not balance: a frame was lost or counted twice",
        );
        exit = exit.max(Exit::No);
    }
    for fault in &outcome.faults {
        out::complain("error", fault);
        exit = exit.max(Exit::Io);
    }
    if let Ending::Gone(why) = &outcome.ending {
        out::complain("error", why);
        exit = exit.max(Exit::of_device(why.fault));
    }
    printed.map(|()| exit)
}

fn failure(error: RunError) -> Failure {
    let exit = match &error {
        RunError::Policy(text) => {
            out::note(text);
            return Failure::Reported(Exit::Config);
        }
        RunError::Device(why) => Exit::of_device(why.fault),
        RunError::Lcore(_) => Exit::Config,
        RunError::NotSet(_) => Exit::Usage,
        RunError::Socket(why) if why.is_taken() => Exit::of_device(DeviceFault::Busy),
        RunError::Journal(why) if why.is_taken() => Exit::of_device(DeviceFault::Busy),
        RunError::Socket(_) | RunError::Journal(_) => Exit::Io,
    };
    Failure::Said(exit, error.to_string())
}
