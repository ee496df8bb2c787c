//! The whole Internet's prefixes, compared with the crate prefix-trie.
//!
//! The lists lie outside the project; the environment variable `SEKISHO_SHARED` names their folder.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::fmt::Debug;
use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;
use sekisho::lpm::{Ipv4Table, Ipv6Table};

/// Of the full tables' prefixes, how many are asked for at their edges.
const EDGES: usize = 40_000;

#[test]
fn ipv4_tables_agree_with_prefix_trie() {
    for (name, prefixes) in lists::<Ipv4Net>("ipv4") {
        let table = Ipv4Table::build(&prefixes, u64::MAX).unwrap();
        let peer: PrefixMap<Ipv4Net, u8> = prefixes.iter().copied().collect();
        let mut asked = 0;
        let step = prefixes.len() / EDGES + 1;
        let edges = prefixes.iter().step_by(step).flat_map(|(net, _)| {
            let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
        });
        for address in edges.chain((0..100_000_u32).map(|n| n.wrapping_mul(0x9E37_79B9))) {
            let host = Ipv4Net::from(Ipv4Addr::from(address));
            let expected = peer.get_lpm(&host).map_or(0, |(_, value)| *value);
            assert_eq!(table.lookup(address), expected, "{host} in {name}");
            asked += 1;
        }
        eprintln!(
            "{name}: {} prefixes, {asked} addresses compared",
            prefixes.len()
        );
    }
}

#[test]
fn ipv6_tables_agree_with_prefix_trie() {
    for (name, prefixes) in lists::<Ipv6Net>("ipv6") {
        let table = Ipv6Table::build(&prefixes, u64::MAX).unwrap();
        let peer: PrefixMap<Ipv6Net, u8> = prefixes.iter().copied().collect();
        let mut asked = 0;
        let step = prefixes.len() / EDGES + 1;
        let edges = prefixes.iter().step_by(step).flat_map(|(net, _)| {
            let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
        });
        // Random addresses of 2000::/3, where the table is.
        let random = (0..100_000_u128).map(|n| {
            let bits = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
            1 << 125 | bits >> 3
        });
        for address in edges.chain(random) {
            let host = Ipv6Net::from(Ipv6Addr::from(address));
            let expected = peer.get_lpm(&host).map_or(0, |(_, value)| *value);
            assert_eq!(table.lookup(address), expected, "{host} in {name}");
            asked += 1;
        }
        eprintln!(
            "{name}: {} prefixes, {asked} addresses compared",
            prefixes.len()
        );
    }
}

/// The full table and Japan's blocks of one family; the announced prefixes hold both families.
fn lists<Net: FromStr<Err: Debug>>(family: &str) -> Vec<(String, Vec<(Net, u8)>)> {
    let Some(folder) = std::env::var_os("SEKISHO_SHARED") else {
        eprintln!("SEKISHO_SHARED is not set: the real {family} tables are not compared");
        return Vec::new();
    };
    let folder = Path::new(&folder).join("prefixes");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("announced"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.push(folder.join(format!("jp-rir-{family}.txt")));
    files.push(folder.join(format!("rib-full-{family}.txt.gz")));
    let lists = files.into_iter().map(|file| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        (name, prefixes(&text(&file)))
    });
    lists.filter(|(_, prefixes)| !prefixes.is_empty()).collect()
}

/// The lines that are prefixes of this family, numbered 1–255 over and over.
fn prefixes<Net: FromStr<Err: Debug>>(text: &str) -> Vec<(Net, u8)> {
    let nets = text.lines().filter_map(|line| line.trim().parse().ok());
    nets.zip((1..=u8::MAX).cycle()).collect()
}

fn text(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    let mut text = String::new();
    if file.extension().is_some_and(|extension| extension == "gz") {
        let mut decoder = flate2::read::GzDecoder::new(&bytes[..]);
        decoder.read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text
}
