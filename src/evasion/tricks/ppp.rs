//! PPPoE and PPP: fields that may be left out, and lengths that lie.

use super::links::attempt;
use crate::evasion::build::{TCP, put};
use crate::evasion::scene::Scene;
use crate::evasion::wrap::{PPPOE, label, session};
use crate::evasion::{Attempt, Fate, Trick};
use crate::stats::Reason;

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 17,
        name: "pppoe-session",
        tries: "IP in a PPPoE session, bare and behind one tag or two",
        source: "RFC 2516; RFC 1332; RFC 5072",
        case: "pppoe-is-opened-behind-tags",
        frames: |scene| vec![opened(scene, &long(scene), Fate::Seen)],
    },
    Trick {
        number: 73,
        name: "compressed-protocol-field",
        tries: "a PPP protocol field of one octet",
        source: "RFC 1661, section 2",
        case: "pppoe-is-opened-with-either-length-of-protocol",
        frames: |scene| vec![opened(scene, &[number(scene)], Fate::Seen)],
    },
    Trick {
        number: 74,
        name: "address-and-control-in-pppoe",
        tries: "PPP's address and control octets (FF 03), which PPPoE leaves out and concentrators skip all the same",
        source: "RFC 2516; ng_ppp of FreeBSD",
        case: "pppoe-is-opened-with-address-and-control",
        frames: |scene| {
            let short = [0xff, 0x03, number(scene)];
            let long = [&[0xff, 0x03][..], &long(scene)].concat();
            vec![
                opened(scene, &short, Fate::Seen),
                opened(scene, &long, Fate::Seen),
            ]
        },
    },
    Trick {
        number: 75,
        name: "pppoe-length-that-lies",
        tries: "a PPPoE length that ends before the ports, or behind the frame",
        source: "RFC 2516",
        case: "a-pppoe-length-is-a-bound-like-any-other",
        frames: |scene| {
            let ppp = [long(scene).to_vec(), scene.plain().octets()].concat();
            let header = if scene.is_v4() { 20 } else { 40 };
            let stated = |len, fate| attempt(scene, (PPPOE, session(&ppp, len)), fate);
            vec![
                stated(2 + header + 8, Fate::Evasive(Reason::Malformed)),
                stated(2 + header, Fate::Evasive(Reason::IncompleteHeaders)),
                stated(2 + header + 14, Fate::Seen),
                stated(1500, Fate::Seen),
                stated(65_535, Fate::Seen),
                stated(0, Fate::Harmless),
            ]
        },
    },
    Trick {
        number: 76,
        name: "odd-pppoe-header",
        tries: "a PPPoE header of another version, type, code or session",
        source: "RFC 2516",
        case: "pppoe-is-opened-behind-tags",
        frames: |scene| {
            let odd = [[0x00, 0, 0, 0], [0x22, 0, 0xff, 0xff], [0x11, 0x09, 0, 1]];
            odd.map(|front| {
                let mut octets = session(&packet(scene, &long(scene)), 2 + 60);
                put(&mut octets, 0, &front);
                attempt(scene, (PPPOE, octets), Fate::Seen)
            })
            .into()
        },
    },
    Trick {
        number: 77,
        name: "labels-in-ppp",
        tries: "MPLS in a PPPoE session, unicast and multicast",
        source: "RFC 3032",
        case: "up-to-four-mpls-labels-are-followed",
        frames: |scene| {
            [0x0281_u16, 0x0283]
                .map(|protocol| {
                    let labels = [label(16, 0), label(17, 1)].concat();
                    let front = [&protocol.to_be_bytes()[..], &labels].concat();
                    opened(scene, &front, Fate::Seen)
                })
                .into()
        },
    },
    Trick {
        number: 78,
        name: "ppp-that-must-be-negotiated",
        tries: "multilink, Van Jacobson's compression, bridged frames: forwarded unopened, so leave them off at the concentrator",
        source: "RFC 1990; RFC 1144; RFC 3518",
        case: "what-is-not-ip-passes",
        frames: |scene| {
            let multilink = [&[0, 0x3d, 0xc0, 0, 0, 1][..], &long(scene)].concat();
            let fronts: [&[u8]; 3] = [&multilink, &[0, 0x2f], &[0, 0x31, 0, 1]];
            fronts
                .map(|front| opened(scene, front, Fate::Unopened))
                .into()
        },
    },
];

/// PPP's number for the scene's family.
fn number(scene: &Scene) -> u8 {
    if scene.is_v4() { 0x21 } else { 0x57 }
}

fn long(scene: &Scene) -> [u8; 2] {
    [0, number(scene)]
}

/// The opening segment's packet behind these octets.
fn packet(scene: &Scene, front: &[u8]) -> Vec<u8> {
    [front, &scene.ip(TCP, scene.syn()).octets()].concat()
}

/// The same in a session.
fn opened(scene: &Scene, front: &[u8], fate: Fate) -> Attempt {
    let ppp = packet(scene, front);
    attempt(scene, (PPPOE, session(&ppp, ppp.len())), fate)
}
