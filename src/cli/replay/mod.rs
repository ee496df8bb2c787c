//! `sekisho replay`: decides every frame of captures.

mod outputs;
mod report;
mod verdicts;

use super::deployment::{Deployment, DeploymentArgs};
use super::policies::Policies;
use super::when::When;
use super::{Exit, Failure, Format, out};
use crate::io::{CaptureReader, Record};
use crate::limit::Moment;
use crate::policy::Epoch;
use crate::stage::{Account, Burst, Facing};
use crate::stats::{Balance, Tally};
use crate::wire::{AsFrame as _, LinkType};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use outputs::Outputs;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    how: How,
    /// Write the frames that are forwarded to a pcap.
    #[arg(long, value_name = "OUT.pcap")]
    forwarded: Option<PathBuf>,
    /// Write the frames that are dropped to a pcap.
    #[arg(long, value_name = "OUT.pcap")]
    dropped: Option<PathBuf>,
    /// Write the replies to rejected frames to a pcap: all of them, at no rate.
    #[arg(long, value_name = "OUT.pcap")]
    replies: Option<PathBuf>,
    /// Write one row for each frame.
    #[arg(long, value_name = "OUT.csv")]
    verdicts: Option<PathBuf>,
    /// Captures: pcap or pcapng, plain or packed with gzip, zstd or lz4; `-` is stdin.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
}

/// How frames are decided.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    #[command(flatten)]
    deployment: DeploymentArgs,
    /// Judge as of `now`, of a date or a time in the policy's zone (2006-12-01,
    /// 2006-12-01T09:00:00), of a time with an offset, or each frame as of its own time stamp
    /// (`capture`).
    #[arg(long, value_name = "TIME|capture", default_value = "now")]
    at: At,
    /// Which way the frames go: told by their addresses, or all one way.
    #[arg(long, value_enum, default_value_t = Direction::Auto)]
    direction: Direction,
}

#[derive(Clone, Debug)]
enum At {
    One(When),
    Capture,
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "capture" {
            Ok(Self::Capture)
        } else {
            text.parse().map(Self::One)
        }
    }
}

/// Which way the frames of a capture go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Direction {
    /// Whoever is in a subscriber prefix is the subscriber.
    Auto,
    /// From subscribers to peers.
    Out,
    /// From peers to subscribers.
    In,
}

impl From<Direction> for Facing {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Auto => Self::Auto,
            Direction::Out => Self::Out,
            Direction::In => Self::In,
        }
    }
}

/// What became of one capture.
struct Capture {
    file: String,
    frames: u64,
    fault: Option<String>,
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let deployment = args.how.deployment()?;
    let outputs = Outputs::create(args, &deployment)?;
    let mut run = Run::new(&args.how, &deployment, outputs)?;
    let started = Instant::now();
    let captures = args
        .captures
        .iter()
        .map(|path| run.replay(path))
        .collect::<Result<Vec<_>, _>>()?;
    let elapsed = started.elapsed();
    let faults = captures.iter().any(|capture| capture.fault.is_some());
    let at = run.fixed_at;
    let balance = run.balance(&captures);
    let replied = run.outputs.replied();
    let to_stdout = run.outputs.finish(run.first_link_type)?;
    let counters = run.tally.counters();
    let report = report::Report {
        deployment: &deployment,
        at,
        captures,
        balance,
        replied,
        elapsed,
        counters,
    };
    let text = match format {
        Format::Text => report.text(),
        Format::Json => out::json("replay", &report.json())?,
    };
    // An output that is stdout keeps it to itself.
    if to_stdout {
        out::note(&text);
    } else {
        out::print(&text)?;
    }
    let imbalance = if balance.closes() { Exit::Ok } else { Exit::No };
    Ok(if faults { Exit::Io } else { imbalance })
}

impl How {
    pub(super) fn deployment(&self) -> Result<Deployment, Failure> {
        self.deployment.load()
    }

    /// Replays captures, as the command does, and writes nothing. A fault in one is a failure.
    pub(super) fn replay(
        &self,
        deployment: &Deployment,
        captures: &[PathBuf],
    ) -> Result<Balance, Failure> {
        let mut run = Run::new(self, deployment, Outputs::none())?;
        let captures = captures.iter().map(|path| run.replay(path));
        let captures = captures.collect::<Result<Vec<_>, _>>()?;
        match captures.iter().any(|capture| capture.fault.is_some()) {
            true => Err(Failure::Reported(Exit::Io)),
            false => Ok(run.balance(&captures)),
        }
    }
}

/// One run over all captures.
struct Run<'a> {
    policies: &'a Policies,
    /// As of when, unless each frame has its own time.
    fixed_at: Option<Timestamp>,
    epoch: Epoch,
    burst: Burst,
    /// The last time stamp so far: frames without one came then.
    now: Moment,
    tally: Tally,
    outputs: Outputs,
    first_link_type: Option<LinkType>,
}

impl<'a> Run<'a> {
    fn new(how: &How, deployment: &'a Deployment, outputs: Outputs) -> Result<Self, Failure> {
        let policies = &deployment.policies;
        let fixed_at = match &how.at {
            At::One(when) => Some(policies.instant(when)?),
            At::Capture => None,
        };
        let legend = policies.legend();
        Ok(Self {
            policies,
            fixed_at,
            epoch: policies.epoch(fixed_at.unwrap_or_else(Timestamp::now))?,
            burst: Burst::new(
                how.direction.into(),
                deployment.settings(Account::EveryFrame),
            ),
            now: Moment::default(),
            tally: Tally::new(legend.rule_ids().len(), legend.plan_ids().len()),
            outputs,
            first_link_type: None,
        })
    }

    /// What was read against what was decided.
    fn balance(&mut self, captures: &[Capture]) -> Balance {
        let read = captures.iter().map(|capture| capture.frames).sum();
        Balance::new(read, self.tally.counters())
    }

    /// Replays one capture; its own faults end it and are told, those of the outputs end the run.
    fn replay(&mut self, path: &Path) -> Result<Capture, Failure> {
        let mut capture = Capture {
            file: path.display().to_string(),
            frames: 0,
            fault: None,
        };
        match CaptureReader::open(path) {
            Ok(reader) => self.read(ahead(reader), &mut capture)?,
            Err(fault) => capture.fault = Some(fault.to_string()),
        }
        if let Some(fault) = &capture.fault {
            out::complain("error", fault);
        }
        Ok(capture)
    }

    /// Reads and decides to the end, or to a fault.
    fn read(&mut self, mut reader: CaptureReader, capture: &mut Capture) -> Result<(), Failure> {
        let progress = progress_bar(reader.len_bytes(), &capture.file);
        let mut link_types = LinkTypes::default();
        let mut shown = 0;
        loop {
            if shown != reader.bytes_read() {
                shown = reader.bytes_read();
                progress.set_position(shown);
            }
            match reader.read_burst() {
                Ok(records) if records.is_empty() => break,
                Ok(records) => {
                    link_types.see(&records);
                    // Counted here and decided there: the balance holds one against the other.
                    let before = capture.frames;
                    capture.frames += records.len() as u64;
                    self.decide_all(&records, &capture.file, before)?;
                }
                Err(fault) => {
                    capture.fault = Some(fault.to_string());
                    break;
                }
            }
        }
        progress.finish_and_clear();
        let file = &capture.file;
        self.first_link_type = self.first_link_type.or(link_types.first);
        for link_type in link_types.unread {
            let message = format!(
                "{file}: link type {link_type} is not read: its frames are forwarded as unparsed"
            );
            out::complain("warning", message);
        }
        Ok(())
    }

    /// Decides what was read at once; under `--at capture`, in runs of frames that see the same
    /// tables. `before` is how many frames of the file came before.
    fn decide_all(
        &mut self,
        records: &[Record<'_>],
        file: &str,
        mut before: u64,
    ) -> Result<(), Failure> {
        let mut rest = records;
        while !rest.is_empty() {
            let run = match self.fixed_at {
                Some(_) => rest.len(),
                None => self.enter_epoch(rest)?,
            };
            let (now, later) = rest.split_at(run);
            self.decide(now, file, before)?;
            before += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    /// Takes the tables of the first record's time; how many records see the same ones. A record
    /// without a time stamp is judged as the one before it.
    fn enter_epoch(&mut self, records: &[Record<'_>]) -> Result<usize, Failure> {
        let stamp = |record: &Record<'_>| {
            record
                .timestamp_ns
                .and_then(|ns| Timestamp::from_nanosecond(ns.into()).ok())
        };
        if let Some(at) = records.first().and_then(stamp)
            && !self.epoch.holds(at)
        {
            self.epoch = self.policies.epoch(at)?;
        }
        let same = |r: &&Record<'_>| stamp(r).is_none_or(|at| self.epoch.holds(at));
        Ok(records.iter().take_while(same).count().max(1))
    }

    fn decide(&mut self, records: &[Record<'_>], file: &str, before: u64) -> Result<(), Failure> {
        let tables = &self.epoch.tables;
        self.burst.run(records, tables, self.now);
        self.burst.count(records, &mut self.tally);
        let last = records.iter().rev().find_map(|record| record.at_ns());
        self.now = last.map_or(self.now, Moment);
        self.outputs
            .write(&self.burst, records, tables, file, before)
    }
}

/// The link types of one capture.
#[derive(Default)]
struct LinkTypes {
    first: Option<LinkType>,
    last: Option<LinkType>,
    unread: BTreeSet<LinkType>,
}

impl LinkTypes {
    fn see(&mut self, records: &[Record<'_>]) {
        for record in records {
            let link_type = record.frame.link_type;
            // Nearly every record has that of the one before.
            if self.last == Some(link_type) {
                continue;
            }
            self.first.get_or_insert(link_type);
            self.last = Some(link_type);
            if !link_type.is_read() {
                self.unread.insert(link_type);
            }
        }
    }
}

/// Reads ahead where a second processor can.
fn ahead(reader: CaptureReader) -> CaptureReader {
    match thread::available_parallelism() {
        Ok(processors) if processors.get() > 1 => reader.ahead(),
        _ => reader,
    }
}

/// A bar on stderr, when that is a terminal.
fn progress_bar(len_bytes: Option<u64>, file: &str) -> ProgressBar {
    let Some(len_bytes) = len_bytes else {
        return ProgressBar::hidden();
    };
    let bar = ProgressBar::new(len_bytes).with_message(file.to_owned());
    let style = "{msg} {wide_bar} {bytes}/{total_bytes} {eta}";
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
