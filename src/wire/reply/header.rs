//! IP headers, read without indulgence: what is not whole, or not what a host sends, is `None`.

use super::super::Family;
use super::checksum;
use etherparse::ip_number;
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) const IPV4_OCTETS: usize = 20;
pub(super) const IPV6_OCTETS: usize = 40;

/// What an IP header says, and the extension headers behind it.
pub(super) struct Header {
    pub(super) ends: Ends,
    /// Octets of the packet from its header on, as the header says.
    pub(super) packet_bytes: usize,
    /// Octets of the header itself, with options.
    pub(super) header_bytes: usize,
    /// The protocol behind it, or the first extension header.
    pub(super) next: u8,
    /// Whether it says that the packet is a fragment; extension headers may say so, too.
    pub(super) is_fragment: bool,
}

/// Who sent a packet, and to whom: both single hosts, and not the same.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    V4 { src: Ipv4Addr, dst: Ipv4Addr },
    V6 { src: Ipv6Addr, dst: Ipv6Addr },
}

impl Header {
    pub(super) fn of(family: Family, octets: &[u8]) -> Option<Self> {
        match family {
            Family::V4 => Self::ipv4(octets),
            Family::V6 => Self::ipv6(octets),
        }
    }

    fn ipv4(octets: &[u8]) -> Option<Self> {
        let fixed = octets.first_chunk::<IPV4_OCTETS>()?;
        let header_bytes = usize::from(fixed[0] & 0x0f) * 4;
        let header = octets.get(..header_bytes)?;
        let options = header.get(IPV4_OCTETS..)?;
        if fixed[0] >> 4 != 4 || checksum::of_header(header) != 0 || holds_route(options)? {
            return None;
        }
        let [.., a, b, c, d, e, f, g, h] = *fixed;
        Some(Self {
            ends: Ends::v4([a, b, c, d].into(), [e, f, g, h].into())?,
            packet_bytes: usize::from(u16::from_be_bytes([fixed[2], fixed[3]])),
            header_bytes,
            next: fixed[9],
            is_fragment: u16::from_be_bytes([fixed[6], fixed[7]]) & 0x3fff != 0,
        })
    }

    fn ipv6(octets: &[u8]) -> Option<Self> {
        let fixed = octets.first_chunk::<IPV6_OCTETS>()?;
        let payload_bytes = u16::from_be_bytes([fixed[4], fixed[5]]);
        // A length of 0 is that of a jumbogram.
        if fixed[0] >> 4 != 6 || payload_bytes == 0 {
            return None;
        }
        let (src, dst) = fixed.get(8..)?.split_first_chunk::<16>()?;
        let src: [u8; 16] = *src;
        let dst: [u8; 16] = *dst.first_chunk()?;
        Some(Self {
            ends: Ends::v6(src.into(), dst.into())?,
            packet_bytes: IPV6_OCTETS + usize::from(payload_bytes),
            header_bytes: IPV6_OCTETS,
            next: fixed[6],
            is_fragment: false,
        })
    }
}

impl Ends {
    fn v4(src: Ipv4Addr, dst: Ipv4Addr) -> Option<Self> {
        let is_host = |address: Ipv4Addr| match address.octets()[0] {
            // This network, loopback; multicast, class E and broadcast.
            0 | 127 | 224.. => false,
            1..=223 => true,
        };
        (is_host(src) && is_host(dst) && src != dst).then_some(Self::V4 { src, dst })
    }

    fn v6(src: Ipv6Addr, dst: Ipv6Addr) -> Option<Self> {
        let is_host = |address: Ipv6Addr| {
            !(address.is_unspecified() || address.is_loopback() || address.is_multicast())
        };
        (is_host(src) && is_host(dst) && src != dst).then_some(Self::V6 { src, dst })
    }
}

/// Whether there is a source route among the options of an IPv4 header; `None` where they cannot be
/// read to their end.
fn holds_route(mut options: &[u8]) -> Option<bool> {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const LOOSE_ROUTE: u8 = 131;
    const STRICT_ROUTE: u8 = 137;
    loop {
        options = match *options {
            [] | [END, ..] => return Some(false),
            [NOTHING, ..] => options.get(1..)?,
            [LOOSE_ROUTE | STRICT_ROUTE, ..] => return Some(true),
            [_, len, ..] if len >= 2 => options.get(usize::from(len)..)?,
            _ => return None,
        };
    }
}

/// An extension header on the way to TCP, and how long it is: no routing header, which a reply would
/// have to follow back.
pub(super) fn extension_bytes(kind: u8, header: &[u8]) -> Option<usize> {
    const HOP_BY_HOP: u8 = ip_number::IPV6_HEADER_HOP_BY_HOP.0;
    const DESTINATION: u8 = ip_number::IPV6_DESTINATION_OPTIONS.0;
    const FRAGMENT: u8 = ip_number::IPV6_FRAGMENTATION_HEADER.0;
    const AUTHENTICATION: u8 = ip_number::AUTHENTICATION_HEADER.0;
    let units = usize::from(*header.get(1)?);
    match kind {
        HOP_BY_HOP | DESTINATION => Some((units + 1) * 8),
        FRAGMENT => Some(8),
        AUTHENTICATION => Some((units + 2) * 4),
        _ => None,
    }
}
