//! IPv4 prefix tables against a scan of the whole list.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use proptest::prelude::*;
use sekisho::lpm::{Ipv4Table, TooLarge};

fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn address(text: &str) -> u32 {
    text.parse::<Ipv4Addr>().unwrap().into()
}

/// The longest prefix that holds the address; of equal ones, the last.
fn scan(prefixes: &[(Ipv4Net, u8)], address: u32) -> u8 {
    let holding = prefixes
        .iter()
        .filter(|(net, _)| net.contains(&Ipv4Addr::from(address)));
    let longest = holding.max_by_key(|(net, _)| net.prefix_len());
    longest.map_or(0, |&(_, value)| value)
}

/// First and last address of every prefix, and the neighbours of both.
fn edges(prefixes: &[(Ipv4Net, u8)]) -> impl Iterator<Item = u32> {
    prefixes.iter().flat_map(|(net, _)| {
        let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
        [
            first,
            last,
            first.wrapping_sub(1),
            last.wrapping_add(1),
            first ^ 1 << 8,
        ]
    })
}

fn assert_equals_scan(prefixes: &[(Ipv4Net, u8)], others: &[u32]) {
    let table = Ipv4Table::build(prefixes, u64::MAX).unwrap();
    for address in edges(prefixes).chain(others.iter().copied()) {
        let shown = Ipv4Addr::from(address);
        assert_eq!(
            table.lookup(address),
            scan(prefixes, address),
            "{shown} in {prefixes:?}"
        );
    }
}

/// Prefixes that often nest, touch and repeat: few different bytes, every length.
fn prefixes() -> impl Strategy<Value = Vec<(Ipv4Net, u8)>> {
    let byte = prop_oneof![3 => 0..2_u8, 2 => 254..=255_u8, 1 => any::<u8>()];
    let one =
        (prop::array::uniform4(byte), 0..=32_u8, any::<u8>()).prop_map(|(bytes, length, value)| {
            (Ipv4Net::new(bytes.into(), length).unwrap().trunc(), value)
        });
    prop::collection::vec(one, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_address_takes_the_value_of_its_longest_prefix(
        prefixes in prefixes(),
        others in prop::collection::vec(any::<u32>(), 20),
    ) {
        assert_equals_scan(&prefixes, &others);
    }

    #[test]
    fn the_bytes_told_beforehand_are_the_bytes_taken(prefixes in prefixes()) {
        let needed_bytes = Ipv4Table::needed_bytes(&prefixes);
        let table = Ipv4Table::build(&prefixes, needed_bytes).unwrap();
        prop_assert_eq!(table.memory_bytes(), needed_bytes);
        let limit_bytes = needed_bytes - 1;
        prop_assert_eq!(
            Ipv4Table::build(&prefixes, limit_bytes).unwrap_err(),
            TooLarge { needed_bytes, limit_bytes }
        );
    }
}

#[test]
fn an_empty_table_matches_nothing() {
    assert_equals_scan(&[], &[0, 1, address("192.0.2.1"), u32::MAX]);
}

#[test]
fn every_length_alone_and_all_nested() {
    for corner in ["0.0.0.0", "255.255.255.255", "198.51.100.77"] {
        let nested: Vec<_> = (0..=32)
            .map(|length| {
                let net = Ipv4Net::new(corner.parse().unwrap(), length).unwrap();
                (net.trunc(), length + 1)
            })
            .collect();
        for &alone in &nested {
            assert_equals_scan(&[alone], &[]);
        }
        assert_equals_scan(&nested, &[]);
        let reversed: Vec<_> = nested.into_iter().rev().collect();
        assert_equals_scan(&reversed, &[]);
    }
}

#[test]
fn adjacent_prefixes_do_not_touch_each_other() {
    let table = Ipv4Table::build(
        &[
            (net("198.51.100.0/25"), 1),
            (net("198.51.100.128/26"), 2),
            (net("198.51.100.192/32"), 3),
        ],
        u64::MAX,
    )
    .unwrap();
    for (text, value) in [
        ("198.51.99.255", 0),
        ("198.51.100.0", 1),
        ("198.51.100.127", 1),
        ("198.51.100.128", 2),
        ("198.51.100.191", 2),
        ("198.51.100.192", 3),
        ("198.51.100.193", 0),
    ] {
        assert_eq!(table.lookup(address(text)), value, "{text}");
    }
}

#[test]
fn the_last_of_equal_prefixes_counts_and_value_0_is_a_hole() {
    let table = Ipv4Table::build(
        &[
            (net("203.0.113.0/24"), 9),
            (net("203.0.113.64/26"), 0),
            (net("203.0.113.65/32"), 4),
            (net("203.0.113.0/24"), 7),
        ],
        u64::MAX,
    )
    .unwrap();
    assert_eq!(table.lookup(address("203.0.113.1")), 7);
    assert_eq!(table.lookup(address("203.0.113.64")), 0);
    assert_eq!(table.lookup(address("203.0.113.65")), 4);
    assert_eq!(table.lookup(address("203.0.113.128")), 7);
}

#[test]
fn a_strewn_table_that_would_be_too_large_says_what_it_needs() {
    // A /31 in each of 65,536 /16s: 576 KiB, then 1 KiB and 256 bytes for each.
    let pair = |block: u16| Ipv4Net::new((u32::from(block) << 16).into(), 31).unwrap();
    let strewn: Vec<_> = (0..=u16::MAX).map(|block| (pair(block), 1)).collect();
    let refused = Ipv4Table::build(&strewn, 64 << 20).unwrap_err();
    assert_eq!(refused.needed_bytes, 576 * 1024 + 65_536 * (1024 + 256));
    assert_eq!(
        refused.to_string(),
        "the table needs 84475904 bytes, the limit is 67108864"
    );
}

/// Single addresses in many /24s stand in a table of their own; what lies around them does not.
#[test]
fn strewn_hosts_are_found_among_other_prefixes() {
    let mut prefixes = vec![(net("10.0.0.0/8"), 1), (net("10.200.0.0/16"), 2)];
    for group in 0..6_000_u32 {
        let base = 0x0A00_0000 | group << 8;
        let host = |low: u32| Ipv4Net::new((base | low).into(), 32).unwrap();
        prefixes.push((host(group % 251), (group % 250) as u8));
        prefixes.push((host(255), 7));
        match group % 5 {
            0 => prefixes.push((Ipv4Net::new(base.into(), 24).unwrap(), 9)),
            1 => prefixes.push((Ipv4Net::new(base.into(), 28).unwrap(), 11)),
            2 => prefixes.extend((100..120).map(|low| (host(low), 13))),
            3 => prefixes.push((host(255), 8)),
            _ => {}
        }
    }
    let table = Ipv4Table::build(&prefixes, u64::MAX).unwrap();
    assert_eq!(table.memory_bytes(), Ipv4Table::needed_bytes(&prefixes));
    let pages = 6_000 * 256;
    assert!(table.memory_bytes() < pages, "{}", table.memory_bytes());
    let addresses: Vec<_> = (0x0A00_0000..0x0A18_0000_u32).step_by(5).collect();
    let mut expected = std::collections::HashMap::new();
    for &(net, value) in prefixes.iter().skip(2) {
        for host in u32::from(net.network())..=u32::from(net.broadcast()) {
            let best = expected.entry(host).or_insert((net.prefix_len(), value));
            if net.prefix_len() >= best.0 {
                *best = (net.prefix_len(), value);
            }
        }
    }
    for address in addresses {
        let found = table.lookup(address);
        let expected = expected.get(&address).map_or(1, |(_, value)| *value);
        assert_eq!(found, expected, "{}", Ipv4Addr::from(address));
    }
    let many: [u32; 64] = std::array::from_fn(|index| 0x0A00_00F8 + index as u32 * 0x0101);
    let mut values = [0; 64];
    table.lookup_each(&many, &mut values);
    assert_eq!(values, many.map(|address| table.lookup(address)));
}
