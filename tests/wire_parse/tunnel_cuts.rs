//! Tunnels that are cut, and tunnels in fragments: what cannot be read evades, under the ends that
//! can.

use crate::frames::*;
use crate::tunnelled::*;
use crate::tunnels::*;
use sekisho::wire::{
    Family, Fragment, Identity, LinkType, Packet, Shape, Subscriber, TunnelKind, Unwrap, parse,
    parse_part,
};

fn every_tunnel() -> Unwrap {
    let kinds = [
        TunnelKind::Ipv4InIpv6,
        TunnelKind::Ipv6InIpv4,
        TunnelKind::L2tp,
        TunnelKind::Gre,
        TunnelKind::Vxlan,
        TunnelKind::GtpU,
    ];
    Unwrap::new(kinds.map(|kind| tunnel(kind, Subscriber::Inner)).to_vec())
}

fn ends4() -> Identity {
    Identity {
        family: Family::V4,
        src: u32::from_be_bytes(CUSTOMER4).into(),
        dst: u32::from_be_bytes(RELAY4).into(),
    }
}

fn ends6() -> Identity {
    Identity {
        family: Family::V6,
        src: u128::from_be_bytes(customer6()),
        dst: u128::from_be_bytes(relay6()),
    }
}

#[track_caller]
fn hides(found: &Packet, shape: Shape, family: Family, ends: Identity) {
    assert_eq!((found.shape, found.family), (shape, Some(family)));
    assert_eq!((found.src, found.dst), (0, 0));
    assert_eq!(found.identity, Some(ends));
}

/// A capture that cut a SYN anywhere wants more; with 14 octets of TCP it is what it was.
#[test]
fn a_cut_capture_wants_more_until_the_flags_are_there() {
    let unwrap = every_tunnel();
    for Wrapped {
        name,
        packet,
        inner_at,
        inner,
        kind,
    } in every_way()
    {
        let (frame, link_octets) = links(&packet).swap_remove(0);
        let header = if inner == Family::V4 { 20 } else { 40 };
        let decided = usize::from(link_octets + inner_at) + header + 14;
        let whole = parse(&frame, LinkType::ETHERNET, &unwrap);
        for len in 0..frame.len() {
            let missing = frame.len() - len;
            let cut = parse_part(&frame[..len], missing, LinkType::ETHERNET, &unwrap);
            let place = format!("{kind:?}, {name}, {len} octets: {cut:?}");
            assert!(cut.wants_more || len >= decided, "{place}");
            assert!(cut == whole || len < decided, "{place}");
        }
    }
}

/// A frame that was no longer on the wire evades where its outer header is there, and is never
/// taken for a segment.
#[test]
fn a_frame_that_ends_within_a_tunnel_evades() {
    let unwrap = every_tunnel();
    for Wrapped {
        name,
        packet,
        inner,
        inner_at,
        ..
    } in every_way()
    {
        let (outer, ends) = match packet[0] >> 4 {
            4 => (20, ends4()),
            _ => (40, ends6()),
        };
        let header = if inner == Family::V4 { 20 } else { 40 };
        for len in outer..usize::from(inner_at) + header + 14 {
            let found = parse_part(&packet[..len], 0, LinkType::RAW, &unwrap);
            let place = format!("{name}, {len} octets: {found:?}");
            assert!(!found.wants_more, "{place}");
            if len < usize::from(inner_at) + header {
                assert_eq!(found.shape, Shape::IncompleteHeaders, "{place}");
                assert_eq!(found.identity, Some(ends), "{place}");
            } else {
                let evades = [Shape::IncompleteHeaders, Shape::Malformed];
                assert!(evades.contains(&found.shape), "{place}");
                assert_eq!(found.identity, None, "{place}");
            }
        }
    }
}

/// So does one whose tunnel is bounded by the outer length, whatever is behind it.
#[test]
fn the_outer_length_bounds_what_is_within() {
    let inner = V4::tcp().over(syn25());
    let outer = V6::of(IPIP).payload_len(20).over(inner);
    let packet = between([&customer6(), &relay6()], outer);
    let found = parse(&packet, LinkType::RAW, &every_tunnel());
    assert_eq!(found.shape, Shape::IncompleteHeaders);
    assert!(!found.wants_more);
    assert_eq!(found.src, u32::from_be_bytes(SRC4).into());
}

fn fragment_of(offset: u16, more: bool, payload: Vec<u8>) -> [Vec<u8>; 2] {
    let four = V4::of(SIX_IN_FOUR)
        .fragment(offset, more)
        .over(payload.clone());
    let six = V6::of(FRAGMENT).over(fragment(IPIP, offset, more, payload));
    [
        between([&CUSTOMER4, &RELAY4], four),
        between([&customer6(), &relay6()], six),
    ]
}

#[test]
fn a_first_fragment_is_read_as_far_as_it_reaches() {
    let unwrap = every_tunnel();
    let in_six = V6::tcp().over(syn25());
    let in_four = V4::tcp().over(syn25());
    for len in 0..=in_six.len() {
        let [outer, _] = fragment_of(0, true, in_six[..len].to_vec());
        let found = parse(&outer, LinkType::RAW, &unwrap);
        match len {
            0..40 => hides(&found, Shape::IncompleteHeaders, Family::V6, ends4()),
            40 => assert_eq!(found.shape, Shape::IncompleteHeaders),
            41..54 => assert_eq!(found.shape, Shape::TinyFragment),
            _ => assert_eq!(found, first(syn25_over_v6(20))),
        }
        assert!(!found.wants_more);
    }
    for len in 0..=in_four.len() {
        let [_, outer] = fragment_of(0, true, in_four[..len].to_vec());
        let found = parse(&outer, LinkType::RAW, &unwrap);
        match len {
            0..20 => hides(&found, Shape::IncompleteHeaders, Family::V4, ends6()),
            20 => assert_eq!(found.shape, Shape::IncompleteHeaders),
            21..34 => assert_eq!(found.shape, Shape::TinyFragment),
            _ => assert_eq!(found, first(syn25_over_v4(48))),
        }
    }
}

fn first(packet: Packet) -> Packet {
    Packet {
        fragment: Fragment::First,
        ..packet
    }
}

/// The endpoint might put together what was never seen together: a later fragment that begins
/// within the first 512 octets evades.
#[test]
fn a_later_fragment_may_not_write_over_what_was_judged() {
    let unwrap = every_tunnel();
    let payload = vec![0x41; 64];
    for offset in [1, 2, 3, 5, 63, 64, 65, 100, 150, 4096, 8191] {
        let [four, six] = fragment_of(offset, true, payload.clone());
        let found = [&four, &six].map(|outer| parse(outer, LinkType::RAW, &unwrap));
        if offset < 64 {
            hides(&found[0], Shape::OverlappingFragment, Family::V6, ends4());
            hides(&found[1], Shape::OverlappingFragment, Family::V4, ends6());
        } else {
            let closed = [&four, &six].map(|it| parse(it, LinkType::RAW, &Unwrap::default()));
            assert_eq!(found, closed);
            assert!(
                found
                    .iter()
                    .all(|found| found.shape == Shape::LaterFragment)
            );
        }
        // Of UDP, whose ports such a fragment does not show; and behind an extension header.
        let udp = V4::of(UDP).fragment(offset, true).over(payload.clone());
        let udp = between([&CUSTOMER4, &RELAY4], udp);
        let options = V6::of(FRAGMENT).over(fragment(DESTINATION, offset, true, payload.clone()));
        let options = between([&customer6(), &relay6()], options);
        for outer in [udp, options] {
            let found = parse(&outer, LinkType::RAW, &unwrap);
            assert_eq!(found.shape == Shape::OverlappingFragment, offset < 64);
            let ended_elsewhere = parse(&outer, LinkType::RAW, &Unwrap::default());
            assert_eq!(ended_elsewhere.shape, Shape::LaterFragment);
        }
    }
}

/// Nor is anything judged that stands where a later fragment may begin.
#[test]
fn a_first_fragment_is_read_up_to_where_others_may_begin() {
    let unwrap = every_tunnel();
    for (pad, shape) in [
        // 8 of UDP, 8 of L2TP with offset, 2 of PPP, 20 of IPv4, 14 of TCP: 52 in all.
        (460, Shape::Tcp),
        (461, Shape::TinyFragment),
        (474, Shape::IncompleteHeaders),
        (475, Shape::IncompleteHeaders),
        (1_000, Shape::IncompleteHeaders),
    ] {
        let l2tp = L2tp {
            offset: Some(pad),
            ..L2tp::default()
        };
        let ppp = framed(IP4, false, false, V4::tcp().over(syn25()));
        let datagram = udp(1701, 1701, l2tp.over(ppp));
        let whole = over_v4(UDP, datagram.clone());
        assert_eq!(parse(&whole, LinkType::RAW, &unwrap).shape, Shape::Tcp);
        let fragmented = V4::of(UDP).fragment(0, true).over(datagram);
        let packet = between([&CUSTOMER4, &RELAY4], fragmented);
        let found = parse(&packet, LinkType::RAW, &unwrap);
        assert_eq!(found.shape, shape, "{pad}");
        assert_eq!(found.fragment, Fragment::First);
    }
}

/// Headers that end, or go on beyond the cap, before they show that a tunnel follows.
#[test]
fn chains_before_a_tunnel_evade_as_chains_before_tcp_do() {
    let unwrap = every_tunnel();
    let chain = |headers: usize| {
        (0..headers).fold((IPIP, V4::tcp().over(syn25())), |(next, inner), _| {
            (DESTINATION, extension(next, 0, inner))
        })
    };
    let (next, payload) = chain(8);
    let found = parse(&over_v6(next, payload), LinkType::RAW, &unwrap);
    assert_eq!(found, syn25_over_v4(40 + 64));
    let (next, payload) = chain(9);
    let found = parse(&over_v6(next, payload), LinkType::RAW, &unwrap);
    hides(&found, Shape::HeaderChainLimit, Family::V4, ends6());
    // Destination options that the first fragment does not hold whole.
    let options = extension(IPIP, 3, vec![]);
    let cut = V6::of(FRAGMENT).over(fragment(DESTINATION, 0, true, options[..16].to_vec()));
    let found = parse(
        &between([&customer6(), &relay6()], cut.clone()),
        LinkType::RAW,
        &unwrap,
    );
    hides(&found, Shape::IncompleteHeaders, Family::V4, ends6());
    // Toward anybody else that is no TCP.
    let found = parse(&cut, LinkType::RAW, &unwrap);
    assert_eq!(found.shape, Shape::Opaque);
}

/// The inner packet has its own fragments.
#[test]
fn fragments_within_a_tunnel_are_judged_as_bare_ones() {
    let unwrap = every_tunnel();
    for (offset, more, octets, shape) in [
        (0, true, 20, Shape::Tcp),
        (0, true, 8, Shape::TinyFragment),
        (1, false, 20, Shape::OverlappingFragment),
        (2, false, 20, Shape::LaterFragment),
    ] {
        let inner = V4::tcp()
            .fragment(offset, more)
            .over(syn25()[..octets].to_vec());
        let bare = parse(&inner, LinkType::RAW, &unwrap);
        let found = parse(&over_v6(IPIP, inner), LinkType::RAW, &unwrap);
        assert_eq!(found.shape, shape);
        assert_eq!(
            found,
            Packet {
                ip_offset: 40,
                ..bare
            }
        );
    }
}

/// What is announced as IP within, and is none, is that.
#[test]
fn garbage_within_a_tunnel_is_unparsed() {
    let unwrap = every_tunnel();
    for first in [0x35, 0x44, 0x60, 0xff] {
        let mut inner = V4::tcp().over(syn25());
        inner[0] = first;
        let found = parse(&over_v6(IPIP, inner), LinkType::RAW, &unwrap);
        assert_eq!(found, Packet::bare(Shape::Unparsed));
    }
    let routed = gre(0x40, 0, IP4, V4::tcp().over(syn25()));
    let found = parse(&over_v4(GRE, routed), LinkType::RAW, &unwrap);
    assert_eq!(found, Packet::bare(Shape::Unparsed));
}
