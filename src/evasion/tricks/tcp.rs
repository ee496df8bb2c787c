//! TCP itself: flags, options, and what looks like a connection and is none.

use crate::evasion::build::{Segment, TCP, UDP, icmp_error, udp};
use crate::evasion::scene::{ACK, FIN, RST, SYN, Scene, Side};
use crate::evasion::{Attempt, Fate, Trick};

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 7,
        name: "syn-with-data",
        tries: "a SYN that carries data, with a TCP Fast Open cookie or without",
        source: "RFC 7413",
        case: "a-syn-with-data-is-a-syn",
        frames: |scene| {
            let cookie = vec![34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1];
            let data = b"EHLO bot.example\r\n".to_vec();
            let dressed = [
                (cookie.clone(), data.clone()),
                (cookie, Vec::new()),
                (Vec::new(), data),
            ];
            each(
                scene,
                dressed.map(|(options, data)| Segment {
                    options,
                    data,
                    ..scene.opening()
                }),
            )
        },
    },
    Trick {
        number: 8,
        name: "syn-with-other-flags",
        tries: "a SYN with every mix of FIN, RST, PSH, URG, ECE and CWR",
        source: "RFC 9293, section 3.10.7; nmap",
        case: "only-syn-and-ack-tell-a-new-connection",
        frames: |scene| {
            // The six flags stand in bits 0, 2, 3, 5, 6 and 7.
            let spread = |mix: u16| mix & 1 | (mix & 6) << 1 | (mix & 0x38) << 2;
            each(
                scene,
                (0..64).map(|mix| {
                    let mut segment = scene.opening();
                    segment.flags |= spread(mix);
                    segment
                }),
            )
        },
    },
    Trick {
        number: 9,
        name: "wrong-data-offset",
        tries: "a TCP data offset below 5 or past the end",
        source: "RFC 9293",
        case: "a-wrong-data-offset-hides-nothing",
        frames: |scene| {
            each(
                scene,
                [0, 1, 4, 6, 15].map(|offset| Segment {
                    data_offset: Some(offset),
                    ..scene.opening()
                }),
            )
        },
    },
    Trick {
        number: 23,
        name: "syn-from-port-25",
        tries: "a bare SYN from a peer's port 25 to a subscriber: the other half of a spoofed or simultaneous open",
        source: "Qian, Mao, Xie and Yu 2010; RFC 9293",
        case: "the-return-path-mirrors-the-rule",
        frames: |scene| {
            let flags = [SYN, SYN | 0x0c0, SYN | FIN];
            match scene.side {
                Side::Network => each(scene, flags.map(|flags| scene.segment(25, flags))),
                Side::Access => Vec::new(),
            }
        },
    },
    Trick {
        number: 25,
        name: "udp-port-25",
        tries: "UDP at port 25: not mail",
        source: "RFC 768",
        case: "udp-port-25-is-not-smtp",
        frames: |scene| {
            let body = udp(scene.ends(), 25, 25, b"hello");
            scene.one(&scene.ip(UDP, body), Fate::Harmless)
        },
    },
    Trick {
        number: 49,
        name: "reserved-tcp-bits",
        tries: "a SYN with the reserved bits of the header set, accurate ECN's among them",
        source: "RFC 9293; RFC 9768",
        case: "reserved-bits-hide-nothing",
        frames: |scene| {
            each(
                scene,
                [0x100, 0x200, 0x800, 0xe00, 0xf00].map(|bits| {
                    let mut segment = scene.opening();
                    segment.flags |= bits;
                    segment
                }),
            )
        },
    },
    Trick {
        number: 50,
        name: "urgent-pointer",
        tries: "a SYN with an urgent pointer, with URG or without",
        source: "RFC 6093; Ptacek and Newsham 1998",
        case: "only-syn-and-ack-tell-a-new-connection",
        frames: |scene| {
            each(
                scene,
                [0, 0x020].map(|urg| {
                    let mut segment = Segment {
                        urgent: 0xffff,
                        ..scene.opening()
                    };
                    segment.flags |= urg;
                    segment
                }),
            )
        },
    },
    Trick {
        number: 51,
        name: "tcp-options-that-lie",
        tries: "TCP options of length 0, past the end, or of unknown kinds",
        source: "RFC 9293",
        case: "a-syn-with-data-is-a-syn",
        frames: |scene| {
            let odd = [
                [2, 0, 0, 0],
                [2, 40, 5, 0xb4],
                [0, 2, 4, 5],
                [254, 4, 0xf9, 0x89],
            ];
            each(
                scene,
                odd.map(|octets| Segment {
                    options: octets.into(),
                    ..scene.opening()
                }),
            )
        },
    },
    Trick {
        number: 52,
        name: "multipath-tcp",
        tries: "MP_CAPABLE and MP_JOIN at port 25: each subflow opens with a SYN of its own",
        source: "RFC 8684",
        case: "a-syn-with-data-is-a-syn",
        frames: |scene| {
            let capable = vec![30, 4, 1, 1];
            let join = vec![30, 12, 0x10, 1, 1, 2, 3, 4, 5, 6, 7, 8];
            each(
                scene,
                [capable, join].map(|options| Segment {
                    options,
                    ..scene.opening()
                }),
            )
        },
    },
    Trick {
        number: 53,
        name: "wrong-checksums",
        tries: "a SYN with a wrong TCP or IP checksum, or a hop limit of 1: it counts all the same",
        source: "Geneva 2019; SymTCP 2020",
        case: "a-wrong-checksum-or-hop-limit-hides-nothing",
        frames: |scene| {
            let bad = Segment {
                checksum_error: 1,
                ..scene.opening()
            };
            let (mut sum, mut hops, mut none) = (scene.plain(), scene.plain(), scene.plain());
            sum.checksum_error = 1;
            hops.hops = 1;
            none.hops = 0;
            [scene.tcp(&bad), sum, hops, none]
                .map(|ip| scene.attempt(&ip, Fate::Seen))
                .into()
        },
    },
    Trick {
        number: 54,
        name: "class-of-service",
        tries: "every extreme of type of service and traffic class",
        source: "RFC 2474; RFC 3168",
        case: "reserved-bits-hide-nothing",
        frames: |scene| {
            [1, 3, 0x10, 0xe0, 0xff]
                .map(|class| {
                    let mut ip = scene.plain();
                    ip.class = class;
                    scene.attempt(&ip, Fate::Seen)
                })
                .into()
        },
    },
    Trick {
        number: 55,
        name: "odd-local-port",
        tries: "a SYN whose own port is 0, 25, 587 or 65535",
        source: "nmap (source port manipulation)",
        case: "only-syn-and-ack-tell-a-new-connection",
        frames: |scene| {
            each(
                scene,
                [0, 25, 587, 65_535].map(|port| {
                    let mut segment = scene.opening();
                    match scene.side {
                        Side::Access => segment.src_port = port,
                        Side::Network => segment.dst_port = port,
                    }
                    segment
                }),
            )
        },
    },
    Trick {
        number: 56,
        name: "split-handshake",
        tries: "the subscriber answers with SYN and ACK a SYN that came from port 25; that SYN was dropped (E23), and no mail server sends one",
        source: "Beardsley and Qian 2010",
        case: "only-syn-and-ack-tell-a-new-connection",
        frames: |scene| match scene.side {
            Side::Access => all(scene, [scene.segment(25, SYN | ACK)], Fate::Harmless),
            Side::Network => all(scene, [scene.segment(25, SYN)], Fate::Seen),
        },
    },
    Trick {
        number: 57,
        name: "segments-that-open-nothing",
        tries: "no flags, FIN, RST, ACK, PSH and URG at port 25: scans and open sessions, which a rule of `mode: syn` leaves alone",
        source: "RFC 9293, section 3.10.7.2; nmap",
        case: "only-syn-and-ack-tell-a-new-connection",
        frames: |scene| {
            let flags = [0, FIN, RST, ACK, FIN | 0x028, RST | ACK, ACK | 0x008];
            all(
                scene,
                flags.map(|flags| scene.segment(25, flags)),
                Fate::Harmless,
            )
        },
    },
    Trick {
        number: 58,
        name: "ports-beside-25",
        tries: "SYNs to 24, 26, 587, 465, 2525, and to 6400 (25 with its octets exchanged)",
        source: "RFC 5068; RFC 6409; RFC 8314",
        case: "a-syn-to-port-25-is-dropped-and-nothing-else",
        frames: |scene| {
            let ports = [24, 26, 587, 465, 2525, 6400, 0, 65_535];
            let opening = scene.opening().flags;
            all(
                scene,
                ports.map(|port| scene.segment(port, opening)),
                Fate::Harmless,
            )
        },
    },
    Trick {
        number: 59,
        name: "icmp-error-that-quotes",
        tries: "an ICMP error that quotes a SYN to port 25: it opens nothing",
        source: "RFC 792; RFC 4443",
        case: "an-icmp-error-that-quotes-a-syn-is-not-one",
        frames: |scene| {
            let (protocol, body) = icmp_error(scene.ends(), &scene.plain().octets());
            scene.one(&scene.ip(protocol, body), Fate::Harmless)
        },
    },
    Trick {
        number: 60,
        name: "other-transports-at-port-25",
        tries: "SCTP, DCCP and UDP-Lite at port 25: other transports, where nobody takes mail",
        source: "RFC 9260; RFC 4340; RFC 3828",
        case: "other-transports-are-never-opened",
        frames: |scene| {
            [132, 33, 136]
                .map(|protocol| scene.attempt(&scene.ip(protocol, scene.syn()), Fate::Harmless))
                .into()
        },
    },
];

/// Segments that open a connection, each in a packet.
fn each(scene: &Scene, segments: impl IntoIterator<Item = Segment>) -> Vec<Attempt> {
    all(scene, segments, Fate::Seen)
}

fn all(scene: &Scene, segments: impl IntoIterator<Item = Segment>, fate: Fate) -> Vec<Attempt> {
    let packet = |segment: Segment| scene.ip(TCP, segment.octets(scene.ends()));
    let segments = segments.into_iter();
    segments
        .map(|segment| scene.attempt(&packet(segment), fate))
        .collect()
}
