//! What it costs to parse a frame: both lanes, beside etherparse's whole-packet slices.
//!
//! `cargo bench --bench parse`; how to read it: `benches/README.md`.
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

use etherparse::{LaxSlicedPacket, SlicedPacket};
use frames::{Layout, POOLS, Random, Talk, any_address};
use ledger::Ledger;
use sekisho::loadgen::engine::{Pool, floor};
use sekisho::wire::{self, LinkType, Shape, Unwrap};
use std::hint::black_box;

/// A case: how its frames look, and what they parse to.
struct Case {
    name: &'static str,
    /// Layout, and whether it is IPv6; each frame takes one at random.
    layouts: &'static [(Layout, bool)],
    shapes: &'static [Shape],
    /// Whether the fast lane answers.
    fast: bool,
}

const CASES: [Case; 8] = [
    Case {
        name: "ipv4-tcp",
        layouts: &[(Layout::Tcp, false)],
        shapes: &[Shape::Tcp],
        fast: true,
    },
    Case {
        name: "tag-ipv4-tcp",
        layouts: &[(Layout::TaggedTcp, false)],
        shapes: &[Shape::Tcp],
        fast: true,
    },
    Case {
        name: "ipv6-tcp",
        layouts: &[(Layout::Tcp, true)],
        shapes: &[Shape::Tcp],
        fast: true,
    },
    // Which branch a frame takes cannot be predicted.
    Case {
        name: "mixed",
        layouts: &[
            (Layout::Tcp, false),
            (Layout::Udp, false),
            (Layout::TaggedTcp, false),
            (Layout::TaggedUdp, false),
            (Layout::Tcp, true),
            (Layout::Udp, true),
            (Layout::TaggedTcp, true),
            (Layout::TaggedUdp, true),
        ],
        shapes: &[Shape::Tcp, Shape::Opaque],
        fast: true,
    },
    Case {
        name: "qinq-pppoe-ipv4-tcp",
        layouts: &[(Layout::QinqPppoeTcp, false)],
        shapes: &[Shape::Tcp],
        fast: false,
    },
    Case {
        name: "ipv6-3-extension-headers-tcp",
        layouts: &[(
            Layout::ExtendedTcp {
                headers: 3,
                octets: 8,
            },
            true,
        )],
        shapes: &[Shape::Tcp],
        fast: false,
    },
    // The most that is followed: eight headers, 256 octets.
    Case {
        name: "ipv6-longest-chain-tcp",
        layouts: &[(
            Layout::ExtendedTcp {
                headers: 8,
                octets: 32,
            },
            true,
        )],
        shapes: &[Shape::Tcp],
        fast: false,
    },
    Case {
        name: "ipv4-tiny-fragment",
        layouts: &[(Layout::TinyFragment, false)],
        shapes: &[Shape::TinyFragment],
        fast: false,
    },
];

fn main() {
    let mut criterion = ledger::criterion();
    let mut ledger = Ledger::default();
    let mut group = criterion.benchmark_group("parse");
    for case in &CASES {
        for frames in POOLS {
            let pool = case.pool(frames);
            let name = format!("{}/{frames}", case.name);
            let count = frames;
            let (frames, words) = (pool.frames(), pool.header_words());
            let mut measure = |contender, work: &mut dyn FnMut()| {
                ledger.measure(&mut group, &name, contender, count, work);
            };
            let unwrap = &Unwrap::default();
            measure("floor", &mut || {
                black_box(floor(black_box(&words)));
            });
            if case.fast {
                measure("parse_fast", &mut || {
                    each(&frames, |f| wire::parse_fast(f, unwrap))
                });
            }
            measure("parse_full", &mut || {
                each(&frames, |f| wire::parse_full(f, LinkType::ETHERNET, unwrap));
            });
            measure("parse", &mut || {
                each(&frames, |f| wire::parse(f, LinkType::ETHERNET, unwrap));
            });
            measure("SlicedPacket", &mut || {
                each(&frames, SlicedPacket::from_ethernet);
            });
            measure("LaxSlicedPacket", &mut || {
                each(&frames, LaxSlicedPacket::from_ethernet);
            });
        }
    }
    group.finish();
    ledger.tell();
    criterion.final_summary();
}

impl Case {
    fn pool(&self, frames: usize) -> Pool {
        let mut random = Random(25);
        let frame = || {
            let (layout, ipv6) = random.pick(self.layouts);
            let frame = layout.frame(&to_web(ipv6, &mut random), &mut random);
            let parsed = wire::parse(&frame, LinkType::ETHERNET, &Unwrap::default()).shape;
            assert!(self.shapes.contains(&parsed), "{}: {parsed:?}", self.name);
            let fast = wire::parse_fast(&frame, &Unwrap::default()).is_some();
            assert_eq!(fast, self.fast, "{}", self.name);
            frame
        };
        Pool::new(std::iter::repeat_with(frame).take(frames)).unwrap()
    }
}

/// To a web server, between addresses of no particular network.
fn to_web(ipv6: bool, random: &mut Random) -> Talk {
    Talk {
        source: any_address(ipv6, random),
        destination: any_address(ipv6, random),
        destination_port: 443,
        opens: false,
        payload_octets: 0,
    }
}

/// Parses each frame; all that the parse gives is written to memory, as a burst keeps it.
#[inline(always)]
fn each<'p, T>(frames: &[&'p [u8]], parse: impl Fn(&'p [u8]) -> T) {
    for frame in frames {
        black_box(parse(frame));
    }
}
