//! MAP-E: the port sets and mappings of RFC 7597, and what they say of packets.

use crate::frames::*;
use crate::tunnelled::{IPIP, rule};
use crate::tunnels::{address, between, opening, tunnel};
use sekisho::wire::{
    Family, Identity, InterfaceId, LinkType, MapFault, MapRule, Packet, PortSet, Shape, Subscriber,
    TunnelKind, Unwrap, parse,
};
use std::net::{Ipv4Addr, Ipv6Addr};

fn v6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn v4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// The ports of a set, as runs.
fn runs(set: PortSet) -> Vec<(u16, u16)> {
    let mut runs: Vec<(u16, u16)> = vec![];
    for port in (0..=u16::MAX).filter(|port| set.contains(*port)) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == port => *last = port,
            _ => runs.push((port, port)),
        }
    }
    runs
}

/// RFC 7597, appendix A, example 1: 2001:db8::/40 and 192.0.2.0/24, 16 EA bits, offset 6.
#[test]
fn the_basic_mapping_rule_of_the_rfc() {
    let share = rule().share(v6("2001:db8:12:3400::")).unwrap();
    assert_eq!(share.ipv4, "192.0.2.18/32".parse().unwrap());
    assert_eq!(share.ports.psid, 0x34);
    let runs = runs(share.ports);
    assert_eq!(runs.len(), 63);
    assert_eq!(runs[..2], [(1232, 1235), (2256, 2259)]);
    assert_eq!(runs[61..], [(63696, 63699), (64720, 64723)]);
    for port in [1232, 2259, 64723] {
        let end_user = rule().end_user(v4("192.0.2.18"), Some(port));
        assert_eq!(end_user, Some("2001:db8:12:3400::/56".parse().unwrap()));
    }
    // Example 3, a packet to 192.0.2.18 port 1232, goes to this address.
    let end = v6("2001:db8:12:3400:0:c000:212:34");
    let checked = rule().checking(InterfaceId::Rfc7597);
    assert!(checked.has_interface_id(end, &share));
    assert!(!checked.has_interface_id(v6("2001:db8:12:3400::34"), &share));
    assert!(rule().has_interface_id(v6("2001:db8:12:3400::34"), &share));
}

/// Examples 4 and 5: no EA bits, with an address alone and with PSID 0x20 of 8 bits.
#[test]
fn rules_without_embedded_address_bits() {
    let (ipv6, ipv4) = ("2001:db8:12:3400::/56", "192.0.2.18/32");
    let prefix = ipv6.parse().unwrap();
    let alone = MapRule::new(prefix, ipv4.parse().unwrap(), 0, 6, None).unwrap();
    let share = alone.share(v6("2001:db8:12:3400::1")).unwrap();
    assert_eq!(share.ipv4, ipv4.parse().unwrap());
    assert_eq!(runs(share.ports), [(0, u16::MAX)]);
    assert_eq!(alone.end_user(v4("192.0.2.18"), None), Some(prefix));
    assert_eq!(alone.end_user(v4("192.0.2.19"), None), None);

    let shared = MapRule::of_one(prefix, v4("192.0.2.18"), 6, 8, 0x20).unwrap();
    let share = shared.share(v6("2001:db8:12:3400::1")).unwrap();
    assert_eq!(share.ports.psid, 0x20);
    let ports = runs(share.ports);
    assert_eq!((ports.len(), ports[0]), (63, (1152, 1155)));
    assert_eq!(ports[62], (64640, 64643));
    assert_eq!(shared.end_user(v4("192.0.2.18"), Some(1155)), Some(prefix));
    assert_eq!(shared.end_user(v4("192.0.2.18"), Some(1156)), None);
    assert_eq!(shared.end_user(v4("192.0.2.18"), None), None);
}

/// As v6 Plus has it: offset 4, PSIDs of 8 bits; 15 runs of 16 ports.
#[test]
fn an_offset_of_4_and_a_psid_of_8_bits() {
    let set = |psid| PortSet {
        offset_bits: 4,
        psid_bits: 8,
        psid,
    };
    let first = runs(set(0x34));
    assert_eq!(first.len(), 15);
    assert_eq!(first[0], (0x1340, 0x134f));
    assert_eq!(first[14], (0xf340, 0xf34f));
    assert!(first.iter().all(|(from, to)| to - from == 15));
    // Every port above the first 4096 is one subscriber's.
    for port in 0..=u16::MAX {
        let holders = (0..256).filter(|psid| set(*psid).contains(port)).count();
        assert_eq!(holders, usize::from(port >= 4096), "{port}");
    }
}

/// By the definition, bit for bit, for every offset and length.
#[test]
fn a_psid_is_what_stands_behind_the_offset() {
    for offset in 0..=16_u8 {
        for length in 0..=16 - offset {
            for port in (0..=u16::MAX).step_by(7) {
                let bits = format!("{port:016b}");
                let (before, behind) = bits.split_at(usize::from(offset));
                let psid = &behind[..usize::from(length)];
                let expected = match (length, before.contains('1'), offset) {
                    (0, _, _) => Some(0),
                    (_, true, _) | (_, _, 0) => u16::from_str_radix(psid, 2).ok(),
                    _ => None,
                };
                assert_eq!(PortSet::psid_of(port, offset, length), expected);
            }
        }
    }
}

/// draft-ietf-softwire-map-03 puts an octet of zeros first, and one last.
#[test]
fn the_interface_identifier_of_the_older_draft() {
    let rule = MapRule::new(
        "2001:db8:1200::/40".parse().unwrap(),
        "192.0.2.0/24".parse().unwrap(),
        16,
        4,
        Some(8),
    )
    .unwrap()
    .checking(InterfaceId::Draft03);
    let end = v6("2001:db8:1264:3400:00c0:0002:6400:3400");
    let share = rule.share(end).unwrap();
    assert_eq!(share.ipv4, "192.0.2.100/32".parse().unwrap());
    assert_eq!(share.ports.psid, 0x34);
    assert!(rule.has_interface_id(end, &share));
    assert!(!rule.has_interface_id(v6("2001:db8:1264:3400:0:c000:264:34"), &share));
}

/// An end-user prefix leads to a share, and each of its ports back to the prefix.
#[test]
fn shares_and_end_users_are_each_other_s_inverse() {
    for (ipv6, ipv4, ea_bits, offset) in [
        ("2001:db8::/40", "192.0.2.0/24", 16, 6),
        ("2001:db8::/31", "198.18.0.0/15", 25, 4),
        ("2001:db8::/32", "198.51.100.0/24", 8, 0),
        ("2001:db8::/32", "0.0.0.0/0", 48, 0),
        ("2001:db8::/80", "203.0.113.77/32", 16, 0),
    ] {
        let net = ipv6.parse().unwrap();
        let rule = MapRule::new(net, ipv4.parse().unwrap(), ea_bits, offset, None).unwrap();
        for seed in [0x1234_5678_9abc_u64, 0xffff_ffff_ffff, 1, 0x8000_0000_0000] {
            let ea = u128::from(seed >> (48 - ea_bits));
            let behind = 128 - net.prefix_len() - ea_bits;
            let prefix = Ipv6Addr::from(u128::from(net.network()) | ea << behind);
            let share = rule.share(prefix).unwrap();
            assert_eq!(share.ipv4.prefix_len(), 32);
            let port = (0..=u16::MAX)
                .rev()
                .find(|port| share.ports.contains(*port));
            let end_user = rule.end_user(share.ipv4.addr(), port).unwrap();
            assert_eq!(end_user.network(), prefix, "{ipv6}");
            assert_eq!(end_user.prefix_len(), net.prefix_len() + ea_bits);
        }
    }
    // EA bits that leave a part of the address open give a prefix of addresses.
    let net = "2001:db8::/32".parse().unwrap();
    let rule = MapRule::new(net, "192.0.2.0/24".parse().unwrap(), 4, 6, None).unwrap();
    let share = rule.share(v6("2001:db8:a000::")).unwrap();
    assert_eq!(share.ipv4, "192.0.2.160/28".parse().unwrap());
    let end_user = rule.end_user(v4("192.0.2.175"), None);
    assert_eq!(end_user, Some("2001:db8:a000::/36".parse().unwrap()));
}

#[test]
fn numbers_that_make_no_rule() {
    let rule = |length: u8, ipv4: &str, ea_bits, offset, psid_bits| {
        let ipv6 = format!("2001:db8::/{length}").parse().unwrap();
        MapRule::new(ipv6, ipv4.parse().unwrap(), ea_bits, offset, psid_bits).map(|_| ())
    };
    assert_eq!(rule(40, "192.0.2.0/24", 16, 6, Some(8)), Ok(()));
    let derived = Err(MapFault::PsidLength { derived: 8 });
    assert_eq!(rule(40, "192.0.2.0/24", 16, 6, Some(7)), derived);
    let too_many = Err(MapFault::TooManyPortBits);
    assert_eq!(rule(40, "192.0.2.0/24", 16, 9, None), too_many);
    assert_eq!(rule(40, "192.0.2.0/24", 255, 0, None), too_many);
    assert_eq!(
        rule(120, "192.0.2.0/24", 16, 6, None),
        Err(MapFault::TooLong)
    );
    let of_one = MapRule::of_one("::/0".parse().unwrap(), v4("192.0.2.1"), 4, 8, 256);
    assert_eq!(of_one, Err(MapFault::PsidTooLarge));
}

/// A SYN from this address and port, from the tunnel end of another or the same subscriber.
fn from(end: &str, source: [u8; 4], port: u16) -> Vec<u8> {
    let mut segment = syn25();
    segment[..2].copy_from_slice(&port.to_be_bytes());
    let inner = between([&source, &DST4], V4::tcp().over(segment));
    between(
        [&address(end), &address("2001:db8:ff::1")],
        V6::of(IPIP).over(inner),
    )
}

fn to(end: &str, destination: [u8; 4], port: u16) -> Vec<u8> {
    let mut segment = segment(0x12);
    segment[..4].copy_from_slice(&[0, 25, (port >> 8) as u8, port as u8]);
    let inner = between([&DST4, &destination], V4::tcp().over(segment));
    between(
        [&address("2001:db8:ff::1"), &address(end)],
        V6::of(IPIP).over(inner),
    )
}

fn with_rules(subscriber: Subscriber) -> Unwrap {
    let mut map_e = tunnel(TunnelKind::Ipv4InIpv6, subscriber);
    map_e.rules = vec![rule()];
    Unwrap::new(vec![map_e])
}

const END: &str = "2001:db8:12:3400:0:c000:212:34";

#[test]
fn a_port_or_an_address_that_is_another_s_is_told() {
    let stranger = "2001:db8:fe:0:0:c000:212:34";
    for (end, source, port, spoofed) in [
        (END, [192, 0, 2, 18], 1232, false),
        (END, [192, 0, 2, 18], 64723, false),
        (END, [192, 0, 2, 18], 1236, true),
        (END, [192, 0, 2, 18], 25, true),
        (END, [192, 0, 2, 19], 1232, true),
        (END, [10, 0, 0, 1], 1232, true),
        // No layout of the interface identifier is demanded.
        ("2001:db8:12:3400::1", [192, 0, 2, 18], 1232, false),
        // Of no rule: it may not use what the rules give to others.
        ("2001:db9::1", [192, 0, 2, 18], 1232, true),
        ("2001:db9::1", [10, 0, 0, 1], 1232, false),
        (stranger, [192, 0, 2, 18], 1232, true),
    ] {
        for subscriber in [Subscriber::Inner, Subscriber::Outer, Subscriber::PortSet] {
            let packet = from(end, source, port);
            let found = parse(&packet, LinkType::RAW, &with_rules(subscriber));
            assert_eq!(found.shape, Shape::Tcp);
            assert_eq!(found.spoofed_port, spoofed, "{end} {source:?} {port}");
            let unchecked = opening(TunnelKind::Ipv4InIpv6, subscriber);
            assert!(!parse(&packet, LinkType::RAW, &unchecked).spoofed_port);
        }
        let back = to(end, source, port);
        let found = parse(&back, LinkType::RAW, &with_rules(Subscriber::Outer));
        assert!(!found.spoofed_port);
    }
}

#[test]
fn a_demanded_interface_identifier_is_checked() {
    let mut map_e = tunnel(TunnelKind::Ipv4InIpv6, Subscriber::Outer);
    map_e.rules = vec![rule().checking(InterfaceId::Rfc7597)];
    let unwrap = Unwrap::new(vec![map_e]);
    for (end, spoofed) in [(END, false), ("2001:db8:12:3400::1", true)] {
        let packet = from(end, [192, 0, 2, 18], 1232);
        assert_eq!(parse(&packet, LinkType::RAW, &unwrap).spoofed_port, spoofed);
    }
}

#[test]
fn a_port_set_names_the_end_user_s_prefix_in_both_directions() {
    let unwrap = with_rules(Subscriber::PortSet);
    let end_user = u128::from(v6("2001:db8:12:3400::"));
    let relay = u128::from_be_bytes(address("2001:db8:ff::1"));
    let identity = |packet: &[u8]| parse(packet, LinkType::RAW, &unwrap).identity.unwrap();
    let ends = |src, dst| Identity {
        family: Family::V6,
        src,
        dst,
    };
    let source = [192, 0, 2, 18];
    assert_eq!(identity(&from(END, source, 1232)), ends(end_user, relay));
    assert_eq!(identity(&to(END, source, 1232)), ends(relay, end_user));
    // Where the rules say nothing, and where they say that it is not its own: who sent it.
    let end = u128::from_be_bytes(address(END));
    assert_eq!(identity(&from(END, source, 99)), ends(end, relay));
    assert_eq!(
        identity(&from(END, [192, 0, 2, 99], 1232)),
        ends(end, relay)
    );
    assert_eq!(identity(&to(END, source, 99)), ends(relay, end));
    assert_eq!(identity(&to(END, [10, 1, 1, 1], 1232)), ends(relay, end));
    // A fragment shows no port.
    let later = V4::tcp().fragment(200, false).over(syn25());
    let later = between([&source, &DST4], later);
    let relay_end = address("2001:db8:ff::1");
    let packet = between([&address(END), &relay_end], V6::of(IPIP).over(later));
    let found: Packet = parse(&packet, LinkType::RAW, &unwrap);
    assert_eq!(found.shape, Shape::LaterFragment);
    assert_eq!(
        (found.identity, found.spoofed_port),
        (Some(ends(end, relay)), false)
    );
}
