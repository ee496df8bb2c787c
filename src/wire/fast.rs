//! The fast lane: what nearly every frame is, read in one go at fixed offsets.

use super::transport::flags;
use super::{Family, Packet, Shape, TRANSPORT_OCTETS, TcpFlags};

const TCP: u8 = 6;
const UDP: u8 = 17;
const UDP_OCTETS: u8 = 8;

/// What has to be there of either, so that one check of the length does for both.
const TCP_OCTETS: usize = TRANSPORT_OCTETS as usize;

/// Reads an Ethernet frame with at most one tag, a bare IPv4 or IPv6 header and at least 14 octets
/// of TCP or UDP; `None` for any other, which [`parse_full`](super::parse_full) reads.
#[inline(always)]
pub fn parse_fast(frame: &[u8]) -> Option<Packet> {
    let link: &[u8; 14] = frame.first_chunk()?;
    let mut ether_type = u16::from_be_bytes([link[12], link[13]]);
    let mut ip_offset = 14;
    if matches!(ether_type, 0x8100 | 0x88a8 | 0x9100 | 0x9200) {
        let link: &[u8; 18] = frame.first_chunk()?;
        ether_type = u16::from_be_bytes([link[16], link[17]]);
        ip_offset = 18;
    }
    let ip = frame.get(usize::from(ip_offset)..)?;
    let packet = match ether_type {
        0x0800 => ipv4(ip.first_chunk()?),
        0x86dd => ipv6(ip.first_chunk()?),
        _ => None,
    };
    packet.map(|packet| Packet {
        ip_offset,
        ..packet
    })
}

/// A header without options and 14 octets behind it.
#[inline(always)]
fn ipv4(h: &[u8; 20 + TCP_OCTETS]) -> Option<Packet> {
    let fragment = u16::from_be_bytes([h[6], h[7]]) & 0x3fff;
    let total_len_bytes = u16::from_be_bytes([h[2], h[3]]);
    if h[0] != 0x45 || fragment != 0 || cuts(total_len_bytes, h.len()) {
        return None;
    }
    let (_, transport) = h.split_last_chunk()?;
    let packet = transport_header(h[9], transport)?;
    Some(Packet {
        src: u32::from_be_bytes([h[12], h[13], h[14], h[15]]).into(),
        dst: u32::from_be_bytes([h[16], h[17], h[18], h[19]]).into(),
        family: Some(Family::V4),
        ..packet
    })
}

/// A header and 14 octets behind it.
#[inline(always)]
fn ipv6(h: &[u8; 40 + TCP_OCTETS]) -> Option<Packet> {
    let payload_len_bytes = u16::from_be_bytes([h[4], h[5]]);
    if h[0] >> 4 != 6 || cuts(payload_len_bytes, TCP_OCTETS) {
        return None;
    }
    let (addresses, transport) = h.split_last_chunk()?;
    let (addresses, dst) = addresses.split_last_chunk()?;
    let (_, src) = addresses.split_last_chunk()?;
    let packet = transport_header(h[6], transport)?;
    Some(Packet {
        src: u128::from_be_bytes(*src),
        dst: u128::from_be_bytes(*dst),
        family: Some(Family::V6),
        ..packet
    })
}

/// Whether a length field ends the packet before so many octets; 0 means "what is there".
#[inline(always)]
fn cuts(len_bytes: u16, octets: usize) -> bool {
    len_bytes != 0 && usize::from(len_bytes) < octets
}

#[inline(always)]
fn transport_header(protocol: u8, h: &[u8; TCP_OCTETS]) -> Option<Packet> {
    let (shape, transport_len, flags) = match protocol {
        TCP => (Shape::Tcp, TRANSPORT_OCTETS, flags([h[12], h[13]])),
        UDP => (Shape::Opaque, UDP_OCTETS, TcpFlags(0)),
        _ => return None,
    };
    Some(Packet {
        src_port: u16::from_be_bytes([h[0], h[1]]),
        dst_port: u16::from_be_bytes([h[2], h[3]]),
        flags,
        protocol,
        transport_len,
        ..Packet::bare(shape)
    })
}
