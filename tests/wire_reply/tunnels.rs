//! Replies to what came in an opened tunnel: wrapped as it came, from the end that it went to.

use crate::frames::*;
use crate::read::packet;
use sekisho::wire::{Answer, Reply, Subscriber, Tunnel, TunnelKind, Unwrap};

/// The provider's ends.
const RELAY4: [u8; 4] = [203, 0, 113, 99];
const RELAY6: [u8; 16] = [
    0x20, 1, 0x0d, 0xb8, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x99,
];
/// The subscriber's.
const HOME4: [u8; 4] = [198, 51, 100, 7];
const HOME6: [u8; 16] = [
    0x20, 1, 0x0d, 0xb8, 0xaa, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x07,
];

fn all_kinds() -> Unwrap {
    let tunnel = |kind| Tunnel {
        kind,
        endpoints: vec![
            "203.0.113.99/32".parse().unwrap(),
            "2001:db8:fe00::99/128".parse().unwrap(),
        ],
        subscriber: Subscriber::Inner,
        rules: Vec::new(),
    };
    Unwrap::new(
        [
            TunnelKind::Ipv4InIpv6,
            TunnelKind::Ipv6InIpv4,
            TunnelKind::L2tp,
            TunnelKind::Gre,
            TunnelKind::Vxlan,
            TunnelKind::GtpU,
        ]
        .map(tunnel)
        .into(),
    )
}

fn answer_opened(frame: &[u8], with: Answer) -> Option<Reply> {
    answer_in(frame, with, &all_kinds())
}

/// A sender's outer IPv4 header as the other end would send it: with no identification.
fn outer_ipv4(src: [u8; 4], dst: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut octets = ipv4_of(src, dst, protocol, &[], payload);
    octets[4..6].fill(0);
    resum(&mut octets, 0);
    octets
}

/// The packet of a reply to the same packet in no tunnel.
fn bare_reply(ip: &[u8], with: Answer) -> Vec<u8> {
    let ether_type = if ip[0] >> 4 == 4 { IP4 } else { IP6 };
    let reply = answer(&ethernet(ether_type, ip), with).unwrap();
    let len = packet(&reply[14..]).len;
    reply[14..14 + len].to_vec()
}

/// What wraps a packet, from home to the relay and back.
struct Kind {
    name: &'static str,
    /// The family of the packet, and the type of its frame.
    inner: u8,
    outer: u16,
    there: fn(&[u8]) -> Vec<u8>,
    back: fn(&[u8]) -> Vec<u8>,
}

const GRE: u8 = 47;
const UDP: u8 = 17;

fn gre(ether_type: u16, packet: &[u8]) -> Vec<u8> {
    [&[0, 0], &ether_type.to_be_bytes()[..], packet].concat()
}

fn keyed_gre(ether_type: u16, packet: &[u8]) -> Vec<u8> {
    [
        &[0x20, 0],
        &ether_type.to_be_bytes()[..],
        &[0, 0, 0, 42],
        packet,
    ]
    .concat()
}

/// Tunnel encapsulation limit 4, and padding.
fn limited(packet: &[u8]) -> Vec<u8> {
    [&[4, 0, 4, 1, 4, 1, 1, 0], packet].concat()
}

/// UDP from a port of the sender's choice; the checksum of these addresses, or none.
fn vxlan(addresses: Option<Vec<u8>>, ethernet: &[u8]) -> Vec<u8> {
    let [high, low] = (ethernet.len() as u16 + 16).to_be_bytes();
    let udp = [0xc1, 0x23, 0x12, 0xb5, high, low, 0, 0];
    let mut octets = [&udp[..], &[8, 0, 0, 0, 0, 0x12, 0x34, 0], ethernet].concat();
    if let Some(addresses) = addresses {
        let sum = checksum(&pseudo(&addresses, UDP, &octets));
        octets[6..8].copy_from_slice(&sum.to_be_bytes());
    }
    octets
}

/// A frame inside VXLAN, tagged.
fn inside(back: bool, ip: &[u8]) -> Vec<u8> {
    let addresses = match back {
        false => [6, 0, 0, 0, 0, 2, 6, 0, 0, 0, 0, 1],
        true => [6, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 2],
    };
    [&addresses[..], &[0x81, 0, 0x60, 9, 0x08, 0], ip].concat()
}

const KINDS: [Kind; 9] = [
    Kind {
        name: "4in6",
        inner: 4,
        outer: IP6,
        there: |ip| ipv6_of(HOME6, RELAY6, 4, ip),
        back: |ip| ipv6_of(RELAY6, HOME6, 4, ip),
    },
    Kind {
        name: "4in6 with an encapsulation limit",
        inner: 4,
        outer: IP6,
        there: |ip| ipv6_of(HOME6, RELAY6, 60, &limited(ip)),
        back: |ip| ipv6_of(RELAY6, HOME6, 60, &limited(ip)),
    },
    Kind {
        name: "6in4",
        inner: 6,
        outer: IP4,
        there: |ip| ipv4_of(HOME4, RELAY4, 41, &[], ip),
        back: |ip| outer_ipv4(RELAY4, HOME4, 41, ip),
    },
    Kind {
        name: "GRE",
        inner: 4,
        outer: IP4,
        there: |ip| ipv4_of(HOME4, RELAY4, GRE, &[], &gre(IP4, ip)),
        back: |ip| outer_ipv4(RELAY4, HOME4, GRE, &gre(IP4, ip)),
    },
    Kind {
        name: "GRE over IPv6",
        inner: 6,
        outer: IP6,
        there: |ip| ipv6_of(HOME6, RELAY6, GRE, &gre(IP6, ip)),
        back: |ip| ipv6_of(RELAY6, HOME6, GRE, &gre(IP6, ip)),
    },
    Kind {
        name: "GRE with a key",
        inner: 4,
        outer: IP4,
        there: |ip| ipv4_of(HOME4, RELAY4, GRE, &[], &keyed_gre(IP4, ip)),
        back: |ip| outer_ipv4(RELAY4, HOME4, GRE, &keyed_gre(IP4, ip)),
    },
    Kind {
        name: "VXLAN",
        inner: 4,
        outer: IP4,
        there: |ip| ipv4_of(HOME4, RELAY4, UDP, &[], &vxlan(None, &inside(false, ip))),
        back: |ip| outer_ipv4(RELAY4, HOME4, UDP, &vxlan(None, &inside(true, ip))),
    },
    Kind {
        name: "VXLAN with a checksum",
        inner: 4,
        outer: IP4,
        there: |ip| {
            let udp = vxlan(Some([HOME4, RELAY4].concat()), &inside(false, ip));
            ipv4_of(HOME4, RELAY4, UDP, &[], &udp)
        },
        back: |ip| {
            let udp = vxlan(Some([RELAY4, HOME4].concat()), &inside(true, ip));
            outer_ipv4(RELAY4, HOME4, UDP, &udp)
        },
    },
    Kind {
        name: "VXLAN over IPv6",
        inner: 4,
        outer: IP6,
        there: |ip| {
            let udp = vxlan(Some([HOME6, RELAY6].concat()), &inside(false, ip));
            ipv6_of(HOME6, RELAY6, UDP, &udp)
        },
        back: |ip| {
            let udp = vxlan(Some([RELAY6, HOME6].concat()), &inside(true, ip));
            ipv6_of(RELAY6, HOME6, UDP, &udp)
        },
    },
];

#[test]
fn replies_go_back_through_the_tunnel() {
    for Kind {
        name,
        inner,
        outer,
        there,
        back,
    } in KINDS
    {
        for data in [0, 1, 700] {
            let sent = match inner {
                4 => ipv4(SYN, &vec![7; data]),
                _ => ipv6(SYN, &vec![7; data]),
            };
            for with in answers(inner) {
                let reply = answer_opened(&ethernet(outer, &there(&sent)), with);
                let reply = reply.unwrap_or_else(|| panic!("{name}: no reply"));
                let mut expected = ethernet(outer, &back(&bare_reply(&sent, with)));
                let (to, from) = expected[..12].split_at_mut(6);
                to.swap_with_slice(from);
                assert_eq!(reply[..], expected, "{name}, {with:?}");
            }
        }
    }
}

/// Where the tunnel is not ours, what is in it is nobody's business.
#[test]
fn a_tunnel_that_stays_closed_has_no_reply() {
    for Kind {
        inner,
        outer,
        there,
        ..
    } in KINDS
    {
        let sent = if inner == 4 {
            ipv4(SYN, b"")
        } else {
            ipv6(SYN, b"")
        };
        for with in answers(inner) {
            assert!(answer(&ethernet(outer, &there(&sent)), with).is_none());
        }
    }
}

/// A mark on the outer header would be lost, or dropped, at the end of the tunnel (RFC 6040).
#[test]
fn congestion_marks_do_not_come_back() {
    let sent = ipv4(SYN, b"");
    let mut frame = ethernet(IP6, &ipv6_of(HOME6, RELAY6, 4, &sent));
    frame[14..16].copy_from_slice(&[0x6b, 0xb5]);
    let reply = answer_opened(&frame, answers(4)[0]).unwrap();
    assert_eq!(reply[14..16], [0x6b, 0x85], "class 46 without a mark");
    let sent = ipv6(SYN, b"");
    let mut frame = ethernet(IP4, &ipv4_of(HOME4, RELAY4, 41, &[], &sent));
    frame[15] = 0xbb;
    resum(&mut frame, 14);
    let reply = answer_opened(&frame, answers(6)[0]).unwrap();
    assert_eq!(reply[15], 0xb8);
}

/// What stands in these headers is chosen by each end for itself, or is more than a copy.
#[test]
fn no_way_back_is_known_through_others() {
    let ip = ipv4(SYN, b"");
    let udp = |port: u16, payload: &[u8]| {
        let len = (payload.len() as u16 + 8).to_be_bytes();
        let port = port.to_be_bytes();
        let udp = [&port[..], &port, &len, &[0, 0], payload].concat();
        ethernet(IP4, &ipv4_of(HOME4, RELAY4, UDP, &[], &udp))
    };
    let l2tp = [&[0x00, 0x02, 0, 1, 0, 2, 0xff, 0x03, 0, 0x21], &ip[..]].concat();
    let len = (ip.len() as u16).to_be_bytes();
    let gtp = [&[0x30, 255], &len[..], &[0, 0, 0, 5], &ip].concat();
    let summed = [&[0x80, 0, 8, 0, 0, 0, 0, 0], &ip[..]].concat();
    let numbered = [&[0x10, 0, 8, 0, 0, 0, 0, 1], &ip[..]].concat();
    let options = ipv4_of(HOME4, RELAY4, 41, &[1; 4], &ipv6(SYN, b""));
    let home_address = [&[4, 2, 201, 16], &HOME6[..], &[1, 2, 0, 0], &ip].concat();
    for frame in [
        udp(1701, &l2tp),
        udp(2152, &gtp),
        ethernet(IP4, &ipv4_of(HOME4, RELAY4, GRE, &[], &summed)),
        ethernet(IP4, &ipv4_of(HOME4, RELAY4, GRE, &[], &numbered)),
        ethernet(IP4, &options),
        ethernet(IP6, &ipv6_of(HOME6, RELAY6, 60, &home_address)),
    ] {
        for with in [answers(4), answers(6)].concat() {
            assert!(answer_opened(&frame, with).is_none(), "{frame:x?}");
        }
    }
}

/// An outer end that is no single host, and an inner length beyond the outer one.
#[test]
fn what_is_never_answered_is_not_answered_in_a_tunnel() {
    let sent = ipv4(SYN, &[0; 20]);
    let all_nodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let mut short = ipv6_of(HOME6, RELAY6, 4, &sent);
    short[5] -= 1;
    let mut group = inside(false, &sent);
    group[0] |= 1;
    for frame in [
        ethernet(IP6, &ipv6_of(all_nodes, RELAY6, 4, &sent)),
        ethernet(IP6, &ipv6_of([0; 16], RELAY6, 4, &sent)),
        ethernet(IP6, &ipv6_of(RELAY6, RELAY6, 4, &sent)),
        ethernet(IP6, &short),
        ethernet(IP4, &ipv4_of(HOME4, RELAY4, UDP, &[], &vxlan(None, &group))),
    ] {
        for with in answers(4) {
            assert!(answer_opened(&frame, with).is_none(), "{frame:x?}");
        }
    }
}
