//! Measures in thread CPU time, and tells nanoseconds a frame beside the floor of the same case.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;

/// Few samples: the machines that this runs on are shared, and a long run meets more of the noise.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(12)
        .nresamples(2_000)
        .without_plots()
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args()
}

/// What was measured, as a table: a row for each case, a column for each contender.
#[derive(Default)]
pub(crate) struct Ledger {
    rows: Vec<Row>,
}

struct Row {
    case: String,
    contender: &'static str,
    frames: usize,
    /// Nanoseconds a frame.
    samples: Vec<f64>,
}

impl Ledger {
    /// Measures one contender on a case. What a table calls the floor comes first.
    pub(crate) fn measure<T>(
        &mut self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        case: &str,
        contender: &'static str,
        frames: usize,
        mut work: impl FnMut() -> T,
    ) {
        let mut samples = Vec::new();
        group.throughput(Throughput::Elements(frames as u64));
        group.bench_function(format!("{case}/{contender}"), |bencher| {
            bencher.iter_custom(|iterations| {
                let begin = thread_time();
                for _ in 0..iterations {
                    black_box(work());
                }
                let taken = thread_time() - begin;
                let runs = iterations as f64 * frames as f64;
                samples.push(taken.as_secs_f64() * 1e9 / runs);
                taken
            });
        });
        self.rows.push(Row {
            case: case.to_owned(),
            contender,
            frames,
            samples,
        });
    }

    /// Prints medians, and how many times the floor each is; nothing when nothing was measured.
    pub(crate) fn tell(&self) {
        let mut contenders: Vec<&str> = Vec::new();
        let mut cases: Vec<(&str, usize)> = Vec::new();
        for row in self.rows.iter().filter(|row| row.samples.len() > 1) {
            if !contenders.contains(&row.contender) {
                contenders.push(row.contender);
            }
            if !cases.contains(&(&row.case, row.frames)) {
                cases.push((&row.case, row.frames));
            }
        }
        if cases.is_empty() {
            return;
        }
        println!("\nns a frame, thread CPU time, median (times the first column)\n");
        println!("| case | {} |", contenders.join(" | "));
        println!("|---{}|", "|---:".repeat(contenders.len()));
        for (case, frames) in cases {
            let of = |contender: &str| {
                let mut rows = self.rows.iter();
                let row = rows.find(|row| {
                    (&*row.case, row.frames, row.contender) == (case, frames, contender)
                });
                row.and_then(|row| median(&row.samples))
            };
            let floor = contenders.first().and_then(|first| of(first));
            let cells = contenders
                .iter()
                .map(|contender| cell(of(contender), floor));
            println!("| {case} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
}

fn cell(value: Option<f64>, floor: Option<f64>) -> String {
    match (value, floor) {
        (None, _) => "–".to_owned(),
        (Some(value), Some(floor)) if value != floor => {
            format!("{value:.2} ({:.1} ×)", value / floor)
        }
        (Some(value), _) => format!("{value:.2}"),
    }
}

fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// What this thread has had of a processor: what others take of it does not count.
fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
