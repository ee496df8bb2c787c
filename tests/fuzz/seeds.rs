//! The seeds of the targets `stages` and `reply`: readable frames under `config/ip25b.yaml`. Those
//! of `parse` are made in `tests/wire_parse`.

use sekisho::wire::{TcpFlags, tcp_probe};
use std::fs;
use std::net::IpAddr;

/// A subscriber of each plan, somebody unknown, the provider's servers, and a host far away.
const HOME: [&str; 2] = ["198.51.100.10", "2001:db8:6000::10"];
const MOBILE: [&str; 2] = ["198.51.100.130", "2001:db8:6100::10"];
const CAMPUS: [&str; 2] = ["198.51.100.200", "2001:db8:6200::10"];
const OFFICE: [&str; 2] = ["198.51.100.230", "2001:db8:6300::10"];
const STRANGER: [&str; 2] = ["10.9.8.7", "2001:db8:dead::1"];
const SUBMISSION: [&str; 2] = ["192.0.2.132", "2001:db8:ff06:1::587"];
const MX: [&str; 2] = ["192.0.2.136", "2001:db8:ff06:1::25"];
const PEER: [&str; 2] = ["203.0.113.25", "2001:db8:25::25"];

const SYN: u16 = TcpFlags::SYN;
const SYN_ACK: u16 = TcpFlags::SYN | TcpFlags::ACK;

/// A segment over both families.
fn segments(from: [&str; 2], to: [&str; 2], ports: [u16; 2], flags: u16) -> Vec<Vec<u8>> {
    let address = |text: &str| -> IpAddr { text.parse().unwrap() };
    let probe = |family: usize| {
        let (src, dst) = (address(from[family]), address(to[family]));
        tcp_probe(src, dst, ports[0], ports[1], TcpFlags(flags)).unwrap()
    };
    vec![probe(0), probe(1)]
}

/// Behind a tag, two tags, and two tags with a PPPoE session.
fn encapsulated(frame: &[u8]) -> Vec<Vec<u8>> {
    let (addresses, rest) = frame.split_at(12);
    let ip_len = rest.len() as u16 - 2;
    let protocol = if rest[..2] == [8, 0] { 0x21 } else { 0x57 };
    let [high, low] = (ip_len + 2).to_be_bytes();
    let tag = [0x81, 0, 0, 100];
    let session = [0x88, 0x64, 0x11, 0, 0, 7, high, low, 0, protocol];
    vec![
        [addresses, &tag, rest].concat(),
        [addresses, &[0x88, 0xa8, 0, 7], &tag, rest].concat(),
        [addresses, &tag, &tag, &session, &rest[2..]].concat(),
    ]
}

/// As `check_stages` reads them: Ethernet frames that came whole.
fn burst(choice: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    const ETHERNET: u8 = 1;
    let mut input = vec![choice];
    for frame in frames {
        input.extend([frame.len() as u8, 0, ETHERNET]);
        input.extend(frame);
    }
    input
}

fn stages() -> Vec<(&'static str, Vec<u8>)> {
    let customers = [HOME, MOBILE, CAMPUS, OFFICE, STRANGER];
    let of_each = |segments: &dyn Fn([&str; 2]) -> Vec<Vec<u8>>| -> Vec<Vec<u8>> {
        customers
            .iter()
            .flat_map(|customer| segments(*customer))
            .collect()
    };
    let out = of_each(&|customer| segments(customer, PEER, [40_000, 25], SYN));
    let back = of_each(&|customer| segments(PEER, customer, [25, 40_000], SYN_ACK));
    let inbound = of_each(&|customer| segments(PEER, customer, [40_000, 25], SYN));
    let mail = [SUBMISSION, MX].into_iter().flat_map(|host| {
        let from_far = segments(PEER, host, [40_000, 25], SYN);
        let from_home = segments(HOME, host, [40_000, 25], SYN);
        [from_far, from_home].concat()
    });
    let flood = segments(CAMPUS, PEER, [40_000, 25], SYN);
    let flood: Vec<_> = flood.iter().cycle().take(80).cloned().collect();
    let wrapped: Vec<_> = out
        .iter()
        .take(4)
        .flat_map(|frame| encapsulated(frame))
        .collect();
    vec![
        ("every-plan-out", burst(0, &out)),
        ("every-plan-return", burst(0, &back)),
        ("every-plan-inbound", burst(0, &inbound)),
        ("known-sources-only", burst(12, &[out, inbound].concat())),
        ("mail-servers", burst(0, &mail.collect::<Vec<_>>())),
        ("flood-beyond-its-rate", burst(0, &flood)),
        ("tags-and-sessions", burst(0, &wrapped)),
    ]
}

fn reply() -> Vec<(&'static str, Vec<u8>)> {
    let [four, six]: [_; 2] = segments(HOME, PEER, [40_000, 25], SYN).try_into().unwrap();
    let [tag, tags, session]: [_; 3] = encapsulated(&six).try_into().unwrap();
    let [_, _, session_four]: [_; 3] = encapsulated(&four).try_into().unwrap();
    vec![
        ("syn-ipv4", four),
        ("syn-ipv6", six),
        ("tag", tag),
        ("two-tags", tags),
        ("session-ipv6", session),
        ("session-ipv4", session_four),
    ]
}

/// `SEKISHO_BLESS=1 cargo test --test fuzz` writes them anew.
#[test]
fn the_seeds_are_these_frames() {
    for (target, seeds) in [("stages", stages()), ("reply", reply())] {
        for (name, octets) in seeds {
            let path = super::fuzz().join("corpus").join(target).join(name);
            if std::env::var_os("SEKISHO_BLESS").is_some() {
                fs::write(&path, &octets).unwrap();
            }
            assert_eq!(fs::read(&path).unwrap(), octets, "{name} is stale");
        }
    }
}
