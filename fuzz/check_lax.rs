//! The full lane against another reader of the same frames: etherparse's `LaxSlicedPacket`.
//!
//! Asked wherever that one looks at the same octets: up to three tags, IPv4 and IPv6, extension
//! headers, fragments. Left out, each where it is told below: encapsulations it does not open,
//! orders and lengths of extension headers that it refuses, and our caps.

use etherparse::{
    EtherType, Ipv6ExtensionSlice, LaxIpv4Slice, LaxIpv6Slice, LaxLinkExtSlice, LaxNetSlice,
    LaxSlicedPacket, LinkSlice, ether_type, ip_number,
};
use sekisho::wire::{LinkType, Packet, Shape, Unwrap, parse_full};

/// What the other reader makes of a frame.
#[derive(Debug)]
enum Opinion {
    /// It does not look, or looks by other rules.
    None,
    /// No IP, or none that can be read.
    NoIp(Shape),
    /// IP between these ends, whose extension headers it cannot read to their end.
    Cut(Ends),
    Ip(Ends, Shape, Vec<u8>),
}

type Ends = (u128, u128);

fn opinion(frame: &[u8]) -> Opinion {
    let Ok(lax) = LaxSlicedPacket::from_ethernet(frame) else {
        return Opinion::NoIp(Shape::Unparsed);
    };
    // It opens MACsec; we do not.
    if lax
        .link_exts
        .iter()
        .any(|ext| matches!(ext, LaxLinkExtSlice::Macsec(_)))
    {
        return Opinion::None;
    }
    let announced = ether_type_of(&lax);
    let family = match &lax.net {
        Some(LaxNetSlice::Arp(_)) => return Opinion::NoIp(Shape::NotIp),
        Some(LaxNetSlice::Ipv4(_)) => ether_type::IPV4,
        Some(LaxNetSlice::Ipv6(_)) => ether_type::IPV6,
        None => return without_ip(&lax, announced),
    };
    // It goes by the version nibble alone.
    if family != announced {
        return Opinion::NoIp(Shape::Unparsed);
    }
    match &lax.net {
        Some(LaxNetSlice::Ipv4(ip)) => ipv4(ip, lax.stop_err.is_some()),
        Some(LaxNetSlice::Ipv6(ip)) => ipv6(ip, &lax),
        _ => Opinion::None,
    }
}

fn ether_type_of(lax: &LaxSlicedPacket<'_>) -> EtherType {
    match (lax.link_exts.last(), &lax.link) {
        (Some(LaxLinkExtSlice::Vlan(tag)), _) => tag.ether_type(),
        (None, Some(LinkSlice::Ethernet2(link))) => link.ether_type(),
        _ => EtherType(0),
    }
}

fn without_ip(lax: &LaxSlicedPacket<'_>, announced: EtherType) -> Opinion {
    use etherparse::err::packet::SliceError;
    match &lax.stop_err {
        // A cut ARP is not IP all the same, and a MACsec tag that it cannot open is none to us.
        Some(_) if [ether_type::ARP, ether_type::MACSEC].contains(&announced) => {
            Opinion::NoIp(Shape::NotIp)
        }
        // IPv4 options that are cut: it shows nothing, we show the addresses.
        Some((SliceError::Len(len), _)) if len.required_len > 20 && len.len >= 20 => {
            if announced == ether_type::IPV4 {
                Opinion::None
            } else {
                Opinion::NoIp(Shape::Unparsed)
            }
        }
        Some(_) => Opinion::NoIp(Shape::Unparsed),
        // A fourth tag, or what it does not open.
        None => Opinion::None,
    }
}

fn ipv4(ip: &LaxIpv4Slice<'_>, stopped: bool) -> Opinion {
    let header = ip.header();
    let ends = (
        u32::from(header.source_addr()).into(),
        u32::from(header.destination_addr()).into(),
    );
    let total_len = usize::from(header.total_len());
    if total_len != 0 && total_len < header.slice().len() {
        return Opinion::NoIp(Shape::Unparsed);
    }
    let offset = header.fragments_offset().value();
    if offset > 0 {
        return later(ends, offset, header.protocol().0);
    }
    let authentication = ip.extensions().auth;
    let over_cap = authentication.is_some_and(|header| header.slice().len() > 256);
    let payload = ip.payload();
    // One AH is all it follows, and none of 8 octets.
    if over_cap || payload.ip_number == ip_number::AUTH {
        return Opinion::None;
    }
    if stopped && payload.ip_number != ip_number::TCP && payload.ip_number != ip_number::UDP {
        return Opinion::None;
    }
    upper_layer(
        ends,
        payload.ip_number.0,
        payload.fragmented,
        payload.payload,
    )
}

fn ipv6(ip: &LaxIpv6Slice<'_>, lax: &LaxSlicedPacket<'_>) -> Opinion {
    use etherparse::err::packet::SliceError;
    let header = ip.header();
    let ends = (
        u128::from(header.source_addr()),
        u128::from(header.destination_addr()),
    );
    let payload = ip.payload();
    match &lax.stop_err {
        // Hop-by-hop anywhere but first, and an AH of 8 octets: it refuses, we walk on.
        Some((SliceError::Ipv6Exts(_), _)) => return Opinion::None,
        // Its extensions must not be iterated here: 0.21 reads past the slice where it stopped.
        Some(_) if matches!(payload.ip_number.0, 0 | 43 | 44 | 51 | 60) => {
            // An AH of 8 octets again, at the end.
            let short_authentication =
                payload.ip_number == ip_number::AUTH && payload.payload.get(1) == Some(&0);
            return if payload.fragmented || short_authentication {
                Opinion::None
            } else {
                Opinion::Cut(ends)
            };
        }
        _ => {}
    }
    let (mut headers, mut bytes) = (0, 0);
    for extension in ip.extensions().clone() {
        let (fragment, len) = match &extension {
            Ipv6ExtensionSlice::HopByHop(raw)
            | Ipv6ExtensionSlice::Routing(raw)
            | Ipv6ExtensionSlice::DestinationOptions(raw) => (None, raw.slice().len()),
            Ipv6ExtensionSlice::Authentication(raw) => (None, raw.slice().len()),
            Ipv6ExtensionSlice::Fragment(raw) => (Some(raw), raw.slice().len()),
        };
        (headers, bytes) = (headers + 1, bytes + len);
        if headers > 8 || bytes > 256 {
            return Opinion::None;
        }
        if let Some(fragment) = fragment
            && fragment.fragment_offset().value() > 0
        {
            let next = fragment.next_header().0;
            return later(ends, fragment.fragment_offset().value(), next);
        }
    }
    upper_layer(
        ends,
        payload.ip_number.0,
        payload.fragmented,
        payload.payload,
    )
}

fn later(ends: Ends, offset: u16, protocol: u8) -> Opinion {
    let shape = match (offset, protocol) {
        (1, 6) => Shape::OverlappingFragment,
        _ => Shape::LaterFragment,
    };
    Opinion::Ip(ends, shape, vec![])
}

/// Its `TcpSlice` wants the whole header, so the octets it found are measured instead.
fn upper_layer(ends: Ends, protocol: u8, fragmented: bool, octets: &[u8]) -> Opinion {
    let shape = match (protocol, octets.len()) {
        (6, 0) => Shape::IncompleteHeaders,
        (6, 1..14) if fragmented => Shape::TinyFragment,
        (6, 1..14) => Shape::Malformed,
        (6, _) => Shape::Tcp,
        _ => Shape::Opaque,
    };
    Opinion::Ip(ends, shape, octets.to_vec())
}

/// Both say the same of an Ethernet frame, where the other has an opinion; whether it has one.
#[track_caller]
pub fn agrees(frame: &[u8]) -> bool {
    let packet = parse_full(frame, LinkType::ETHERNET, &Unwrap::default());
    let ends = (packet.src, packet.dst);
    let opinion = opinion(frame);
    match &opinion {
        Opinion::None => {}
        Opinion::NoIp(shape) => assert_eq!(packet.shape, *shape),
        Opinion::Cut(theirs) => {
            assert_eq!(ends, *theirs);
            let ends_early = [
                Shape::IncompleteHeaders,
                Shape::Opaque,
                Shape::HeaderChainLimit,
            ];
            assert!(ends_early.contains(&packet.shape), "{packet:?}");
        }
        Opinion::Ip(theirs, shape, octets) => {
            assert_eq!((ends, packet.shape), (*theirs, *shape));
            if *shape == Shape::Tcp {
                transport_agrees(&packet, octets);
            }
        }
    }
    !matches!(opinion, Opinion::None)
}

fn transport_agrees(packet: &Packet, octets: &[u8]) {
    let [a, b, c, d, _, _, _, _, _, _, _, _, high, low, ..] = *octets else {
        panic!("{octets:02x?}");
    };
    assert_eq!(packet.src_port.to_be_bytes(), [a, b]);
    assert_eq!(packet.dst_port.to_be_bytes(), [c, d]);
    assert_eq!(packet.flags.0.to_be_bytes(), [high & 1, low]);
}
