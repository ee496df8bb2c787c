//! Lengths that lie, options that shift, and captures that are cut.

use super::fragments::{only_ipv4, only_ipv6};
use crate::evasion::build::{DESTINATION, Ip, TCP, behind, options};
use crate::evasion::scene::{IPV4, IPV6, Scene};
use crate::evasion::{Attempt, Fate, Trick};
use crate::stats::Reason;

const INCOMPLETE: Fate = Fate::Evasive(Reason::IncompleteHeaders);
const MALFORMED: Fate = Fate::Evasive(Reason::Malformed);

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 1,
        name: "ipv4-options",
        tries: "IPv4 options, which push the ports back",
        source: "RFC 791",
        case: "ipv4-options-hide-nothing",
        frames: |scene| {
            // Nothing, record route, timestamp, router alert, security, and as many as fit.
            let some: [&[u8]; 6] = [
                &[1, 1, 1, 0],
                &[7, 7, 4, 0, 0, 0, 0, 0],
                &[68, 8, 5, 0, 0, 0, 0, 0],
                &[148, 4, 0, 0],
                &[130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                &[1; 40],
            ];
            with_options(scene, some)
        },
    },
    Trick {
        number: 26,
        name: "padded-frame",
        tries: "Ethernet padding behind a short packet: the IP length says where it ends",
        source: "RFC 894; RFC 1042",
        case: "ethernet-padding-is-not-read",
        frames: |scene| {
            let padded = |ip: &Ip, fate| scene.attempt(ip, fate).padded(18);
            let short = scene.ip(TCP, scene.syn().split_off(12));
            vec![
                padded(&scene.plain(), Fate::Seen),
                padded(&scene.tcp(&scene.innocent()), Fate::Harmless),
                padded(&short, MALFORMED),
            ]
        },
    },
    Trick {
        number: 27,
        name: "length-of-0-or-beyond",
        tries: "an IP length of 0, as segmentation offload leaves it, or one beyond the frame",
        source: "RFC 791; RFC 2675",
        case: "an-ip-length-of-0-or-beyond-the-frame-hides-nothing",
        frames: |scene| {
            [0, 1500, 65_535]
                .map(|length| scene.attempt(&stated(scene.plain(), length), Fate::Seen))
                .into()
        },
    },
    Trick {
        number: 28,
        name: "cut-capture",
        tries: "a capture that was cut where the missing octets could change the verdict: reported apart, and never counted as forwarded",
        source: "libpcap's snapshot length",
        case: "what-a-cut-capture-cannot-tell-is-indeterminate",
        frames: |scene| {
            let header = if scene.is_v4() { 20 } else { 40 };
            let [port_25, port_80] = [scene.plain(), scene.tcp(&scene.innocent())]
                .map(|ip| move |kept, fate| scene.attempt(&ip, fate).cut(kept));
            vec![
                port_25(10, Fate::Unreadable),
                port_25(header, Fate::Undecided),
                port_25(header + 1, Fate::Undecided),
                port_25(header + 4, Fate::Undecided),
                port_25(header + 13, Fate::Undecided),
                port_25(header + 14, Fate::Seen),
                port_80(header + 4, Fate::Harmless),
                port_80(header + 13, Fate::Harmless),
            ]
        },
    },
    Trick {
        number: 61,
        name: "ports-in-the-padding",
        tries: "an IP length that ends before the ports, which stand where padding would",
        source: "RFC 791; RFC 8200",
        case: "ports-behind-the-ip-length-are-not-read",
        frames: |scene| {
            let header: u16 = if scene.is_v4() { 20 } else { 0 };
            let short = |tcp: u16, fate| scene.attempt(&stated(scene.plain(), header + tcp), fate);
            let mut frames = vec![
                short(4, MALFORMED),
                short(8, MALFORMED),
                short(13, MALFORMED),
            ];
            frames.push(short(14, Fate::Seen));
            frames.extend(only_ipv4(scene, [short(0, INCOMPLETE)]));
            frames
        },
    },
    Trick {
        number: 62,
        name: "header-longer-than-its-packet",
        tries: "an IPv4 header length beyond the total length, or below 5: no receiver takes it",
        source: "RFC 791; RFC 1812, section 5.2.2",
        case: "what-is-announced-as-ip-and-is-not-is-unparsed",
        frames: |scene| {
            only_ipv4(
                scene,
                [0x4f, 0x4b, 0x44, 0x40].map(|first| {
                    let mut ip = scene.plain();
                    ip.first_octet = Some(first);
                    scene.attempt(&ip, Fate::Harmless)
                }),
            )
        },
    },
    Trick {
        number: 63,
        name: "header-longer-than-the-frame",
        tries: "an IPv4 header whose options end behind the frame, with a total length that would hold them",
        source: "RFC 791",
        case: "an-incomplete-header-chain-is-dropped",
        frames: |scene| {
            only_ipv4(
                scene,
                [0, 1500].map(|length| {
                    let mut ip = stated(scene.plain(), length);
                    ip.first_octet = Some(0x4f);
                    scene.attempt(&ip, INCOMPLETE)
                }),
            )
        },
    },
    Trick {
        number: 64,
        name: "wrong-version",
        tries: "IPv4 announced and another version written, and the other way round: no receiver takes it",
        source: "RFC 1812, section 5.2.2; RFC 8200",
        case: "what-is-announced-as-ip-and-is-not-is-unparsed",
        frames: |scene| {
            let mut frames: Vec<_> = [0x05, 0x55, 0x75]
                .into_iter()
                .map(|first| {
                    let mut ip = scene.plain();
                    ip.first_octet = Some(first);
                    scene.attempt(&ip, Fate::Harmless).bare()
                })
                .collect();
            let other = if scene.is_v4() { IPV6 } else { IPV4 };
            frames.push(
                scene
                    .carried(other, scene.plain().octets(), Fate::Harmless)
                    .bare(),
            );
            frames
        },
    },
    Trick {
        number: 65,
        name: "malformed-ipv4-options",
        tries: "options of length 0 or past the end, and octets behind the end of the list",
        source: "RFC 791; RFC 1122",
        case: "ipv4-options-hide-nothing",
        frames: |scene| {
            let some: [&[u8]; 4] = [
                &[7, 0, 0, 0],
                &[7, 255, 4, 0],
                &[0, 7, 7, 4, 25, 25, 25, 25],
                &[255, 1, 255, 0],
            ];
            with_options(scene, some)
        },
    },
    Trick {
        number: 66,
        name: "ipv6-length-within-the-chain",
        tries: "an IPv6 payload length that ends inside the headers while the frame goes on",
        source: "RFC 8200",
        case: "ports-behind-the-ip-length-are-not-read",
        frames: |scene| {
            let (next, body) = behind(&[options(DESTINATION, 16)], TCP, &scene.syn());
            only_ipv6(
                scene,
                [1, 8, 15, 16].map(|length| {
                    scene.attempt(&stated(scene.ip(next, body.clone()), length), INCOMPLETE)
                }),
            )
        },
    },
];

/// A packet that states another length than its own.
fn stated(mut ip: Ip, length: u16) -> Ip {
    ip.length = Some(length);
    ip
}

fn with_options<const N: usize>(scene: &Scene, some: [&[u8]; N]) -> Vec<Attempt> {
    only_ipv4(
        scene,
        some.map(|options| {
            let mut ip = scene.plain();
            ip.options = options.into();
            scene.attempt(&ip, Fate::Seen)
        }),
    )
}
