//! Rejected frames are answered at the access port, within a rate and what the pool has.

use super::support::*;
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use sekisho::io::port::{MemoryPort, Pool, Recorded, Rounds};
use sekisho::lpm::Readers;
use sekisho::policy::{Program, Tables, load};
use sekisho::stage::{Account, Settings};
use sekisho::wire::{TcpFlags, tcp_probe};
use sekisho::worker::{Done, Post, Replies, ReplyRate, Worker};
use std::fs;
use std::sync::Arc;

const HOME: [&str; 2] = ["198.51.100.9", "2001:db8:100::9"];
const PEER: [&str; 2] = ["203.0.113.25", "2001:db8:e::25"];
const REPLY_SOURCE: [&str; 2] = ["192.0.2.254", "2001:db8:25::fe"];

/// Of a policy under which nobody may call port 25.
fn tables(reject: &str) -> Arc<Tables> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    let text = format!(
        "isp: example-net\n\
         time_zone: Asia/Tokyo\n\
         reply-source: {{ ipv4: {}, ipv6: \"{}\" }}\n\
         plans:\n  home: {{ kind: dynamic }}\n\
         subscribers:\n  - {{ plan: home, prefixes: [198.51.100.0/25, 2001:db8:100::/48] }}\n\
         rules:\n  - name: op25b\n    kinds: [dynamic]\n    action: {{ reject: {reject} }}\n",
        REPLY_SOURCE[0], REPLY_SOURCE[1]
    );
    fs::write(&file, text).unwrap();
    let as_of = "2026-07-01T00:00:00Z".parse().unwrap();
    let loaded = load(&[file], as_of);
    let resolved = loaded
        .resolved
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let program = Program::compile(Arc::new(resolved)).unwrap();
    program.at(as_of).unwrap().tables
}

fn probe(from: &str, to: &str, ports: [u16; 2], flags: &str) -> Vec<u8> {
    let [from, to] = [from, to].map(|address| address.parse().unwrap());
    let flags = TcpFlags::from_letters(flags).unwrap();
    tcp_probe(from, to, ports[0], ports[1], flags).unwrap()
}

/// From both families in turn, each from a port of its own.
fn syns(count: u16) -> Vec<Vec<u8>> {
    let syn = |number: u16| {
        let family = usize::from(number % 2);
        probe(HOME[family], PEER[family], [10_000 + number, 25], "S")
    };
    (0..count).map(syn).collect()
}

/// A run of everything through a worker: what it counted, and what left by the access port.
struct Run<'r> {
    reject: &'r str,
    up: &'r [Vec<u8>],
    down: &'r [Vec<u8>],
    rate: ReplyRate,
    workers: usize,
    spares: usize,
    ring: usize,
    link: usize,
}

impl Run<'_> {
    const PLENTY: ReplyRate = ReplyRate {
        per_second: 1_000_000,
        burst: 1_000_000,
    };

    fn of<'r>(reject: &'r str, up: &'r [Vec<u8>]) -> Run<'r> {
        Run {
            reject,
            up,
            down: &[],
            rate: Self::PLENTY,
            workers: 1,
            spares: 64,
            ring: 1_024,
            link: usize::MAX,
        }
    }

    fn go(&self) -> (Done, Vec<Vec<u8>>) {
        let (up, down) = (arena(self.up), arena(self.down));
        let up_pool = Pool::with_spares(&up, self.spares);
        let down_pool = Pool::new(&down);
        let access = MemoryPort::new(&up_pool, Rounds::Once, self.ring).with_link(self.link);
        let mut access = Recorded::new(access);
        let network = once(&down_pool);
        let (post, _) = Post::new(&tables(self.reject), &Readers::new());
        let settings = Settings::new(Account::EveryFrame);
        let worker = Worker::new(post, &settings, &mut access, network);
        let mut worker = worker.with_replies(self.rate, self.workers);
        while worker.poll_once() > 0 {}
        let done = worker.finish();
        assert_balances(&done.balance);
        assert_eq!(done.balance.generated, done.replies.generated);
        (done, access.sent().to_vec())
    }
}

/// Source, destination and what a reply is, as etherparse reads it.
fn read(reply: &[u8]) -> (String, String, &'static str) {
    let sliced = SlicedPacket::from_ethernet(reply).unwrap();
    let (source, destination) = match sliced.net.unwrap() {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            (
                header.source_addr().to_string(),
                header.destination_addr().to_string(),
            )
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            (
                header.source_addr().to_string(),
                header.destination_addr().to_string(),
            )
        }
        NetSlice::Arp(_) => panic!("no IP"),
    };
    let what = match sliced.transport.unwrap() {
        TransportSlice::Icmpv4(icmp) if icmp.slice()[..2] == [3, 13] => "prohibited",
        TransportSlice::Icmpv6(icmp) if icmp.slice()[..2] == [1, 1] => "prohibited",
        TransportSlice::Tcp(tcp) if tcp.rst() && tcp.ack() => "reset",
        other => panic!("{other:?}"),
    };
    (source, destination, what)
}

#[test]
fn each_rejected_frame_is_answered_where_it_came_from_in_its_order() {
    let mut up = Vec::new();
    for (number, syn) in (0..).zip(syns(500)) {
        up.push(syn);
        up.push(probe(HOME[0], PEER[0], [20_000 + number, 587], "S"));
    }
    for (reject, what) in [("icmp", "prohibited"), ("rst", "reset")] {
        let (done, sent) = Run::of(reject, &up).go();
        assert_eq!((done.balance.discarded, done.balance.generated), (500, 500));
        assert_eq!(done.balance.transmitted, 1_000);
        let found: Vec<_> = sent.iter().map(|reply| read(reply)).collect();
        let from = if reject == "icmp" { REPLY_SOURCE } else { PEER };
        let expected = (0..500).map(|number| {
            let family = number % 2;
            (from[family].to_owned(), HOME[family].to_owned(), what)
        });
        assert!(found.into_iter().eq(expected), "{reject}");
    }
}

/// Nobody is told about the mirror of a rule, and nothing goes toward the network.
#[test]
fn the_return_path_is_silent() {
    let down: Vec<_> = (0..2)
        .flat_map(|family| {
            ["SA", "S"].map(|flags| probe(PEER[family], HOME[family], [25, 40_000], flags))
        })
        .collect();
    let run = Run {
        down: &down,
        ..Run::of("rst", &[])
    };
    let (done, sent) = run.go();
    assert_eq!((done.balance.discarded, sent.len()), (4, 0));
    assert_eq!(done.replies, Replies::default());
}

/// The next token comes in a minute: none does within the test.
#[test]
fn what_is_above_the_rate_is_discarded_without_a_reply() {
    let up = syns(1_000);
    for (burst, share) in [(6_000, 100), (100, 1), (0, 0)] {
        let run = Run {
            rate: ReplyRate {
                per_second: 1,
                burst,
            },
            workers: 60,
            ..Run::of("icmp", &up)
        };
        let (done, sent) = run.go();
        let expected = Replies {
            generated: share,
            withheld: 1_000 - share,
            impossible: 0,
        };
        assert_eq!(done.replies, expected);
        assert_eq!((sent.len() as u64, done.balance.discarded), (share, 1_000));
    }
}

#[test]
fn a_full_ring_and_an_empty_pool_are_accounted_for() {
    let up = syns(640);
    let run = Run {
        ring: 10,
        link: 0,
        ..Run::of("rst", &up)
    };
    let (done, sent) = run.go();
    // Ten stand in the ring; of each burst, all others are refused.
    assert_eq!(sent.len(), 10);
    assert_eq!((done.balance.held, done.balance.transmitted), (10, 0));
    assert_eq!(done.tx_full.frames, done.replies.generated - 10);
    assert_eq!(done.replies.generated + done.replies.withheld, 640);

    let run = Run {
        spares: 3,
        ring: 100,
        link: 0,
        ..Run::of("rst", &up)
    };
    let (done, sent) = run.go();
    assert_eq!((sent.len(), done.tx_full.frames), (3, 0));
    assert_eq!((done.replies.generated, done.replies.withheld), (3, 637));
}

#[test]
fn what_cannot_be_answered_is_counted() {
    let mut up = syns(10);
    for frame in &mut up[..6] {
        frame[6] |= 1;
    }
    up.push(probe(HOME[0], PEER[0], [40_000, 25], "SR"));
    let (done, sent) = Run::of("icmp", &up).go();
    assert_eq!((sent.len(), done.balance.discarded), (4, 11));
    let expected = Replies {
        generated: 4,
        withheld: 0,
        impossible: 7,
    };
    assert_eq!(done.replies, expected);
}
