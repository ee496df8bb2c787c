//! What is somebody else's to open: customers' own tunnels, and what is encrypted.

use crate::evasion::build::{Ip, NO_NEXT, UDP, udp};
use crate::evasion::scene::{IPV4, Scene};
use crate::evasion::{Attempt, Fate, Setting, Trick};

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 16,
        name: "esp-and-no-next-header",
        tries: "ESP, encrypted or not, wrapped ESP, and no next header: nobody but the receiver reads it",
        source: "RFC 4303; RFC 2410; RFC 5840; RFC 8200",
        case: "other-transports-are-never-opened",
        frames: |scene| {
            let security = [&[0, 0, 1, 0, 0, 0, 0, 1][..], &scene.syn()].concat();
            [50, 141, NO_NEXT]
                .map(|protocol| {
                    scene.attempt(&scene.ip(protocol, security.clone()), Fate::Unopened)
                })
                .into()
        },
    },
    Trick {
        number: 20,
        name: "tunnel-to-a-third-party",
        tries: "IPv4 or IPv6 in IP to somebody who is no configured endpoint: the customer's own tunnel, and secret",
        source: "RFC 2473; RFC 2003; RFC 4213",
        case: "a-tunnel-to-a-third-party-stays-closed",
        frames: |scene| {
            let inner = scene.plain().octets();
            let protocol = if scene.is_v4() { 4 } else { 41 };
            [Setting::Plain, Setting::Tunnels]
                .map(|setting| unopened(scene, &scene.ip(protocol, inner.clone())).under(setting))
                .into()
        },
    },
    Trick {
        number: 82,
        name: "other-tunnels-to-a-third-party",
        tries: "GRE, L2TP, minimal encapsulation, EtherIP, IPComp, MPLS in IP: each is left alone",
        source: "RFC 2784; RFC 3931; RFC 2004; RFC 3378; RFC 3173; RFC 4023",
        case: "other-transports-are-never-opened",
        frames: |scene| {
            let inner = scene.plain().octets();
            let gre = [&[0, 0][..], &scene.ethertype().to_be_bytes(), &inner].concat();
            let mut frames = vec![unopened(scene, &scene.ip(47, gre))];
            for protocol in [55, 94, 97, 98, 108, 115, 137] {
                let ip = scene.ip(protocol, inner.clone());
                frames.push(unopened(scene, &ip));
            }
            let frames = frames.into_iter();
            frames
                .map(|attempt| attempt.under(Setting::Tunnels))
                .collect()
        },
    },
    Trick {
        number: 83,
        name: "tunnels-over-udp-to-a-third-party",
        tries: "L2TP, Teredo, VXLAN, GTP-U, GRE, MPLS and TCP in UDP: each is left alone",
        source: "RFC 2661; RFC 4380; RFC 7348; RFC 8086; RFC 7510",
        case: "a-tunnel-to-a-third-party-stays-closed",
        frames: |scene| {
            let inner = scene.plain().octets();
            let l2tp = [&[0, 2, 0, 1, 0, 1, 0xff, 3, 0, 0x21][..], &inner].concat();
            let gtp = [&[0x30, 0xff, 0, 0, 0, 0, 0, 1][..], &inner].concat();
            let vxlan = [
                &[8, 0, 0, 0, 0, 0, 1, 0][..],
                &[2; 12],
                &IPV4.to_be_bytes(),
                &inner,
            ];
            let vxlan = vxlan.concat();
            let over = [
                (1701, &l2tp),
                (2152, &gtp),
                (3544, &inner),
                (4754, &inner),
                (4789, &vxlan),
                (6635, &inner),
                (4500, &inner),
                (25, &inner),
            ];
            over.map(|(port, data)| datagram(scene, port, data)).into()
        },
    },
];

fn datagram(scene: &Scene, port: u16, data: &[u8]) -> Attempt {
    let body = udp(scene.ends(), port, port, data);
    unopened(scene, &scene.ip(UDP, body)).under(Setting::Tunnels)
}

fn unopened(scene: &Scene, ip: &Ip) -> Attempt {
    scene.attempt(ip, Fate::Unopened)
}
