//! Source routes: which addresses a packet is yet to pass.

use crate::frames::*;
use crate::tunnelled::IPIP;
use crate::tunnels::{address, opening, over_v6};
use sekisho::wire::{
    LinkType, Packet, Route, Shape, Subscriber, TunnelKind, Unwrap, parse, parse_part,
    route_addresses,
};

const A: [u8; 4] = [198, 18, 0, 1];
const B: [u8; 4] = [198, 18, 0, 2];
const C: [u8; 4] = [198, 18, 0, 3];

/// The packet, and the addresses that it lists.
fn read(packet: &[u8]) -> (Packet, Vec<u128>) {
    let found = parse(packet, LinkType::RAW, &Unwrap::default());
    (found, route_addresses(packet, &found).collect())
}

/// A SYN with these options, padded to whole words with what ends a list.
fn with_options(options: &[u8]) -> Vec<u8> {
    let mut header = V4::tcp();
    header.options = options.to_vec();
    header.options.resize(options.len().div_ceil(4) * 4, 0);
    header.over(syn25())
}

fn numbers<const N: usize>(addresses: &[[u8; N]]) -> Vec<u128> {
    let number = |octets: &[u8; N]| octets.iter().fold(0, |n, o| n << 8 | u128::from(*o));
    addresses.iter().map(number).collect()
}

/// A source route option of these addresses.
fn option(kind: u8, pointer: u8, addresses: &[[u8; 4]]) -> Vec<u8> {
    let len = 3 + 4 * addresses.len() as u8;
    [&[kind, len, pointer], addresses.concat().as_slice()].concat()
}

#[track_caller]
fn lists(options: &[u8], expected: &[[u8; 4]]) {
    let (found, listed) = read(&with_options(options));
    assert_eq!(found.shape, Shape::Tcp);
    assert!(matches!(found.route, Route::Listed { .. }), "{options:?}");
    assert_eq!(listed, numbers(expected), "{options:?}");
}

#[track_caller]
fn is(options: &[u8], route: Route) {
    let (found, listed) = read(&with_options(options));
    assert_eq!(
        (found.shape, found.route),
        (Shape::Tcp, route),
        "{options:?}"
    );
    assert!(listed.is_empty());
}

#[test]
fn loose_and_strict_routes_list_what_is_yet_to_be_passed() {
    for kind in [131, 137] {
        let all = [A, B, C];
        lists(&option(kind, 4, &all), &all);
        lists(&option(kind, 8, &all), &[B, C]);
        lists(&option(kind, 12, &all), &[C]);
        for exhausted in [16, 17, 40, 255] {
            is(&option(kind, exhausted, &all), Route::None);
        }
        is(&option(kind, 4, &[]), Route::None);
    }
}

#[test]
fn wherever_it_stands_among_the_options() {
    let route = option(131, 4, &[A]);
    let record = [7, 7, 4, 1, 2, 3, 4];
    let security = [130, 4, 0, 0];
    for before in [
        &[][..],
        &[1],
        &[1, 1, 1],
        &record,
        &security,
        &[148, 4, 0, 0],
    ] {
        lists(&[before, &route].concat(), &[A]);
        lists(&[before, &route, &[1, 1]].concat(), &[A]);
    }
    // A list of options ends at the first 0, and where an option has no length.
    is(&[&[0], route.as_slice()].concat(), Route::None);
    is(&[&[7, 0], route.as_slice()].concat(), Route::None);
    is(&[&[7, 1], route.as_slice()].concat(), Route::None);
    is(&[&[7, 200], route.as_slice()].concat(), Route::None);
    // What looks like one is the content of another.
    is(
        &[&[7, 11, 4, 131, 7, 4], &A[..], &[0]].concat(),
        Route::None,
    );
}

#[test]
fn a_route_that_cannot_be_read_leads_anywhere() {
    for option in [
        // Without length, with one too short, beyond the header.
        &[1, 1, 1, 131][..],
        &[131, 0, 4, 0],
        &[131, 2, 4, 0],
        &[131, 11, 4, 198, 18, 0, 1],
        &[137, 255, 4, 198, 18, 0, 1],
        // A pointer before the addresses, or into the middle of the last one.
        &[131, 7, 3, 198, 18, 0, 1],
        &[131, 7, 0, 198, 18, 0, 1],
        &[131, 7, 5, 198, 18, 0, 1],
        &[131, 8, 4, 198, 18, 0, 1, 9],
    ] {
        is(option, Route::Unreadable);
    }
    let two = [option(131, 4, &[A]), option(137, 4, &[B])].concat();
    is(&two, Route::Unreadable);
    let one_exhausted = [option(131, 8, &[A]), option(137, 4, &[B])].concat();
    lists(&one_exhausted, &[B]);
}

/// A later fragment has no port that could be asked for; the others keep their route.
#[test]
fn fragments_and_cut_headers_keep_their_route() {
    let mut header = V4::tcp().fragment(1, false);
    header.options = option(131, 4, &[A]);
    header.options.push(0);
    let overlapping = header.over(syn25());
    let (found, listed) = read(&overlapping);
    assert_eq!(found.shape, Shape::OverlappingFragment);
    assert_eq!(listed, numbers(&[A]));
    let whole = with_options(&option(131, 4, &[A, B]));
    for len in 20..32 {
        let found = parse_part(&whole[..len], 0, LinkType::RAW, &Unwrap::default());
        let listed = route_addresses(&whole, &found).collect::<Vec<_>>();
        assert_eq!(found.shape, Shape::IncompleteHeaders);
        match len {
            20 => assert_eq!(found.route, Route::None),
            21..31 => assert_eq!(found.route, Route::Unreadable),
            _ => assert_eq!(listed, numbers(&[A, B])),
        }
    }
}

/// Options, or headers, that the capture left out may be a route to anybody.
#[test]
fn a_route_that_may_have_been_cut_off_leads_anywhere() {
    let cut = |bytes: &[u8]| read(bytes).0.route;
    let quiet = with_options(&[148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 1]);
    for len in 20..32 {
        assert_eq!(cut(&quiet[..len]), Route::Unreadable, "{len}");
    }
    assert_eq!(cut(&quiet[..32]), Route::None);
    // Where the last option is cut, or the list is at its end, nothing is missing.
    let recorded = with_options(&[7, 8, 4, 0, 0, 0, 0, 0]);
    assert_eq!(cut(&recorded[..24]), Route::None);
    assert_eq!(cut(&with_options(&[0, 131, 7, 4])[..22]), Route::None);

    let chain = [
        &[DESTINATION, 0, 1, 4, 0, 0, 0, 0][..],
        &[TCP, 0, 1, 4, 0, 0, 0, 0],
        &syn25(),
    ];
    let whole = V6::of(DESTINATION).over(chain.concat());
    for len in 40..whole.len() {
        let expected = match len {
            // To the octet that says that TCP is next.
            40..49 => Route::Unreadable,
            _ => Route::None,
        };
        assert_eq!(cut(&whole[..len]), expected, "{len}");
    }
    // Nothing follows an eighth header but a ninth, and that one is not followed.
    let eight = [DESTINATION, 0, 1, 4, 0, 0, 0, 0].repeat(8);
    let whole = V6::of(DESTINATION).over([&eight[..], &syn25()].concat());
    assert_eq!(cut(&whole[..40 + 56]), Route::Unreadable);
    assert_eq!(cut(&whole[..40 + 57]), Route::None);
}

/// A routing header of this type around a SYN.
fn routed(kind: u8, segments_left: u8, before_list: [u8; 4], list: &[u8]) -> Vec<u8> {
    let mut header = vec![TCP, (list.len() / 8) as u8, kind, segments_left];
    header.extend(before_list);
    header.extend(list);
    header.extend(syn25());
    V6::of(ROUTING).over(header)
}

fn six() -> [[u8; 16]; 3] {
    ["2001:db8:a::1", "2001:db8:b::1", "2001:db8:c::1"].map(address)
}

#[test]
fn routing_headers_list_the_segments_left() {
    let [a, b, c] = six();
    let list = [a, b, c].concat();
    // Types 0 and 2 in the order of travel, type 4 (RFC 8754) turned round.
    let last_entry = [2, 0, 0, 0];
    for (kind, left, list, expected) in [
        (0, 3, &list[..], &[a, b, c][..]),
        (0, 1, &list, &[c]),
        (2, 1, &list[..16], &[a]),
        (4, 3, &list, &[a, b, c]),
        (4, 2, &list, &[a, b]),
        (4, 1, &list, &[a]),
    ] {
        let before = if kind == 4 { last_entry } else { [0; 4] };
        let (found, listed) = read(&routed(kind, left, before, list));
        assert_eq!(found.shape, Shape::Tcp);
        assert_eq!(listed, numbers(expected), "type {kind}, {left} left");
    }
    for kind in [0, 2, 3, 4, 253] {
        let (found, _) = read(&routed(kind, 0, last_entry, &list));
        assert_eq!((found.shape, found.route), (Shape::Tcp, Route::None));
    }
    // TLVs behind the segments of type 4 are none of them.
    let with_tlv = [&list[..32], &[5, 6, 0, 0, 0, 0, 0, 0]].concat();
    let (_, listed) = read(&routed(4, 1, [1, 0, 0, 0], &with_tlv));
    assert_eq!(listed, numbers(&[a]));
}

#[test]
fn routing_headers_that_cannot_be_read_lead_anywhere() {
    let list = six().concat();
    for (kind, left, last_entry, list) in [
        // Compressed, or not known.
        (3, 1, 0, &list[..]),
        (1, 1, 0, &list),
        (255, 255, 0, &list),
        // More left than there are, or half an address.
        (0, 4, 0, &list),
        (0, 1, 0, &list[..24]),
        (2, 1, 0, &[]),
        (4, 4, 2, &list),
        (4, 1, 3, &list),
        (4, 1, 0, &[]),
    ] {
        let (found, listed) = read(&routed(kind, left, [last_entry, 0, 0, 0], list));
        assert_eq!(found.route, Route::Unreadable, "type {kind}, {left} left");
        assert_eq!(found.shape, Shape::Tcp);
        assert!(listed.is_empty());
    }
    // A second one that is not exhausted either.
    let second = extension(TCP, 2, syn25());
    let mut both = extension(ROUTING, 2, second);
    (both[3], both[24 + 3]) = (1, 1);
    let (found, _) = read(&V6::of(ROUTING).over(both.clone()));
    assert_eq!(found.route, Route::Unreadable);
    both[3] = 0;
    let (found, listed) = read(&V6::of(ROUTING).over(both));
    assert!(matches!(found.route, Route::Listed { .. }));
    assert_eq!(listed, [0]);
    // One that is cut.
    let whole = routed(0, 1, [0; 4], &list);
    let (found, _) = read(&whole[..60]);
    assert_eq!(found.shape, Shape::IncompleteHeaders);
    assert_eq!(found.route, Route::Unreadable);
}

/// Within a tunnel the inner header's route counts, and its places are those in the frame.
#[test]
fn a_route_within_a_tunnel() {
    let unwrap = opening(TunnelKind::Ipv4InIpv6, Subscriber::Outer);
    let frame = over_v6(IPIP, with_options(&option(131, 4, &[A, C])));
    let frame = ethernet(0x8100, tag(IP6, frame));
    let found = parse(&frame, LinkType::ETHERNET, &unwrap);
    let listed: Vec<_> = route_addresses(&frame, &found).collect();
    assert_eq!((found.shape, listed), (Shape::Tcp, numbers(&[A, C])));
}
