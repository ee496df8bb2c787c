//! One worker, and two at the same time.

use super::TX_RING_FRAMES;
use super::thread_time::{median, thread_ns};
use sekisho::io::port::{Arena, MemoryPort, Pool, Rounds};
use sekisho::loadgen::traffic::Network;
use sekisho::lpm::Readers;
use sekisho::stage::{Account, Settings};
use sekisho::worker::{Idle, Lcore, Post, Worker, on_lcores};
use std::time::Duration;

/// Each is as long as this.
const SAMPLE: Duration = Duration::from_millis(100);

const SAMPLES: usize = 7;

/// Prints frames per second of processor time: what other programs take of a core is not the
/// workers' fault.
pub(crate) fn run(network: &Network, frames: &[Vec<u8>]) {
    let lcores = Lcore::usable().unwrap();
    if lcores.len() < 2 {
        println!("\none lcore is usable: two workers were not tried");
        return;
    }
    let mut rates = [const { Vec::new() }; 2];
    for _ in 0..SAMPLES {
        for (rates, workers) in rates.iter_mut().zip([1, 2]) {
            rates.push(mpps(network, &lcores[..workers], frames));
        }
    }
    let ratios: Vec<_> = rates[0]
        .iter()
        .zip(&rates[1])
        .map(|(one, two)| two / one)
        .collect();
    let [one, two] = rates.map(|rates| median(&rates));
    println!("\nMpps by processor time, median of {SAMPLES}: one worker {one:.1}, two {two:.1}");
    println!("two workers are {:.2} × one", median(&ratios));
}

/// What so many workers do together.
fn mpps(network: &Network, lcores: &[Lcore], frames: &[Vec<u8>]) -> f64 {
    let readers = Readers::new();
    let posts = lcores
        .iter()
        .map(|_| Post::new(network.tables(), &readers).0);
    let work = |post, stop: &_| {
        let arena = Arena::of(frames).unwrap();
        let (pool, none) = (Pool::new(&arena), Pool::default());
        let port = |pool| MemoryPort::new(pool, Rounds::Endless, TX_RING_FRAMES);
        let mut worker = Worker::new(
            post,
            &Settings::new(Account::EveryFrame),
            port(&pool),
            port(&none),
        );
        for _ in 0..frames.len() / 64 {
            worker.poll_once();
        }
        let begin = thread_ns();
        worker.run(stop, Idle::Spin);
        let taken = thread_ns() - begin;
        let balance = worker.finish().balance;
        assert!(balance.holds(), "{balance}");
        balance.rx as f64 * 1e3 / taken
    };
    let (rates, ()) = on_lcores(lcores, posts, work, || std::thread::sleep(SAMPLE)).unwrap();
    rates.iter().sum()
}
