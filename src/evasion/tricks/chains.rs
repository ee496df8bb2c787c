//! Header chains: TCP stands where a filter does not look.

use super::fragments::{only_ipv4, only_ipv6};
use crate::evasion::build::{
    AH, DESTINATION, Extension, HOP_BY_HOP, NO_NEXT, TCP, UDP, ah, behind, extension, options,
    routing, sixteen,
};
use crate::evasion::scene::{Party, Scene};
use crate::evasion::{Attempt, Fate, Trick};
use crate::stats::Reason;

const OVERLONG: Fate = Fate::Evasive(Reason::HeaderChainLimit);
const INCOMPLETE: Fate = Fate::Evasive(Reason::IncompleteHeaders);

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 10,
        name: "extension-headers",
        tries: "hop-by-hop and destination options in front of TCP, each alone and together",
        source: "RFC 8200",
        case: "destination-options-hide-nothing",
        frames: |scene| {
            let [hop, dst] = [HOP_BY_HOP, DESTINATION].map(|number| options(number, 8));
            in_ipv6(
                scene,
                &[
                    (vec![hop.clone()], Fate::Seen),
                    (vec![dst.clone()], Fate::Seen),
                    (vec![hop, dst], Fate::Seen),
                ],
            )
        },
    },
    Trick {
        number: 11,
        name: "authentication-header",
        tries: "an authentication header in front of TCP: it signs, and hides nothing",
        source: "RFC 4302",
        case: "ah-is-followed-in-both-families",
        frames: |scene| {
            let sizes = [0, 1, 3, 4, 5, 12];
            sizes
                .map(|words| chained(scene, &[ah(words)], Fate::Seen))
                .into()
        },
    },
    Trick {
        number: 14,
        name: "overlong-chain",
        tries: "more extension headers, or longer ones, than a filter follows",
        source: "RFC 7045; RFC 7112",
        case: "a-header-chain-over-the-cap-is-dropped",
        frames: |scene| overlong(scene, OVERLONG),
    },
    Trick {
        number: 15,
        name: "overlong-chain-of-an-exempt-plan",
        tries: "the same from a customer who may send: it is no reason to drop",
        source: "RFC 7045",
        case: "a-fixed-ipv4-line-is-exempt-over-ipv4-and-blocked-over-ipv6",
        frames: |scene| {
            if scene.party != Party::Exempt {
                return Vec::new();
            }
            overlong(scene, Fate::Harmless)
        },
    },
    Trick {
        number: 39,
        name: "chain-as-long-as-followed",
        tries: "eight extension headers, or 256 octets of them: as much as is followed, and no more",
        source: "RFC 8200",
        case: "a-header-chain-over-the-cap-is-dropped",
        frames: |scene| {
            in_ipv6(
                scene,
                &[
                    (vec![options(DESTINATION, 8); 8], Fate::Seen),
                    (vec![options(DESTINATION, 256)], Fate::Seen),
                    (
                        vec![options(HOP_BY_HOP, 128), options(DESTINATION, 128)],
                        Fate::Seen,
                    ),
                ],
            )
        },
    },
    Trick {
        number: 40,
        name: "headers-out-of-order",
        tries: "hop-by-hop behind other headers, and every header more than once",
        source: "RFC 8200; RFC 7045",
        case: "a-hop-by-hop-header-hides-nothing",
        frames: |scene| {
            let [hop, dst] = [HOP_BY_HOP, DESTINATION].map(|number| options(number, 8));
            in_ipv6(
                scene,
                &[
                    (vec![dst.clone(), hop.clone()], Fate::Seen),
                    (vec![hop.clone(), hop.clone(), hop.clone()], Fate::Seen),
                    (vec![ah(3), hop.clone(), ah(3)], Fate::Seen),
                    (vec![dst.clone(), dst, ah(5), hop], Fate::Seen),
                ],
            )
        },
    },
    Trick {
        number: 41,
        name: "chain-beyond-its-packet",
        tries: "an extension header that says it is longer than the packet",
        source: "RFC 8200",
        case: "an-incomplete-header-chain-is-dropped",
        frames: |scene| {
            let long = extension(DESTINATION, [0, 9, 1, 4, 0, 0, 0, 0]);
            let hop = extension(HOP_BY_HOP, [0, 20, 1, 4, 0, 0, 0, 0]);
            in_ipv6(scene, &[(vec![long], INCOMPLETE), (vec![hop], INCOMPLETE)])
        },
    },
    Trick {
        number: 42,
        name: "options-that-lie",
        tries: "options whose own lengths pass the end of their header, or of types that nobody knows",
        source: "RFC 8200",
        case: "destination-options-hide-nothing",
        frames: |scene| {
            let odd = [
                [0, 0, 1, 255, 0, 0, 0, 0],
                [0, 0, 0x1e, 4, 1, 2, 3, 4],
                [0, 0, 0xfe, 0, 0xff, 0xff, 0xff, 0xff],
            ];
            let each = odd.map(|octets| (vec![extension(DESTINATION, octets)], Fate::Seen));
            in_ipv6(scene, &each)
        },
    },
    Trick {
        number: 43,
        name: "home-address",
        tries: "a home address option, which names another source than the header: the header's is judged",
        source: "RFC 6275",
        case: "destination-options-hide-nothing",
        frames: |scene| {
            let fixed = [0, 2, 1, 2, 0, 0, 0xc9, 16];
            let home = [&fixed[..], &sixteen(scene.own_server())].concat();
            in_ipv6(scene, &[(vec![extension(DESTINATION, home)], Fate::Seen)])
        },
    },
    Trick {
        number: 44,
        name: "jumbogram",
        tries: "an IPv6 payload length of 0 with a jumbo payload option, true or not",
        source: "RFC 2675",
        case: "an-ip-length-of-0-or-beyond-the-frame-hides-nothing",
        frames: |scene| {
            let lengths = [28_u32, 0, 65_536, u32::MAX];
            only_ipv6(
                scene,
                lengths.map(|len| {
                    let jumbo = [&[0, 0, 0xc2, 4][..], &len.to_be_bytes()].concat();
                    let (next, body) = behind(&[extension(HOP_BY_HOP, jumbo)], TCP, &scene.syn());
                    let mut ip = scene.ip(next, body);
                    ip.length = Some(0);
                    scene.attempt(&ip, Fate::Seen)
                }),
            )
        },
    },
    Trick {
        number: 45,
        name: "spent-routing-header",
        tries: "a routing header with no segment left, of each type that was ever in use",
        source: "RFC 8200; RFC 5095; RFC 8754",
        case: "a-routing-header-hides-nothing",
        frames: |scene| {
            let list = [&[0; 4][..], &sixteen(scene.own_server())].concat();
            let spent = [0, 2, 3, 4, 253].map(|kind| (vec![routing(kind, 0, &list)], Fate::Seen));
            in_ipv6(scene, &spent)
        },
    },
    Trick {
        number: 46,
        name: "ipv6-headers-in-ipv4",
        tries: "IPv6 extension headers in IPv4, where no receiver follows them",
        source: "RFC 791",
        case: "other-transports-are-never-opened",
        frames: |scene| {
            only_ipv4(
                scene,
                [0, 43, 44, 60].map(|number| {
                    let header = extension(number, [0; 8]);
                    let (first, body) = behind(&[header], TCP, &scene.syn());
                    scene.attempt(&scene.ip(first, body), Fate::Harmless)
                }),
            )
        },
    },
    Trick {
        number: 47,
        name: "headers-of-no-host",
        tries: "mobility, HIP, shim6 and experimental headers in front of TCP: no host follows them unasked",
        source: "RFC 7045",
        case: "other-transports-are-never-opened",
        frames: |scene| {
            let numbers = [135, 139, 140, 253, 254];
            let each = numbers.map(|number| (vec![extension(number, [0; 8])], Fate::Harmless));
            in_ipv6(scene, &each)
        },
    },
    Trick {
        number: 48,
        name: "overlong-chain-to-udp",
        tries: "a chain over the cap that cannot lead to TCP: no reason to drop",
        source: "RFC 7045",
        case: "a-header-chain-over-the-cap-is-dropped",
        frames: |scene| {
            let chain = vec![options(DESTINATION, 8); 9];
            only_ipv6(
                scene,
                [UDP, NO_NEXT, 50, 58].map(|last| {
                    let (next, body) = behind(&chain, last, &scene.syn());
                    scene.attempt(&scene.ip(next, body), Fate::Harmless)
                }),
            )
        },
    },
];

fn overlong(scene: &Scene, fate: Fate) -> Vec<Attempt> {
    in_ipv6(
        scene,
        &[
            (vec![options(DESTINATION, 8); 9], fate),
            (vec![options(HOP_BY_HOP, 8); 40], fate),
            (vec![options(DESTINATION, 264)], fate),
            (vec![options(HOP_BY_HOP, 2048)], fate),
            (
                vec![options(DESTINATION, 136), options(DESTINATION, 128)],
                fate,
            ),
        ],
    )
}

/// The opening segment behind headers of either family.
fn chained(scene: &Scene, headers: &[Extension], fate: Fate) -> Attempt {
    let (first, body) = behind(headers, TCP, &scene.syn());
    debug_assert!(!scene.is_v4() || first == AH);
    scene.attempt(&scene.ip(first, body), fate)
}

/// The opening segment behind each of these chains, in IPv6.
fn in_ipv6(scene: &Scene, chains: &[(Vec<Extension>, Fate)]) -> Vec<Attempt> {
    if scene.is_v4() {
        return Vec::new();
    }
    let each = chains.iter();
    each.map(|(chain, fate)| chained(scene, chain, *fate))
        .collect()
}
