//! `sekisho bench replay`.

use super::super::replay::How;
use super::super::{Exit, Failure, Format, out};
use super::machine;
use crate::io::{CaptureReader, STRETCH_BYTES};
use crate::loadgen::measure::{Interval, Noise, median_interval, monotonic_ns, process_cpu_ns};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The share of the speed of reading that replaying is meant to reach.
const GOAL: f64 = 0.8;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    how: How,
    /// Passes over the captures in each way.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(5..=1_000))]
    samples: u32,
    /// Measure a program that was built without optimisation.
    #[arg(long)]
    allow_debug: bool,
    /// Captures, of any size; files only, for each is read many times.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
}

/// What is done to the captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Their octets go through a buffer as large as the reader's, and nobody looks.
    Copy,
    /// Their records are handed out, in bursts; by one thread.
    Read,
    /// What `sekisho replay` does.
    Replay,
}

impl Way {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Copy, "copy"),
        (Self::Read, "read"),
        (Self::Replay, "replay"),
    ];
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    super::refuse_debug(args.allow_debug)?;
    let bytes = args.captures.iter().map(|path| file_bytes(path));
    let bytes = bytes.sum::<Result<u64, _>>()?;
    let policies = args.how.policies()?;
    // Untimed: from here on the captures are in memory, if they have room there.
    let balance = args.how.replay(&policies, &args.captures)?;
    if balance.rx == 0 {
        return Err(Failure::usage("there is no frame in these captures"));
    }
    if !balance.closes() {
        let message = format!("the counters do not balance: {balance}");
        return Err(Failure::Said(Exit::No, message));
    }
    let before = machine::reading();
    let mut samples = Way::ALL.map(|_| Vec::new());
    let progress = super::progress(args.samples as usize);
    for _ in 0..args.samples {
        for ((way, _), samples) in Way::ALL.into_iter().zip(&mut samples) {
            samples.push(Sample::of(|| match way {
                Way::Copy => args.captures.iter().try_for_each(|path| copy(path)),
                Way::Read => args.captures.iter().try_for_each(|path| read(path)),
                Way::Replay => args.how.replay(&policies, &args.captures).map(drop),
            })?);
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let busy_ns: u64 = samples.iter().flatten().map(|sample| sample.cpu_ns).sum();
    let noise = Noise {
        before,
        after: machine::reading(),
        cores: machine::machine().cores,
        busy_seconds: busy_ns as f64 / 1e9,
        ..Noise::default()
    };
    for warning in noise.warnings() {
        out::complain("warning", warning);
    }
    let found = Found {
        args,
        frames: balance.rx,
        bytes,
        samples,
    };
    match format {
        Format::Text => out::print(&found.text())?,
        Format::Json => out::print_json("bench-replay", &found.json(&noise.warnings()))?,
    }
    Ok(Exit::Ok)
}

/// What one pass over all captures took.
#[derive(Clone, Copy, Debug)]
struct Sample {
    elapsed_ns: u64,
    /// Of all threads.
    cpu_ns: u64,
}

impl Sample {
    fn of(pass: impl FnOnce() -> Result<(), Failure>) -> Result<Self, Failure> {
        let begin = (monotonic_ns(), process_cpu_ns());
        pass()?;
        Ok(Self {
            elapsed_ns: (monotonic_ns() - begin.0).max(1),
            cpu_ns: process_cpu_ns() - begin.1,
        })
    }
}

fn file_bytes(path: &Path) -> Result<u64, Failure> {
    let fault = |error| {
        Failure::io(format_args!(
            "{}: cannot be opened: {error}",
            path.display()
        ))
    };
    let metadata = fs::metadata(path).map_err(fault)?;
    if metadata.is_file() {
        Ok(metadata.len())
    } else {
        Err(Failure::usage(format_args!(
            "{} is no regular file: it cannot be read again and again",
            path.display()
        )))
    }
}

fn copy(path: &Path) -> Result<(), Failure> {
    let fault = |error| Failure::io(format_args!("{}: cannot be read: {error}", path.display()));
    let mut file = File::open(path).map_err(fault)?;
    let mut buffer = vec![0; STRETCH_BYTES];
    while file.read(&mut buffer).map_err(fault)? > 0 {
        black_box(&buffer);
    }
    Ok(())
}

fn read(path: &Path) -> Result<(), Failure> {
    let mut reader = CaptureReader::open(path).map_err(Failure::io)?;
    while !black_box(reader.read_burst().map_err(Failure::io)?).is_empty() {}
    Ok(())
}

/// What a run found.
struct Found<'a> {
    args: &'a Args,
    frames: u64,
    /// Of the files.
    bytes: u64,
    /// Of each way.
    samples: [Vec<Sample>; 3],
}

impl Found<'_> {
    fn samples(&self, way: Way) -> &[Sample] {
        let [copy, read, replay] = &self.samples;
        match way {
            Way::Copy => copy,
            Way::Read => read,
            Way::Replay => replay,
        }
    }

    /// The median of something of each sample.
    fn median(&self, way: Way, of: impl Fn(&Sample) -> u64) -> Interval {
        let values: Vec<_> = self.samples(way).iter().map(|s| of(s) as f64).collect();
        interval(&values)
    }

    /// How fast replaying is, in speeds of another way: the median of the ratios of neighbours.
    fn speed(&self, way: Way) -> Interval {
        let pairs = self.samples(way).iter().zip(self.samples(Way::Replay));
        let ratios: Vec<_> = pairs
            .map(|(other, replay)| other.elapsed_ns as f64 / replay.elapsed_ns as f64)
            .collect();
        interval(&ratios)
    }

    fn meets_goal(&self) -> bool {
        self.speed(Way::Read).median >= GOAL
    }

    fn text(&self) -> String {
        let machine = machine::machine();
        let (frames, bytes) = (out::grouped(self.frames), out::grouped(self.bytes));
        let mut text = format!(
            "machine   {}, {} processors\n\
             captures  {}, of {frames} frames and {bytes} bytes\n\
             method    medians of {} passes, in turns; CPU: of all threads\n\n",
            machine.cpu,
            machine.cores,
            self.args.captures.len(),
            self.args.samples,
        );
        let mut rows = vec![
            ["WAY", "ns A FRAME", "95 %", "CPU ns", "FRAMES/s", "GB/s"]
                .map(str::to_owned)
                .to_vec(),
        ];
        let a_frame = |ns: f64| format!("{:.2}", ns / self.frames as f64);
        for (way, name) in Way::ALL {
            let elapsed = self.median(way, |sample| sample.elapsed_ns);
            let cpu = self.median(way, |sample| sample.cpu_ns);
            let seconds = elapsed.median / 1e9;
            rows.push(vec![
                name.to_owned(),
                a_frame(elapsed.median),
                format!("{} to {}", a_frame(elapsed.low), a_frame(elapsed.high)),
                a_frame(cpu.median),
                out::grouped((self.frames as f64 / seconds) as u64),
                format!("{:.2}", self.bytes as f64 / seconds / 1e9),
            ]);
        }
        text += &out::table(&rows, &[1, 2, 3, 4, 5]);
        let percent = |Interval { median, low, high }| {
            let [median, low, high] = [median, low, high].map(|share| share * 100.0);
            format!("{median:.0} % ({low:.0} to {high:.0})")
        };
        text += &format!(
            "\nreplay    {} of the speed of reading, {} of that of copying; goal {:.0} % of reading: {}\n",
            percent(self.speed(Way::Read)),
            percent(self.speed(Way::Copy)),
            GOAL * 100.0,
            if self.meets_goal() { "met" } else { "missed" },
        );
        text
    }

    fn json(&self, warnings: &[String]) -> Value {
        let interval = |of: Interval, by: f64| json!({ "median": of.median / by, "low": of.low / by, "high": of.high / by });
        let frames = self.frames as f64;
        let ways = Way::ALL.map(|(way, name)| {
            let elapsed = self.median(way, |sample| sample.elapsed_ns);
            let per_frame = |of: fn(&Sample) -> u64| {
                let samples = self.samples(way).iter();
                samples.map(|s| of(s) as f64 / frames).collect::<Vec<_>>()
            };
            json!({
                "name": name,
                "ns": interval(elapsed, frames),
                "samples_ns": per_frame(|sample| sample.elapsed_ns),
                "cpu_ns": interval(self.median(way, |sample| sample.cpu_ns), frames),
                "samples_cpu_ns": per_frame(|sample| sample.cpu_ns),
                "frames_per_second": frames * 1e9 / elapsed.median,
                "bytes_per_second": self.bytes as f64 * 1e9 / elapsed.median,
            })
        });
        let captures = self.args.captures.iter();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "machine": machine::machine(),
            "samples": self.args.samples,
            "optimised": !cfg!(debug_assertions),
            "warnings": warnings,
            "captures": captures.map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "frames": self.frames,
            "bytes": self.bytes,
            "ways": ways,
            "speed_of_read": interval(self.speed(Way::Read), 1.0),
            "speed_of_copy": interval(self.speed(Way::Copy), 1.0),
            "goal_of_read": GOAL,
            "meets_goal": self.meets_goal(),
        })
    }
}

/// Of samples, of which there are some: a run takes five at least.
fn interval(samples: &[f64]) -> Interval {
    median_interval(samples).unwrap_or(Interval {
        median: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
    })
}
