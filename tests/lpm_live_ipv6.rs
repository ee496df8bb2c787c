//! IPv6 tables that are changed, against a map that is scanned.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use proptest::prelude::*;
use sekisho::lpm::{Headroom, Ipv6Table, Ipv6Writer, Part, Readers, Refused};

type Model = BTreeMap<Ipv6Net, u8>;

const SPARE: Headroom = Headroom {
    inner_pages: 80,
    leaf_pages: 80,
    keys: 2_000,
};

fn net(address: u128, length: u8) -> Ipv6Net {
    Ipv6Net::new(address.into(), length).unwrap().trunc()
}

fn parsed(text: &str) -> Ipv6Net {
    text.parse().unwrap()
}

fn address(text: &str) -> u128 {
    text.parse::<Ipv6Addr>().unwrap().into()
}

/// The value of the longest prefix that holds the address.
fn scan(model: &Model, address: u128) -> u8 {
    let holding = model
        .iter()
        .filter(|(net, _)| net.contains(&Ipv6Addr::from(address)));
    let longest = holding.max_by_key(|(net, _)| net.prefix_len());
    longest.map_or(0, |(_, value)| *value)
}

/// First and last address of a prefix, their neighbours, and the first address with a bit changed.
fn edges(net: Ipv6Net) -> [u128; 5] {
    let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
    let one_bit = first ^ 1 << (127 - u32::from(net.prefix_len()) % 128);
    [
        first,
        last,
        first.wrapping_sub(1),
        last.wrapping_add(1),
        one_bit,
    ]
}

/// What a table is built with, so that there are exact tables of /48, /56 and /64, each with
/// some prefixes of other lengths expanded into it, and hosts.
fn built() -> Model {
    let lengths = [20, 32, 40, 44, 48, 52, 56, 60, 64, 65, 128];
    let nets = (0..66_u128).map(|index| {
        let length = lengths[index as usize % lengths.len()];
        let address = 0x2001 << 112 | (index % 4) << 86 | (index % 7) << 70 | (index % 3) << 66;
        (net(address, length), index as u8 | 1)
    });
    nets.collect()
}

/// A change: the prefix, and its value or that it is removed.
type Change = (Ipv6Net, Option<u8>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let length = prop::sample::select(vec![
        16, 20, 24, 32, 33, 40, 41, 43, 44, 48, 50, 52, 56, 60, 63, 64,
    ]);
    let value = prop::option::weighted(0.65, 0..9_u8);
    let one = (0..4_u128, 0..8_u128, 0..4_u128, length, value).prop_map(
        |(high, middle, low, length, value)| {
            let address = 0x2001 << 112 | high << 86 | middle << 70 | low << 66;
            (net(address, length), value)
        },
    );
    prop::collection::vec(one, 1..80)
}

/// Applies a change to both, unless the table says that it must be rebuilt.
fn apply(writer: &mut Ipv6Writer, model: &mut Model, (net, value): Change) {
    match value {
        None => assert_eq!(writer.remove(net).unwrap(), model.remove(&net)),
        Some(value) => match writer.insert(net, value) {
            Ok(before) => assert_eq!(before, model.insert(net, value)),
            Err(refused) => panic!("{net}: {refused}"),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_every_change_every_address_takes_the_value_of_its_longest_prefix(changes in changes()) {
        let readers = Readers::new();
        let mut model = built();
        let prefixes: Vec<_> = model.clone().into_iter().collect();
        let mut writer = Ipv6Writer::build(&prefixes, SPARE, &readers, u64::MAX).unwrap();
        let mut asked: Vec<_> = prefixes.iter().flat_map(|(net, _)| edges(*net)).collect();
        for change in changes {
            asked.extend(edges(change.0));
            apply(&mut writer, &mut model, change);
            for &address in &asked {
                prop_assert_eq!(writer.table().lookup(address), scan(&model, address),
                    "{} after {:?}", Ipv6Addr::from(address), change);
            }
        }
        prop_assert_eq!(writer.prefixes().into_iter().collect::<Model>(), model.clone());
        writer.rebuild(&[], Headroom::default(), u64::MAX).unwrap();
        for &address in &asked {
            prop_assert_eq!(writer.table().lookup(address), scan(&model, address));
        }
    }
}

/// Strewn /56s of which each has a value of its own, number by number.
fn subscriber(index: u64) -> (Ipv6Net, u8) {
    let high = 0x2400 << 48 | index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
    (net(u128::from(high) << 64, 56), (index % 255) as u8 + 1)
}

#[test]
fn a_table_that_is_filled_to_its_headroom_holds_all_keys_and_no_other() {
    let readers = Readers::new();
    let first: Vec<_> = (0..4_000).map(subscriber).collect();
    let spare = Headroom {
        keys: 12_000,
        ..Headroom::default()
    };
    let mut writer = Ipv6Writer::build(&first, spare, &readers, u64::MAX).unwrap();
    let mut reader = readers.register();
    for (net, value) in (4_000..16_000).map(subscriber) {
        // A few have to wait until the reader has left a slot.
        while let Err(refused) = writer.insert(net, value) {
            assert!(
                matches!(refused, Refused::Waiting { readers: 1, .. }),
                "{refused}"
            );
            reader.announce();
        }
    }
    let all: Vec<_> = (0..16_000).map(subscriber).collect();
    let anew = Ipv6Table::build(&all, u64::MAX).unwrap();
    for &(net, value) in &all {
        let address = u128::from(net.network());
        assert_eq!(writer.table().lookup(address), value);
        for bit in [72, 73, 90, 100, 119] {
            let beside = address ^ 1 << bit;
            assert_eq!(writer.table().lookup(beside), anew.lookup(beside));
        }
    }
    for &(net, value) in all.iter().step_by(2) {
        assert_eq!(writer.remove(net), Ok(Some(value)));
    }
    reader.announce();
    assert_eq!(writer.reclaim(), 0);
    for (index, (net, value)) in all.iter().enumerate() {
        let value = if index % 2 == 0 { 0 } else { *value };
        assert_eq!(writer.table().lookup(net.network().into()), value);
    }
}

#[test]
fn a_full_table_says_that_it_must_be_rebuilt_and_is_as_it_was() {
    let readers = Readers::new();
    let first: Vec<_> = (0..3_000).map(subscriber).collect();
    let mut writer = Ipv6Writer::build(&first, Headroom::default(), &readers, u64::MAX).unwrap();
    let refused = (3_000..9_000).map(subscriber).find_map(|(net, value)| {
        let refused = writer.insert(net, value).err()?;
        Some((net, value, refused))
    });
    let (refused, value, why) = refused.unwrap();
    assert_eq!(why, Refused::Rebuild(Part::Keys(56)));
    let before = writer.prefixes();
    assert!(!before.iter().any(|(net, _)| *net == refused));
    for (net, value) in before {
        assert_eq!(writer.table().lookup(net.network().into()), value);
    }
    writer
        .rebuild(&[(refused, Some(value))], SPARE, u64::MAX)
        .unwrap();
    assert_eq!(writer.table().lookup(refused.network().into()), value);
}

#[test]
fn an_expansion_that_is_refused_half_way_is_taken_back() {
    let readers = Readers::new();
    let first: Vec<_> = (0..3_000).map(subscriber).collect();
    let mut writer = Ipv6Writer::build(&first, Headroom::default(), &readers, u64::MAX).unwrap();
    // 4,096 slots, of which 3,000 are taken; a /45 is 2,048 keys.
    let wide = parsed("2001:db8::/45");
    assert_eq!(
        writer.insert(wide, 9),
        Err(Refused::Rebuild(Part::Keys(56)))
    );
    for index in 0..2_048_u128 {
        let inside = address("2001:db8::") | index << 72;
        assert_eq!(writer.table().lookup(inside), 0);
    }
    assert_eq!(writer.prefixes().len(), 3_000);
}

#[test]
fn what_has_no_place_is_refused_by_name() {
    let readers = Readers::new();
    let first = [(parsed("2001:db8::/56"), 1), (parsed("2001:db8::1/128"), 2)];
    let mut writer = Ipv6Writer::build(&first, SPARE, &readers, u64::MAX).unwrap();
    let longer = Refused::Rebuild(Part::Length(60));
    assert_eq!(writer.insert(parsed("2001:db8::/60"), 3), Err(longer));
    assert_eq!(
        longer.to_string(),
        "the table must be rebuilt: it has no place for prefixes of /60"
    );
    let hosts = Refused::Rebuild(Part::Hosts);
    assert_eq!(writer.insert(parsed("2001:db8::2/128"), 3), Err(hosts));
    assert_eq!(writer.remove(parsed("2001:db8::1/128")), Err(hosts));
    assert_eq!(writer.remove(parsed("2001:db8::2/128")), Ok(None));
    assert_eq!(writer.insert(parsed("2001:db8:0:10::/48"), 3), Ok(None));
    assert_eq!(writer.table().lookup(address("2001:db8::1")), 2);
    assert_eq!(writer.table().lookup(address("2001:db8::2")), 1);
    assert_eq!(writer.table().lookup(address("2001:db8:0:ff00::")), 3);
}

#[test]
fn a_million_56s_take_less_than_32_mib_with_their_headroom() {
    // Told beforehand; the bytes told are the bytes taken (see above, and `lpm_ipv6`).
    let million: Vec<_> = (0..1_000_000).map(subscriber).collect();
    let spare = Headroom {
        inner_pages: 256,
        leaf_pages: 256,
        keys: 250_000,
    };
    assert!(Ipv6Writer::needed_bytes(&million, spare) <= 32 << 20);
}
