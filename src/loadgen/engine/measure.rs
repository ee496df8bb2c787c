use super::latency::{Latency, offered};
use super::pool::{Pool, floor};
use super::stages::{Stages, Through};
use crate::loadgen::measure::{Interval, clock_mhz, median_interval, monotonic_ns, thread_cpu_ns};
use crate::loadgen::traffic::Network;
use crate::loadgen::{Estimate, LatencyNs, StageCost};
use crate::stage::Settings;
use crate::stats::{Balance, Tally};
use crate::wire::BURST;
use std::hint::black_box;

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// Samples of each figure.
    pub samples: u32,
    /// Of processor time that one sample takes, at least.
    pub sample_ns: u64,
    /// Bursts that are timed one by one, at least.
    pub bursts: usize,
    /// Millions of frames a second at which bursts are said to come, for the latency under load.
    pub offered_mpps: Option<f64>,
}

/// What was found about one case.
#[derive(Debug)]
pub struct Measured {
    /// The floor.
    pub floor: Estimate,
    /// All stages and the counters.
    pub whole: Estimate,
    /// The whole in floors: the median of the ratios of samples that stand side by side.
    pub ratio: Interval,
    /// What each stage takes.
    pub stages: Vec<StageCost>,
    /// How long bursts took, one behind the other.
    pub latency_ns: Option<LatencyNs>,
    /// How long they would have taken at the offered rate.
    pub offered_latency_ns: Option<LatencyNs>,
    /// The clock's rate, before and after.
    pub clock_mhz: Vec<f64>,
    /// Every frame that went through everything has one verdict, or the figures are of nothing.
    pub balance: Balance,
    /// Processor time that it took.
    pub busy_ns: u64,
}

/// Measures the frames of a pool. `None` for an empty pool.
///
/// Floor and whole take turns, sample by sample, so that what disturbs one disturbs the other.
/// The stages are timed as ways of growing length over the whole pool, in turns as well; what a
/// stage takes is the difference of the medians.
pub fn measure(
    pool: &Pool,
    network: &Network,
    settings: Settings,
    sampling: &Sampling,
) -> Option<Measured> {
    let begin_ns = thread_cpu_ns();
    let legend = network.legend();
    let tally = Tally::new(legend.rule_ids().len(), legend.plan_ids().len());
    let mut stages = Stages::new(network.tables(), tally, settings);
    let (frames, words) = (pool.frames(), pool.header_words());
    let mut mhz = Vec::from_iter(clock_mhz());
    let mut reading = Timer::new(frames.len(), sampling, || {
        black_box(floor(black_box(&words)));
    });
    let floors_and_wholes = {
        let mut whole = Timer::new(frames.len(), sampling, || {
            stages.pass(&frames, Through::Count)
        });
        let turns = (0..sampling.samples).map(|_| (reading.sample(), whole.sample()));
        turns.collect::<Vec<_>>()
    };
    let (floors, wholes): (Vec<_>, Vec<_>) = floors_and_wholes.into_iter().unzip();
    let ratios: Vec<_> = wholes
        .iter()
        .zip(&floors)
        .map(|(whole, floor)| whole / floor)
        .collect();
    let stage_costs = stage_costs(&frames, &mut stages, sampling);
    let services = services(&frames, &mut stages, sampling.bursts);
    mhz.extend(clock_mhz());
    Some(Measured {
        floor: estimate(floors)?,
        whole: estimate(wholes)?,
        ratio: median_interval(&ratios)?,
        stages: stage_costs,
        latency_ns: latency(&services),
        offered_latency_ns: sampling
            .offered_mpps
            .and_then(|mpps| offered(&services, BURST as f64 * 1e3 / mpps)?.percentiles()),
        clock_mhz: mhz,
        balance: stages.balance(),
        busy_ns: thread_cpu_ns() - begin_ns,
    })
}

/// Passes over a pool, as many as fill a sample.
struct Timer<F> {
    frames: usize,
    passes: u64,
    pass: F,
}

impl<F: FnMut()> Timer<F> {
    fn new(frames: usize, sampling: &Sampling, mut pass: F) -> Self {
        // The first pass warms caches and tables, the second says how long one takes.
        pass();
        let begin_ns = thread_cpu_ns();
        pass();
        let pass_ns = (thread_cpu_ns() - begin_ns).max(1);
        Self {
            frames,
            passes: sampling.sample_ns.div_ceil(pass_ns),
            pass,
        }
    }

    /// Nanoseconds a frame. A pass that is not timed goes before: whatever ran last has left
    /// the caches as it liked.
    fn sample(&mut self) -> f64 {
        (self.pass)();
        let begin_ns = thread_cpu_ns();
        for _ in 0..self.passes {
            (self.pass)();
        }
        let taken_ns = thread_cpu_ns() - begin_ns;
        taken_ns.max(1) as f64 / (self.passes as f64 * self.frames as f64)
    }
}

/// Ways of growing length, in turns; what each adds to the one before.
fn stage_costs(frames: &[&[u8]], stages: &mut Stages<'_>, sampling: &Sampling) -> Vec<StageCost> {
    let mut samples = Through::ALL.map(|_| Vec::new());
    for _ in 0..sampling.samples {
        for ((through, _), samples) in Through::ALL.into_iter().zip(&mut samples) {
            let mut timer = Timer::new(frames.len(), sampling, || stages.pass(frames, through));
            samples.push(timer.sample());
        }
    }
    let mut before_ns = 0.0;
    let costs = Through::ALL
        .iter()
        .zip(samples)
        .filter_map(|((_, name), samples)| {
            let so_far_ns = median_interval(&samples)?.median;
            let ns = (so_far_ns - before_ns).max(0.0);
            before_ns = so_far_ns;
            Some(StageCost {
                name: (*name).to_owned(),
                ns,
            })
        });
    costs.collect()
}

/// How long so many bursts took, pass after pass, from the monotonic clock: with whatever came
/// between.
fn services(frames: &[&[u8]], stages: &mut Stages<'_>, count: usize) -> Vec<u64> {
    stages.pass(frames, Through::Count);
    let passes = count.div_ceil(frames.len().div_ceil(BURST).max(1));
    let mut services = Vec::with_capacity(passes * frames.len().div_ceil(BURST));
    let mut begin_ns = monotonic_ns();
    for _ in 0..passes {
        for frames in frames.chunks_exact(BURST) {
            stages.burst(frames);
            let end_ns = monotonic_ns();
            services.push(end_ns - begin_ns);
            begin_ns = end_ns;
        }
    }
    services
}

fn latency(services_ns: &[u64]) -> Option<LatencyNs> {
    let mut latency = Latency::new()?;
    services_ns.iter().for_each(|ns| latency.record(*ns));
    latency.percentiles()
}

fn estimate(samples_ns: Vec<f64>) -> Option<Estimate> {
    let interval = median_interval(&samples_ns)?;
    Some(Estimate {
        ns: interval.median,
        low_ns: interval.low,
        high_ns: interval.high,
        samples_ns,
    })
}
