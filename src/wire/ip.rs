//! The full lane from the IP header to the transport header.
//!
//! etherparse reads the fixed headers and the fragment header. The other extension headers are
//! read here: its slices refuse an AH shorter than 12 octets and show nothing of a header that is
//! cut, where the first octet alone decides whether TCP can follow.

use super::area::Area;
use super::{Family, Fragment, Packet, Shape, TRANSPORT_OCTETS, transport};
use etherparse::{Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, ip_number};

/// Extension headers that are followed, and their octets in sum.
const HEADERS_CAP: u32 = 8;
const HEADERS_CAP_BYTES: usize = 256;

/// Octets of the fixed headers.
const IPV4_OCTETS: usize = 20;
const IPV6_OCTETS: usize = 40;

const TCP: u8 = ip_number::TCP.0;
const UDP: u8 = ip_number::UDP.0;
const HOP_BY_HOP: u8 = ip_number::IPV6_HEADER_HOP_BY_HOP.0;
const ROUTING: u8 = ip_number::IPV6_ROUTE_HEADER.0;
const FRAGMENT: u8 = ip_number::IPV6_FRAGMENTATION_HEADER.0;
const AUTHENTICATION: u8 = ip_number::AUTHENTICATION_HEADER.0;
const DESTINATION: u8 = ip_number::IPV6_DESTINATION_OPTIONS.0;

/// Reads what was announced as IP of this family and begins `offset_bytes` into the frame.
pub(super) fn parse(family: Family, ip: Area<'_>, offset_bytes: u16) -> Packet {
    let read = match family {
        Family::V4 => ipv4(ip),
        Family::V6 => ipv6(ip),
    };
    match read {
        Ok(packet) => Packet {
            ip_offset: offset_bytes,
            ..packet
        },
        Err(Runt { wants_more }) => Packet {
            wants_more,
            ..Packet::bare(Shape::Unparsed)
        },
    }
}

/// Not the IP header it was announced as.
struct Runt {
    /// Only because the octets ended, where more could follow.
    wants_more: bool,
}

fn ipv4(ip: Area<'_>) -> Result<Packet, Runt> {
    let header_len_bytes = match ip.bytes {
        [first, ..] if first >> 4 == 4 => usize::from(first & 0x0f) * 4,
        bytes => {
            return Err(Runt {
                wants_more: bytes.is_empty() && ip.could_hold(IPV4_OCTETS),
            });
        }
    };
    let total_len_bytes = match ip.bytes {
        [_, _, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    let too_small = total_len_bytes != 0 && total_len_bytes < header_len_bytes;
    if header_len_bytes < IPV4_OCTETS || too_small {
        return Err(Runt { wants_more: false });
    }
    // Told as a header without options: one whose options are cut still shows its addresses.
    let mut fixed: [u8; IPV4_OCTETS] = *ip.bytes.first_chunk().ok_or(Runt {
        wants_more: ip.could_hold(IPV4_OCTETS),
    })?;
    fixed[0] = 0x45;
    let header = Ipv4HeaderSlice::from_slice(&fixed).map_err(|_| Runt { wants_more: false })?;

    let mut packet = Packet {
        src: u32::from_be_bytes(header.source()).into(),
        dst: u32::from_be_bytes(header.destination()).into(),
        family: Some(Family::V4),
        protocol: header.protocol().0,
        ..Packet::bare(Shape::Opaque)
    };
    let offset = header.fragments_offset().value();
    if !enter_fragment(&mut packet, offset, header.more_fragments()) {
        return Ok(packet);
    }
    let mut rest = match total_len_bytes {
        0 => ip,
        len_bytes => ip.bounded(len_bytes),
    };
    if rest.take(header_len_bytes).is_some() {
        extension_headers(&mut packet, rest);
    } else if leads_to_tcp(Family::V4, packet.protocol) {
        packet.shape = Shape::IncompleteHeaders;
        packet.wants_more = rest.could_hold(header_len_bytes + decides_at(packet.protocol));
    }
    Ok(packet)
}

fn ipv6(ip: Area<'_>) -> Result<Packet, Runt> {
    let header = Ipv6HeaderSlice::from_slice(ip.bytes).map_err(|_| Runt {
        wants_more: ip.could_hold(IPV6_OCTETS)
            && ip.bytes.first().is_none_or(|first| first >> 4 == 6),
    })?;
    let mut packet = Packet {
        src: u128::from_be_bytes(header.source()),
        dst: u128::from_be_bytes(header.destination()),
        family: Some(Family::V6),
        protocol: header.next_header().0,
        ..Packet::bare(Shape::Opaque)
    };
    let mut rest = match header.payload_length() {
        0 => ip,
        len_bytes => ip.bounded(header.header_len() + usize::from(len_bytes)),
    };
    if rest.take(header.header_len()).is_some() {
        extension_headers(&mut packet, rest);
    }
    Ok(packet)
}

/// Follows the headers from `packet.protocol` on, and reads the transport header behind them.
fn extension_headers(packet: &mut Packet, mut rest: Area<'_>) {
    let family = packet.family.unwrap_or(Family::V4);
    let mut headers = 0;
    let mut headers_bytes = 0;
    while is_followed(family, packet.protocol) {
        let kind = packet.protocol;
        let next = rest.bytes.first().copied();
        let len_bytes = header_len_bytes(kind, rest.bytes);
        headers += 1;
        headers_bytes += len_bytes.unwrap_or(0);
        packet.protocol = next.unwrap_or(kind);

        let over_cap = headers > HEADERS_CAP || headers_bytes > HEADERS_CAP_BYTES;
        let header = len_bytes.and_then(|len_bytes| rest.take(len_bytes));
        let ends_here = over_cap || header.is_none();
        if ends_here && next.is_some_and(|next| !leads_to_tcp(family, next)) {
            return;
        }
        if over_cap {
            packet.shape = Shape::HeaderChainLimit;
            packet.wants_more = next.is_none() && rest.could_hold(1);
            return;
        }
        let Some(header) = header else {
            packet.shape = Shape::IncompleteHeaders;
            packet.wants_more = rest.could_hold(match (next, kind, rest.bytes) {
                (None, _, _) => 1,
                (Some(next), FRAGMENT, [_, _, 0, 0..=7, ..]) => 8 + decides_at(next),
                // With an offset above 0, the whole header decides without what is behind it.
                (_, FRAGMENT, _) => 8,
                (Some(next), _, _) => len_bytes.unwrap_or(8) + decides_at(next),
            });
            return;
        };
        if kind == FRAGMENT
            && let Ok(fragment) = Ipv6FragmentHeaderSlice::from_slice(header)
        {
            let offset = fragment.fragment_offset().value();
            if !enter_fragment(packet, offset, fragment.more_fragments()) {
                return;
            }
        }
    }
    match packet.protocol {
        TCP => transport::tcp(packet, rest),
        UDP => transport::udp(packet, rest),
        _ => {}
    }
}

/// Notes where in its datagram the packet stands; `false` when nothing behind may be read.
fn enter_fragment(packet: &mut Packet, offset: u16, more: bool) -> bool {
    if offset == 0 {
        if more {
            packet.fragment = Fragment::First;
        }
        return true;
    }
    packet.fragment = Fragment::Later;
    packet.shape = match (offset, packet.protocol) {
        (1, TCP) => Shape::OverlappingFragment,
        _ => Shape::LaterFragment,
    };
    false
}

/// The extension headers that are walked; anything else is an upper layer.
fn is_followed(family: Family, kind: u8) -> bool {
    match family {
        Family::V4 => kind == AUTHENTICATION,
        Family::V6 => matches!(
            kind,
            HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION
        ),
    }
}

fn leads_to_tcp(family: Family, kind: u8) -> bool {
    kind == TCP || is_followed(family, kind)
}

/// Octets that TCP, or a header that leads to it, must have for the packet not to be evasive.
fn decides_at(kind: u8) -> usize {
    match kind {
        TCP => usize::from(TRANSPORT_OCTETS),
        _ => 1,
    }
}

/// Octets of an extension header, when enough of it is there to tell.
fn header_len_bytes(kind: u8, header: &[u8]) -> Option<usize> {
    match (kind, header) {
        (FRAGMENT, _) => Some(8),
        (AUTHENTICATION, [_, len, ..]) => Some((usize::from(*len) + 2) * 4),
        (_, [_, len, ..]) => Some((usize::from(*len) + 1) * 8),
        _ => None,
    }
}
