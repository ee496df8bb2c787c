//! Tunnels: opened where one end is configured, closed everywhere else.

use crate::frames::*;
use crate::tunnelled::*;
use sekisho::wire::{
    Family, Identity, LinkType, Packet, Route, Shape, Subscriber, Tunnel, TunnelKind, Unwrap, parse,
};
use std::net::Ipv6Addr;

/// The customer's end, and the provider's: 100.64.0.2 and 203.0.113.1.
pub const CUSTOMER4: [u8; 4] = [100, 64, 0, 2];
pub const RELAY4: [u8; 4] = [203, 0, 113, 1];

/// 2001:db8:12:3400::2 and 2001:db8:ff::1.
pub fn customer6() -> [u8; 16] {
    address("2001:db8:12:3400::2")
}

pub fn relay6() -> [u8; 16] {
    address("2001:db8:ff::1")
}

pub fn address(text: &str) -> [u8; 16] {
    text.parse::<Ipv6Addr>().unwrap().octets()
}

/// An outer header between these ends, over what `V4` or `V6` made.
pub fn between(ends: [&[u8]; 2], mut packet: Vec<u8>) -> Vec<u8> {
    let at = if packet[0] >> 4 == 4 { 12 } else { 8 };
    let addresses = ends.concat();
    packet[at..at + addresses.len()].copy_from_slice(&addresses);
    packet
}

pub fn over_v4(protocol: u8, payload: Vec<u8>) -> Vec<u8> {
    between([&CUSTOMER4, &RELAY4], V4::of(protocol).over(payload))
}

pub fn over_v6(protocol: u8, payload: Vec<u8>) -> Vec<u8> {
    between([&customer6(), &relay6()], V6::of(protocol).over(payload))
}

/// The same packet back: its addresses exchanged.
pub fn back(packet: &[u8]) -> Vec<u8> {
    let (at, octets) = if packet[0] >> 4 == 4 {
        (12, 4)
    } else {
        (8, 16)
    };
    let (src, dst) = packet[at..at + 2 * octets].split_at(octets);
    between([dst, src], packet.to_vec())
}

/// Opens this kind at the provider's ends.
pub fn opening(kind: TunnelKind, subscriber: Subscriber) -> Unwrap {
    Unwrap::new(vec![tunnel(kind, subscriber)])
}

pub fn tunnel(kind: TunnelKind, subscriber: Subscriber) -> Tunnel {
    let endpoints = ["203.0.113.0/28", "2001:db8:ff::1/128"];
    Tunnel {
        kind,
        endpoints: endpoints.map(|net| net.parse().unwrap()).to_vec(),
        subscriber,
        rules: vec![],
    }
}

/// One way to wrap a packet: the outer IP packet, and where the inner header begins in it.
pub struct Wrapped {
    pub kind: TunnelKind,
    pub name: String,
    pub packet: Vec<u8>,
    pub inner: Family,
    pub inner_at: u16,
}

fn syn(family: Family) -> (u16, Vec<u8>) {
    match family {
        Family::V4 => (IP4, V4::tcp().over(syn25())),
        Family::V6 => (IP6, V6::tcp().over(syn25())),
    }
}

/// Every way to wrap a SYN, in outer headers of both families where there are both.
pub fn every_way() -> Vec<Wrapped> {
    let mut ways = vec![];
    let mut add = |kind, name: String, packet: Vec<u8>, inner: Family| {
        let len = syn(inner).1.len();
        ways.push(Wrapped {
            kind,
            name,
            inner_at: (packet.len() - len) as u16,
            packet,
            inner,
        });
    };
    let four = || syn(Family::V4).1;
    let options = |next, ip| over_v6(DESTINATION, extension(next, 0, ip));
    add(
        TunnelKind::Ipv4InIpv6,
        "bare".into(),
        over_v6(IPIP, four()),
        Family::V4,
    );
    add(
        TunnelKind::Ipv4InIpv6,
        "behind destination options".into(),
        options(IPIP, four()),
        Family::V4,
    );
    add(
        TunnelKind::Ipv6InIpv4,
        "bare".into(),
        over_v4(SIX_IN_FOUR, syn(Family::V6).1),
        Family::V6,
    );
    for family in [Family::V4, Family::V6] {
        for (kind, name, protocol, payload) in in_both(family) {
            for over in [over_v4, over_v6] {
                add(kind, name.clone(), over(protocol, payload.clone()), family);
            }
        }
    }
    ways
}

/// The ways that an outer header of either family can carry.
fn in_both(family: Family) -> Vec<(TunnelKind, String, u8, Vec<u8>)> {
    let (ether_type, ip) = syn(family);
    let mut ways = vec![];
    for fields in L2tp::every() {
        for (with_address, short) in [(true, true), (true, false), (false, true), (false, false)] {
            let ppp = framed(ether_type, with_address, short, ip.clone());
            let name = format!("{fields:?}, address {with_address}, short {short}");
            let datagram = udp(45_000, L2TP_PORT, fields.over(ppp));
            ways.push((TunnelKind::L2tp, name, UDP, datagram));
        }
    }
    for bits in [0, 0x80, 0x20, 0x10, 0xa0, 0xb0] {
        let ppp = framed(ether_type, true, false, ip.clone());
        let framed = ethernet(0x8100, tag(ether_type, ip.clone()));
        for (protocol, payload) in [
            (ether_type, ip.clone()),
            (0x880b, ppp),
            (0x6558, framed),
            (0x8847, mpls(1, ip.clone())),
        ] {
            let name = format!("bits {bits:02x}, protocol {protocol:04x}");
            let payload = gre(bits, 0, protocol, payload);
            ways.push((TunnelKind::Gre, name, GRE, payload));
        }
    }
    for (bits, more) in [(0x20, 0x01), (0x30, 0x01), (0x20, 0x81), (0x30, 0x81)] {
        let ppp = framed(ether_type, bits == 0x20, false, ip.clone());
        let name = format!("of PPTP, {bits:02x} {more:02x}");
        ways.push((TunnelKind::Gre, name, GRE, gre(bits, more, 0x880b, ppp)));
    }
    for (name, frame) in [
        ("untagged", ethernet(ether_type, ip.clone())),
        ("tagged", ethernet(0x8100, tag(ether_type, ip.clone()))),
    ] {
        let datagram = udp(50_000, VXLAN_PORT, vxlan(frame));
        ways.push((TunnelKind::Vxlan, name.into(), UDP, datagram));
    }
    for bits in 0..8 {
        let extensions: &[&[u8]] = if bits & 4 != 0 {
            &[&[1], &[2, 1], &[]]
        } else {
            &[&[]]
        };
        for extensions in extensions {
            let datagram = udp(50_000, GTP_U_PORT, gtp_u(bits, extensions, ip.clone()));
            let name = format!("bits {bits}, extensions {extensions:?}");
            ways.push((TunnelKind::GtpU, name, UDP, datagram));
        }
    }
    ways
}

/// What stands before IP: the frame, and how many octets that is.
pub fn links(ip: &[u8]) -> Vec<(Vec<u8>, u16)> {
    let ether_type = if ip[0] >> 4 == 4 { IP4 } else { IP6 };
    let session = |ip: Vec<u8>| {
        let protocol = if ether_type == IP4 { 0x21 } else { 0x57 };
        pppoe(ppp(protocol, ip))
    };
    let ip = || ip.to_vec();
    vec![
        (ethernet(ether_type, ip()), 14),
        (ethernet(0x8100, tag(ether_type, ip())), 18),
        (ethernet(0x88a8, tag(0x8100, tag(ether_type, ip()))), 22),
        (ethernet(0x8864, session(ip())), 22),
        (
            ethernet(0x88a8, tag(0x8100, tag(0x8864, session(ip())))),
            30,
        ),
        (ethernet(0x8847, mpls(2, ip())), 22),
    ]
}

fn syn_of(family: Family, ip_offset: u16) -> Packet {
    match family {
        Family::V4 => syn25_over_v4(ip_offset),
        Family::V6 => syn25_over_v6(ip_offset),
    }
}

#[test]
fn every_kind_is_opened_behind_every_link_header() {
    let mut ways = 0;
    for Wrapped {
        kind,
        name,
        packet,
        inner,
        inner_at,
    } in every_way()
    {
        let unwrap = opening(kind, Subscriber::Inner);
        for (frame, link_octets) in links(&packet) {
            let expected = syn_of(inner, link_octets + inner_at);
            let found = parse(&frame, LinkType::ETHERNET, &unwrap);
            assert_eq!(found, expected, "{kind:?}: {name}");
            ways += 1;
        }
    }
    assert!(ways > 1_500, "{ways}");
}

#[test]
fn the_same_frames_stay_closed_toward_third_parties() {
    for Wrapped { kind, packet, .. } in every_way() {
        let mut elsewhere = tunnel(kind, Subscriber::Inner);
        elsewhere.endpoints = ["198.18.0.0/15", "2001:db8:fe::/48"]
            .map(|net| net.parse().unwrap())
            .to_vec();
        let others = every_kind().filter(|other| *other != kind);
        let other_kinds = others.map(|other| tunnel(other, Subscriber::Outer));
        for unwrap in [
            Unwrap::default(),
            Unwrap::new(vec![elsewhere]),
            Unwrap::new(other_kinds.collect()),
        ] {
            for (frame, _) in links(&packet) {
                let found = parse(&frame, LinkType::ETHERNET, &unwrap);
                assert_eq!(found.shape, Shape::Opaque, "{kind:?}");
                assert_eq!(found.identity, None);
                assert_eq!(found, parse(&frame, LinkType::ETHERNET, &Unwrap::default()));
            }
        }
    }
}

fn every_kind() -> impl Iterator<Item = TunnelKind> {
    [
        TunnelKind::Ipv4InIpv6,
        TunnelKind::Ipv6InIpv4,
        TunnelKind::L2tp,
        TunnelKind::Gre,
        TunnelKind::Vxlan,
        TunnelKind::GtpU,
    ]
    .into_iter()
}

#[test]
fn the_outer_ends_tell_the_subscriber_in_both_directions() {
    for Wrapped {
        kind,
        packet,
        inner,
        inner_at,
        ..
    } in every_way()
    {
        let unwrap = opening(kind, Subscriber::Outer);
        for outer in [packet.clone(), back(&packet)] {
            let number = |octets: &[u8]| octets.iter().fold(0, |n, o| n << 8 | u128::from(*o));
            let (family, ends) = match outer[0] >> 4 {
                4 => (Family::V4, outer[12..20].split_at(4)),
                _ => (Family::V6, outer[8..40].split_at(16)),
            };
            let expected = Packet {
                identity: Some(Identity {
                    family,
                    src: number(ends.0),
                    dst: number(ends.1),
                }),
                ..syn_of(inner, inner_at)
            };
            // An LNS answers from its own port to the one that asked.
            let mut frame = outer.clone();
            let from_relay = family == Family::V4 && ends.0 == RELAY4.as_slice();
            if from_relay && kind == TunnelKind::L2tp {
                let (first, second) = (frame[20..22].to_vec(), frame[22..24].to_vec());
                frame[20..24].copy_from_slice(&[second, first].concat());
            }
            assert_eq!(parse(&frame, LinkType::RAW, &unwrap), expected);
        }
    }
}

/// Octets written by hand: version, length, next header, addresses; then the inner packet.
#[test]
fn a_map_e_packet_octet_by_octet() {
    #[rustfmt::skip]
    let packet = [
        // IPv6: 40 octets follow, next header 4, from 2001:db8:12:3400:0:c000:212:34 ...
        0x60, 0, 0, 0, 0, 0x28, 0x04, 0x40,
        0x20, 0x01, 0x0d, 0xb8, 0x00, 0x12, 0x34, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x02, 0x12, 0x00, 0x34,
        // ... to 2001:db8:ff::1.
        0x20, 0x01, 0x0d, 0xb8, 0x00, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01,
        // IPv4: 40 octets, TCP, from 192.0.2.18 to 203.0.113.99.
        0x45, 0, 0, 0x28, 0, 1, 0x40, 0, 0x40, 0x06, 0, 0, 192, 0, 2, 18, 203, 0, 113, 99,
        // TCP: 1232 to 25, SYN.
        0x04, 0xd0, 0x00, 0x19, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0,
    ];
    let unwrap = opening(TunnelKind::Ipv4InIpv6, Subscriber::Inner);
    let found = parse(&packet, LinkType::RAW, &unwrap);
    assert_eq!(found.shape, Shape::Tcp);
    assert_eq!(found.src_addr(), Some([192, 0, 2, 18].into()));
    assert_eq!(found.dst_addr(), Some([203, 0, 113, 99].into()));
    assert_eq!((found.src_port, found.dst_port), (1232, 25));
    assert!(found.flags.is_new());
    assert_eq!((found.route, found.identity), (Route::None, None));
}

/// A tunnel's own messages, and other protocols in it, are what they were.
#[test]
fn messages_that_carry_no_ip_are_not_opened() {
    let ip = || V4::tcp().over(syn25());
    let l2tp = |first: u8, second: u8| {
        let mut message = L2tp::default().over(framed(IP4, true, false, ip()));
        message[..2].copy_from_slice(&[first, second]);
        over_v4(UDP, udp(L2TP_PORT, L2TP_PORT, message))
    };
    let gtp = |first: u8, message: u8| {
        let mut packet = gtp_u(0, &[], ip());
        packet[..2].copy_from_slice(&[first, message]);
        over_v4(UDP, udp(GTP_U_PORT, GTP_U_PORT, packet))
    };
    let gre_of = |bits, more, protocol| over_v4(GRE, gre(bits, more, protocol, ip()));
    let echo = framed(IP4, true, false, ip());
    let lcp = [&echo[..2], &[0xc0, 0x21], &echo[4..]].concat();
    for (kind, packet) in [
        // A control message, version 3, L2F.
        (TunnelKind::L2tp, l2tp(0xc8, 2)),
        (TunnelKind::L2tp, l2tp(0x00, 3)),
        (TunnelKind::L2tp, l2tp(0x00, 1)),
        // PPP that negotiates.
        (
            TunnelKind::L2tp,
            over_v4(UDP, udp(1701, 1701, L2tp::default().over(lcp))),
        ),
        // An echo request, GTP', version 2.
        (TunnelKind::GtpU, gtp(0x32, 1)),
        (TunnelKind::GtpU, gtp(0x20, 255)),
        (TunnelKind::GtpU, gtp(0x50, 255)),
        // Another protocol, a keepalive, another version.
        (TunnelKind::Gre, gre_of(0, 0, 0x88be)),
        (TunnelKind::Gre, gre_of(0, 0, 0)),
        (TunnelKind::Gre, gre_of(0, 2, IP4)),
        // ARP.
        (
            TunnelKind::Vxlan,
            over_v4(UDP, udp(1, VXLAN_PORT, vxlan(ethernet(0x0806, ip())))),
        ),
    ] {
        let closed = parse(&packet, LinkType::RAW, &Unwrap::default());
        assert_eq!(closed.shape, Shape::Opaque);
        let unwrap = opening(kind, Subscriber::Inner);
        assert_eq!(parse(&packet, LinkType::RAW, &unwrap), closed, "{kind:?}");
    }
}

/// Two tunnels are opened; what lies in a third is known by the ends of the second.
#[test]
fn a_third_tunnel_evades() {
    let unwrap = Unwrap::new(
        every_kind()
            .map(|kind| tunnel(kind, Subscriber::Outer))
            .collect(),
    );
    let one = over_v6(IPIP, V4::tcp().over(syn25()));
    let two = over_v4(GRE, gre(0, 0, IP6, one));
    let three = over_v4(UDP, udp(1, VXLAN_PORT, vxlan(ethernet(IP4, two.clone()))));
    let four = over_v6(IPIP, three.clone());
    let found = parse(&two, LinkType::RAW, &unwrap);
    let ends = Identity {
        family: Family::V6,
        src: u128::from_be_bytes(customer6()),
        dst: u128::from_be_bytes(relay6()),
    };
    assert_eq!((found.shape, found.identity), (Shape::Tcp, Some(ends)));
    for packet in [three, four] {
        let found = parse(&packet, LinkType::RAW, &unwrap);
        assert_eq!(found.shape, Shape::HeaderChainLimit);
        assert_eq!(found.family, Some(Family::V4));
        assert_eq!((found.src, found.dst), (0, 0));
        assert!(found.identity.is_some() && !found.wants_more);
    }
}

/// A source route, or a routing header, that passes the relay on its way leads into the tunnel.
#[test]
fn an_endpoint_in_a_source_route_is_an_end() {
    let elsewhere = [198, 18, 0, 1];
    let mut header = V4::of(SIX_IN_FOUR);
    header.options = [&[131, 7, 4][..], &RELAY4, &[0]].concat();
    let packet = between(
        [&CUSTOMER4, &elsewhere],
        header.over(V6::tcp().over(syn25())),
    );
    let unwrap = opening(TunnelKind::Ipv6InIpv4, Subscriber::Inner);
    assert_eq!(
        parse(&packet, LinkType::RAW, &unwrap),
        syn25_over_v6(20 + 8)
    );

    let mut list = extension(IPIP, 2, V4::tcp().over(syn25()));
    list[2..4].copy_from_slice(&[4, 1]);
    list[8..24].copy_from_slice(&relay6());
    let ends = [customer6(), address("2001:db8:fe::9")];
    let packet = between([&ends[0], &ends[1]], V6::of(ROUTING).over(list));
    let unwrap = opening(TunnelKind::Ipv4InIpv6, Subscriber::Inner);
    assert_eq!(
        parse(&packet, LinkType::RAW, &unwrap),
        syn25_over_v4(40 + 24)
    );
}
