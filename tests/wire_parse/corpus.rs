//! The fuzz target's corpus, on stable: its seeds are readable frames, kept in `fuzz/corpus/parse`.

use crate::check_parse::check;
use crate::frames::*;
use sekisho::wire::LinkType;
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", "parse"]
        .iter()
        .collect()
}

/// The first two octets choose a link type by its place in `LinkType::READ`.
fn seed(link_type: LinkType, frame: Vec<u8>) -> Vec<u8> {
    let slot = LinkType::READ
        .iter()
        .position(|(read, _)| *read == link_type)
        .unwrap();
    [(slot as u16).to_be_bytes().to_vec(), frame].concat()
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    ethernet_seeds().into_iter().chain(other_seeds()).collect()
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

/// Whatever lies in the corpus, found by the fuzzer or written here, passes the fuzzer's check.
#[test]
fn the_corpus_passes() {
    let files: Vec<_> = fs::read_dir(folder()).unwrap().collect();
    assert!(files.len() >= seeds().len());
    for file in files {
        check(&fs::read(file.unwrap().path()).unwrap());
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
