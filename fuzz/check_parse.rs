//! What holds for every frame, asked by the fuzz target and by ordinary tests.

#[path = "check_lax.rs"]
pub mod check_lax;

use sekisho::wire::{
    Family, Fragment, LinkType, MapRule, Packet, Route, Shape, Subscriber, TcpFlags, Tunnel,
    TunnelKind, Unwrap, parse, parse_fast, parse_full, parse_part, route_addresses,
};
use std::sync::LazyLock;

/// What is looked at of an Ethernet frame in which no tunnel is opened, at most: the work for one is
/// bounded however long it is and whatever it holds.
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

/// Without tunnels, and with every tunnel opened: see [`check_opening`].
pub fn check_frame(frame: &[u8], link_type: LinkType) {
    static OPEN: LazyLock<Unwrap> = LazyLock::new(|| Unwrap::new(every_tunnel()));
    check_opening(&Unwrap::default(), frame, link_type);
    check_opening(&OPEN, frame, link_type);
    if link_type == LinkType::ETHERNET {
        check_lax::agrees(frame);
        looks_no_further(frame);
    }
}

/// The octets that lie further back change nothing, where no tunnel is opened.
fn looks_no_further(frame: &[u8]) {
    let Some((head, rest)) = frame.split_at_checked(LOOKED_AT_OCTETS) else {
        return;
    };
    let unwrap = Unwrap::default();
    let packet = parse_full(frame, LinkType::ETHERNET, &unwrap);
    let of_head = parse_part(head, rest.len(), LinkType::ETHERNET, &unwrap);
    assert_eq!(of_head, packet, "it looked too far");
}

/// Both lanes agree, the packet keeps its promises, and octets behind the frame change nothing
/// that was not left open.
pub fn check_opening(unwrap: &Unwrap, frame: &[u8], link_type: LinkType) {
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
    if !packet.wants_more {
        for filler in [0x00, 0x06, 0xff] {
            let longer = [frame, &[filler; 300]].concat();
            stays_decided(&packet, &parse(&longer, link_type, unwrap));
        }
    }
}

/// Tunnels of every kind that end anywhere; subscribers are known in every way.
pub fn every_tunnel() -> Vec<Tunnel> {
    let subscribers = [Subscriber::PortSet, Subscriber::Inner, Subscriber::Outer];
    let rule = MapRule::new(
        "2001:db8::/40".parse().unwrap(),
        "192.0.2.0/24".parse().unwrap(),
        16,
        6,
        None,
    );
    [
        TunnelKind::Ipv4InIpv6,
        TunnelKind::Ipv6InIpv4,
        TunnelKind::L2tp,
        TunnelKind::Gre,
        TunnelKind::Vxlan,
        TunnelKind::GtpU,
    ]
    .into_iter()
    .zip(subscribers.into_iter().cycle())
    .map(|(kind, subscriber)| Tunnel {
        kind,
        endpoints: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
        subscriber,
        rules: vec![rule.unwrap()],
    })
    .collect()
}

/// Octets beyond the frame may show ports of UDP, that what cannot be TCP is a later fragment, or
/// in which way an evasive packet evades; they turn nothing else into something else. Whatever a tunnel
/// hides, they may show.
pub fn stays_decided(short: &Packet, long: &Packet) {
    if is_hidden(short) {
        return;
    }
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
        _ if is_hidden(packet) => {
            assert!(packet.family.is_some(), "{packet:?}");
        }
        _ => has_addresses(frame, packet),
    }
    transport_fits(packet);
    route_fits(frame, packet);
    let decided = matches!(
        packet.shape,
        Shape::Tcp | Shape::Opaque | Shape::LaterFragment | Shape::OverlappingFragment
    );
    assert!(!(decided && packet.wants_more), "{packet:?}");
}

/// It lies in a tunnel, and no address of it can be read: the tunnel's ends stand for it.
fn is_hidden(packet: &Packet) -> bool {
    packet.hides_its_ends()
}

fn route_fits(frame: &[u8], packet: &Packet) {
    let listed = match packet.route {
        Route::Listed { addresses, .. } => usize::from(addresses),
        Route::None | Route::Unreadable => 0,
    };
    assert!(packet.route == Route::None || packet.family.is_some());
    assert_eq!(route_addresses(frame, packet).count(), listed);
    assert!(listed > 0 || !matches!(packet.route, Route::Listed { .. }));
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
            let tcp = packet.protocol == 6 || is_hidden(packet);
            len == 0 && packet.fragment == Fragment::Later && tcp
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
