//! `sekisho gen`: writes traffic after a stated model to a pcap.

mod amount;
mod options;
mod report;

use super::files::refuse_inputs;
use super::policies::{self, instant};
use super::when::When;
use super::{Exit, Failure, Format, out};
use crate::io::{CaptureWriter, OutputError, Record, is_stdout};
use crate::loadgen::traffic::{Generator, Network, Synthetic, Totals};
use crate::wire::{Frame, LinkType};
use amount::{Amount, AmountArgs};
use options::ModelArgs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The time stamp of the first frame, unless it is given: the same on every run.
const START: &str = "2026-01-01T00:00:00Z";

#[derive(Debug, clap::Args)]
#[command(after_long_help = options::MODEL)]
pub(super) struct Args {
    #[command(flatten)]
    whose: WhoseArgs,
    #[command(flatten)]
    amount: AmountArgs,
    /// Write the capture to this file; `-` is stdout.
    #[arg(short = 'o', long = "write", value_name = "OUT.pcap")]
    write: PathBuf,
    /// What the draws begin with: the same seed gives the same capture.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Frames a second, evenly spaced.
    #[arg(long, value_name = "FRAMES", default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pps: u64,
    /// The time stamp of the first frame, and the instant as of which a policy counts: as `--at`
    /// of the other commands.
    #[arg(long, value_name = "TIME", default_value = START)]
    at: When,
    #[command(flatten)]
    model: ModelArgs,
}

/// Whose traffic it is.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct WhoseArgs {
    /// Traffic of the subscribers of a policy; given again for each further ISP.
    #[arg(long = "policy", value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// Traffic of a made-up network: `dense-` (full pools) or `strewn-`, with `10k`, `100k`, `1m`
    /// or `4m` IPv4 prefixes and 200,000 (`1m`, `4m`: 1,000,000) /56.
    #[arg(long, value_name = "NAME")]
    network: Option<Synthetic>,
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let (name, network, at) = args.whose.network(args)?;
    let model = args.model.model(args.whose.network.is_some())?;
    let generator = Generator::new(&model, &network, args.seed).map_err(Failure::usage)?;
    let expected = generator.expected_plan_shares();
    let start_ns = at.as_nanosecond();
    if !(0..=i128::from(u32::MAX) * 1_000_000_000).contains(&start_ns) {
        let message = "--at: a pcap file holds times from 1970 to 2106";
        return Err(Failure::usage(message));
    }
    let amount = args.amount.amount(args.pps)?;
    let started = Instant::now();
    let writer = CaptureWriter::create(&args.write).map_err(failure)?;
    let written = write(generator, writer, amount, args.pps, start_ns)?;
    let report = report::Report {
        network: &network,
        name,
        model: &model,
        at,
        args,
        expected,
        tally: written.tally,
        bytes: written.bytes,
        elapsed: started.elapsed(),
    };
    let text = match format {
        Format::Text => report.text(),
        Format::Json => out::json("gen", &report.json())?,
    };
    // An output that is stdout keeps it to itself.
    if is_stdout(&args.write) {
        out::note(&text);
    } else {
        out::print(&text)?;
    }
    Ok(Exit::Ok)
}

/// What was written.
struct Written {
    tally: Totals,
    /// Of the file.
    bytes: u64,
}

/// One frame is in memory at a time, however many there are.
fn write(
    mut generator: Generator<'_>,
    mut writer: CaptureWriter,
    amount: Amount,
    pps: u64,
    start_ns: i128,
) -> Result<Written, Failure> {
    let mut tally = Totals::default();
    let mut bytes = amount::FILE_HEADER_BYTES;
    let mut frame = Vec::new();
    while amount.has_frame(tally.frames) {
        frame.clear();
        let made = generator.append_frame(&mut frame);
        let record_bytes = amount::RECORD_HEADER_BYTES + frame.len() as u64;
        if !amount.has_room(bytes + record_bytes) {
            break;
        }
        let since_ns = u128::from(tally.frames) * 1_000_000_000 / u128::from(pps);
        let timestamp_ns = start_ns.saturating_add_unsigned(since_ns);
        let record = Record {
            frame: Frame {
                bytes: &frame,
                original_len: frame.len() as u32,
                link_type: LinkType::ETHERNET,
            },
            timestamp_ns: Some(i64::try_from(timestamp_ns).unwrap_or(i64::MAX)),
        };
        writer.write(&record).map_err(failure)?;
        bytes += record_bytes;
        tally.add(&made);
    }
    writer.finish(LinkType::ETHERNET).map_err(failure)?;
    Ok(Written { tally, bytes })
}

/// There is one output: when its reader has gone, nothing is left to do.
fn failure(error: OutputError) -> Failure {
    if error.is_broken_pipe() {
        Failure::ClosedPipe
    } else {
        Failure::io(error)
    }
}

impl WhoseArgs {
    /// The network, what it is called, and the instant of the first frame.
    fn network(&self, args: &Args) -> Result<(String, Network, jiff::Timestamp), Failure> {
        if let Some(synthetic) = &self.network {
            let network = Network::synthetic(synthetic);
            let network = network.map_err(|e| Failure::Said(Exit::Config, e.to_string()))?;
            let at = instant(network.legend().tenants(), &args.at)?;
            return Ok((synthetic.to_string(), network, at));
        }
        let policies = policies::load(&self.policies)?;
        let texts = policies.sources.names().map(Path::new);
        refuse_inputs(&[&args.write], texts)?;
        let at = policies.instant(&args.at)?;
        let names = policies.tenants().iter().map(|tenant| {
            let file = policies.file(tenant);
            format!("{} ({file})", tenant.name)
        });
        let name = names.collect::<Vec<_>>().join(", ");
        let network = Network::of(Arc::new(policies.program), at);
        let network = network.map_err(|e| Failure::Said(Exit::Config, e.to_string()))?;
        Ok((name, network, at))
    }
}
