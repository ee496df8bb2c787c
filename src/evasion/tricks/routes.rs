//! Source routes: the destination that the header names is not where the packet ends.

use crate::evasion::build::{Extension, Ip, TCP, behind, extension, put, routing, sixteen};
use crate::evasion::scene::{Scene, Side};
use crate::evasion::{Attempt, Fate, Trick};
use std::net::IpAddr;

const LOOSE: u8 = 131;
const STRICT: u8 = 137;

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 29,
        name: "source-route",
        tries: "a loose or strict source route, or a routing header with segments left, that leads from the own server to a stranger",
        source: "RFC 791; RFC 5095; RFC 8754; RFC 8200",
        case: "a-source-route-is-judged-by-its-strictest-address",
        frames: |scene| {
            let away = scene.stranger();
            if scene.is_v4() {
                let mut frames: Vec<_> = [LOOSE, STRICT]
                    .into_iter()
                    .flat_map(|kind| {
                        [
                            vec![away],
                            vec![scene.own_server(), away],
                            vec![away, scene.own_server()],
                        ]
                        .map(|list| with_option(scene, &option(kind, 0, &list), Fate::Diverted))
                    })
                    .collect();
                let behind = [&[1, 1, 1][..], &option(LOOSE, 0, &[away])].concat();
                frames.push(with_option(scene, &behind, Fate::Diverted));
                frames
            } else {
                let segments = [(0, 1), (2, 1), (4, 1)];
                segments
                    .into_iter()
                    .map(|(kind, left)| {
                        with_header(scene, header(kind, left, &[away]), Fate::Diverted)
                    })
                    .collect()
            }
        },
    },
    Trick {
        number: 89,
        name: "unreadable-source-route",
        tries: "a list of addresses whose length or pointer lies, or a routing header of an unknown type: it may lead anywhere",
        source: "RFC 791; RFC 8200",
        case: "a-source-route-is-judged-by-its-strictest-address",
        frames: |scene| {
            let own = scene.own_server();
            if scene.is_v4() {
                let whole = option(LOOSE, 0, &[own]);
                let bent = [(1, 0), (1, 2), (1, 255), (2, 0), (2, 3), (2, 6)];
                bent.map(|(at, value)| {
                    let mut octets = whole.clone();
                    put(&mut octets, at, &[value]);
                    with_option(scene, &octets, Fate::Diverted)
                })
                .into()
            } else {
                let bent = [
                    header(0, 2, &[own]),
                    header(4, 9, &[own]),
                    header(3, 1, &[own]),
                    header(253, 1, &[own]),
                    extension(43, [0, 0, 0, 1, 0, 0, 0, 0]),
                ];
                bent.map(|header| with_header(scene, header, Fate::Diverted))
                    .into()
            }
        },
    },
    Trick {
        number: 90,
        name: "exhausted-source-route",
        tries: "a source route that is at its end: only the destination counts, and the own server stays open",
        source: "RFC 791; RFC 8200",
        case: "a-source-route-is-judged-by-its-strictest-address",
        frames: |scene| {
            let away = scene.stranger();
            if scene.is_v4() {
                [LOOSE, STRICT]
                    .map(|kind| with_option(scene, &option(kind, 1, &[away]), Fate::Seen))
                    .into()
            } else {
                [0, 2, 4]
                    .map(|kind| with_header(scene, header(kind, 0, &[away]), Fate::Seen))
                    .into()
            }
        },
    },
];

/// A source route of which so many addresses were visited.
fn option(kind: u8, visited: u8, list: &[IpAddr]) -> Vec<u8> {
    let mut octets = vec![kind, 3 + 4 * list.len() as u8, 4 + 4 * visited];
    for address in list {
        if let IpAddr::V4(address) = address {
            octets.extend(address.octets());
        }
    }
    octets
}

/// A routing header with addresses, in the order of travel.
fn header(kind: u8, left: u8, list: &[IpAddr]) -> Extension {
    let last_entry = if kind == 4 { list.len() as u8 - 1 } else { 0 };
    let mut rest = vec![last_entry, 0, 0, 0];
    for address in list {
        rest.extend(sixteen(*address));
    }
    routing(kind, left, &rest)
}

fn with_option(scene: &Scene, option: &[u8], fate: Fate) -> Attempt {
    let mut ip = scene.plain();
    ip.options = option.to_vec();
    ip.options.resize(option.len().next_multiple_of(4), 0);
    routed(scene, &ip, fate)
}

fn with_header(scene: &Scene, header: Extension, fate: Fate) -> Attempt {
    let (next, body) = behind(&[header], TCP, &scene.syn());
    routed(scene, &scene.ip(next, body), fate)
}

/// Only what a subscriber sends can be led past its destination.
fn routed(scene: &Scene, ip: &Ip, fate: Fate) -> Attempt {
    let fate = match (scene.side, fate) {
        (Side::Network, Fate::Diverted) => Fate::Seen,
        _ => fate,
    };
    scene.attempt(ip, fate)
}
