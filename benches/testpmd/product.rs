//! sekisho's worker, in a process of its own.

use crate::{LCORE, devices, network};
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use sekisho::io::dpdk::{Opened, Options, open};
use sekisho::io::port::{Lane, Port, Work};
use sekisho::lpm::Readers;
use sekisho::stage::{Account, Settings};
use sekisho::worker::{Done, Post, Worker};
use std::path::Path;
use std::process::Command;
use std::thread;

/// The first argument of that process.
pub(crate) const WORD: &str = "serve";

/// Processor time of a run.
const RUN_NS: u64 = 3_000_000_000;

/// Polls between two looks at the clock.
const POLLS: usize = 4_096;

pub(crate) struct Run {
    pub(crate) mpps: f64,
    /// The share of frames that were counted under a plan, which only the tables know.
    pub(crate) looked_up: f64,
}

pub(crate) fn run(capture: &Path, eal: &[String]) -> Run {
    let done = Command::new(std::env::current_exe().unwrap())
        .arg(WORD)
        .arg(capture)
        .args(eal)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}{errors}");
    let figures: Vec<f64> = said
        .split(' ')
        .filter_map(|word| word.trim().parse().ok())
        .collect();
    let [mpps, looked_up] = figures[..] else {
        panic!("{said}{errors}")
    };
    Run { mpps, looked_up }
}

/// What that process does.
pub(crate) fn serve(words: &[String]) {
    let (capture, eal) = words.split_first().unwrap();
    let [access, network] = devices(Path::new(capture));
    let options = Options {
        eal: eal.to_vec(),
        ..Options::new(access, network)
    };
    let mut opened: Opened = open(&options).unwrap_or_else(|error| panic!("{error}"));
    let lane = opened.lanes.remove(0);
    let (done, taken_ns) = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut set = CpuSet::new();
            set.set(LCORE as usize);
            sched_setaffinity(None, &set).unwrap();
            lane.serve(Classify)
        });
        worker.join().unwrap()
    });
    assert!(done.balance.holds(), "{}", done.balance);
    let plans = done.counters.plans().iter().flatten();
    let looked_up: u64 = plans.map(|count| count.frames).sum();
    let rx = done.balance.rx as f64;
    println!("{} {}", rx * 1e3 / taken_ns as f64, looked_up as f64 / rx);
}

/// Every frame through every stage, for a while.
struct Classify;

impl Work for Classify {
    type Output = (Done, u64);

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, access: A, other: N) -> (Done, u64) {
        let network = network();
        let (post, _orders) = Post::new(network.tables(), &Readers::new());
        let mut worker = Worker::new(post, &Settings::new(Account::EveryFrame), access, other);
        let begin_ns = thread_ns();
        let mut taken_ns = 0;
        while taken_ns < RUN_NS {
            for _ in 0..POLLS {
                worker.poll_once();
            }
            taken_ns = thread_ns() - begin_ns;
        }
        (worker.finish(), taken_ns)
    }
}

fn thread_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
