//! IPv4 tables that are changed, against a map that is scanned.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use proptest::prelude::*;
use sekisho::lpm::{Headroom, Ipv4Table, Ipv4Writer, Part, Readers, Refused};

type Model = BTreeMap<Ipv4Net, u8>;

fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn address(text: &str) -> u32 {
    text.parse::<Ipv4Addr>().unwrap().into()
}

fn spare(inner_pages: u32, leaf_pages: u32) -> Headroom {
    Headroom {
        inner_pages,
        leaf_pages,
        keys: 0,
    }
}

/// The value of the longest prefix that holds the address.
fn scan(model: &Model, address: u32) -> u8 {
    let holding = model
        .iter()
        .filter(|(net, _)| net.contains(&Ipv4Addr::from(address)));
    let longest = holding.max_by_key(|(net, _)| net.prefix_len());
    longest.map_or(0, |(_, value)| *value)
}

/// First and last address of every prefix, and the neighbours of both.
fn edges(net: Ipv4Net) -> [u32; 4] {
    let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
    [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Insert(Ipv4Net, u8),
    Remove(Ipv4Net),
}

fn apply(writer: &mut Ipv4Writer, model: &mut Model, change: Change) {
    match change {
        Change::Insert(net, value) => {
            assert_eq!(writer.insert(net, value).unwrap(), model.insert(net, value));
        }
        Change::Remove(net) => assert_eq!(writer.remove(net), model.remove(&net)),
    }
}

/// Prefixes that often nest, touch and repeat, inserted twice as often as removed.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    let byte = prop_oneof![4 => 0..2_u8, 1 => 254..=255_u8];
    let length =
        prop_oneof![2 => 0..=32_u8, 3 => prop::sample::select(vec![8, 16, 17, 24, 25, 32])];
    let one = (prop::array::uniform4(byte), length, 0..5_u8, 0..3_u8).prop_map(
        |(bytes, length, value, kind)| {
            let net = Ipv4Net::new(bytes.into(), length).unwrap().trunc();
            match kind {
                0 => Change::Remove(net),
                _ => Change::Insert(net, value),
            }
        },
    );
    prop::collection::vec(one, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_every_change_every_address_takes_the_value_of_its_longest_prefix(changes in changes()) {
        let readers = Readers::new();
        let mut writer = Ipv4Writer::build(&[], spare(60, 60), &readers, u64::MAX).unwrap();
        let mut model = Model::new();
        let mut asked: Vec<u32> = Vec::new();
        for change in changes {
            let (Change::Insert(net, _) | Change::Remove(net)) = change;
            asked.extend(edges(net));
            apply(&mut writer, &mut model, change);
            for &address in &asked {
                prop_assert_eq!(writer.table().lookup(address), scan(&model, address),
                    "{} after {:?}", Ipv4Addr::from(address), change);
            }
        }
        let kept: Vec<_> = model.into_iter().collect();
        prop_assert_eq!(writer.prefixes().into_iter().collect::<BTreeMap<_, _>>(), kept.iter().copied().collect());
    }

    /// Removing all that was inserted leaves as many spare pages as there were.
    #[test]
    fn no_page_is_lost(changes in changes()) {
        let readers = Readers::new();
        let mut writer = Ipv4Writer::build(&[], spare(60, 60), &readers, u64::MAX).unwrap();
        let mut model = Model::new();
        for change in changes {
            apply(&mut writer, &mut model, change);
        }
        for net in model.into_keys() {
            writer.remove(net).unwrap();
        }
        prop_assert_eq!(writer.reclaim(), 0);
        for block in 0..60_u32 {
            writer.insert(Ipv4Net::from(Ipv4Addr::from(block << 16)), 1).unwrap();
        }
    }
}

#[test]
fn a_table_changed_far_and_wide_equals_one_built_anew() {
    let readers = Readers::new();
    let mut model: Model = (0..2_000_u32)
        .map(|index| {
            (
                Ipv4Addr::from(index.wrapping_mul(0x9E37_79B9)),
                9 + index % 24,
            )
        })
        .map(|(address, length)| (Ipv4Net::new(address, length as u8).unwrap().trunc(), 7))
        .collect();
    let first: Vec<_> = model.iter().map(|(net, value)| (*net, *value)).collect();
    let mut writer = Ipv4Writer::build(&first, spare(2_000, 2_000), &readers, u64::MAX).unwrap();
    for (index, (net, _)) in (0_u32..).zip(&first) {
        let change = match index % 3 {
            0 => Change::Remove(*net),
            1 => Change::Insert(*net, index as u8),
            _ => {
                let host = u32::from(net.network()) ^ index;
                Change::Insert(
                    Ipv4Net::new(host.into(), 20 + (index % 13) as u8)
                        .unwrap()
                        .trunc(),
                    3,
                )
            }
        };
        apply(&mut writer, &mut model, change);
    }
    let last: Vec<_> = model.into_iter().collect();
    let anew = Ipv4Table::build(&last, u64::MAX).unwrap();
    for net in first.iter().chain(&last).map(|(net, _)| *net) {
        for address in edges(net) {
            assert_eq!(writer.table().lookup(address), anew.lookup(address));
        }
    }
    for address in (0..200_000_u32).map(|index| index.wrapping_mul(0x85EB_CA6B)) {
        assert_eq!(writer.table().lookup(address), anew.lookup(address));
    }
}

#[test]
fn a_removed_prefix_uncovers_the_one_around_it_and_spares_the_ones_inside() {
    let readers = Readers::new();
    let around = [
        (net("198.51.0.0/16"), 1),
        (net("198.51.100.0/24"), 2),
        (net("198.51.100.64/26"), 3),
        (net("198.51.100.65/32"), 4),
        (net("198.51.100.128/25"), 5),
    ];
    let mut writer = Ipv4Writer::build(&around, Headroom::default(), &readers, u64::MAX).unwrap();
    let table = writer.table().clone();
    let value = |text: &str| table.lookup(address(text));

    assert_eq!(writer.remove(net("198.51.100.0/24")), Some(2));
    assert_eq!(
        [
            value("198.51.100.1"),
            value("198.51.100.64"),
            value("198.51.100.65")
        ],
        [1, 3, 4]
    );
    assert_eq!(writer.remove(net("198.51.100.64/26")), Some(3));
    assert_eq!(
        [
            value("198.51.100.64"),
            value("198.51.100.65"),
            value("198.51.100.66")
        ],
        [1, 4, 1]
    );
    assert_eq!(writer.remove(net("198.51.0.0/16")), Some(1));
    assert_eq!(
        [
            value("198.51.100.1"),
            value("198.51.100.65"),
            value("198.51.100.200")
        ],
        [0, 4, 5]
    );
    assert_eq!(writer.remove(net("198.51.0.0/16")), None);
}

#[test]
fn host_bits_of_a_prefix_do_not_matter() {
    let readers = Readers::new();
    let mut writer = Ipv4Writer::build(
        &[(net("10.1.2.3/8"), 1)],
        Headroom::default(),
        &readers,
        u64::MAX,
    )
    .unwrap();
    assert_eq!(writer.insert(net("10.9.9.9/8"), 2), Ok(Some(1)));
    assert_eq!(writer.table().lookup(address("10.0.0.0")), 2);
    assert_eq!(writer.remove(net("10.4.4.4/8")), Some(2));
}

#[test]
fn a_table_without_spare_pages_says_that_it_must_be_rebuilt_and_is_as_it_was() {
    let readers = Readers::new();
    let built = [(net("10.0.0.0/8"), 1), (net("10.0.0.1/32"), 2)];
    let mut writer = Ipv4Writer::build(&built, spare(1, 0), &readers, u64::MAX).unwrap();
    let table = writer.table().clone();
    // What needs no page of its own is still possible.
    assert_eq!(writer.insert(net("10.0.0.2/32"), 3), Ok(None));
    assert_eq!(writer.insert(net("10.7.0.0/24"), 3), Ok(None));
    for refused in ["10.0.1.1/32", "10.9.0.0/24"] {
        assert_eq!(
            writer.insert(net(refused), 4),
            Err(Refused::Rebuild(Part::Pages))
        );
        assert_eq!(table.lookup(address("10.0.1.1")), 1);
        assert_eq!(table.lookup(address("10.9.0.0")), 1);
    }
    assert_eq!(writer.prefixes().len(), 4);

    let changes = [(net("10.0.1.1/32"), Some(4)), (net("10.0.0.1/32"), None)];
    writer.rebuild(&changes, spare(1, 1), u64::MAX).unwrap();
    assert_eq!(
        table.lookup(address("10.0.1.1")),
        1,
        "the old table stays as it is"
    );
    assert_eq!(writer.table().lookup(address("10.0.1.1")), 4);
    assert_eq!(writer.table().lookup(address("10.0.0.1")), 1);
    assert_eq!(writer.insert(net("10.9.0.0/24"), 5), Ok(None));
}

#[test]
fn pages_wait_for_a_stalled_reader_and_the_writer_says_so() {
    let readers = Readers::new();
    let mut writer = Ipv4Writer::build(&[], spare(3, 3), &readers, u64::MAX).unwrap();
    let stalled = readers.register();
    let mut awake = readers.register();
    let host = |block: u32| Ipv4Net::from(Ipv4Addr::from(block << 16));
    for block in 0..3 {
        writer.insert(host(block), 1).unwrap();
        writer.remove(host(block)).unwrap();
        awake.announce();
    }
    let waiting = Refused::Waiting {
        waiting: 6,
        readers: 1,
    };
    assert_eq!(writer.insert(host(3), 1), Err(waiting));
    assert_eq!(
        waiting.to_string(),
        "6 retired parts of the table wait for 1 workers to begin a burst"
    );
    assert_eq!(writer.reclaim(), 6);

    let parked = stalled.park();
    assert_eq!(writer.insert(host(3), 1), Ok(None));
    assert_eq!(writer.reclaim(), 0);
    drop(parked.resume());
}

#[test]
fn the_bytes_told_beforehand_hold_the_headroom() {
    let prefixes = [(net("10.0.0.1/32"), 1)];
    let readers = Readers::new();
    let plain = Ipv4Table::needed_bytes(&prefixes);
    let needed = Ipv4Writer::needed_bytes(&prefixes, spare(5, 7));
    assert_eq!(needed, plain + 5 * 1_024 + 7 * 256);
    let writer = Ipv4Writer::build(&prefixes, spare(5, 7), &readers, needed).unwrap();
    assert_eq!(writer.table().memory_bytes(), needed);
    let refused = Ipv4Writer::build(&prefixes, spare(5, 7), &readers, needed - 1).unwrap_err();
    assert_eq!(refused.needed_bytes, needed);
}

#[test]
fn four_million_hosts_of_full_blocks_take_less_than_16_mib_with_their_headroom() {
    let first = address("100.64.0.0");
    let dense: Vec<_> = (first..first + 15_625 * 256)
        .map(|host| (Ipv4Net::from(Ipv4Addr::from(host)), 1))
        .collect();
    assert_eq!(dense.len(), 4_000_000);
    let needed_bytes = Ipv4Writer::needed_bytes(&dense, spare(256, 16_384));
    assert!(needed_bytes <= 16 << 20, "{needed_bytes}");
}
