//! A made-up network's traffic, and each frame's verdict by itself.

use sekisho::io::port::{Arena, MemoryPort, Pool, Rounds};
use sekisho::limit::Moment;
use sekisho::loadgen::traffic::{Direction, Encapsulation, Generator, Hostile, Model, Network};
use sekisho::lpm::Readers;
use sekisho::policy::Tables;
use sekisho::stage::{Account, Burst, Facing, Settings};
use sekisho::stats::Verdict;
use sekisho::worker::{Balance, Post};
use std::sync::LazyLock;

pub(crate) static NETWORK: LazyLock<Network> =
    LazyLock::new(|| Network::synthetic(&"dense-10k".parse().unwrap()).unwrap());

/// A bit of everything, and much of it to port 25: one burst in a hundred is forwarded whole.
pub(crate) fn traffic(direction: Direction, frames: usize, seed: u64) -> Vec<Vec<u8>> {
    let model = Model {
        ipv6: 0.4,
        direction,
        port_25: 0.3,
        encapsulation: Encapsulation::Mixed,
        hostile: Hostile {
            tiny_fragments: 0.1,
            chain: 0.05,
            ..Hostile::default()
        },
        ..Model::default()
    };
    let mut generator = Generator::new(&model, &NETWORK, seed).unwrap();
    let frame = |_| {
        let mut frame = Vec::new();
        generator.append_frame(&mut frame);
        frame
    };
    (0..frames).map(frame).collect()
}

/// Where a worker begins that nobody gives orders.
pub(crate) fn post() -> Post {
    Post::new(NETWORK.tables(), &Readers::new()).0
}

/// The frames that are to be forwarded: each is decided alone.
pub(crate) fn forwarded(frames: &[Vec<u8>], facing: Facing, tables: &Tables) -> Vec<Vec<u8>> {
    let mut burst = Burst::new(facing, Settings::new(Account::Candidates));
    let mut kept = Vec::new();
    for frame in frames {
        burst.run(&[frame.as_slice()], tables, Moment::default());
        let verdicts: Vec<_> = burst.decisions().map(|decision| decision.verdict).collect();
        if verdicts == [Verdict::Forward] {
            kept.push(frame.clone());
        }
    }
    kept
}

pub(crate) fn arena(frames: &[Vec<u8>]) -> Arena {
    Arena::of(frames).unwrap()
}

pub(crate) fn once<'p>(pool: &'p Pool<'p>) -> MemoryPort<'p> {
    MemoryPort::new(pool, Rounds::Once, 1_024)
}

pub(crate) fn assert_balances(balance: &Balance) {
    assert!(balance.holds(), "{balance}");
}
