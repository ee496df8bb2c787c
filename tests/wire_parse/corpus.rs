//! The seeds of the fuzz target `parse`: readable frames, kept in `fuzz/corpus/parse`.

use crate::closed::parse;
use crate::frames::*;
use sekisho::wire::{LinkType, Shape};
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", "parse"]
        .iter()
        .collect()
}

/// The first two octets are the link type's number.
fn seed(link_type: LinkType, frame: Vec<u8>) -> Vec<u8> {
    [link_type.0.to_be_bytes().to_vec(), frame].concat()
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let others = [other_seeds(), capture_seeds(), local_seeds()].concat();
    ethernet_seeds().into_iter().chain(others).collect()
}

fn ethernet_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let v4 = || V4::tcp().over(syn25());
    let v6 = || V6::tcp().over(syn25());
    let first = fragment(AH, 0, true, {
        authentication(DESTINATION, 4, extension(TCP, 0, syn25()))
    });
    let chain = extension(ROUTING, 0, extension(FRAGMENT, 1, first));
    let options = V4::tcp().options(8).fragment(1, true).over(syn25());
    let authenticated = V4::of(AH).over(authentication(TCP, 4, syn25()));
    let sessions = tag(0x8100, tag(0x8864, pppoe(ppp(0x0021, v4()))));
    let frames = [
        ("ethernet-ipv4-tcp", ethernet(IP4, v4())),
        ("ethernet-ipv6-tcp", ethernet(IP6, v6())),
        (
            "ethernet-ipv4-udp",
            ethernet(IP4, V4::of(UDP).over(datagram())),
        ),
        ("one-tag", ethernet(0x8100, tag(IP6, v6()))),
        ("two-tags-pppoe", ethernet(0x88a8, sessions)),
        ("llc-snap", ethernet(48, llc_snap(IP4, v4()))),
        (
            "backbone-tag",
            ethernet(
                0x88e7,
                [vec![0; 4], ethernet(0x8100, tag(IP4, v4()))].concat(),
            ),
        ),
        ("mpls-two-labels", ethernet(0x8847, mpls(2, v6()))),
        (
            "ipv6-extension-headers",
            ethernet(IP6, V6::of(HOP_BY_HOP).over(chain)),
        ),
        ("ipv4-options-fragment", ethernet(IP4, options)),
        ("ipv4-authentication", ethernet(IP4, authenticated)),
    ];
    frames
        .map(|(name, frame)| (name, seed(LinkType::ETHERNET, frame)))
        .to_vec()
}

fn other_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let v4 = || V4::tcp().over(syn25());
    let v6 = || V6::tcp().over(syn25());
    let behind = |octets: &[u8], ip: Vec<u8>| [octets, &ip].concat();
    vec![
        ("raw", seed(LinkType::RAW, v4())),
        ("raw-bsd", seed(LinkType::RAW_BSD, v4())),
        ("raw-openbsd", seed(LinkType::RAW_OPENBSD, v6())),
        ("raw-ipv4", seed(LinkType::IPV4, v4())),
        ("raw-ipv6", seed(LinkType::IPV6, v6())),
        (
            "loopback-openbsd",
            seed(LinkType::LOOP, behind(&[0, 0, 0, 24], v6())),
        ),
        ("ppp-hdlc", seed(LinkType::PPP_HDLC, ppp(0x0057, v6()))),
        (
            "loopback",
            seed(LinkType::NULL, behind(&[30, 0, 0, 0], v6())),
        ),
        ("ppp", seed(LinkType::PPP, behind(&[0xff, 3, 0x21], v4()))),
        (
            "cisco-hdlc",
            seed(LinkType::CISCO_HDLC, cisco_hdlc(IP6, v6())),
        ),
        (
            "cooked-v1-tag",
            seed(LinkType::LINUX_SLL, sll(1, 0x8100, tag(IP4, v4()))),
        ),
        ("cooked-v2", seed(LinkType::LINUX_SLL2, sll2(1, IP6, v6()))),
    ]
}

/// One of each link type that ports do not have: the header, and what it announces.
fn capture_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let v4 = || V4::tcp().over(syn25());
    let v6 = || V6::tcp().over(syn25());
    let with = |link_type, parts: &[&[u8]]| seed(link_type, parts.concat());
    let data = [&[0x88, 0x83, 0, 0][..], &[2; 18], &[0; 2], &[2; 6], &[0; 6]].concat();
    let (data, snap) = (data.as_slice(), llc_snap(IP4, v4()));
    let radiotap = [0, 0, 17, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20];
    let ppi = [0, 0, 8, 0, 1, 0, 0, 0];
    let pktap = [12, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0];
    let juniper = [b'M', b'G', b'C', 0x80, 0, 4, 1, 2, 0, 0];
    let nflog = [2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 44, 0, 9, 0];
    let avs = [0x80, 0x21, 0x10, 1, 0, 0, 0, 8];
    vec![
        ("wireless", with(LinkType::IEEE802_11, &[data, &snap])),
        (
            "radiotap",
            with(LinkType::RADIOTAP, &[&radiotap, data, &snap]),
        ),
        ("avs", with(LinkType::AVS, &[&avs, data, &snap])),
        ("prism", with(LinkType::PRISM, &[&[0; 144], data, &snap])),
        ("ppi", with(LinkType::PPI, &[&ppi, &ethernet(IP6, v6())])),
        ("pktap", with(LinkType::PKTAP, &[&pktap, &v4()])),
        (
            "juniper",
            with(
                LinkType::JUNIPER_ETHERNET,
                &[&juniper, &ethernet(IP4, v4())],
            ),
        ),
        ("netfilter-log", with(LinkType::NFLOG, &[&nflog, &v4()])),
    ]
}

/// Of other local networks, and of Ethernet that a switch marked.
fn local_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let v4 = || V4::tcp().over(syn25());
    let v6 = || V6::tcp().over(syn25());
    let with = |link_type, parts: &[&[u8]]| seed(link_type, parts.concat());
    let snap = llc_snap(IP4, v4());
    vec![
        (
            "token-ring",
            with(
                LinkType::TOKEN_RING,
                &[&[0x10, 0x40], &[0x82; 12], &[2, 0], &snap],
            ),
        ),
        ("fddi", with(LinkType::FDDI, &[&[0x50; 13], &snap])),
        (
            "arcnet",
            with(
                LinkType::ARCNET_LINUX,
                &[&[1, 2, 0, 0, 212, 0, 0, 1], &v4()],
            ),
        ),
        (
            "frame-relay",
            with(LinkType::FRAME_RELAY, &[&[0x18, 0x41, 3, 0x8e], &v6()]),
        ),
        (
            "infiniband",
            with(LinkType::IPOIB, &[&[0; 40], &[8, 0, 0, 0], &v4()]),
        ),
        (
            "switch-tag-broadcom",
            with(
                LinkType::DSA_BROADCOM,
                &[&[2; 12], &[0; 4], &[0x86, 0xdd], &v6()],
            ),
        ),
        (
            "switch-tag-marvell",
            with(
                LinkType::DSA_MARVELL,
                &[&[2; 12], &[0xc0, 0x10, 5, 0x39], &[8, 0], &v4()],
            ),
        ),
        (
            "switch-tag-with-type",
            with(
                LinkType::EDSA_MARVELL,
                &[&[2; 12], &[0xda, 0xda, 0, 0, 0, 0, 0, 0], &[8, 0], &v4()],
            ),
        ),
    ]
}

/// Every link type that is read has a seed, and its seed shows a packet.
#[test]
fn the_seeds_reach_every_link_type() {
    let seen = |link_type: LinkType| {
        seeds().iter().any(|(_, octets)| {
            let (number, frame) = octets.split_at(2);
            number == link_type.0.to_be_bytes() && parse(frame, link_type).shape == Shape::Tcp
        })
    };
    for (link_type, name) in LinkType::READ {
        assert!(seen(link_type), "{name}");
    }
}

/// `SEKISHO_BLESS=1 cargo test --test wire_parse` writes them anew.
#[test]
fn the_seeds_are_these_frames() {
    for (name, octets) in seeds() {
        let path = folder().join(name);
        if std::env::var_os("SEKISHO_BLESS").is_some() {
            fs::write(&path, &octets).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap(), octets, "{name} is stale");
    }
}
