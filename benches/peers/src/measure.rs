//! Samples of thread CPU time, taken by turns: what slows the machine slows everyone.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// How long everything is measured.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) samples: usize,
    pub(crate) sample: Duration,
    /// CPU time that a peer has for building a table.
    pub(crate) patience: Duration,
    /// Frames that are sent through the whole box for a sample.
    pub(crate) frames: usize,
}

/// One who takes part: a pass does all the work once.
pub(crate) type Pass<'p> = Box<dyn Fn() + 'p>;

/// Nanoseconds an operation, a list of samples for each pass. Each sample comes after one pass that
/// is not timed, so that everyone finds its own tables in the caches, and nobody else's.
pub(crate) fn by_turns(passes: &[Pass<'_>], operations: usize, effort: Effort) -> Vec<Vec<f64>> {
    let mut samples = vec![Vec::with_capacity(effort.samples); passes.len()];
    for _ in 0..effort.samples {
        for (pass, samples) in passes.iter().zip(&mut samples) {
            pass();
            let begin = thread_time();
            let mut count = 0_u32;
            let taken = loop {
                pass();
                count += 1;
                let taken = thread_time() - begin;
                if taken >= effort.sample {
                    break taken;
                }
            };
            let operations = f64::from(count) * operations as f64;
            samples.push(taken.as_secs_f64() * 1e9 / operations);
        }
    }
    samples
}

/// What this thread has had of a processor: what others take of it does not count.
pub(crate) fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median of what each sample is to the sample of the same turn.
pub(crate) fn ratio(samples: &[f64], to: &[f64]) -> f64 {
    let ratios: Vec<_> = samples.iter().zip(to).map(|(a, b)| a / b).collect();
    median(&ratios)
}
