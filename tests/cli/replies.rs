//! `replay --replies`: what the senders of rejected frames would have been told.

use crate::capture::{ETHERNET, RAW, frames, pcap, raw_syn, syn};
use crate::program::{Folder, sekisho};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use std::fs;

const HOME: [u8; 4] = [198, 51, 100, 9];
const OFFICE: [u8; 4] = [198, 51, 100, 200];
const PEER: [u8; 4] = [203, 0, 113, 25];
const REPLY_SOURCE: [u8; 4] = [192, 0, 2, 254];

const POLICY: &str = "\
isp: example-net
time_zone: Asia/Tokyo
reply-source: { ipv4: 192.0.2.254, ipv6: \"2001:db8:25::fe\" }
plans:
  home: { kind: dynamic }
  office: { kind: fixed }
subscribers:
  - { plan: home, prefixes: [198.51.100.0/25] }
  - { plan: office, prefixes: [198.51.100.128/25] }
rules:
  - { name: op25b, plans: [home], action: { reject: icmp } }
";

/// Replays a capture with all its outputs; gives the text, and the replies' file.
fn replay(folder: &Folder, input: &[u8], more: &[&str]) -> (String, Vec<u8>) {
    let (policy, input) = (folder.file("p.yaml", POLICY), folder.file("in.pcap", input));
    let replies = folder.arg("replies.pcap");
    let mut args = vec!["replay", "--policy", &policy, "--replies", &replies, &input];
    args.extend(more);
    let run = sekisho(&args).good();
    (run, fs::read(&replies).unwrap())
}

/// Seconds and microseconds of the records of a little-endian pcap.
fn times(pcap: &[u8]) -> Vec<[u32; 2]> {
    let mut times = Vec::new();
    let mut rest = &pcap[24..];
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        times.push([word(0), word(4)]);
        rest = &rest[16 + word(8) as usize..];
    }
    times
}

#[test]
fn each_rejected_frame_has_its_reply_at_its_own_time() {
    let folder = Folder::new();
    let mut from_group = syn(HOME, PEER);
    from_group[6] |= 1;
    let records = [
        (1_700_000_000, syn(HOME, PEER)),
        (1_700_000_007, syn(OFFICE, PEER)),
        (1_700_000_009, from_group),
        (1_700_000_100, syn(HOME, PEER)),
    ];
    let dropped = folder.arg("dropped.pcap");
    let (text, replies) = replay(&folder, &pcap(ETHERNET, &records), &["--dropped", &dropped]);
    assert!(
        text.contains("\nreplies   2 generated, 1 rejected frames without\n"),
        "{text}"
    );
    assert!(
        text.contains("\nbalance   rx 4 = forward 1 + drop 0 + reject 3 + "),
        "{text}"
    );
    assert_eq!(frames(&fs::read(dropped).unwrap()).len(), 3);
    assert_eq!(times(&replies), [[1_700_000_000, 0], [1_700_000_100, 0]]);
    for reply in frames(&replies) {
        assert_eq!(reply[..12], [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        let sliced = SlicedPacket::from_ethernet(reply).unwrap();
        let Some(NetSlice::Ipv4(ip)) = sliced.net else {
            panic!("no IPv4");
        };
        let header = ip.header();
        assert_eq!(
            (header.source(), header.destination()),
            (REPLY_SOURCE, HOME)
        );
        let Some(TransportSlice::Icmpv4(icmp)) = sliced.transport else {
            panic!("no ICMP");
        };
        assert_eq!(icmp.slice()[..2], [3, 13]);
        assert_eq!(icmp.slice()[8..], syn(HOME, PEER)[14..]);
    }
}

/// Without Ethernet there is no way back; a capture of other frames still is one of Ethernet.
#[test]
fn what_cannot_be_answered_is_said() {
    let folder = Folder::new();
    let input = pcap(RAW, &[(1_700_000_000, raw_syn(HOME, PEER))]);
    let (text, replies) = replay(&folder, &input, &["--output", "json"]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!({ "generated": 0, "impossible": 1 });
    assert_eq!(report["replies"], expected);
    assert_eq!(report["balance"]["closes"], true);
    assert_eq!(crate::capture::link_type(&replies), ETHERNET);
    assert!(frames(&replies).is_empty());
}

#[test]
fn replies_are_an_output_of_their_own() {
    let folder = Folder::new();
    let policy = folder.file("p.yaml", POLICY);
    let input = folder.file("in.pcap", pcap(ETHERNET, &[(1, syn(HOME, PEER))]));
    let both = folder.arg("out.pcap");
    for (replies, dropped) in [(&input, &both), (&both, &both)] {
        let args = ["replay", "--policy", &policy, "--replies", replies];
        let run = sekisho(args.iter().chain(&["--dropped", dropped, &input]));
        assert_ne!(run.code, 0, "{}", run.stderr);
    }
    assert_eq!(folder.names(), ["in.pcap", "p.yaml"]);
    let run = sekisho(["replay", "--policy", &policy, &input]).good();
    assert!(!run.contains("replies"), "{run}");
}
