//! The fast lanes: what nearly every frame is, read at fixed offsets from where its IP header
//! begins.
//!
//! Nothing here branches on what a frame holds: a lane reads every field that it may need, and
//! tells beside them whether they mean what they seem to ([`Header::plain`]). So random traffic
//! mispredicts nothing, and frames of a burst are read side by side.

use super::transport::flags;
use super::{Family, Packet, Shape, TRANSPORT_OCTETS, TcpFlags};

const TCP: u8 = 6;
const UDP: u8 = 17;
const AUTHENTICATION: u8 = 51;
const UDP_OCTETS: u8 = 8;

/// What has to be there behind an IP header, whatever it carries, so that one check of the length
/// does for all.
const TCP_OCTETS: usize = TRANSPORT_OCTETS as usize;

/// What [`ipv4`] reads.
pub(crate) const IPV4_OCTETS: usize = 20 + TCP_OCTETS;

/// What [`ipv6`] reads.
pub(crate) const IPV6_OCTETS: usize = 40 + TCP_OCTETS;

/// What [`start`] reads: two tags and a session header, and no more than any lane needs.
pub(crate) const LINK_OCTETS: usize = 30;

/// Octets of an Ethernet header, and of a tag.
pub(crate) const ETHERNET_OCTETS: usize = 14;
const TAG_OCTETS: usize = 4;

/// Octets of a PPPoE header and the PPP protocol behind it (RFC 2516, section 4).
const PPPOE_OCTETS: usize = 8;
const PPP_PROTOCOL_OCTETS: usize = 2;

/// The next-header values below 64 behind which TCP may stand: 0, 43, 44, 51 and 60.
const EXTENSION_HEADERS: u64 = 1 | 1 << 43 | 1 << 44 | 1 << 51 | 1 << 60;

/// Reads an Ethernet frame with at most two tags and a PPPoE session header, a bare IPv4 or IPv6
/// header and at least 14 octets behind it; `None` for any other, which
/// [`parse_full`](super::parse_full) reads.
#[inline]
pub fn parse_fast(frame: &[u8]) -> Option<Packet> {
    let start = start(frame.first_chunk()?);
    let ip = frame.get(start.ip_offset..)?;
    if start.ipv4 {
        ipv4(ip.first_chunk()?).packet(Family::V4, start)
    } else if start.ipv6 {
        ipv6(ip.first_chunk()?).packet(Family::V6, start)
    } else {
        None
    }
}

/// Where an IP header begins, and which; neither when it is for the full lane to tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// At most 30.
    pub(crate) ip_offset: usize,
    pub(crate) ipv4: bool,
    pub(crate) ipv6: bool,
}

/// Passes an Ethernet header, up to two tags, and a PPPoE session header.
#[inline(always)]
pub(crate) fn start(head: &[u8; LINK_OCTETS]) -> Start {
    let outer = is_tag(u16::from_be_bytes([head[12], head[13]]));
    let inner = outer & is_tag(u16::from_be_bytes([head[16], head[17]]));
    let ip_offset = ETHERNET_OCTETS + (usize::from(outer) + usize::from(inner)) * TAG_OCTETS;
    let [high, low, _version_type, _code, _, _, length @ ..]: [u8; 8] =
        octets(head, ip_offset - 2);
    let ether_type = u16::from_be_bytes([high, low]);

    let session = ether_type == 0x8864;
    let ppp_len_bytes = usize::from(u16::from_be_bytes(length));
    let protocol = u16::from_be_bytes(octets(head, ip_offset + 6));
    let holds = |octets| session & (ppp_len_bytes >= PPP_PROTOCOL_OCTETS + octets);
    Start {
        ip_offset: ip_offset + usize::from(session) * PPPOE_OCTETS,
        ipv4: (ether_type == 0x0800) | (holds(IPV4_OCTETS) & (protocol == 0x0021)),
        ipv6: (ether_type == 0x86dd) | (holds(IPV6_OCTETS) & (protocol == 0x0057)),
    }
}

/// Loaded from where they are: a choice among loaded values may become a branch.
#[inline(always)]
fn octets<const N: usize>(head: &[u8; LINK_OCTETS], at: usize) -> [u8; N] {
    let octets = head.get(at..).and_then(|rest| rest.first_chunk());
    // All places asked for lie within.
    octets.copied().unwrap_or([0; N])
}

#[inline(always)]
fn is_tag(ether_type: u16) -> bool {
    (ether_type == 0x8100)
        | (ether_type == 0x88a8)
        | (ether_type == 0x9100)
        | (ether_type == 0x9200)
}

/// What a lane reads of an IP header and the 14 octets behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<A> {
    /// It is a bare header, no fragment, and what follows is the upper layer: the other fields
    /// mean what their names say. Otherwise they mean nothing.
    pub(crate) plain: bool,
    pub(crate) src: A,
    pub(crate) dst: A,
    pub(crate) protocol: u8,
    /// Of the 14 octets, if they are TCP.
    pub(crate) tcp: Tcp,
}

/// The octets of a TCP header that decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) flags: TcpFlags,
}

/// Reads an IPv4 header without options, and what follows it.
#[inline(always)]
pub(crate) fn ipv4(h: &[u8; IPV4_OCTETS]) -> Header<u32> {
    let total_len_bytes = u16::from_be_bytes([h[2], h[3]]);
    let fragment = u16::from_be_bytes([h[6], h[7]]) & 0x3fff;
    let protocol = h[9];
    Header {
        plain: (h[0] == 0x45)
            & (fragment == 0)
            & reaches(total_len_bytes, IPV4_OCTETS as u16)
            & (protocol != AUTHENTICATION),
        src: u32::from_be_bytes([h[12], h[13], h[14], h[15]]),
        dst: u32::from_be_bytes([h[16], h[17], h[18], h[19]]),
        protocol,
        tcp: tcp(h.last_chunk()),
    }
}

/// Reads an IPv6 header, and what follows it.
#[inline(always)]
pub(crate) fn ipv6(h: &[u8; IPV6_OCTETS]) -> Header<u128> {
    let payload_len_bytes = u16::from_be_bytes([h[4], h[5]]);
    let protocol = h[6];
    let extended = (protocol < 64) & (EXTENSION_HEADERS >> (protocol & 63) & 1 == 1);
    let (addresses, _) = h.split_at(40);
    let address = |at: usize| {
        let octets = addresses.get(at..).and_then(|rest| rest.first_chunk());
        octets.map_or(0, |octets| u128::from_be_bytes(*octets))
    };
    Header {
        plain: (h[0] >> 4 == 6) & reaches(payload_len_bytes, TCP_OCTETS as u16) & !extended,
        src: address(8),
        dst: address(24),
        protocol,
        tcp: tcp(h.last_chunk()),
    }
}

/// Whether a length field lets so many octets be read; 0 means "what is there".
#[inline(always)]
fn reaches(len_bytes: u16, octets: u16) -> bool {
    // 0 becomes the largest.
    len_bytes.wrapping_sub(1) >= octets - 1
}

#[inline(always)]
fn tcp(octets: Option<&[u8; TCP_OCTETS]>) -> Tcp {
    // `None` cannot be: both headers are longer.
    let h = octets.unwrap_or(&[0; TCP_OCTETS]);
    Tcp {
        src_port: u16::from_be_bytes([h[0], h[1]]),
        dst_port: u16::from_be_bytes([h[2], h[3]]),
        flags: flags([h[12], h[13]]),
    }
}

impl<A: Into<u128>> Header<A> {
    /// Whether what follows is TCP.
    #[inline(always)]
    pub(crate) fn is_tcp(&self) -> bool {
        self.protocol == TCP
    }

    fn packet(self, family: Family, start: Start) -> Option<Packet> {
        let Tcp {
            src_port,
            dst_port,
            flags,
        } = self.tcp;
        let bare = Packet {
            src: self.src.into(),
            dst: self.dst.into(),
            family: Some(family),
            protocol: self.protocol,
            // At most 30.
            ip_offset: start.ip_offset as u16,
            ..Packet::bare(Shape::Opaque)
        };
        let packet = match self.protocol {
            TCP => Packet {
                shape: Shape::Tcp,
                src_port,
                dst_port,
                flags,
                transport_len: TRANSPORT_OCTETS,
                ..bare
            },
            UDP => Packet {
                src_port,
                dst_port,
                transport_len: UDP_OCTETS,
                ..bare
            },
            _ => bare,
        };
        self.plain.then_some(packet)
    }
}
