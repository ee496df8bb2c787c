//! Tags, labels and LLC: IP stands where a filter does not look for it.

use crate::evasion::scene::Scene;
use crate::evasion::wrap::{Carried, MPLS, label, tag};
use crate::evasion::{Attempt, Fate, Setting, Trick};
use crate::stats::Reason;

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 30,
        name: "more-tags-or-labels-than-followed",
        tries: "five tags, five labels, and hundreds: counted by a reason of their own, and dropped where the pipeline says so",
        source: "IEEE 802.1Q; RFC 3032",
        case: "five-tags-are-a-reason-of-their-own",
        frames: |scene| {
            let refused = beyond(scene, Fate::Refused(Reason::EncapsulationLimit));
            let refused = refused.into_iter();
            let mut frames = beyond(scene, Fate::Unopened);
            frames.extend(refused.map(|attempt| attempt.under(Setting::UnparsedDropped)));
            frames
        },
    },
    Trick {
        number: 67,
        name: "priority-tags",
        tries: "tags of VLAN 0, one to four of them, which switches take off in passing",
        source: "CVE-2021-27853; VU#855201",
        case: "a-priority-tag-hides-nothing",
        frames: |scene| {
            (1..=4)
                .map(|count| {
                    let tagged =
                        (0..count).fold(packet(scene), |inside, _| tag(0x8100, 5 << 13, inside));
                    attempt(scene, tagged, Fate::Seen).bare()
                })
                .collect()
        },
    },
    Trick {
        number: 68,
        name: "tags-of-every-ethertype",
        tries: "0x8100, 0x88a8, 0x9100 and 0x9200, in every order of two, and four of them",
        source: "IEEE 802.1Q; IEEE 802.1ad; VU#855201",
        case: "two-stacked-tags-hide-nothing",
        frames: |scene| {
            let types = [0x8100, 0x88a8, 0x9100, 0x9200];
            let mut frames = Vec::new();
            for outer in types {
                for inner in types {
                    let two = tag(outer, 7, tag(inner, 100, packet(scene)));
                    frames.push(attempt(scene, two, Fate::Seen).bare());
                }
            }
            let four = types
                .into_iter()
                .fold(packet(scene), |inside, kind| tag(kind, 9, inside));
            frames.push(attempt(scene, four, Fate::Seen).bare());
            frames
        },
    },
    Trick {
        number: 69,
        name: "llc-and-snap",
        tries: "IP in an 802.3 frame behind LLC and SNAP, behind tags too",
        source: "RFC 1042; CVE-2021-27853",
        case: "llc-snap-is-opened",
        frames: |scene| {
            let right = scene.plain().octets().len() as u16 + 8;
            let tagged = tag(0x8100, 0, snap(scene, right));
            vec![
                attempt(scene, snap(scene, right), Fate::Seen),
                attempt(scene, tagged, Fate::Seen),
            ]
        },
    },
    Trick {
        number: 70,
        name: "llc-and-snap-of-a-wrong-length",
        tries: "the same with an 802.3 length that is no frame's: 0, 8, 1500, and 1501 to 1535",
        source: "CVE-2021-27861; IEEE 802.3",
        case: "llc-snap-is-opened",
        frames: |scene| {
            [0, 8, 1500, 1501, 1518, 1535]
                .map(|length| attempt(scene, snap(scene, length), Fate::Seen))
                .into()
        },
    },
    Trick {
        number: 91,
        name: "backbone-tag",
        tries: "a backbone tag, behind which stands a whole Ethernet frame, tagged or not",
        source: "IEEE 802.1ah",
        case: "a-backbone-tag-hides-nothing",
        frames: |scene| {
            let tagged = tag(0x8100, 7, packet(scene));
            [packet(scene), tagged]
                .map(|(ethertype, octets)| {
                    let service = [0, 0, 0, 7];
                    let addresses = [2; 12];
                    let inside = [&addresses[..], &ethertype.to_be_bytes(), &octets].concat();
                    let backbone = (0x88e7, [&service[..], &inside].concat());
                    attempt(scene, backbone, Fate::Seen)
                })
                .into()
        },
    },
    Trick {
        number: 71,
        name: "label-stacks",
        tries: "one to four labels, explicit null, an entropy label with its indicator, and the multicast ethertype",
        source: "RFC 3032; RFC 6790",
        case: "up-to-four-mpls-labels-are-followed",
        frames: |scene| {
            let null = if scene.is_v4() { 0 } else { 2 };
            let stacks: [&[u32]; 6] = [
                &[16],
                &[null],
                &[16, null],
                &[16, 17, 18],
                &[16, 7, 0xbeef],
                &[16, 17, 7, 0xbeef],
            ];
            let mut frames: Vec<_> = stacks
                .into_iter()
                .map(|labels| attempt(scene, (MPLS, stack(scene, labels)), Fate::Seen).bare())
                .collect();
            frames.push(attempt(scene, (0x8848, stack(scene, &[16])), Fate::Seen).bare());
            frames
        },
    },
    Trick {
        number: 72,
        name: "labels-behind-tags",
        tries: "labels behind two tags, and a PPPoE session behind them",
        source: "RFC 3032",
        case: "up-to-four-mpls-labels-are-followed",
        frames: |scene| {
            let labelled = (MPLS, stack(scene, &[16, 17]));
            let behind = tag(0x88a8, 7, tag(0x8100, 100, labelled));
            vec![attempt(scene, behind, Fate::Seen)]
        },
    },
];

/// More than four tags, and more than four labels.
fn beyond(scene: &Scene, fate: Fate) -> Vec<Attempt> {
    let tags = |count| (0..count).fold(packet(scene), |inside, _| tag(0x8100, 1, inside));
    let [five, many] = [5, 300].map(|count| attempt(scene, tags(count), fate));
    let labels = [5, 300].map(|count| (MPLS, stack(scene, &vec![16; count])));
    let [five_labels, many_labels] = labels.map(|labelled| attempt(scene, labelled, fate));
    vec![five, many, five_labels, many_labels]
}

/// The opening segment's packet, as a link announces it.
fn packet(scene: &Scene) -> Carried {
    (scene.ethertype(), scene.plain().octets())
}

pub(super) fn attempt(scene: &Scene, (announced, octets): Carried, fate: Fate) -> Attempt {
    scene.carried(announced, octets, fate)
}

/// The packet behind LLC and SNAP, in an 802.3 frame of a stated length.
fn snap(scene: &Scene, length: u16) -> Carried {
    let (ethertype, octets) = packet(scene);
    let header = [0xaa, 0xaa, 0x03, 0, 0, 0];
    (
        length,
        [&header[..], &ethertype.to_be_bytes(), &octets].concat(),
    )
}

/// The packet below labels, the outermost first.
fn stack(scene: &Scene, labels: &[u32]) -> Vec<u8> {
    let last = labels.len().saturating_sub(1);
    let entries = labels.iter().enumerate();
    let mut octets: Vec<u8> = entries
        .flat_map(|(index, number)| label(*number, u32::from(index == last)))
        .collect();
    octets.extend(packet(scene).1);
    octets
}
