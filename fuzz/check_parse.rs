//! What holds for every frame, asked by the fuzz target and by ordinary tests.

#[path = "check_lax.rs"]
pub mod check_lax;

use sekisho::wire::{
    Family, Fragment, LinkType, Packet, Shape, TcpFlags, Unwrap, parse, parse_fast, parse_full,
    parse_part,
};

/// What is looked at of an Ethernet frame, at most: the work for one is bounded however long it is
/// and whatever it holds.
const LOOKED_AT_OCTETS: usize = 512;

/// Numbers below this are a link type's own; the others choose one that is read.
const NUMBERS: u16 = 512;

/// The first two octets choose a link type (one that is not read, too); the rest is the frame.
pub fn check(input: &[u8]) {
    let Some((number, frame)) = input.split_first_chunk() else {
        return;
    };
    let number = u16::from_be_bytes(*number);
    let slot = usize::from(number) % LinkType::READ.len();
    let link_type = match LinkType::READ.get(slot) {
        Some((read, _)) if number >= NUMBERS => *read,
        _ => LinkType(number),
    };
    check_frame(frame, link_type);
}

/// Both lanes agree, the packet keeps its promises, and octets behind the frame change nothing
/// that was not left open.
pub fn check_frame(frame: &[u8], link_type: LinkType) {
    let unwrap = &Unwrap::default();
    let packet = parse(frame, link_type, unwrap);
    assert_eq!(
        packet,
        parse_full(frame, link_type, unwrap),
        "the lanes differ"
    );
    if link_type == LinkType::ETHERNET
        && let Some(fast) = parse_fast(frame, unwrap)
    {
        assert_eq!(fast, packet, "the lanes differ");
    }
    keeps_its_promises(frame, &packet);
    if link_type == LinkType::ETHERNET {
        check_lax::agrees(frame);
    }
    if link_type == LinkType::ETHERNET
        && let Some((head, rest)) = frame.split_at_checked(LOOKED_AT_OCTETS)
    {
        let of_head = parse_part(head, rest.len(), link_type, unwrap);
        assert_eq!(of_head, packet, "it looked too far");
    }
    if !packet.wants_more {
        for filler in [0x00, 0x06, 0xff] {
            let longer = [frame, &[filler; 300]].concat();
            stays_decided(&packet, &parse(&longer, link_type, unwrap));
        }
    }
}

/// Octets beyond the frame may show ports of UDP, that what cannot be TCP is a later fragment, or
/// in which way an evasive packet evades; they turn nothing else into something else.
pub fn stays_decided(short: &Packet, long: &Packet) {
    let evades = |packet: &Packet| {
        matches!(
            packet.shape,
            Shape::IncompleteHeaders
                | Shape::HeaderChainLimit
                | Shape::TinyFragment
                | Shape::Malformed
        )
    };
    let same_shape = short.shape == long.shape
        || (short.shape == Shape::Opaque && long.shape == Shape::LaterFragment)
        || (evades(short) && evades(long));
    assert!(same_shape, "{short:?} became {long:?}");
    assert_eq!(
        (short.src, short.dst, short.family),
        (long.src, long.dst, long.family)
    );
    assert_eq!(short.flags, long.flags);
}

fn keeps_its_promises(frame: &[u8], packet: &Packet) {
    match packet.shape {
        Shape::NotIp | Shape::EncapsulationLimit => assert_eq!(*packet, Packet::bare(packet.shape)),
        Shape::Unparsed => {
            let wants_more = packet.wants_more;
            assert_eq!(
                *packet,
                Packet {
                    wants_more,
                    ..Packet::bare(Shape::Unparsed)
                }
            );
        }
        _ => has_addresses(frame, packet),
    }
    transport_fits(packet);
    let decided = matches!(
        packet.shape,
        Shape::Tcp | Shape::Opaque | Shape::LaterFragment | Shape::OverlappingFragment
    );
    assert!(!(decided && packet.wants_more), "{packet:?}");
}

fn has_addresses(frame: &[u8], packet: &Packet) {
    let ip = frame
        .get(usize::from(packet.ip_offset)..)
        .unwrap_or_default();
    let (src, dst) = match (packet.family, ip) {
        (Some(Family::V4), [_, _, _, _, _, _, _, _, _, _, _, _, addresses @ ..]) => {
            (number(addresses.get(..4)), number(addresses.get(4..8)))
        }
        (Some(Family::V6), [_, _, _, _, _, _, _, _, addresses @ ..]) => {
            (number(addresses.get(..16)), number(addresses.get(16..32)))
        }
        _ => (None, None),
    };
    assert_eq!(
        (Some(packet.src), Some(packet.dst)),
        (src, dst),
        "{packet:?}"
    );
}

fn number(octets: Option<&[u8]>) -> Option<u128> {
    Some(
        octets?
            .iter()
            .fold(0, |sum, octet| sum << 8 | u128::from(*octet)),
    )
}

fn transport_fits(packet: &Packet) {
    let len = packet.transport_len;
    let expected = match packet.shape {
        Shape::Tcp => len == 14 && packet.protocol == 6 && packet.fragment != Fragment::Later,
        Shape::TinyFragment => (1..14).contains(&len) && packet.fragment == Fragment::First,
        Shape::Malformed => (1..14).contains(&len) && packet.fragment == Fragment::None,
        Shape::LaterFragment => len == 0 && packet.fragment == Fragment::Later,
        Shape::OverlappingFragment => {
            len == 0 && packet.fragment == Fragment::Later && packet.protocol == 6
        }
        Shape::Opaque => {
            (len == 0 || packet.protocol == 17) && len <= 8 && packet.fragment != Fragment::Later
        }
        _ => len == 0,
    };
    assert!(expected, "{packet:?}");
    assert!(len >= 2 || packet.src_port == 0, "{packet:?}");
    assert!(len >= 4 || packet.dst_port == 0, "{packet:?}");
    assert!(
        packet.shape == Shape::Tcp || packet.flags == TcpFlags(0),
        "{packet:?}"
    );
}
