//! Tunnels to endpoints that the pipeline names: they are opened, and hide nothing.

use super::fragments::only_ipv4;
use crate::evasion::build::{
    DESTINATION, Ends, Extension, Ip, MORE, Segment, TCP, UDP, behind, extension, fragment, udp,
};
use crate::evasion::scene::{IPV4, IPV6, Scene, Side, v4};
use crate::evasion::settings::{End, SHARED_PORT};
use crate::evasion::wrap::{Carried, tag};
use crate::evasion::{Attempt, Fate, Setting, Trick};
use crate::stats::Reason;
use std::net::IpAddr;

const IPV4_IN_IP: u8 = 4;
const IPV6_IN_IP: u8 = 41;
const GRE: u8 = 47;

const TINY: Fate = Fate::Evasive(Reason::TinyFragment);
const INCOMPLETE: Fate = Fate::Evasive(Reason::IncompleteHeaders);
const OVERLAPPING: Fate = Fate::Evasive(Reason::OverlappingFragment);

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 18,
        name: "ipv4-in-ipv6-to-a-border-relay",
        tries: "IPv4 in IPv6 to a configured border relay (MAP-E) or AFTR (DS-Lite)",
        source: "RFC 2473; RFC 7597; RFC 6333",
        case: "a-tunnel-to-a-configured-endpoint-is-opened",
        frames: |scene| {
            let ports = [(25, Fate::Seen), (587, Fate::Harmless)];
            let each = ports.into_iter().flat_map(|(port, fate)| {
                [End::BorderRelay, End::Aftr].map(|end| {
                    in_ipv6(
                        scene,
                        end,
                        &[],
                        inner(scene, end, port, SHARED_PORT).octets(),
                        fate,
                    )
                })
            });
            only_ipv4(scene, each)
        },
    },
    Trick {
        number: 19,
        name: "encapsulation-limit",
        tries: "the same behind a destination-options header with a tunnel encapsulation limit",
        source: "RFC 2473, section 4.1.1",
        case: "a-tunnel-to-a-configured-endpoint-is-opened",
        frames: |scene| {
            let limit = || extension(DESTINATION, [0, 0, 4, 1, 4, 1, 1, 0]);
            only_ipv4(
                scene,
                [End::BorderRelay, End::Aftr].map(|end| {
                    let packet = inner(scene, end, 25, SHARED_PORT).octets();
                    in_ipv6(scene, end, &[limit()], packet, Fate::Seen)
                }),
            )
        },
    },
    Trick {
        number: 21,
        name: "port-outside-the-set",
        tries: "a source port of another subscriber's set, or a shared address of another's",
        source: "RFC 7597",
        case: "a-source-port-outside-the-set-is-spoofed",
        frames: |scene| {
            if scene.side == Side::Network {
                return Vec::new();
            }
            let refused = Fate::Refused(Reason::SpoofedPortSet);
            let wrong = [0x0345, 0x1335, 0x1355, 0x1245, 0xf000];
            let mut frames: Vec<_> = wrong
                .into_iter()
                .map(|port| inner(scene, End::BorderRelay, 25, port))
                .collect();
            let mut other = inner(scene, End::BorderRelay, 25, SHARED_PORT);
            other.ends.0 = v4([100, 64, 0x0c, 0x13]);
            frames.push(other);
            let each = frames
                .into_iter()
                .map(|packet| in_ipv6(scene, End::BorderRelay, &[], packet.octets(), refused));
            only_ipv4(scene, each)
        },
    },
    Trick {
        number: 24,
        name: "l2tp-data",
        tries: "L2TPv2 data to a configured LNS, with every mix of length, sequence and offset, PPP's fields compressed or not",
        source: "RFC 2661, section 3.1; RFC 1661",
        case: "l2tp-to-a-configured-endpoint-is-opened",
        frames: |scene| {
            (0..32)
                .map(|bits: u8| {
                    let data = l2tp(scene, bits, &scene.plain().octets());
                    over_udp(scene, 1701, &data, Fate::Seen)
                })
                .collect()
        },
    },
    Trick {
        number: 84,
        name: "ipv6-in-ipv4-to-a-relay",
        tries: "IPv6 in IPv4 to a configured relay (6rd)",
        source: "RFC 5969; RFC 4213",
        case: "a-tunnel-to-a-configured-endpoint-is-opened",
        frames: |scene| {
            if scene.is_v4() {
                return Vec::new();
            }
            let ports = [
                (scene.plain(), Fate::Seen),
                (scene.tcp(&scene.innocent()), Fate::Harmless),
            ];
            ports
                .map(|(packet, fate)| in_ipv4(scene, IPV6_IN_IP, packet.octets(), fate))
                .into()
        },
    },
    Trick {
        number: 85,
        name: "gre-vxlan-and-gtp-u",
        tries: "GRE with and without a key, VXLAN with tags inside, GTP-U with and without a sequence number, to configured endpoints",
        source: "RFC 2784; RFC 2890; RFC 7348; 3GPP TS 29.281",
        case: "gre-vxlan-and-gtp-u-are-opened-where-configured",
        frames: |scene| {
            let packet = scene.plain().octets();
            let ethertype = scene.ethertype().to_be_bytes();
            let gre = [&[0, 0][..], &ethertype, &packet].concat();
            let keyed = [&[0x20, 0][..], &ethertype, &[0, 0, 0, 7], &packet].concat();
            let mut frames = vec![
                in_ipv4(scene, GRE, gre, Fate::Seen),
                in_ipv4(scene, GRE, keyed, Fate::Seen),
            ];
            let bare = (scene.ethertype(), packet.clone());
            for inside in [bare.clone(), tag(0x8100, 5, bare)] {
                frames.push(over_udp(scene, 4789, &vxlan(inside), Fate::Seen));
            }
            let len = packet.len() as u16;
            let plain = [&[0x30, 255][..], &len.to_be_bytes(), &[0, 0, 0, 9], &packet].concat();
            let long = (len + 4).to_be_bytes();
            let counted = [&[0x32, 255][..], &long, &[0, 0, 0, 9, 0, 1, 0, 0], &packet].concat();
            frames.extend([plain, counted].map(|data| over_udp(scene, 2152, &data, Fate::Seen)));
            frames
        },
    },
    Trick {
        number: 86,
        name: "tricks-inside-a-tunnel",
        tries: "options, tiny and overlapping fragments, and a cut-off header, inside IPv4 in IPv6",
        source: "RFC 1858; RFC 2473",
        case: "tricks-inside-a-tunnel-hide-nothing",
        frames: |scene| {
            let at = |change: &dyn Fn(&mut Ip), fate| {
                let mut packet = inner(scene, End::Aftr, 25, SHARED_PORT);
                change(&mut packet);
                in_ipv6(scene, End::Aftr, &[], packet.octets(), fate)
            };
            only_ipv4(
                scene,
                [
                    at(&|packet| packet.options = vec![1; 40], Fate::Seen),
                    at(
                        &|packet| {
                            packet.fragment = MORE;
                            packet.body.truncate(8);
                        },
                        TINY,
                    ),
                    at(
                        &|packet| {
                            packet.fragment = 1;
                            packet.body.drain(..8);
                        },
                        OVERLAPPING,
                    ),
                    at(&|packet| packet.fragment = 185, Fate::Harmless),
                    at(&|packet| packet.body.clear(), INCOMPLETE),
                ],
            )
        },
    },
    Trick {
        number: 87,
        name: "fragments-of-a-tunnel",
        tries: "the tunnel's own packet in fragments: the first too short to show the inner flags, a later one over the inner header",
        source: "RFC 2473; RFC 1858",
        case: "tricks-inside-a-tunnel-hide-nothing",
        frames: |scene| {
            let packet = inner(scene, End::Aftr, 25, SHARED_PORT).octets();
            let cut = |len: usize| packet.get(..len).unwrap_or_default().to_vec();
            let first = [fragment(0, true)];
            let some = |header: &[Extension], octets, fate| {
                in_ipv6(scene, End::Aftr, header, octets, fate)
            };
            only_ipv4(
                scene,
                [
                    some(&[fragment(0, false)], packet.clone(), Fate::Seen),
                    some(&first, packet.clone(), Fate::Seen),
                    some(&first, cut(8), Fate::Hidden(Reason::IncompleteHeaders)),
                    some(&first, cut(16), Fate::Hidden(Reason::IncompleteHeaders)),
                    some(
                        &[fragment(1, false)],
                        packet.clone(),
                        Fate::Hidden(Reason::OverlappingFragment),
                    ),
                    some(&[fragment(185, false)], packet.clone(), Fate::Harmless),
                ],
            )
        },
    },
    Trick {
        number: 88,
        name: "tunnel-in-a-tunnel",
        tries: "a second tunnel to a configured endpoint inside the first",
        source: "RFC 2473",
        case: "tricks-inside-a-tunnel-hide-nothing",
        frames: |scene| {
            // A customer's own end, inside what the line's concentrator sends to the LNS.
            let edge = scene.outer(scene.customer_edge(), End::Relay.ipv6());
            if scene.is_v4() {
                let middle = Ip::new(edge, IPV4_IN_IP, scene.plain().octets());
                return vec![in_ipv4(scene, IPV6_IN_IP, middle.octets(), Fate::Seen)];
            }
            let lac = over_ipv4(scene);
            let data = l2tp(scene, 0, &scene.plain().octets());
            let middle = Ip::new(lac, UDP, udp(lac, 1701, 1701, &data)).octets();
            let packet = Ip::new(edge, IPV4_IN_IP, middle);
            vec![scene.attempt(&packet, Fate::Seen).under(Setting::Tunnels)]
        },
    },
];

/// What goes through a tunnel to this end: a SYN, or the SYN-ACK that answers it.
fn inner(scene: &Scene, end: End, peer_port: u16, local_port: u16) -> Ip {
    let subscriber = match end {
        End::BorderRelay => scene.shared_address(),
        End::Aftr => v4([10, 0, 0, 2]),
        End::Relay => scene.subscriber(),
    };
    let ends = scene.outer(subscriber, scene.peer());
    let mut segment: Segment = scene.segment(peer_port, scene.opening().flags);
    match scene.side {
        Side::Access => segment.src_port = local_port,
        Side::Network => segment.dst_port = local_port,
    }
    Ip::new(ends, TCP, segment.octets(ends))
}

/// IPv4 in IPv6, behind these extension headers.
fn in_ipv6(scene: &Scene, end: End, headers: &[Extension], packet: Vec<u8>, fate: Fate) -> Attempt {
    let ends = scene.outer(scene.customer_edge(), end.ipv6());
    let (next, body) = behind(headers, IPV4_IN_IP, &packet);
    outer(scene, ends, next, body, fate)
}

/// Anything over IPv4, to the end by whose inner address subscribers are known.
fn in_ipv4(scene: &Scene, protocol: u8, body: Vec<u8>, fate: Fate) -> Attempt {
    outer(scene, over_ipv4(scene), protocol, body, fate)
}

fn over_udp(scene: &Scene, port: u16, data: &[u8], fate: Fate) -> Attempt {
    let ends = over_ipv4(scene);
    outer(scene, ends, UDP, udp(ends, port, port, data), fate)
}

/// The ends of a tunnel over IPv4, none of which is a subscriber's.
fn over_ipv4(scene: &Scene) -> Ends {
    scene.outer(v4([198, 18, 1, 1]), End::Relay.ipv4())
}

fn outer(scene: &Scene, ends: Ends, protocol: u8, body: Vec<u8>, fate: Fate) -> Attempt {
    let packet = Ip::new(ends, protocol, body);
    let announced = match ends.0 {
        IpAddr::V4(_) => IPV4,
        IpAddr::V6(_) => IPV6,
    };
    let attempt = scene.carried(announced, packet.octets(), fate);
    attempt.under(Setting::Tunnels)
}

/// L2TPv2 data, with what each of five bits asks for: length, sequence numbers, an offset, no address
/// and control in PPP, a short protocol in PPP.
fn l2tp(scene: &Scene, bits: u8, packet: &[u8]) -> Vec<u8> {
    let asked = |bit: u8| bits >> bit & 1 == 1;
    let mut ppp = Vec::new();
    if !asked(3) {
        ppp.extend([0xff, 0x03]);
    }
    if !asked(4) {
        ppp.push(0);
    }
    ppp.push(if scene.is_v4() { 0x21 } else { 0x57 });
    ppp.extend(packet);

    let mut rest = vec![0, 11, 0, 22];
    let mut flags: u16 = 2;
    if asked(1) {
        flags |= 0x0800;
        rest.extend([0, 1, 0, 0]);
    }
    if asked(2) {
        flags |= 0x0200;
        rest.extend([0, 4, 0xee, 0xee, 0xee, 0xee]);
    }
    rest.extend(ppp);
    let mut octets = Vec::new();
    if asked(0) {
        flags |= 0x4000;
        octets.extend((rest.len() as u16 + 4).to_be_bytes());
    }
    [&flags.to_be_bytes()[..], &octets, &rest].concat()
}

/// VXLAN with an Ethernet frame.
fn vxlan((ethertype, octets): Carried) -> Vec<u8> {
    let header = [8, 0, 0, 0, 0, 0, 42, 0];
    let macs = [2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4];
    [&header[..], &macs, &ethertype.to_be_bytes(), &octets].concat()
}
