//! `sekisho ctl`: asks a running sekisho, over its socket.

mod apply;
mod connection;
mod place;
mod stats;
mod text;
mod watch;

use super::when::When;
use super::{Exit, Failure, Format, out};
use crate::control::line::check;
use crate::control::protocol::{Answer, MAX_TRACED_FRAMES, PlanSet, Request, Stats};
use connection::Connection;
use ipnet::IpNet;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The socket of the sekisho that is asked; without it, the only one in /run/sekisho.
    #[arg(long, value_name = "PATH", global = true)]
    socket: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the balance and the counters since the start.
    Stats {
        /// Print them again every so many seconds, with rates, until interrupted.
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
        watch: Option<u32>,
    },
    /// Print what each worker does.
    ShowRuntime,
    /// Print what the policy's dates bring, past and to come.
    Phases,
    /// Read the policy anew; a bad file changes nothing.
    Reload,
    /// Let frames leave that are on their way, and end.
    Drain,
    /// Give prefixes plans above the policy's file.
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Tell what becomes of the next frames, step by step.
    Trace {
        /// How many frames.
        #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_TRACED_FRAMES)))]
        frames: u32,
    },
}

#[derive(Debug, clap::Subcommand)]
enum PlanCommand {
    /// Give a prefix a plan; it holds when this returns, and is kept over restarts.
    Set {
        /// An address or a prefix of a subscriber.
        #[arg(value_parser = prefix)]
        prefix: IpNet,
        /// The plan's name in the policy.
        plan: String,
        /// Why; it stands beside the plan in `plan list`.
        #[arg(long)]
        ticket: Option<String>,
        /// Until when: a date or a time of this machine's zone, or a time with an offset.
        #[arg(long, value_name = "TIME", value_parser = expiry)]
        expires: Option<Timestamp>,
    },
    /// Take such a plan back: the policy's file decides again.
    Unset {
        /// The prefix, as it was given.
        #[arg(value_parser = prefix)]
        prefix: IpNet,
    },
    /// Print which plans were given above the file, by whom, and until when.
    List,
    /// Carry out many changes: lines of `set PREFIX PLAN [TICKET [EXPIRES]]` and `unset PREFIX`.
    Apply {
        /// The lines; `-` is standard input.
        file: PathBuf,
    },
}

/// Counters and the balance, for people.
pub(super) fn stats(stats: &Stats) -> String {
    stats::text(stats, None)
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let request = match &args.command {
        Command::Stats { watch: Some(every) } => {
            return watch::run(args.socket.as_deref(), *every, format);
        }
        Command::Plan(PlanCommand::Apply { file }) => {
            return apply::run(args.socket.as_deref(), file, format);
        }
        Command::Stats { watch: None } => Request::Stats,
        Command::ShowRuntime => Request::ShowRuntime,
        Command::Phases => Request::Phases,
        Command::Reload => Request::Reload,
        Command::Drain => Request::Drain,
        Command::Plan(PlanCommand::Set {
            prefix,
            plan,
            ticket,
            expires,
        }) => Request::PlanSet(PlanSet {
            prefix: *prefix,
            plan: plan.clone(),
            ticket: ticket.clone(),
            expires: *expires,
        }),
        Command::Plan(PlanCommand::Unset { prefix }) => Request::PlanUnset { prefix: *prefix },
        Command::Plan(PlanCommand::List) => Request::PlanList,
        Command::Trace { frames } => Request::Trace { frames: *frames },
    };
    check(&request).map_err(Failure::usage)?;
    let answer = Connection::open(args.socket.as_deref())?.ask(&request)?;
    let exit = show(&answer, format)?;
    if let (
        Format::Text,
        Exit::Ok,
        Request::PlanSet(PlanSet {
            expires: Some(end), ..
        }),
    ) = (format, exit, &request)
    {
        // A date was read in this machine's zone: here it can be seen.
        out::print(&format!("until {}\n", text::instant(*end)))?;
    }
    Ok(exit)
}

/// Prints an answer; a refusal is an answer too, and it is no.
fn show(answer: &Answer, format: Format) -> Result<Exit, Failure> {
    let exit = match answer {
        Answer::Refused(_) => Exit::No,
        _ => Exit::Ok,
    };
    match (format, exit) {
        (Format::Json, _) => out::print_json("ctl", answer)?,
        (Format::Text, Exit::Ok) => out::print(&text::text(answer))?,
        (Format::Text, _) => out::note(&text::text(answer)),
    }
    Ok(exit)
}

/// A prefix, or an address that stands for itself.
fn prefix(text: &str) -> Result<IpNet, String> {
    let prefix = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "expected an address or a prefix: 203.0.113.7, 2001:db8:1::/48".to_owned())?;
    match prefix.trunc() {
        whole if whole == prefix => Ok(prefix),
        whole => Err(format!("has host bits set; its prefix is {whole}")),
    }
}

/// When something is to end; a date is read as this machine's clock shows it.
fn expiry(text: &str) -> Result<Timestamp, String> {
    match text.parse::<When>()? {
        When::Now => Err("what ends now need not begin".to_owned()),
        when => when
            .instant(&TimeZone::system())
            .map_err(|error| error.to_string()),
    }
}
