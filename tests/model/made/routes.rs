//! Source routes, sound and not.

use super::place;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::net::IpAddr;

/// Options of IPv4 in whole words: often none, sometimes such as ask for a route.
pub fn options() -> BoxedStrategy<Vec<u8>> {
    const MOST: usize = 40;
    let option = prop_oneof![
        2 => Just(vec![1]),
        3 => source_route(),
        1 => Just(vec![7, 7, 4, 0, 0, 0, 0]),
        1 => vec(any::<u8>(), 1..8),
        1 => Just(vec![0]),
    ];
    let options = vec(option, 1..4).prop_map(|options| {
        let mut octets = options.concat();
        octets.truncate(MOST);
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets
    });
    let nothing = (1..11_usize).prop_map(|words| vec![1; words * 4]);
    prop_oneof![8 => Just(Vec::new()), 1 => nothing, 3 => options].boxed()
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn addresses(v6: bool, most: usize) -> impl Strategy<Value = Vec<u8>> {
    let address = place(v6).prop_map(|place| octets(place.address()));
    vec(address, 0..=most).prop_map(|addresses| addresses.concat())
}

fn source_route() -> impl Strategy<Value = Vec<u8>> {
    let pointer =
        prop_oneof![6 => Just(4_u8), 3 => (1..5_u8).prop_map(|n| n * 4), 1 => any::<u8>()];
    let off = prop_oneof![8 => Just(0_u8), 1 => Just(1), 1 => any::<u8>()];
    let parts = (select(vec![131_u8, 137]), pointer, addresses(false, 3), off);
    parts.prop_map(|(kind, pointer, addresses, off)| {
        let length = (3 + addresses.len() as u8).wrapping_add(off);
        [&[kind, length, pointer][..], &addresses].concat()
    })
}

/// What stands behind next header and length of a routing header.
pub fn header() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![select(vec![0_u8, 2, 4, 4, 3]), any::<u8>()];
    let left = prop_oneof![6 => 0..4_u8, 1 => any::<u8>()];
    (kind, left, addresses(true, 3)).prop_map(|(kind, left, addresses)| {
        let last = (addresses.len() / 16).saturating_sub(1) as u8;
        [&[kind, left, last, 0, 0, 0][..], &addresses].concat()
    })
}
