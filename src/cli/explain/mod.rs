//! `sekisho explain`: one frame through the stages, told step by step.

mod answer;
mod ask;

use super::deployment::{Deployment, DeploymentArgs};
use super::policies::Policies;
use super::when::When;
use super::{Exit, Failure, Format, out};
use crate::policy::Lang;
use crate::stage::Facing;
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("subscriber").args(["from", "plan", "pcap"]).required(true)))]
pub(super) struct Args {
    #[command(flatten)]
    deployment: DeploymentArgs,
    /// The subscriber, by address.
    #[arg(long, value_name = "ADDR")]
    from: Option<IpAddr>,
    /// The subscriber, by plan, or a group of hosts (`ISP/NAME` where several ISPs have one of that
    /// name).
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// The IP version, where no address tells it.
    #[arg(long, value_name = "4|6", value_parser = ["4", "6"], conflicts_with_all = ["from", "pcap"])]
    ip: Option<String>,
    /// The other end, by address.
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["class", "pcap"])]
    to: Option<IpAddr>,
    /// The other end, by destination class.
    #[arg(long, value_name = "NAME", conflicts_with = "pcap")]
    class: Option<String>,
    /// The other end's TCP port: 25 if not given; 49152 where it calls the subscriber's port 25.
    #[arg(long, value_name = "PORT", conflicts_with = "pcap")]
    port: Option<u16>,
    /// The TCP port of the subscriber, or of the host: 25, with `--direction in`, asks about
    /// connections that come in.
    #[arg(
        long,
        value_name = "N",
        visible_alias = "local-port",
        default_value_t = 49152,
        conflicts_with = "pcap"
    )]
    source_port: u16,
    /// TCP flags as letters, such as S, SA, SEC; S where a connection begins and SA where a peer
    /// answers if not given.
    #[arg(long, value_name = "FLAGS", conflicts_with = "pcap")]
    flags: Option<String>,
    /// Which way the frame goes, and is judged; if not given, outbound, and judged by its
    /// addresses.
    #[arg(long, value_enum)]
    direction: Option<Direction>,
    /// As of when: `now`, a date or a time in the policy's zone (2006-12-01, 2006-12-01T09:00:00), or
    /// a time with an offset.
    #[arg(long, value_name = "TIME", default_value = "now")]
    at: When,
    /// A capture; with --frame, the frame is taken from there.
    #[arg(long, value_name = "CAPTURE", requires = "frame")]
    pcap: Option<PathBuf>,
    /// Which frame of the capture, counted from 1.
    #[arg(long, value_name = "N", requires = "pcap", conflicts_with_all = ["from", "plan"], value_parser = clap::value_parser!(u64).range(1..))]
    frame: Option<u64>,
    /// The language of the answer.
    #[arg(long, value_enum, default_value_t = LangArg::En)]
    lang: LangArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Direction {
    /// From the subscriber.
    Out,
    /// To the subscriber.
    In,
}

impl From<Option<Direction>> for Facing {
    fn from(direction: Option<Direction>) -> Self {
        match direction {
            None => Self::Auto,
            Some(Direction::Out) => Self::Out,
            Some(Direction::In) => Self::In,
        }
    }
}

/// The language of what people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LangArg {
    /// English.
    En,
    /// Japanese.
    Ja,
}

impl From<LangArg> for Lang {
    fn from(lang: LangArg) -> Self {
        match lang {
            LangArg::En => Self::En,
            LangArg::Ja => Self::Ja,
        }
    }
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let deployment = args.deployment.load()?;
    let policies = &deployment.policies;
    let at = policies.instant(&args.at)?;
    let question = ask::question(args, policies, at)?;
    let answer = answer::Answer::new(&deployment, &question, args.direction.into(), at)?;
    match format {
        Format::Text => out::print(&answer.text(args.lang.into()))?,
        Format::Json => out::print_json("explain", &answer.json(args.lang.into()))?,
    }
    Ok(Exit::Ok)
}
