//! A limit study: what a loop costs on this machine that does less than the engine must.
//!
//! It takes untagged IPv4 TCP for granted, looks one end up in plain arrays (the trie of three
//! loads), counts under the plan, and decides nothing. The engine beside it reads the same frames.
//!
//! `cargo bench --bench limit`; what it said: `docs/performance.md`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

#[path = "worker/ring.rs"]
mod ring;
#[path = "worker/thread_time.rs"]
mod thread_time;

use ipnet::{IpNet, Ipv4Net};
use ring::{RING_FRAMES, frames};
use sekisho::limit::Moment;
use sekisho::loadgen::engine::{Pool, floor};
use sekisho::loadgen::traffic::{Network, Sizes, Synthetic};
use sekisho::stage::{Account, Burst, Facing, Settings};
use sekisho::wire::BURST;
use std::hint::black_box;
use thread_time::{median, ns_a_frame};

const SAMPLES: usize = 15;

/// Octets up to the TCP flags of an untagged IPv4 frame.
const HEADERS_OCTETS: usize = 48;

fn main() {
    println!("\nns a frame, thread CPU time, median of {SAMPLES} (times the floor)\n");
    println!("| table, port-25 share | floor | limit | engine |\n|---|---:|---:|---:|");
    for name in ["dense-100k", "strewn-100k"] {
        let synthetic: Synthetic = name.parse().unwrap();
        let network = Network::synthetic(&synthetic).unwrap();
        let trie = Trie::of(&synthetic);
        for port_25 in [0.01, 1.0] {
            one(&format!("{name}, {port_25}"), &network, &trie, port_25);
        }
    }
}

/// Floor, limit and engine, sample by sample in turns.
fn one(case: &str, network: &Network, trie: &Trie, port_25: f64) {
    let pool = Pool::new(frames(network, Sizes::least(), port_25)).unwrap();
    let (words, ring) = (pool.header_words(), pool.frames());
    let mut plans = [[0; 4]; 256];
    let mut burst = Burst::new(Facing::Out, Settings::new(Account::EveryFrame));
    let mut tally = network.tally();
    let mut samples = [const { Vec::new() }; 3];
    for _ in 0..SAMPLES {
        let [floors, limits, engines] = &mut samples;
        floors.push(ns_a_frame(RING_FRAMES, &mut || {
            black_box(floor(black_box(&words)));
        }));
        limits.push(ns_a_frame(RING_FRAMES, &mut || {
            for frames in ring.chunks(BURST) {
                black_box(limit(frames, trie, &mut plans));
            }
        }));
        engines.push(ns_a_frame(RING_FRAMES, &mut || {
            for frames in ring.chunks(BURST) {
                burst.run(frames, network.tables(), Moment::default());
                burst.count(frames, &mut tally);
            }
        }));
    }
    let [floor, limit, engine] = samples.map(|samples| median(&samples));
    println!(
        "| {case} | {floor:.2} | {limit:.2} ({:.1} ×) | {engine:.2} ({:.1} ×) |",
        limit / floor,
        engine / floor
    );
}

/// SYNs to port 25; every frame is counted under its source's plan.
fn limit(frames: &[&[u8]], trie: &Trie, plans: &mut [[u64; 4]; 256]) -> u64 {
    let (mut sources, mut octets) = ([0; BURST], [0; BURST]);
    let mut syns = 0;
    for ((frame, source), octets) in frames.iter().zip(&mut sources).zip(&mut octets) {
        let Some(h) = frame.first_chunk::<HEADERS_OCTETS>() else {
            continue;
        };
        *source = u32::from_be_bytes([h[26], h[27], h[28], h[29]]);
        *octets = frame.len() as u64;
        let at_port_25 = (h[36], h[37]) == (0, 25);
        syns += u64::from(at_port_25 & (h[47] & 0x12 == 0x02));
    }
    for (lane, (source, octets)) in (0..).zip(sources.iter().zip(octets)) {
        plans[usize::from(trie.lookup(*source))][lane % 4] += 1 << 40 | octets;
    }
    syns
}

/// 16, 8 and 8 bits; pages 0–255 of a level say their own number everywhere.
struct Trie {
    roots: Vec<u32>,
    inner: Vec<[u32; 256]>,
    leaves: Vec<[u8; 256]>,
}

impl Trie {
    fn of(synthetic: &Synthetic) -> Self {
        let mut trie = Self {
            roots: vec![0; 1 << 16],
            inner: (0..=255).map(|value| [value; 256]).collect(),
            leaves: (0..=255).map(|value| [value; 256]).collect(),
        };
        let mut prefixes: Vec<_> = synthetic
            .prefixes()
            .into_iter()
            .filter_map(|(net, plan)| match net {
                IpNet::V4(net) => Some((net, plan as u8 + 1)),
                IpNet::V6(_) => None,
            })
            .collect();
        prefixes.sort_by_key(|(net, _)| net.prefix_len());
        for (net, value) in prefixes {
            trie.insert(net, value);
        }
        trie
    }

    /// The shortest come first, so nothing below a prefix is divided yet.
    fn insert(&mut self, net: Ipv4Net, value: u8) {
        let address = u32::from(net.network());
        let (length, slots) = (u32::from(net.prefix_len()), |depth: u32, length: u32| {
            1_usize << (depth - length)
        });
        let root = &mut self.roots[(address >> 16) as usize..];
        if length <= 16 {
            return root[..slots(16, length)].fill(value.into());
        }
        if root[0] < 256 {
            self.inner.push([root[0]; 256]);
            root[0] = self.inner.len() as u32 - 1;
        }
        let inner = &mut self.inner[root[0] as usize][(address >> 8 & 255) as usize..];
        if length <= 24 {
            return inner[..slots(24, length)].fill(value.into());
        }
        if inner[0] < 256 {
            self.leaves.push([inner[0] as u8; 256]);
            inner[0] = self.leaves.len() as u32 - 1;
        }
        let leaf = &mut self.leaves[inner[0] as usize][(address & 255) as usize..];
        leaf[..slots(32, length)].fill(value);
    }

    #[inline]
    fn lookup(&self, address: u32) -> u8 {
        let page = self.roots[(address >> 16) as usize];
        let page = self.inner[page as usize][(address >> 8 & 255) as usize];
        self.leaves[page as usize][(address & 255) as usize]
    }
}
