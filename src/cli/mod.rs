//! One file a command. What was typed is clap's; what it means, and what comes out, is here.
//!
//! Data goes to stdout, progress and messages to stderr. Exit codes: see [`Exit`].

mod bench;
mod check;
mod ctl;
mod deployment;
mod diff;
mod exit;
mod explain;
mod files;
mod generate;
mod matrix;
mod out;
mod plan;
mod policies;
mod replay;
mod run;
mod selftest;
mod shell;
mod signals;
mod when;

pub use exit::Exit;

use clap::{Parser, Subcommand, ValueEnum};
use exit::Failure;
use std::process::ExitCode;

/// A checkpoint for outbound port 25: shows which frames an ISP's policy forwards and drops, and
/// why.
#[derive(Debug, Parser)]
#[command(
    name = "sekisho",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 ok; 1 ran, and the answer is no; 2 usage; \
    74 input or output; 78 configuration; of devices: 66 not there, 69 vanished, 71 memory, \
    72 no driver, 75 in use, 76 not of the shape that is needed, 77 no permission."
)]
struct Cli {
    /// How results are written to stdout.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one object with a `schema`.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find what is wrong with policies and pipelines, and run acceptance cases.
    Check(check::Args),
    /// Tell what becomes of one frame, step by step, and what to tell the customer.
    Explain(explain::Args),
    /// Print the table that an ISP publishes: plan by destination class.
    Matrix(matrix::Args),
    /// Name exactly whose verdict changes from one policy to another.
    Diff(diff::Args),
    /// Decide every frame of captures under a policy.
    Replay(replay::Args),
    /// Take frames between two ports, as a pipeline says.
    Run(run::Args),
    /// Measure what deciding a frame costs on this machine, and what changed.
    Bench(bench::Args),
    /// Reckon the hardware that traffic needs, and until when, from measured costs.
    Plan(plan::Args),
    /// Try every known way past the filter, on this machine.
    Selftest(selftest::Args),
    /// Write made-up traffic of a stated model to a pcap.
    #[command(name = "gen")]
    Generate(generate::Args),
    /// Ask or change a running sekisho (docs/control.md).
    Ctl(ctl::Args),
    /// Print the completions for a shell.
    Completions(shell::CompletionsArgs),
    /// Print the man page, or write one for each command into a folder.
    Man(shell::ManArgs),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => return show(&message).into(),
    };
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.report();
            failure.exit().into()
        }
    }
}

/// Prints what clap has to say: help and versions to stdout, complaints to stderr.
fn show(message: &clap::Error) -> Exit {
    let failure = message.print().map_err(Failure::from).err();
    match failure {
        _ if message.use_stderr() => Exit::Usage,
        Some(failure) => {
            failure.report();
            failure.exit()
        }
        None => Exit::Ok,
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    // Signals ask a running pipeline; everything else, they end.
    if !matches!(cli.command, Command::Run(_)) {
        signals::leave_nothing_half_done()?;
    }
    match cli.command {
        Command::Check(args) => check::run(&args, cli.output),
        Command::Explain(args) => explain::run(&args, cli.output),
        Command::Matrix(args) => matrix::run(&args, cli.output),
        Command::Diff(args) => diff::run(&args, cli.output),
        Command::Replay(args) => replay::run(&args, cli.output),
        Command::Run(args) => run::run(&args, cli.output),
        Command::Bench(args) => bench::run(&args, cli.output),
        Command::Plan(args) => plan::run(&args, cli.output),
        Command::Selftest(args) => selftest::run(&args, cli.output),
        Command::Generate(args) => generate::run(&args, cli.output),
        Command::Ctl(args) => ctl::run(&args, cli.output),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    }
}
