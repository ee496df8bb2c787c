//! From the IP header to the transport header: lengths, options, extension headers, fragments.

use crate::closed::parse;
use crate::frames::*;
use sekisho::wire::{Fragment, LinkType, Packet, Shape};

fn raw(ip: &[u8]) -> Packet {
    parse(ip, LinkType::RAW)
}

#[track_caller]
fn shape_is(ip: &[u8], shape: Shape, wants_more: bool) {
    let packet = raw(ip);
    assert_eq!(
        (packet.shape, packet.wants_more),
        (shape, wants_more),
        "{packet:?}"
    );
}

/// Extension headers in a row before a SYN to port 25: each a kind and its length field.
fn chain(headers: &[(u8, u8)]) -> Vec<u8> {
    let first = headers.first().map_or(TCP, |(kind, _)| *kind);
    V6::of(first).over(chain_over(headers, TCP, syn25()))
}

/// The same without the fixed header, before whatever comes last.
fn chain_over(headers: &[(u8, u8)], last: u8, payload: Vec<u8>) -> Vec<u8> {
    let mut next = last;
    headers.iter().rev().fold(payload, |inner, (kind, units)| {
        let header = match *kind {
            FRAGMENT => fragment(next, 0, false, inner),
            AH => authentication(next, *units, inner),
            _ => extension(next, *units, inner),
        };
        next = *kind;
        header
    })
}

#[test]
fn a_runt_or_a_wrong_version_is_unparsed() {
    let (four, six) = (V4::tcp().over(syn25()), V6::tcp().over(syn25()));
    for len in 0..20 {
        shape_is(&four[..len], Shape::Unparsed, true);
    }
    for len in 0..40 {
        shape_is(&six[..len], Shape::Unparsed, true);
    }
    // The octets that are there already say that no more of them would help.
    let of_other_version = ethernet(IP4, vec![0x65]);
    assert!(!parse(&of_other_version, LinkType::ETHERNET).wants_more);
    let of_other_version = ethernet(IP6, vec![0x45]);
    assert!(!parse(&of_other_version, LinkType::ETHERNET).wants_more);
}

#[test]
fn a_header_length_below_five_words_is_unparsed() {
    for ihl in 0..5 {
        let mut ip = V4::tcp().over(syn25());
        ip[0] = 0x40 | ihl;
        shape_is(&ip, Shape::Unparsed, false);
        shape_is(&ip[..1], Shape::Unparsed, false);
    }
}

#[test]
fn a_total_length_below_the_header_is_unparsed() {
    for (options, total_len) in [(0, 1), (0, 19), (4, 20), (40, 59)] {
        let ip = V4::tcp()
            .options(options)
            .total_len(total_len)
            .over(syn25());
        shape_is(&ip, Shape::Unparsed, false);
        shape_is(&ip[..4], Shape::Unparsed, false);
    }
}

/// E1
#[test]
fn options_are_skipped() {
    for len in (4..=40).step_by(4) {
        assert_eq!(raw(&V4::tcp().options(len).over(syn25())), syn25_over_v4(0));
    }
}

#[test]
fn options_that_are_cut_leave_the_addresses() {
    let cut = |header: V4| header.options(40).over(syn25())[..42].to_vec();
    let by_its_protocol = [
        (V4::tcp(), Shape::IncompleteHeaders, true),
        (V4::of(AH), Shape::IncompleteHeaders, true),
        (V4::of(UDP), Shape::Opaque, false),
        (V4::tcp().fragment(0, true), Shape::IncompleteHeaders, true),
        (
            V4::tcp().fragment(1, false),
            Shape::OverlappingFragment,
            false,
        ),
        (V4::tcp().fragment(2, true), Shape::LaterFragment, false),
    ];
    for (header, shape, wants_more) in by_its_protocol {
        let ip = cut(header);
        shape_is(&ip, shape, wants_more);
        assert_eq!(raw(&ip).src, syn25_over_v4(0).src);
        assert_eq!(raw(&ip).dst, syn25_over_v4(0).dst);
    }
}

/// E26
#[test]
fn padding_behind_the_ip_length_is_not_read() {
    let padded = |ip: Vec<u8>| [ip, vec![0x02; 30]].concat();
    assert_eq!(raw(&padded(V4::tcp().over(syn25()))), syn25_over_v4(0));
    // Only the first 8 octets of TCP are the packet's; the flags would be padding.
    let ports_only = syn25()[..8].to_vec();
    shape_is(
        &padded(V4::tcp().over(ports_only.clone())),
        Shape::Malformed,
        false,
    );
    shape_is(&padded(V6::tcp().over(ports_only)), Shape::Malformed, false);
}

/// E27
#[test]
fn a_length_of_zero_or_beyond_the_frame_means_what_is_there() {
    for len in [0, 41, 1500, 65535] {
        assert_eq!(
            raw(&V4::tcp().total_len(len).over(syn25())),
            syn25_over_v4(0)
        );
    }
    for len in [0, 21, 1500, 65535] {
        assert_eq!(
            raw(&V6::tcp().payload_len(len).over(syn25())),
            syn25_over_v6(0)
        );
    }
    let cut = syn25()[..13].to_vec();
    for len in [0, 34, 65535] {
        shape_is(
            &V4::tcp().total_len(len).over(cut.clone()),
            Shape::Malformed,
            true,
        );
    }
    for len in [0, 14, 65535] {
        shape_is(
            &V6::tcp().payload_len(len).over(cut.clone()),
            Shape::Malformed,
            true,
        );
    }
}

/// E10, E11, E12
#[test]
fn extension_headers_are_walked_wherever_they_stand() {
    let orders: [&[(u8, u8)]; 9] = [
        &[(HOP_BY_HOP, 0)],
        &[(DESTINATION, 3)],
        &[(ROUTING, 2)],
        &[(FRAGMENT, 0)],
        &[(AH, 4)],
        &[(AH, 0)],
        &[
            (HOP_BY_HOP, 0),
            (DESTINATION, 0),
            (ROUTING, 0),
            (FRAGMENT, 0),
            (AH, 1),
        ],
        &[(DESTINATION, 0), (AH, 1), (HOP_BY_HOP, 0), (HOP_BY_HOP, 0)],
        &[(DESTINATION, 0); 8],
    ];
    for headers in orders {
        assert_eq!(raw(&chain(headers)), syn25_over_v6(0), "{headers:?}");
    }
}

#[test]
fn ipv4_walks_only_the_authentication_header() {
    for units in 0..=61 {
        let ip = V4::of(AH).over(authentication(TCP, units, syn25()));
        assert_eq!(raw(&ip), syn25_over_v4(0));
    }
    let two = authentication(AH, 4, authentication(TCP, 4, syn25()));
    assert_eq!(raw(&V4::of(AH).over(two)), syn25_over_v4(0));
    for kind in [HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION] {
        shape_is(
            &V4::of(kind).over(extension(TCP, 0, syn25())),
            Shape::Opaque,
            false,
        );
    }
}

/// E14: nine headers, or more than 256 octets of them; the fixed header does not count.
#[test]
fn the_chain_has_a_cap() {
    shape_is(
        &chain(&[(HOP_BY_HOP, 0); 9]),
        Shape::HeaderChainLimit,
        false,
    );
    assert_eq!(raw(&chain(&[(DESTINATION, 31)])), syn25_over_v6(0));
    shape_is(&chain(&[(DESTINATION, 32)]), Shape::HeaderChainLimit, false);
    shape_is(
        &chain(&[(DESTINATION, 30), (ROUTING, 1)]),
        Shape::HeaderChainLimit,
        false,
    );
    shape_is(&chain(&[(AH, 63)]), Shape::HeaderChainLimit, false);
    let in_ipv4 = V4::of(AH).over(chain_over(&[(AH, 4); 9], TCP, syn25()));
    shape_is(&in_ipv4, Shape::HeaderChainLimit, false);
    let in_ipv4 = V4::of(AH).over(authentication(TCP, 63, syn25()));
    shape_is(&in_ipv4, Shape::HeaderChainLimit, false);
}

#[test]
fn a_header_over_the_cap_that_cannot_lead_to_tcp_is_opaque() {
    for last in [UDP, ICMPV6, 50, 59] {
        let nine = chain_over(&[(HOP_BY_HOP, 0); 9], last, datagram());
        shape_is(&V6::of(HOP_BY_HOP).over(nine), Shape::Opaque, false);
        let long = extension(last, 40, datagram());
        shape_is(&V6::of(DESTINATION).over(long), Shape::Opaque, false);
    }
}

#[test]
fn a_chain_cut_at_its_cap_wants_the_octet_that_decides() {
    let nine = chain(&[(HOP_BY_HOP, 0); 9]);
    let before_the_ninth = 40 + 8 * 8;
    shape_is(&nine[..before_the_ninth], Shape::HeaderChainLimit, true);
    shape_is(
        &nine[..before_the_ninth + 1],
        Shape::HeaderChainLimit,
        false,
    );
}

/// A header whose length is not there may be as short as nothing: it is cut, not over the cap.
#[test]
fn a_cut_header_behind_256_octets_is_incomplete() {
    let full_and_one_more = chain(&[(DESTINATION, 31), (DESTINATION, 0)]);
    for len in 296..298 {
        shape_is(&full_and_one_more[..len], Shape::IncompleteHeaders, true);
    }
    shape_is(&full_and_one_more[..298], Shape::HeaderChainLimit, false);
}

#[test]
fn a_header_that_is_cut_is_judged_by_its_next_header() {
    for kind in [HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION] {
        for next in [TCP, HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION] {
            let whole = V6::of(kind).over(chain_over(&[(kind, 1)], next, syn25()));
            for len in 40..whole.len() - syn25().len() {
                shape_is(&whole[..len], Shape::IncompleteHeaders, true);
            }
        }
        for next in [UDP, ICMPV6, 50, 59, 135, 139, 140, 253, 254] {
            let whole = V6::of(kind).over(chain_over(&[(kind, 1)], next, vec![]));
            shape_is(&whole[..40], Shape::IncompleteHeaders, true);
            for len in 41..whole.len() {
                shape_is(&whole[..len], Shape::Opaque, false);
            }
        }
    }
}

/// With so little behind it that the packet is evasive whatever the missing octets are.
#[test]
fn a_header_with_too_little_behind_it_wants_nothing() {
    for (behind, wants_more) in [(0, false), (13, false), (14, true)] {
        let tcp = syn25()[..behind].to_vec();
        let six = V6::of(DESTINATION).over(chain_over(&[(DESTINATION, 0)], TCP, tcp.clone()));
        shape_is(&six[..42], Shape::IncompleteHeaders, wants_more);
        let four = V4::tcp().options(40).over(tcp);
        shape_is(&four[..42], Shape::IncompleteHeaders, wants_more);
    }
}

/// Cut by a length field, not by the frame: nothing is missing.
#[test]
fn a_header_that_its_length_field_cuts_wants_nothing() {
    let header = chain_over(&[(DESTINATION, 1)], TCP, syn25());
    let ip = V6::of(DESTINATION).payload_len(12).over(header);
    shape_is(&ip, Shape::IncompleteHeaders, false);
}

/// E16
#[test]
fn other_upper_layers_are_opaque() {
    // Tunnels, GRE, ESP, ICMPv6, no next header, mobility, HIP, shim6, experiments, SCTP.
    for protocol in [4, 41, 47, 50, ICMPV6, 59, 132, 135, 139, 140, 253, 254] {
        for packet in [
            raw(&V4::of(protocol).over(syn25())),
            raw(&V6::of(protocol).over(syn25())),
        ] {
            assert_eq!(packet.shape, Shape::Opaque);
            assert_eq!(packet.protocol, protocol);
            assert_eq!((packet.src_port, packet.transport_len), (0, 0));
        }
    }
}

/// E3, E4, E5
#[test]
fn nothing_is_read_behind_a_later_fragment() {
    for (offset, shape) in [
        (1, Shape::OverlappingFragment),
        (2, Shape::LaterFragment),
        (4096, Shape::LaterFragment),
        (8191, Shape::LaterFragment),
    ] {
        for more in [false, true] {
            let four = raw(&V4::tcp().fragment(offset, more).over(syn25()));
            let six = raw(&V6::of(FRAGMENT).over(fragment(TCP, offset, more, syn25())));
            for packet in [four, six] {
                assert_eq!((packet.shape, packet.fragment), (shape, Fragment::Later));
                assert_eq!((packet.protocol, packet.wants_more), (TCP, false));
                assert_eq!(
                    (packet.src_port, packet.dst_port, packet.transport_len),
                    (0, 0, 0)
                );
            }
        }
    }
}

/// E31, and what is no TCP at offset 1.
#[test]
fn only_tcp_overlaps() {
    shape_is(
        &V4::of(UDP).fragment(1, true).over(datagram()),
        Shape::LaterFragment,
        false,
    );
    shape_is(
        &V4::of(AH).fragment(1, true).over(datagram()),
        Shape::LaterFragment,
        false,
    );
    for next in [UDP, DESTINATION, AH] {
        let ip = V6::of(FRAGMENT).over(fragment(next, 1, true, datagram()));
        shape_is(&ip, Shape::LaterFragment, false);
    }
}

/// E6
#[test]
fn first_fragments_are_walked_like_whole_packets() {
    let first = |expected| Packet {
        fragment: Fragment::First,
        ..expected
    };
    let four = V4::tcp().fragment(0, true).over(syn25());
    assert_eq!(raw(&four), first(syn25_over_v4(0)));
    let four = V4::of(AH)
        .fragment(0, true)
        .over(authentication(TCP, 4, syn25()));
    assert_eq!(raw(&four), first(syn25_over_v4(0)));
    let six = V6::of(FRAGMENT).over(fragment(TCP, 0, true, syn25()));
    assert_eq!(raw(&six), first(syn25_over_v6(0)));
    let behind = extension(TCP, 0, syn25());
    let six = V6::of(FRAGMENT).over(fragment(DESTINATION, 0, true, behind));
    assert_eq!(raw(&six), first(syn25_over_v6(0)));
    let atomic_inside = fragment(FRAGMENT, 0, true, fragment(TCP, 0, false, syn25()));
    assert_eq!(
        raw(&V6::of(FRAGMENT).over(atomic_inside)),
        first(syn25_over_v6(0))
    );
}

/// The evil bit and "do not fragment" are no fragment.
#[test]
fn other_fragment_flags_do_not_matter() {
    let flags = V4 {
        fragment: 0xc000,
        ..V4::tcp()
    };
    assert_eq!(raw(&flags.over(syn25())), syn25_over_v4(0));
}
