//! IPv6 prefix tables against a scan of the whole list.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use proptest::prelude::*;
use sekisho::lpm::{Ipv6Table, TooLarge};

fn address(text: &str) -> u128 {
    text.parse::<Ipv6Addr>().unwrap().into()
}

fn net(address: u128, length: u8) -> Ipv6Net {
    Ipv6Net::new(address.into(), length).unwrap().trunc()
}

/// The longest prefix that holds the address; of equal ones, the last.
fn scan(prefixes: &[(Ipv6Net, u8)], address: u128) -> u8 {
    let holding = prefixes
        .iter()
        .filter(|(net, _)| net.contains(&Ipv6Addr::from(address)));
    let longest = holding.max_by_key(|(net, _)| net.prefix_len());
    longest.map_or(0, |&(_, value)| value)
}

/// First and last address of every prefix, the neighbours of both, and the first address with one
/// bit changed.
fn edges(prefixes: &[(Ipv6Net, u8)]) -> impl Iterator<Item = u128> {
    prefixes.iter().enumerate().flat_map(|(index, (net, _))| {
        let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
        let one_bit = first ^ 1 << (index * 37 % 128);
        [
            first,
            last,
            first.wrapping_sub(1),
            last.wrapping_add(1),
            one_bit,
        ]
    })
}

fn assert_equals_scan(prefixes: &[(Ipv6Net, u8)], others: &[u128]) {
    let table = Ipv6Table::build(prefixes, u64::MAX).unwrap();
    for address in edges(prefixes).chain(others.iter().copied()) {
        let shown = Ipv6Addr::from(address);
        assert_eq!(
            table.lookup(address),
            scan(prefixes, address),
            "{shown} in {prefixes:?}"
        );
    }
}

/// Prefixes that often nest, touch and repeat: few different bytes, every length.
fn prefixes() -> impl Strategy<Value = Vec<(Ipv6Net, u8)>> {
    let byte = prop_oneof![6 => Just(0_u8), 3 => Just(255), 1 => any::<u8>()];
    let one = (prop::array::uniform16(byte), 0..=128_u8, any::<u8>())
        .prop_map(|(bytes, length, value)| (net(u128::from_be_bytes(bytes), length), value));
    prop::collection::vec(one, 0..40)
}

/// Lengths around those at which the table changes its structure.
fn prefixes_at_seams() -> impl Strategy<Value = Vec<(Ipv6Net, u8)>> {
    let length = prop::sample::select(vec![
        16, 17, 24, 32, 39, 40, 41, 47, 48, 56, 63, 64, 65, 66, 127, 128,
    ]);
    let one = (0..4_u128, 0..4_u128, 0..4_u128, length, any::<u8>()).prop_map(
        |(high, middle, low, length, value)| {
            let address = 0x2001 << 112 | high << 86 | middle << 63 | low;
            (net(address, length), value)
        },
    );
    prop::collection::vec(one, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_address_takes_the_value_of_its_longest_prefix(
        prefixes in prefixes(),
        others in prop::collection::vec(any::<u128>(), 20),
    ) {
        assert_equals_scan(&prefixes, &others);
    }

    #[test]
    fn so_it_does_where_structures_meet(prefixes in prefixes_at_seams()) {
        assert_equals_scan(&prefixes, &[]);
    }

    #[test]
    fn the_bytes_told_beforehand_are_the_bytes_taken(prefixes in prefixes()) {
        let needed_bytes = Ipv6Table::needed_bytes(&prefixes);
        let table = Ipv6Table::build(&prefixes, needed_bytes).unwrap();
        prop_assert_eq!(table.memory_bytes(), needed_bytes);
        let limit_bytes = needed_bytes - 1;
        prop_assert_eq!(
            Ipv6Table::build(&prefixes, limit_bytes).unwrap_err(),
            TooLarge { needed_bytes, limit_bytes }
        );
    }
}

#[test]
fn an_empty_table_matches_nothing() {
    assert_equals_scan(&[], &[0, 1, address("2001:db8::1"), u128::MAX]);
}

#[test]
fn every_length_alone_and_all_nested() {
    let highest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    for corner in ["::", highest, "2001:db8:55aa:1234:89ab:cdef:5a5a:77"] {
        let nested: Vec<_> = (0..=128)
            .map(|length| (net(address(corner), length), length + 1))
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
fn no_key_answers_for_one_that_differs_in_one_bit() {
    for length in [41, 48, 56, 60, 64, 65, 96, 127, 128] {
        let key = address("2001:db8:1234:5678:9abc:def0:1357:9bdf");
        let table = Ipv6Table::build(&[(net(key, length), 5)], u64::MAX).unwrap();
        for bit in 0..128 {
            let expected = if bit < 128 - u32::from(length) { 5 } else { 0 };
            assert_eq!(
                table.lookup(key ^ 1 << bit),
                expected,
                "/{length}, bit {bit}"
            );
        }
    }
}

#[test]
fn a_delegated_pool_is_told_from_its_neighbours_to_the_last_bit() {
    // Every other /56 of 8,192: each one's neighbour, one bit away, is not in the table.
    let pool = address("2001:db8::");
    let prefixes: Vec<_> = (0..4_096)
        .map(|index| (net(pool | index << 73, 56), (index % 255) as u8 + 1))
        .collect();
    let table = Ipv6Table::build(&prefixes, u64::MAX).unwrap();
    for index in 0..4_096_u128 {
        let first = pool | index << 73;
        let last = first | ((1 << 72) - 1);
        assert_eq!(u128::from(table.lookup(first)), index % 255 + 1);
        assert_eq!(u128::from(table.lookup(last)), index % 255 + 1);
        assert_eq!(table.lookup(last + 1), 0);
        for bit in 86..128 {
            assert_eq!(table.lookup(first ^ 1 << bit), 0, "/56 {index}, bit {bit}");
        }
    }
}

#[test]
fn hosts_of_many_subnets_and_many_hosts_of_one() {
    let one_subnet = (0..600).map(|host| address("2001:db8::") | (host * 3));
    let subnets = (0..600_u128).map(|subnet| address("2001:db8:1::") | subnet << 64 | 25);
    let prefixes: Vec<_> = one_subnet
        .chain(subnets)
        .enumerate()
        .map(|(index, host)| (net(host, 128), (index % 255) as u8 + 1))
        .chain([(net(address("2001:db8::"), 32), 200)])
        .collect();
    assert_equals_scan(&prefixes, &[]);
}

#[test]
fn the_last_of_equal_prefixes_counts_and_value_0_is_a_hole() {
    for (around, hole, inside) in [(20, 36, 40), (40, 48, 56), (56, 64, 128), (64, 96, 128)] {
        let at = address("2001:db8:0:f000::");
        let prefixes = [
            (net(at, around), 9),
            (net(at, hole), 0),
            (net(at, inside), 4),
            (net(at, around), 7),
        ];
        let table = Ipv6Table::build(&prefixes, u64::MAX).unwrap();
        let last_of = |length: u8| u128::from(net(at, length).broadcast());
        assert_eq!(table.lookup(at), 4);
        assert_eq!(table.lookup(last_of(hole)), 0, "/{hole} in /{around}");
        assert_eq!(table.lookup(last_of(around)), 7, "/{hole} in /{around}");
    }
}

#[test]
fn lengths_that_would_expand_beyond_the_limit_are_refused() {
    // Five lengths, one too many: the 20,000 /41s become 32 times as many /46s, of 8 bytes each.
    let prefixes: Vec<_> = [41, 46, 52, 58, 64]
        .into_iter()
        .zip(1_u128..)
        .flat_map(|(length, region)| {
            let at = move |index: u128| region << 124 | index << (128 - length);
            (0..20_000).map(move |index| (net(at(index), length), 1))
        })
        .collect();
    let refused = Ipv6Table::build(&prefixes, 4 << 20).unwrap_err();
    assert_eq!(refused.needed_bytes, Ipv6Table::needed_bytes(&prefixes));
    assert!(refused.needed_bytes > 20_000 * 32 * 8);
}
