use super::measure::Sampling;
use super::pool::Pool as Laid;
use crate::io::port::{Arena, ArenaError, MemoryPort, Pool, Rounds};
use crate::loadgen::Loop;
use crate::loadgen::measure::{median_interval, thread_cpu_ns};
use crate::loadgen::traffic::Network;
use crate::lpm::Readers;
use crate::stage::{Account, Settings};
use crate::worker::{Balance, Lcore, LcoreError, Post, Worker, on_lcores};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Descriptors of a transmit ring.
const TX_RING_FRAMES: usize = 1_024;

/// Of the check sequence, which no buffer holds.
const CHECK_OCTETS: usize = 4;

/// Why a loop has no figures.
#[derive(Debug, thiserror::Error)]
pub enum LoopError {
    /// The frames do not fit.
    #[error(transparent)]
    Frames(#[from] ArenaError),
    /// A worker could not be started.
    #[error(transparent)]
    Lcore(#[from] LcoreError),
    /// Frames were lost, or counted twice.
    #[error("{name}: frames are missing: {balance}")]
    Unbalanced {
        /// The loop.
        name: String,
        /// Of the worker that lost them.
        balance: Balance,
    },
    /// A loop of no frames, or one without workers.
    #[error("{0}: nothing to measure")]
    Nothing(String),
}

/// Measures whole loops, from memory port to memory port, a worker on each of these lcores. All run
/// while any is measured. Every frame is classified.
///
/// # Errors
/// See [`LoopError`].
pub fn measure_loop(
    name: String,
    frames: &Laid,
    network: &Network,
    lcores: &[Lcore],
    sampling: &Sampling,
) -> Result<Loop, LoopError> {
    let frames = frames.frames();
    let arena = Arena::of(&frames)?;
    let readers = Readers::new();
    let (begun, measured) = (Barrier::new(lcores.len()), AtomicUsize::new(0));
    let posts = lcores
        .iter()
        .map(|_| Post::new(network.tables(), &readers).0);
    let work = |post, _: &_| {
        let (pool, none) = (Pool::new(&arena), Pool::default());
        let port = |pool| MemoryPort::new(pool, Rounds::Endless, TX_RING_FRAMES);
        let mut worker = Worker::new(
            post,
            &Settings::new(Account::EveryFrame),
            port(&pool),
            port(&none),
        );
        begun.wait();
        let samples = samples(&mut || worker.poll_once(), arena.len(), sampling);
        measured.fetch_add(1, Ordering::Relaxed);
        while measured.load(Ordering::Relaxed) < lcores.len() {
            worker.poll_once();
        }
        (samples, worker.finish().balance)
    };
    let (found, ()) = on_lcores(lcores, posts, work, || ())?;
    let nothing = || LoopError::Nothing(name.clone());
    let (mut all, mut mpps) = (Vec::new(), 0.0);
    for (samples, balance) in found {
        if !balance.holds() {
            return Err(LoopError::Unbalanced { name, balance });
        }
        mpps += 1e3 / median_interval(&samples).ok_or_else(nothing)?.median;
        all.extend(samples);
    }
    let ns = median_interval(&all).ok_or_else(nothing)?;
    let octets: usize = frames.iter().map(|frame| frame.len() + CHECK_OCTETS).sum();
    let frame_bytes = octets.div_ceil(frames.len().max(1));
    Ok(Loop {
        workers: u32::try_from(lcores.len()).unwrap_or(u32::MAX),
        frame_bytes: u32::try_from(frame_bytes).unwrap_or(u32::MAX),
        ns: ns.median,
        low_ns: ns.low,
        high_ns: ns.high,
        mpps,
        name,
    })
}

/// Nanoseconds a frame, in this thread's processor time.
fn samples(poll: &mut dyn FnMut() -> usize, frames: usize, sampling: &Sampling) -> Vec<f64> {
    let mut sample = |least_ns: u64| {
        let begin_ns = thread_cpu_ns();
        let (mut received, mut taken_ns) = (0, 0);
        while received == 0 || taken_ns < least_ns {
            let mut pass = 0;
            while pass < frames {
                match poll() {
                    0 => return None,
                    came => pass += came,
                }
            }
            received += pass;
            taken_ns = thread_cpu_ns() - begin_ns;
        }
        Some(taken_ns.max(1) as f64 / received as f64)
    };
    // The first pass warms caches and tables.
    sample(0);
    (0..sampling.samples)
        .map_while(|_| sample(sampling.sample_ns))
        .collect()
}
