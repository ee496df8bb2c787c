//! What a whole loop costs over memory ports: rx → parse → classify → decide → count → tx.
//!
//! `cargo bench --bench worker`; how to read it: `benches/README.md`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark"
)]

#[path = "worker/ring.rs"]
mod ring;
#[path = "worker/side_by_side.rs"]
mod side_by_side;
#[path = "worker/thread_time.rs"]
mod thread_time;

use ring::frames;
use sekisho::io::port::{Arena, Frames, MemoryPort, Pool, Port, Rounds};
use sekisho::limit::Moment;
use sekisho::loadgen::traffic::{Network, Sizes};
use sekisho::lpm::Readers;
use sekisho::stage::{Account, Burst, Facing, Settings};
use sekisho::wire::BURST;
use sekisho::worker::{Post, Worker};
use std::hint::black_box;
use thread_time::{median, ns_a_frame};

/// Descriptors of a transmit ring.
pub(crate) const TX_RING_FRAMES: usize = 1_024;

const SAMPLES: usize = 15;

fn main() {
    println!("\nns a frame, thread CPU time, median of {SAMPLES} (times the stages)\n");
    println!("| case | stages | rx → tx | rx → stages → tx |\n|---|---:|---:|---:|");
    let dense = Network::synthetic(&"dense-100k".parse().unwrap()).unwrap();
    let strewn = Network::synthetic(&"strewn-100k".parse().unwrap()).unwrap();
    let sizes = [
        ("64", Sizes::least()),
        ("imix", Sizes::imix()),
        ("1518", Sizes::largest()),
    ];
    for (table, network) in [("dense", &dense), ("strewn", &strewn)] {
        for (accounted, account) in [
            ("candidates", Account::Candidates),
            ("every-frame", Account::EveryFrame),
        ] {
            for (size, sizes) in &sizes {
                for port_25 in [0.01, 1.0] {
                    let case = format!("{table}/{accounted}/{size}/{port_25}");
                    let frames = frames(network, sizes.clone(), port_25);
                    one(&case, network, account, &frames);
                }
            }
        }
    }
    side_by_side::run(&dense, &frames(&dense, sizes[0].1.clone(), 0.01));
}

/// The stages alone, the ports alone, and both, sample by sample in turns.
fn one(case: &str, network: &Network, account: Account, frames: &[Vec<u8>]) {
    if !std::env::args()
        .skip(1)
        .all(|word| word == "--bench" || case.contains(&word))
    {
        return;
    }
    let arena = Arena::of(frames).unwrap();
    let slices: Vec<_> = arena.frames().collect();
    let pools = [(); 2].map(|()| Pool::new(&arena));
    let none = Pool::default();
    let port = |pool| MemoryPort::new(pool, Rounds::Endless, TX_RING_FRAMES);
    let polls = frames.len() / BURST;

    let (mut burst, mut tally) = (
        Burst::new(Facing::Out, Settings::new(account)),
        network.tally(),
    );
    let mut stages = || {
        for frames in slices.chunks(BURST) {
            burst.run(frames, network.tables(), Moment::default());
            burst.count(frames, &mut tally);
        }
        black_box(&mut burst);
    };

    let (mut rx, mut tx, mut moved) = (port(&pools[0]), port(&none), Frames::new());
    let mut ports = || {
        for _ in 0..polls {
            rx.rx_burst(&mut moved);
            tx.tx_burst(black_box(&mut moved));
        }
    };

    let (post, _) = Post::new(network.tables(), &Readers::new());
    let mut worker = Worker::new(post, &Settings::new(account), port(&pools[1]), port(&none));
    let mut whole = || {
        for _ in 0..polls {
            worker.poll_once();
        }
    };

    let mut samples = [const { Vec::new() }; 3];
    for _ in 0..SAMPLES {
        samples[0].push(ns_a_frame(frames.len(), &mut stages));
        samples[1].push(ns_a_frame(frames.len(), &mut ports));
        samples[2].push(ns_a_frame(frames.len(), &mut whole));
    }
    let balance = worker.finish().balance;
    assert!(balance.holds(), "{balance}");
    let [stages, ports, whole] = samples.map(|samples| median(&samples));
    println!(
        "| {case} | {stages:.2} | {ports:.2} | {whole:.2} ({:.2} ×) |",
        whole / stages
    );
}
