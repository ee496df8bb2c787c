//! Frames: sound ones whose parts are out of the ordinary, the same with octets changed, and
//! random octets.

use super::layers::{Extension, Fixed, Kind, Layer, extension, layer, length, offset, ppp, tcp};
use super::place;
use super::routes::options;
use super::tunnels::wrap;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sekisho::wire::{Frame, LinkType};

#[derive(Clone, Debug)]
pub struct MadeFrame {
    pub bytes: Vec<u8>,
    pub original_len: u32,
    pub link_type: LinkType,
    /// After the frame before, or after the first of all.
    pub at_ns: u64,
}

/// Turns times from the frame before into times from the beginning.
pub fn one_after_the_other(frames: &mut [MadeFrame]) {
    let mut now_ns = 1_000_000_000;
    for frame in frames {
        now_ns += frame.at_ns;
        frame.at_ns = now_ns;
    }
}

impl MadeFrame {
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            bytes: &self.bytes,
            original_len: self.original_len,
            link_type: self.link_type,
        }
    }
}

const LINKS: [LinkType; 10] = [
    LinkType::ETHERNET,
    LinkType::RAW,
    LinkType::PPP,
    LinkType::IPV4,
    LinkType::IPV6,
    LinkType::NULL,
    LinkType::LOOP,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
    LinkType(147),
];

pub fn frame() -> BoxedStrategy<MadeFrame> {
    let link = || prop_oneof![9 => Just(LinkType::ETHERNET), 3 => select(LINKS.to_vec())];
    let layers =
        prop_oneof![5 => Just(Vec::new()), 4 => vec(layer(), 1..3), 1 => vec(layer(), 3..8)];
    let sound = (link(), layers, packet(), any::<bool>());
    let sound = sound.prop_map(|(link, layers, (kind, packet), short)| {
        let inside = layers
            .iter()
            .rev()
            .fold((kind, packet), |(kind, payload), layer: &Layer| {
                layer.around(kind, &payload)
            });
        (link, behind(link, inside, short))
    });
    let changes = prop_oneof![
        8 => Just(Vec::new()),
        2 => vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ];
    let changed = (sound, changes).prop_map(|((link, mut bytes), changes)| {
        for (place, octet) in changes {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = octet;
            }
        }
        (link, bytes)
    });
    let random = (link(), vec(any::<u8>(), 0..120));
    let whole = prop_oneof![20 => changed, 1 => random];
    let cut = option::weighted(0.2, any::<prop::sample::Index>());
    // Padding, or a length that says more than there is.
    let behind = prop_oneof![6 => Just(0_u8), 1 => 1..40_u8];
    let gap_ms = prop_oneof![3 => Just(0_u64), 2 => 0..500_u64, 1 => 0..40_000_u64];
    (whole, cut, behind, prop::bool::weighted(0.1), gap_ms)
        .prop_map(
            |((link_type, mut bytes), cut, behind, is_missing, gap_ms)| {
                leave_out_other_links(link_type, &mut bytes);
                let padding = usize::from(behind);
                if !is_missing {
                    bytes.resize(bytes.len() + padding, 0);
                }
                let original_len = bytes.len() + if is_missing { padding } else { 0 };
                if let Some(cut) = cut {
                    bytes.truncate(cut.index(bytes.len() + 1));
                }
                MadeFrame {
                    original_len: original_len as u32,
                    bytes,
                    link_type,
                    at_ns: gap_ms * 1_000_000,
                }
            },
        )
        .boxed()
}

/// A cooked header may name a device of Frame Relay (770) or 802.11 (803), whose own headers follow
/// it then. The model reads neither, as little as those link types by themselves.
fn leave_out_other_links(link: LinkType, bytes: &mut [u8]) {
    let hardware_at = match link {
        LinkType::LINUX_SLL => 2,
        LinkType::LINUX_SLL2 => 8,
        _ => return,
    };
    if let Some(hardware @ ([3, 2] | [3, 35])) = bytes.get_mut(hardware_at..hardware_at + 2) {
        hardware.copy_from_slice(&[0, 1]);
    }
}

/// The link header before what it carries.
fn behind(link: LinkType, (kind, payload): (Kind, Vec<u8>), short: bool) -> Vec<u8> {
    let ether_type = kind.ether_type(&payload).to_be_bytes();
    let v6 = matches!(kind, Kind::V6);
    match link {
        LinkType::ETHERNET => [&[2; 12][..], &ether_type, &payload].concat(),
        LinkType::PPP if short => [&[0xff, 3][..], &ppp(kind, true, &payload)].concat(),
        LinkType::PPP => ppp(kind, false, &payload),
        LinkType::NULL if short => [&[if v6 { 24 } else { 2 }, 0, 0, 0], &payload[..]].concat(),
        LinkType::NULL | LinkType::LOOP => {
            [&[0, 0, 0, if v6 { 24 } else { 2 }], &payload[..]].concat()
        }
        LinkType::LINUX_SLL => {
            let cooked: &[u8] = &[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
            [cooked, &cooked_protocol(kind, &payload), &payload].concat()
        }
        LinkType::LINUX_SLL2 => {
            let cooked: &[u8] = &[0, 0, 0, 0, 0, 1, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0];
            [&cooked_protocol(kind, &payload), cooked, &payload].concat()
        }
        _ => payload,
    }
}

fn cooked_protocol(kind: Kind, payload: &[u8]) -> [u8; 2] {
    match kind {
        Kind::Llc => [0, 4],
        kind => kind.ether_type(payload).to_be_bytes(),
    }
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![5 => Just(25_u16), 3 => Just(40_000), 1 => Just(587), 1 => Just(0x1900), 1 => any::<u16>()]
}

fn segment() -> impl Strategy<Value = Vec<u8>> {
    let flags = prop_oneof![4 => Just(0x02_u8), 2 => Just(0x12), 2 => Just(0x10), 2 => any::<u8>()];
    let octets = prop_oneof![8 => Just(20_usize), 1 => 0..20_usize, 1 => 20..40_usize];
    (port(), port(), flags, octets)
        .prop_map(|(src_port, dst_port, flags, octets)| tcp(src_port, dst_port, flags, octets))
}

fn protocol() -> impl Strategy<Value = u8> {
    let others = vec![17, 1, 58, 50, 59, 4, 41, 47, 132, 255, 135];
    prop_oneof![10 => Just(6_u8), 2 => select(others), 1 => any::<u8>()]
}

fn packet() -> BoxedStrategy<(Kind, Vec<u8>)> {
    let plain = prop_oneof![packet_of(false), packet_of(true)];
    let wraps = prop_oneof![6 => Just(Vec::new()), 4 => vec(wrap(), 1), 1 => vec(wrap(), 2..4)];
    (plain, wraps)
        .prop_map(|((kind, packet), wraps)| {
            let wraps = wraps.iter();
            wraps.fold((kind, packet), |(kind, packet), wrap| {
                wrap.around(kind, &packet)
            })
        })
        .boxed()
}

fn packet_of(v6: bool) -> BoxedStrategy<(Kind, Vec<u8>)> {
    let chain = prop_oneof![
        6 => Just(Vec::new()),
        3 => vec(extension(v6), 1..4),
        1 => vec(extension(v6), 7..11),
    ];
    let near = || prop_oneof![8 => Just(0_i8), 1 => Just(-1), 1 => Just(1)];
    let end = || (place(v6), near()).prop_map(|(place, near)| place.beside(near));
    let kept = option::weighted(0.1, any::<prop::sample::Index>());
    let whole = prop::bool::weighted(0.7);
    let fragment = (whole, offset(), any::<bool>());
    let fixed = (end(), end(), length(), options(), fragment).prop_map(
        |(src, dst, length, options, (whole, offset, more))| Fixed {
            src,
            dst,
            length,
            options,
            offset: if whole { 0 } else { offset },
            more: !whole && more,
        },
    );
    (fixed, chain, protocol(), segment(), kept)
        .prop_map(|(fixed, chain, protocol, segment, kept)| {
            let (next, mut payload) = over(&chain, protocol, segment);
            if let Some(kept) = kept {
                payload.truncate(kept.index(payload.len() + 1));
            }
            fixed.around(next, &payload)
        })
        .boxed()
}

/// Headers around what they lead to, and the number of the first.
fn over(chain: &[Extension], protocol: u8, payload: Vec<u8>) -> (u8, Vec<u8>) {
    let around = |(next, payload): (u8, Vec<u8>), header: &Extension| {
        (header.kind, header.around(next, &payload))
    };
    chain.iter().rev().fold((protocol, payload), around)
}
