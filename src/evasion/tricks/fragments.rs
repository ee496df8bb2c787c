//! Fragments: what a filter sees is not what the receiver puts together.

use crate::evasion::build::{
    AH, DESTINATION, Extension, FRAGMENT, MORE, Segment, TCP, UDP, ah, behind, extension, fragment,
    options,
};
use crate::evasion::scene::Scene;
use crate::evasion::{Attempt, Fate, Trick};
use crate::stats::Reason;

const TINY: Fate = Fate::Evasive(Reason::TinyFragment);
const OVERLAPPING: Fate = Fate::Evasive(Reason::OverlappingFragment);
const MALFORMED: Fate = Fate::Evasive(Reason::Malformed);
const INCOMPLETE: Fate = Fate::Evasive(Reason::IncompleteHeaders);

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 2,
        name: "tiny-first-fragment",
        tries: "a first fragment that ends before the TCP flags, so that they come in the second",
        source: "RFC 1858, section 3",
        case: "a-tiny-first-fragment-is-dropped",
        frames: |scene| {
            let [port_25, port_80] = [scene.opening(), scene.innocent()].map(|segment| {
                let octets = segment.octets(scene.ends());
                move |len: usize| octets.get(..len).unwrap_or_default().to_vec()
            });
            let first = |octets: Vec<u8>| piece(scene, 0, true, TCP, octets, TINY);
            let sizes = [1, 2, 4, 8, 12, 13];
            let either = |len| [first(port_25(len)), first(port_80(len))];
            sizes.into_iter().flat_map(either).collect()
        },
    },
    Trick {
        number: 3,
        name: "tcp-at-offset-1",
        tries: "a fragment at offset 1 that writes other flags over those of the first",
        source: "RFC 1858; RFC 3128",
        case: "tcp-at-offset-1-is-dropped",
        frames: |scene| {
            let rest = || scene.syn().split_off(8);
            [true, false]
                .map(|more| piece(scene, 1, more, TCP, rest(), OVERLAPPING))
                .into()
        },
    },
    Trick {
        number: 4,
        name: "later-fragment-like-a-syn",
        tries: "a later fragment whose octets look like a SYN to port 25: it opens nothing, and a filter that reads ports there harms data",
        source: "RFC 791",
        case: "a-later-fragment-shows-no-ports",
        frames: |scene| {
            [2, 3, 185]
                .map(|offset| piece(scene, offset, false, TCP, scene.syn(), Fate::Harmless))
                .into()
        },
    },
    Trick {
        number: 5,
        name: "offset-4096",
        tries: "a later fragment whose offset has only the highest bit set, for who masks one bit too many",
        source: "RFC 791",
        case: "a-later-fragment-shows-no-ports",
        frames: |scene| {
            [4096, 8191]
                .map(|offset| piece(scene, offset, false, TCP, scene.syn(), Fate::Harmless))
                .into()
        },
    },
    Trick {
        number: 6,
        name: "two-first-fragments",
        tries: "two fragments at offset 0, the first at port 80 and the second at port 25",
        source: "RFC 1858",
        case: "every-first-fragment-is-judged",
        frames: |scene| {
            let whole = |segment: Segment| [segment.octets(scene.ends()), vec![0; 4]].concat();
            vec![
                piece(scene, 0, true, TCP, whole(scene.innocent()), Fate::Harmless),
                piece(scene, 0, true, TCP, whole(scene.opening()), Fate::Seen),
            ]
        },
    },
    Trick {
        number: 12,
        name: "atomic-fragment",
        tries: "a fragment header on a packet that is not fragmented, its reserved bits set or not",
        source: "RFC 6946",
        case: "an-atomic-fragment-is-a-whole-packet",
        frames: |scene| {
            let reserved = extension(FRAGMENT, [0, 0xff, 0, 0x06, 0, 0, 0, 1]);
            chained(
                scene,
                &[
                    (&[fragment(0, false)], Fate::Seen),
                    (&[reserved], Fate::Seen),
                ],
            )
        },
    },
    Trick {
        number: 13,
        name: "first-fragment-without-its-chain",
        tries: "a first fragment that ends inside the extension headers, before TCP begins",
        source: "RFC 7112; RFC 8200, section 4.5",
        case: "an-incomplete-header-chain-is-dropped",
        frames: |scene| {
            let pair = [fragment(0, true), options(DESTINATION, 16)];
            let (next, octets) = behind(&pair, TCP, &[]);
            let ends = [9, 12, 16, 24];
            let cut = |len| octets.get(..len).unwrap_or_default().to_vec();
            only_ipv6(
                scene,
                ends.map(|len| scene.attempt(&scene.ip(next, cut(len)), INCOMPLETE)),
            )
        },
    },
    Trick {
        number: 31,
        name: "later-fragment-over-the-chain",
        tries: "an IPv6 fragment at offset 1 over the extension headers of the first; receivers drop the whole datagram",
        source: "RFC 5722",
        case: "an-ipv6-fragment-over-extension-headers-is-left-to-the-receiver",
        frames: |scene| {
            let over = |next| piece(scene, 1, false, next, scene.syn(), Fate::Harmless);
            only_ipv6(scene, [over(DESTINATION), over(FRAGMENT)])
        },
    },
    Trick {
        number: 32,
        name: "ports-written-over",
        tries: "a whole first fragment at port 80, then 8 octets at offset 0 that write port 25 over it",
        source: "RFC 1858; Ptacek and Newsham 1998",
        case: "every-first-fragment-is-judged",
        frames: |scene| {
            let mut whole = scene.innocent().octets(scene.ends());
            whole.extend([0; 4]);
            let mut ports = scene.syn();
            ports.truncate(8);
            vec![
                piece(scene, 0, true, TCP, whole, Fate::Harmless),
                piece(scene, 0, false, TCP, ports.clone(), MALFORMED),
                piece(scene, 0, true, TCP, ports, TINY),
            ]
        },
    },
    Trick {
        number: 33,
        name: "first-fragment-just-long-enough",
        tries: "a first fragment of 14 to 21 octets: it shows the flags, and nobody may call it tiny",
        source: "RFC 1858, section 3",
        case: "every-first-fragment-is-judged",
        frames: |scene| {
            let mut frames = Vec::new();
            for (segment, fate) in [
                (scene.opening(), Fate::Seen),
                (scene.innocent(), Fate::Harmless),
            ] {
                let octets = [segment.octets(scene.ends()), vec![0]].concat();
                for len in [14, 16, 20, 21] {
                    let some = octets.get(..len).unwrap_or_default().to_vec();
                    frames.push(piece(scene, 0, true, TCP, some, fate));
                }
            }
            frames.push(piece(scene, 2, false, TCP, vec![0; 8], Fate::Harmless));
            frames
        },
    },
    Trick {
        number: 34,
        name: "nested-fragment-headers",
        tries: "a fragment header behind a fragment header: what is put together is a fragment again",
        source: "CVE-2023-4809 (pf); CVE-2021-24086 and CVE-2021-24094 (Windows)",
        case: "fragment-headers-in-fragment-headers-hide-nothing",
        frames: |scene| {
            chained(
                scene,
                &[
                    (&[fragment(0, true), fragment(0, true)], Fate::Seen),
                    (&[fragment(0, false), fragment(0, true)], Fate::Seen),
                    (&[fragment(0, true), fragment(0, false)], Fate::Seen),
                    (
                        &[fragment(0, false), fragment(0, false), fragment(0, false)],
                        Fate::Seen,
                    ),
                    (&[fragment(0, true), fragment(1, false)], OVERLAPPING),
                    (
                        &[
                            fragment(0, true),
                            options(DESTINATION, 8),
                            fragment(0, true),
                        ],
                        Fate::Seen,
                    ),
                    (&[fragment(0, false), fragment(185, false)], Fate::Harmless),
                ],
            )
        },
    },
    Trick {
        number: 35,
        name: "more-to-come-that-never-comes",
        tries: "a whole SYN in a first fragment that says more will come",
        source: "RFC 791; RFC 8200, section 4.5",
        case: "every-first-fragment-is-judged",
        frames: |scene| vec![piece(scene, 0, true, TCP, scene.syn(), Fate::Seen)],
    },
    Trick {
        number: 36,
        name: "reserved-and-contradicting-flags",
        tries: "the reserved (\"evil\") bit, do-not-fragment, and do-not-fragment with more-fragments",
        source: "RFC 791; RFC 3514",
        case: "reserved-bits-hide-nothing",
        frames: |scene| {
            let words = [0x8000, 0x4000, 0xc000, 0x4000 | MORE, 0xc000 | MORE];
            only_ipv4(
                scene,
                words.map(|word| {
                    let mut ip = scene.plain();
                    ip.fragment = word;
                    scene.attempt(&ip, Fate::Seen)
                }),
            )
        },
    },
    Trick {
        number: 37,
        name: "fragment-of-another-protocol",
        tries: "a fragment at offset 1 that says UDP: in IPv4 another datagram, in IPv6 an overlap",
        source: "RFC 8200, section 4.5; RFC 5722",
        case: "a-later-fragment-shows-no-ports",
        frames: |scene| vec![piece(scene, 1, false, UDP, scene.syn(), Fate::Harmless)],
    },
    Trick {
        number: 38,
        name: "fragments-behind-an-authentication-header",
        tries: "an authentication header that pushes TCP out of the first fragment",
        source: "RFC 4302; RFC 1858, section 3",
        case: "an-authentication-header-in-a-fragment-hides-nothing",
        frames: |scene| {
            let cut = |tcp: usize, fate| {
                let octets = scene.syn();
                let (_, body) = behind(&[ah(3)], TCP, octets.get(..tcp).unwrap_or_default());
                piece(scene, 0, true, AH, body, fate)
            };
            vec![
                cut(20, Fate::Seen),
                cut(14, Fate::Seen),
                cut(8, TINY),
                cut(0, INCOMPLETE),
            ]
        },
    },
];

/// A fragment of either family.
fn piece(
    scene: &Scene,
    offset: u16,
    more: bool,
    protocol: u8,
    octets: Vec<u8>,
    fate: Fate,
) -> Attempt {
    let ip = if scene.is_v4() {
        let mut ip = scene.ip(protocol, octets);
        ip.fragment = offset | if more { MORE } else { 0 };
        ip
    } else {
        let (next, body) = behind(&[fragment(offset, more)], protocol, &octets);
        scene.ip(next, body)
    };
    scene.attempt(&ip, fate)
}

/// The opening segment behind each of these chains, in IPv6.
fn chained(scene: &Scene, chains: &[(&[Extension], Fate)]) -> Vec<Attempt> {
    let each = chains.iter().map(|(chain, fate)| {
        let (next, body) = behind(chain, TCP, &scene.syn());
        scene.attempt(&scene.ip(next, body), *fate)
    });
    only_ipv6(scene, each)
}

/// What exists in IPv4 alone.
pub(super) fn only_ipv4(scene: &Scene, frames: impl IntoIterator<Item = Attempt>) -> Vec<Attempt> {
    let frames = frames.into_iter();
    frames.filter(|_| scene.is_v4()).collect()
}

/// What exists in IPv6 alone.
pub(super) fn only_ipv6(scene: &Scene, frames: impl IntoIterator<Item = Attempt>) -> Vec<Attempt> {
    let frames = frames.into_iter();
    frames.filter(|_| !scene.is_v4()).collect()
}
