//! From the link header to IP: Ethernet, tags (802.1Q), LLC with SNAP (802.2), PPPoE (RFC 2516),
//! PPP (RFC 1661), MPLS (RFC 3032), cooked captures, loopback, raw IP.

use super::Seen;
use super::ip::{ipv4, ipv6};
use super::octets::{Octet, Octets};
use super::tunnel::{Outside, Tunnel};
use sekisho::wire::{Frame, LinkType};

const MOST_TAGS: usize = 4;
const MOST_LABELS: usize = 4;

/// What there is to see of a frame, where these tunnels are opened.
pub fn see(frame: Frame<'_>, tunnels: &[Tunnel]) -> Seen {
    let outside = Outside::nothing(tunnels);
    let octets = Octets::frame(frame.bytes, frame.original_len as usize);
    match frame.link_type {
        LinkType::ETHERNET => ethernet(octets, outside),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => match octets.at(0) {
            Octet::There(first) if first / 16 == 4 => ipv4(octets, outside),
            Octet::There(first) if first / 16 == 6 => ipv6(octets, outside),
            Octet::There(_) => Seen::Unparsed,
            _ => ends(octets),
        },
        LinkType::IPV4 => ipv4(octets, outside),
        LinkType::IPV6 => ipv6(octets, outside),
        LinkType::PPP => framed_ppp(octets, outside),
        LinkType::NULL => match octets.number(0, 4) {
            Ok(family) if family > 0xffff => {
                loopback((family as u32).swap_bytes(), octets, outside)
            }
            Ok(family) => loopback(family as u32, octets, outside),
            Err(_) => ends(octets),
        },
        LinkType::LOOP => match octets.number(0, 4) {
            Ok(family) => loopback(u32::try_from(family).unwrap(), octets, outside),
            Err(_) => ends(octets),
        },
        LinkType::LINUX_SLL => cooked(octets, 2, 14, 16, outside),
        LinkType::LINUX_SLL2 => cooked(octets, 8, 0, 20, outside),
        _ => Seen::Unparsed,
    }
}

/// What is there ends before it says whether it carries IP.
fn ends(octets: Octets<'_>) -> Seen {
    if octets.are_cut() {
        Seen::Unreadable(None)
    } else {
        Seen::Runt(None)
    }
}

fn loopback(family: u32, octets: Octets<'_>, outside: Outside<'_>) -> Seen {
    match family {
        2 => ipv4(octets.behind(4), outside),
        10 | 24 | 28 | 30 => ipv6(octets.behind(4), outside),
        _ => Seen::NotIp,
    }
}

fn cooked(
    octets: Octets<'_>,
    hardware_at: usize,
    protocol_at: usize,
    header: usize,
    outside: Outside<'_>,
) -> Seen {
    const NETLINK: u16 = 824;
    const LLC: u16 = 4;
    // A header that is not all there says nothing.
    if octets.number(0, header).is_err() {
        return ends(octets);
    }
    let (hardware, protocol) = match (octets.two(hardware_at), octets.two(protocol_at)) {
        (Ok(hardware), Ok(protocol)) => (hardware, protocol),
        _ => return ends(octets),
    };
    match (hardware, protocol) {
        (NETLINK, _) => Seen::NotIp,
        (_, LLC) => llc(octets.behind(header), 0, outside),
        (_, 0..0x600) => Seen::NotIp,
        (_, kind) => ether_type(kind, octets.behind(header), 0, outside),
    }
}

pub fn ethernet(frame: Octets<'_>, outside: Outside<'_>) -> Seen {
    match frame.two(12) {
        Ok(kind) => type_or_length(kind, frame.behind(14), 0, outside),
        Err(_) => ends(frame),
    }
}

/// What stands in the place of an Ethernet type.
fn type_or_length(kind: u16, rest: Octets<'_>, tags: usize, outside: Outside<'_>) -> Seen {
    match kind {
        0..0x600 => llc(rest, tags, outside),
        _ => ether_type(kind, rest, tags, outside),
    }
}

pub fn ether_type(kind: u16, rest: Octets<'_>, tags: usize, outside: Outside<'_>) -> Seen {
    match kind {
        0x0800 => ipv4(rest, outside),
        0x86dd => ipv6(rest, outside),
        0x8100 | 0x88a8 | 0x9100 | 0x9200 if tags == MOST_TAGS => Seen::TooManyTagsOrLabels,
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => match rest.two(2) {
            Ok(inner) => type_or_length(inner, rest.behind(4), tags + 1, outside),
            Err(_) => ends(rest),
        },
        0x88e7 if tags == MOST_TAGS => Seen::TooManyTagsOrLabels,
        // A customer's frame behind the backbone's tag (802.1ah).
        0x88e7 => match rest.two(16) {
            Ok(inner) => type_or_length(inner, rest.behind(18), tags + 1, outside),
            Err(_) => ends(rest),
        },
        0x8847 | 0x8848 => labels(rest, 0, outside),
        0x8864 => match rest.two(4) {
            Ok(length) => framed_ppp(rest.behind(6).bounded(usize::from(length)), outside),
            Err(_) => ends(rest),
        },
        _ => Seen::NotIp,
    }
}

/// SNAP with the Ethernet types' own number (RFC 1042); every other LLC carries no IP.
fn llc(header: Octets<'_>, tags: usize, outside: Outside<'_>) -> Seen {
    for (index, wanted) in [0xaa, 0xaa, 3, 0, 0, 0].into_iter().enumerate() {
        match header.at(index) {
            Octet::There(octet) if octet == wanted => {}
            Octet::There(_) => return Seen::NotIp,
            _ => return ends(header),
        }
    }
    match header.two(6) {
        Ok(0..0x600) => Seen::NotIp,
        Ok(kind) => ether_type(kind, header.behind(8), tags, outside),
        Err(_) => ends(header),
    }
}

/// With address and control, or without.
pub fn framed_ppp(frame: Octets<'_>, outside: Outside<'_>) -> Seen {
    match (frame.at(0), frame.at(1)) {
        (Octet::There(0xff), Octet::There(3)) => ppp(frame.behind(2), outside),
        (Octet::There(0xff), Octet::Cut | Octet::Gone) => ends(frame),
        _ => ppp(frame, outside),
    }
}

/// The protocol field: its last octet is the first odd one.
fn ppp(field: Octets<'_>, outside: Outside<'_>) -> Seen {
    let (protocol, rest) = match field.at(0) {
        Octet::There(octet) if octet % 2 == 1 => (u16::from(octet), field.behind(1)),
        Octet::There(_) => match field.two(0) {
            Ok(protocol) => (protocol, field.behind(2)),
            Err(_) => return ends(field),
        },
        _ => return ends(field),
    };
    match protocol {
        0x0021 => ipv4(rest, outside),
        0x0057 => ipv6(rest, outside),
        0x0281 | 0x0283 => labels(rest, 0, outside),
        _ => Seen::NotIp,
    }
}

fn labels(entry: Octets<'_>, before: usize, outside: Outside<'_>) -> Seen {
    if before == MOST_LABELS {
        return Seen::TooManyTagsOrLabels;
    }
    match entry.number(0, 4) {
        Ok(word) if word & 0x100 == 0 => labels(entry.behind(4), before + 1, outside),
        Ok(_) => match entry.at(4) {
            Octet::There(first) if first / 16 == 4 => ipv4(entry.behind(4), outside),
            Octet::There(first) if first / 16 == 6 => ipv6(entry.behind(4), outside),
            Octet::There(_) => Seen::NotIp,
            _ => ends(entry),
        },
        Err(_) => ends(entry),
    }
}
