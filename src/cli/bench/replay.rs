//! `sekisho bench replay`.

use super::super::replay::How;
use super::super::{Exit, Failure, Format, out};
use super::machine;
use crate::io::{CaptureReader, STRETCH_BYTES};
use crate::loadgen::measure::{
    Interval, Noise, median_interval, monotonic_ns, process_cpu_ns, thread_cpu_ns,
};
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
    let deployment = args.how.deployment()?;
    // Untimed: from here on the captures are in memory, if they have room there.
    let balance = args.how.replay(&deployment, &args.captures)?;
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
                Way::Replay => args.how.replay(&deployment, &args.captures).map(drop),
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
    /// Of the thread that had more of it, this one or the one that reads ahead: the least that
    /// elapses, and what does where each has a processor to itself.
    busiest_ns: u64,
}

impl Sample {
    fn of(pass: impl FnOnce() -> Result<(), Failure>) -> Result<Self, Failure> {
        let begin = (monotonic_ns(), process_cpu_ns(), thread_cpu_ns());
        pass()?;
        let own_ns = thread_cpu_ns() - begin.2;
        let cpu_ns = process_cpu_ns() - begin.1;
        Ok(Self {
            elapsed_ns: monotonic_ns() - begin.0,
            cpu_ns,
            busiest_ns: own_ns.max(cpu_ns.saturating_sub(own_ns)).max(1),
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

/// One of the figures of a sample.
type Figure = fn(&Sample) -> u64;

const ELAPSED: Figure = |sample| sample.elapsed_ns;
const BUSIEST: Figure = |sample| sample.busiest_ns;
const CPU: Figure = |sample| sample.cpu_ns;

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
    fn median(&self, way: Way, of: Figure) -> Interval {
        let values: Vec<_> = self.samples(way).iter().map(|s| of(s) as f64).collect();
        interval(&values)
    }

    /// How fast replaying is, in speeds of another way: the median of the ratios of neighbours.
    fn speed(&self, way: Way, of: Figure) -> Interval {
        let pairs = self.samples(way).iter().zip(self.samples(Way::Replay));
        let ratios: Vec<_> = pairs
            .map(|(other, replay)| of(other) as f64 / of(replay) as f64)
            .collect();
        interval(&ratios)
    }

    fn meets_goal(&self) -> bool {
        self.speed(Way::Read, BUSIEST).median >= GOAL
    }

    fn text(&self) -> String {
        let machine = machine::machine();
        let (frames, bytes) = (out::grouped(self.frames), out::grouped(self.bytes));
        let mut text = format!(
            "machine   {}, {} processors\n\
             captures  {}, of {frames} frames and {bytes} bytes\n\
             method    medians of {} passes, in turns; ns a frame; BUSIEST, CPU: processor time of the\n          \
             busiest thread and of all; the rest: of what elapsed\n\n",
            machine.cpu,
            machine.cores,
            self.args.captures.len(),
            self.args.samples,
        );
        let mut rows = vec![
            [
                "WAY",
                "BUSIEST ns",
                "95 %",
                "CPU ns",
                "ELAPSED ns",
                "FRAMES/s",
                "GB/s",
            ]
            .map(str::to_owned)
            .to_vec(),
        ];
        let a_frame = |ns: f64| format!("{:.2}", ns / self.frames as f64);
        for (way, name) in Way::ALL {
            let busiest = self.median(way, BUSIEST);
            let elapsed_ns = self.median(way, ELAPSED).median;
            rows.push(vec![
                name.to_owned(),
                a_frame(busiest.median),
                format!("{} to {}", a_frame(busiest.low), a_frame(busiest.high)),
                a_frame(self.median(way, CPU).median),
                a_frame(elapsed_ns),
                out::grouped((self.frames as f64 * 1e9 / elapsed_ns) as u64),
                format!("{:.2}", self.bytes as f64 / elapsed_ns),
            ]);
        }
        text += &out::table(&rows, &[1, 2, 3, 4, 5, 6]);
        for (label, figure) in [
            ("replay    by its busiest thread", BUSIEST),
            ("          by what elapsed", ELAPSED),
        ] {
            text += &format!(
                "{label}: {} of the speed of read, {} of copy\n",
                percent(self.speed(Way::Read, figure)),
                percent(self.speed(Way::Copy, figure)),
            );
        }
        let met = if self.meets_goal() { "met" } else { "missed" };
        text += &format!(
            "goal      {:.0} % of read, by the busiest thread: {met}\n",
            GOAL * 100.0
        );
        text
    }

    fn json(&self, warnings: &[String]) -> Value {
        let frames = self.frames as f64;
        let ways = Way::ALL.map(|(way, name)| {
            let a_frame = |of: Figure| {
                let samples = self.samples(way).iter().map(|s| of(s) as f64 / frames);
                let samples: Vec<_> = samples.collect();
                let of = interval(&samples);
                json!({ "ns": of.median, "low_ns": of.low, "high_ns": of.high, "samples_ns": samples })
            };
            json!({
                "name": name,
                "busiest_thread": a_frame(BUSIEST),
                "all_threads": a_frame(CPU),
                "elapsed": a_frame(ELAPSED),
            })
        });
        let speed = |way, figure| {
            let Interval { median, low, high } = self.speed(way, figure);
            json!({ "ratio": median, "ratio_low": low, "ratio_high": high })
        };
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
            "speed_of_read": speed(Way::Read, BUSIEST),
            "speed_of_copy": speed(Way::Copy, BUSIEST),
            "elapsed_speed_of_read": speed(Way::Read, ELAPSED),
            "elapsed_speed_of_copy": speed(Way::Copy, ELAPSED),
            "goal_of_read": GOAL,
            "meets_goal": self.meets_goal(),
        })
    }
}

fn percent(Interval { median, low, high }: Interval) -> String {
    let [median, low, high] = [median, low, high].map(|share| share * 100.0);
    format!("{median:.0} % ({low:.0} to {high:.0})")
}

/// Of samples, of which there are some: a run takes five at least.
fn interval(samples: &[f64]) -> Interval {
    median_interval(samples).unwrap_or(Interval {
        median: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
    })
}
