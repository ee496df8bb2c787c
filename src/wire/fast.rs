//! The fast lane: what nearly every frame is, read in one go at fixed offsets.

use super::transport::flags;
use super::{Family, Packet, Shape, TRANSPORT_OCTETS, TcpFlags};

const TCP: u8 = 6;
const UDP: u8 = 17;
const UDP_OCTETS: u8 = 8;

/// Reads an Ethernet frame with at most one tag, a bare IPv4 or IPv6 header and a TCP or UDP
/// header that is all there; `None` for any other, which [`parse_full`](super::parse_full) reads.
#[inline]
pub fn parse_fast(frame: &[u8]) -> Option<Packet> {
    let link: &[u8; 14] = frame.first_chunk()?;
    match [link[12], link[13]] {
        [0x81, 0x00] | [0x88, 0xa8] | [0x91, 0x00] | [0x92, 0x00] => {
            let link: &[u8; 18] = frame.first_chunk()?;
            network([link[16], link[17]], frame.get(18..)?, 18)
        }
        ether_type => network(ether_type, frame.get(14..)?, 14),
    }
}

#[inline(always)]
fn network(ether_type: [u8; 2], ip: &[u8], ip_offset: u16) -> Option<Packet> {
    match ether_type {
        [0x08, 0x00] => ipv4(ip, ip_offset),
        [0x86, 0xdd] => ipv6(ip, ip_offset),
        _ => None,
    }
}

#[inline(always)]
fn ipv4(ip: &[u8], ip_offset: u16) -> Option<Packet> {
    let (h, transport) = ip.split_first_chunk::<20>()?;
    let fragment = u16::from_be_bytes([h[6], h[7]]) & 0x3fff;
    if h[0] != 0x45 || fragment != 0 {
        return None;
    }
    // Behind 0 the length is what is there.
    let promised_bytes = match u16::from_be_bytes([h[2], h[3]]) {
        0 => u16::MAX,
        len => len.checked_sub(20)?,
    };
    let base = Packet {
        src: u32::from_be_bytes([h[12], h[13], h[14], h[15]]).into(),
        dst: u32::from_be_bytes([h[16], h[17], h[18], h[19]]).into(),
        family: Some(Family::V4),
        protocol: h[9],
        ip_offset,
        ..Packet::bare(Shape::Opaque)
    };
    transport_header(base, transport, promised_bytes)
}

#[inline(always)]
fn ipv6(ip: &[u8], ip_offset: u16) -> Option<Packet> {
    let (h, transport) = ip.split_first_chunk::<40>()?;
    if h[0] >> 4 != 6 {
        return None;
    }
    let promised_bytes = match u16::from_be_bytes([h[4], h[5]]) {
        0 => u16::MAX,
        len => len,
    };
    let base = Packet {
        src: u128::from_be_bytes(*h[8..].first_chunk()?),
        dst: u128::from_be_bytes(*h[24..].first_chunk()?),
        family: Some(Family::V6),
        protocol: h[6],
        ip_offset,
        ..Packet::bare(Shape::Opaque)
    };
    transport_header(base, transport, promised_bytes)
}

#[inline(always)]
fn transport_header(base: Packet, header: &[u8], promised_bytes: u16) -> Option<Packet> {
    let (shape, transport_len, flags) = match base.protocol {
        TCP => {
            let t: &[u8; 14] = header.first_chunk()?;
            (Shape::Tcp, TRANSPORT_OCTETS, flags([t[12], t[13]]))
        }
        UDP => (Shape::Opaque, UDP_OCTETS, TcpFlags(0)),
        _ => return None,
    };
    let ports: &[u8; 8] = header.first_chunk()?;
    if promised_bytes < u16::from(transport_len) {
        return None;
    }
    Some(Packet {
        shape,
        transport_len,
        flags,
        src_port: u16::from_be_bytes([ports[0], ports[1]]),
        dst_port: u16::from_be_bytes([ports[2], ports[3]]),
        ..base
    })
}
