//! sekisho's stages in a runtime of [capsule](https://github.com/capsule-rs/capsule).
//!
//! ```text
//! on each core   access  ─▶ stages (out) ─▶ network
//!                access  ◀─ stages (in)  ◀─ network
//! ```
//! The runtime file says which ports and cores (the first port is where subscribers are), the policy
//! what passes. README.md says how it is run.

use anyhow::Context as _;
use capsule::Runtime;
use capsule::batch::Batch as _;
use clap::Parser;
use jiff::Timestamp;
use sekisho::stage::Facing;
use sekisho_capsule::deployment::DeploymentArgs;
use sekisho_capsule::ledger::{Ledger, Sent};
use sekisho_capsule::runtime_file::RuntimeFile;
use sekisho_capsule::schedule::Schedule;
use sekisho_capsule::stages::{Checkpoint, Stages};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the clock is asked whether other rules are in force.
const CLOCK: Duration = Duration::from_secs(1);

/// sekisho's stages in a runtime of capsule: from the first port to the second, and back.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// capsule's runtime file: two ports, access and network, and their cores.
    #[arg(short, long, value_name = "RUNTIME.toml")]
    file: PathBuf,
    #[command(flatten)]
    deployment: DeploymentArgs,
    /// Judge as of this instant (2026-01-01T00:00:00+09:00), not as of the clock's.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Forwards until a signal ends it, or the time that the runtime file gives; says whether every frame
/// is accounted for.
fn run(args: &Args) -> anyhow::Result<bool> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    let file = RuntimeFile::read(&args.file)?;
    let (program, deployment) = args.deployment.load()?;
    let checkpoint = Arc::new(Checkpoint {
        deployment,
        schedule: Arc::new(Schedule::new(program, args.at)?),
        ledger: Ledger::default(),
        cores: file.cores.len(),
        began: Instant::now(),
    });

    let mut runtime =
        Runtime::build(file.config.clone()).context("capsule's runtime does not begin")?;
    let shared = Arc::clone(&checkpoint);
    file.install(&mut runtime, move |facing, from, to| {
        let name = if facing == Facing::In { "in" } else { "out" };
        Stages::behind(from, facing, &shared).send_named(name, to)
    })?;
    if args.at.is_none() {
        let schedule = Arc::clone(&checkpoint.schedule);
        let look = move || schedule.advance(Timestamp::now());
        runtime.add_periodic_task_to_core(file.master_core, look, CLOCK)?;
    }
    runtime.execute()?;

    let sent = Sent::by_capsule();
    // Pipelines leave their counts when they end: those of the main core now, the others' have.
    drop(runtime);
    let account = checkpoint.ledger.close(sent);
    match write!(std::io::stdout(), "{account}") {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(account.balances()),
    }
}

fn complain(error: &anyhow::Error) {
    // Nobody is left to be told that this cannot be told.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
}
