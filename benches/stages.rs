//! What it costs to decide a frame: parse → classify → decide together, and replay.
//!
//! `cargo bench --bench stages`; how to read it: `benches/README.md`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark"
)]

mod frames;
mod ledger;

#[path = "stages/capture.rs"]
mod capture;
#[path = "stages/network.rs"]
mod network;

use capture::IMIX;
use criterion::Criterion;
use frames::{Layout, POOLS, Random, Talk, any_address};
use ledger::Ledger;
use network::Network;
use sekisho::io::{CaptureReader, Record};
use sekisho::limit::Moment;
use sekisho::loadgen::engine::{Pool, floor};
use sekisho::loadgen::traffic::Spread;
use sekisho::stage::{Account, Burst, Facing, Settings};
use sekisho::wire::BURST;
use std::hint::black_box;
use std::io::{Cursor, Read};
use std::sync::Arc;

/// What is looked up and counted under its plan.
const ACCOUNTS: [(&str, Account); 2] = [
    ("candidates", Account::Candidates),
    ("every frame", Account::EveryFrame),
];

/// Large enough that a capture of so many octets does not stay in a cache.
const CAPTURE_BYTES: usize = 48 << 20;

/// Ethernet, IPv4, TCP.
const HEADERS_OCTETS: usize = 14 + 20 + 20;

/// As large as the reader's own buffer.
const COPY_BYTES: usize = 512 << 10;

fn main() {
    let mut criterion = ledger::criterion();
    let strewn = Network::new(Spread::Strewn);
    let dense = Network::new(Spread::Dense);
    stages(&mut criterion, &strewn, &dense);
    replay(&mut criterion, &strewn);
    criterion.final_summary();
}

/// How the frames of a case are made.
#[derive(Clone, Copy)]
struct Traffic {
    /// Each frame takes one at random.
    layouts: &'static [Layout],
    /// Each frame takes one at random.
    ipv6: &'static [bool],
    /// The share of frames that open a connection to port 25.
    port_25: f64,
    /// Sources are of the whole address space, and not of subscribers.
    spoofed: bool,
}

const PLAIN: Traffic = Traffic {
    layouts: &[Layout::Tcp],
    ipv6: &[false],
    port_25: 0.01,
    spoofed: false,
};

/// Encapsulated, unpredictable, and hostile traffic; each on the strewn table.
const OTHERS: [(&str, Traffic); 5] = [
    (
        "qinq-pppoe-ipv4/0.01",
        Traffic {
            layouts: &[Layout::QinqPppoeTcp],
            ..PLAIN
        },
    ),
    (
        "mixed/0.01",
        Traffic {
            layouts: &[
                Layout::Tcp,
                Layout::Udp,
                Layout::TaggedTcp,
                Layout::TaggedUdp,
            ],
            ipv6: &[false, true],
            ..PLAIN
        },
    ),
    (
        "ipv4-spoofed/1",
        Traffic {
            port_25: 1.0,
            spoofed: true,
            ..PLAIN
        },
    ),
    (
        "ipv4-tiny-fragments/1",
        Traffic {
            layouts: &[Layout::TinyFragment],
            port_25: 1.0,
            ..PLAIN
        },
    ),
    (
        "ipv6-longest-chain/1",
        Traffic {
            layouts: &[Layout::ExtendedTcp {
                headers: 8,
                octets: 32,
            }],
            ipv6: &[true],
            port_25: 1.0,
            ..PLAIN
        },
    ),
];

impl Traffic {
    fn frames(self, network: &Network) -> impl Iterator<Item = Vec<u8>> {
        self.frames_of(network, std::iter::repeat(0))
    }

    /// Frames with so many octets of payload each.
    fn frames_of(
        self,
        network: &Network,
        payloads: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = Vec<u8>> {
        let mut random = Random(25);
        payloads.map(move |payload_octets| {
            let ipv6 = random.pick(self.ipv6);
            let opens = (random.next() as f64) < self.port_25 * u64::MAX as f64;
            let talk = Talk {
                source: if self.spoofed {
                    any_address(ipv6, &mut random)
                } else {
                    network.subscriber(ipv6, &mut random)
                },
                destination: any_address(ipv6, &mut random),
                destination_port: if opens { 25 } else { 443 },
                opens,
                payload_octets,
            };
            random.pick(self.layouts).frame(&talk, &mut random)
        })
    }
}

fn stages(criterion: &mut Criterion, strewn: &Network, dense: &Network) {
    let mut cases = Vec::new();
    for (spread, network) in [("strewn", strewn), ("dense", dense)] {
        for (family, ipv6) in [("ipv4", &[false]), ("ipv6", &[true])] {
            for port_25 in [0.0, 0.01, 1.0] {
                let traffic = Traffic {
                    ipv6,
                    port_25,
                    ..PLAIN
                };
                cases.push((format!("{spread}/{family}/{port_25}"), network, traffic));
            }
        }
    }
    cases.extend(OTHERS.map(|(name, traffic)| (format!("strewn/{name}"), strewn, traffic)));
    let mut ledger = Ledger::default();
    let mut group = criterion.benchmark_group("stages");
    for (case, network, traffic) in cases {
        for frames in POOLS {
            let pool = Pool::new(traffic.frames(network).take(frames)).unwrap();
            let name = format!("{case}/{frames}");
            let count = frames;
            let (frames, words) = (pool.frames(), pool.header_words());
            let mut measure = |contender, work: &mut dyn FnMut()| {
                ledger.measure(&mut group, &name, contender, count, work);
            };
            measure("floor", &mut || {
                black_box(floor(black_box(&words)));
            });
            for (name, account) in ACCOUNTS {
                let mut burst = Burst::new(Facing::Out, Settings::new(account));
                let mut tally = network.tally();
                measure(name, &mut || {
                    for frames in frames.chunks(BURST) {
                        burst.run(frames, &network.tables, Moment::default());
                        burst.count(frames, &mut tally);
                    }
                });
            }
        }
    }
    group.finish();
    ledger.tell();
}

/// Captures that lie in memory, read as files are.
fn replay(criterion: &mut Criterion, network: &Network) {
    let mut ledger = Ledger::default();
    let mut group = criterion.benchmark_group("replay");
    for (case, lengths) in [("60-byte", &[60][..]), ("imix", &IMIX)] {
        let record_bytes = lengths.iter().map(|len| len + 16).sum::<usize>() / lengths.len();
        let frames = CAPTURE_BYTES / record_bytes;
        let payloads = lengths.iter().map(|len| len - HEADERS_OCTETS).cycle();
        let file = capture::pcap(PLAIN.frames_of(network, payloads.take(frames)));
        let mut measure = |contender, work: &mut dyn FnMut()| {
            ledger.measure(&mut group, case, contender, frames, work);
        };
        measure("copy", &mut || copy(&file));
        measure("read", &mut || {
            each_burst(&file, |records| {
                black_box(records);
            });
        });
        let mut burst = Burst::new(Facing::Auto, Settings::new(Account::EveryFrame));
        let mut tally = network.tally();
        measure("read, decide and count", &mut || {
            each_burst(&file, |records| {
                burst.run(records, &network.tables, Moment::default());
                burst.count(records, &mut tally);
            });
        });
    }
    group.finish();
    ledger.tell();
}

/// What no reader through a buffer can do without.
fn copy(file: &Arc<[u8]>) {
    let mut input = Cursor::new(Arc::clone(file));
    let mut buffer = vec![0; COPY_BYTES];
    while input.read(&mut buffer).unwrap() > 0 {
        black_box(&buffer);
    }
}

fn each_burst(file: &Arc<[u8]>, mut each: impl FnMut(&[Record<'_>])) {
    let input = Cursor::new(Arc::clone(file));
    let mut reader = CaptureReader::from_read("memory", input).unwrap();
    loop {
        let records = reader.read_burst().unwrap();
        if records.is_empty() {
            return;
        }
        each(&records);
    }
}
