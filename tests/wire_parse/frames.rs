//! Frames from the inside out: `ethernet(0x8100, tag(0x0800, V4::tcp().over(syn25())))`.

use sekisho::wire::{Packet, Shape, TcpFlags};

/// 192.0.2.1
pub const SRC4: [u8; 4] = [192, 0, 2, 1];
/// 198.51.100.25
pub const DST4: [u8; 4] = [198, 51, 100, 25];
/// 2001:db8::1
pub const SRC6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// 2001:db8:ffff::25
pub const DST6: [u8; 16] = [
    0x20, 1, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x25,
];
pub const SRC_PORT: u16 = 40_000;

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const HOP_BY_HOP: u8 = 0;
pub const ROUTING: u8 = 43;
pub const FRAGMENT: u8 = 44;
pub const AH: u8 = 51;
pub const DESTINATION: u8 = 60;
pub const ICMPV6: u8 = 58;

pub const IP4: u16 = 0x0800;
pub const IP6: u16 = 0x86dd;

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub fn ethernet(ether_type: u16, payload: Vec<u8>) -> Vec<u8> {
    let addresses = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    join(&[&addresses, &ether_type.to_be_bytes(), &payload])
}

/// What stands behind a tag's own type: priority and VLAN 100, and the type of what follows.
pub fn tag(ether_type: u16, payload: Vec<u8>) -> Vec<u8> {
    join(&[&[0x20, 100], &ether_type.to_be_bytes(), &payload])
}

/// 802.2 LLC with SNAP, OUI 000000.
pub fn llc_snap(ether_type: u16, payload: Vec<u8>) -> Vec<u8> {
    let header = [0xaa, 0xaa, 3, 0, 0, 0];
    join(&[&header, &ether_type.to_be_bytes(), &payload])
}

/// A PPPoE session header with this length field.
pub fn pppoe_of(len_bytes: u16, payload: Vec<u8>) -> Vec<u8> {
    let version_code_session = [0x11, 0, 0x12, 0x34];
    join(&[&version_code_session, &len_bytes.to_be_bytes(), &payload])
}

pub fn pppoe(payload: Vec<u8>) -> Vec<u8> {
    pppoe_of(payload.len() as u16, payload)
}

/// A PPP protocol field of two octets.
pub fn ppp(protocol: u16, payload: Vec<u8>) -> Vec<u8> {
    join(&[&protocol.to_be_bytes(), &payload])
}

/// So many labels; the last has the bottom-of-stack bit.
pub fn mpls(labels: usize, payload: Vec<u8>) -> Vec<u8> {
    let mut stack = [0x00, 0x01, 0x00, 0x40].repeat(labels);
    stack[labels * 4 - 2] |= 1;
    join(&[&stack, &payload])
}

/// Cisco HDLC: unicast, control 0.
pub fn cisco_hdlc(ether_type: u16, payload: Vec<u8>) -> Vec<u8> {
    join(&[&[0x0f, 0], &ether_type.to_be_bytes(), &payload])
}

/// Linux cooked, version 1, from an Ethernet device (ARPHRD 1) or another.
pub fn sll(hardware: u16, protocol: u16, payload: Vec<u8>) -> Vec<u8> {
    let kind = [0, 4];
    let address = [0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    let hardware = hardware.to_be_bytes();
    join(&[
        &kind,
        &hardware,
        &address,
        &protocol.to_be_bytes(),
        &payload,
    ])
}

/// Linux cooked, version 2.
pub fn sll2(hardware: u16, protocol: u16, payload: Vec<u8>) -> Vec<u8> {
    let interface = [0, 0, 0, 0, 0, 2];
    let address = [4, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    let hardware = hardware.to_be_bytes();
    join(&[
        &protocol.to_be_bytes(),
        &interface,
        &hardware,
        &address,
        &payload,
    ])
}

/// An IPv4 header to come.
#[derive(Clone, Debug)]
pub struct V4 {
    pub protocol: u8,
    pub options: Vec<u8>,
    /// Flags and offset, as in octets 6 and 7.
    pub fragment: u16,
    /// Instead of the length that is right.
    pub total_len: Option<u16>,
}

impl V4 {
    pub fn of(protocol: u8) -> Self {
        Self {
            protocol,
            options: vec![],
            fragment: 0,
            total_len: None,
        }
    }

    pub fn tcp() -> Self {
        Self::of(TCP)
    }

    pub fn options(self, len_bytes: usize) -> Self {
        Self {
            options: vec![1; len_bytes],
            ..self
        }
    }

    /// At this offset, in units of 8 octets.
    pub fn fragment(self, offset: u16, more: bool) -> Self {
        Self {
            fragment: offset | if more { 0x2000 } else { 0 },
            ..self
        }
    }

    pub fn total_len(self, len_bytes: u16) -> Self {
        Self {
            total_len: Some(len_bytes),
            ..self
        }
    }

    pub fn over(self, payload: Vec<u8>) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let real_len = (header_len + payload.len()) as u16;
        let total_len = self.total_len.unwrap_or(real_len).to_be_bytes();
        let fragment = self.fragment.to_be_bytes();
        let version_ihl = 0x40 | (header_len / 4) as u8;
        let ttl_protocol_checksum = [64, self.protocol, 0, 0];
        join(&[
            &[version_ihl, 0],
            &total_len,
            &[0, 1],
            &fragment,
            &ttl_protocol_checksum,
            &SRC4,
            &DST4,
            &self.options,
            &payload,
        ])
    }
}

/// An IPv6 header to come.
#[derive(Clone, Debug)]
pub struct V6 {
    pub next: u8,
    /// Instead of the length that is right.
    pub payload_len: Option<u16>,
}

impl V6 {
    pub fn of(next: u8) -> Self {
        Self {
            next,
            payload_len: None,
        }
    }

    pub fn tcp() -> Self {
        Self::of(TCP)
    }

    pub fn payload_len(self, len_bytes: u16) -> Self {
        Self {
            payload_len: Some(len_bytes),
            ..self
        }
    }

    pub fn over(self, payload: Vec<u8>) -> Vec<u8> {
        let len = self
            .payload_len
            .unwrap_or(payload.len() as u16)
            .to_be_bytes();
        let next_and_hops = [self.next, 64];
        join(&[
            &[0x60, 0, 0, 0],
            &len,
            &next_and_hops,
            &SRC6,
            &DST6,
            &payload,
        ])
    }
}

/// Hop-by-hop, routing or destination options of 8 × (`units` + 1) octets.
pub fn extension(next: u8, units: u8, payload: Vec<u8>) -> Vec<u8> {
    let mut header = vec![0; 8 * (usize::from(units) + 1)];
    header[..2].copy_from_slice(&[next, units]);
    join(&[&header, &payload])
}

/// An authentication header of 4 × (`units` + 2) octets.
pub fn authentication(next: u8, units: u8, payload: Vec<u8>) -> Vec<u8> {
    let mut header = vec![0; 4 * (usize::from(units) + 2)];
    header[..2].copy_from_slice(&[next, units]);
    join(&[&header, &payload])
}

/// An IPv6 fragment header, its offset in units of 8 octets.
pub fn fragment(next: u8, offset: u16, more: bool, payload: Vec<u8>) -> Vec<u8> {
    let offset_and_more = (offset << 3 | u16::from(more)).to_be_bytes();
    join(&[&[next, 0], &offset_and_more, &[0, 0, 0, 1], &payload])
}

/// A TCP header without options: a segment from port 40000 to port 25.
pub fn segment(flags: u8) -> Vec<u8> {
    let ports = [0x9c, 0x40, 0, 25];
    let sequence_and_ack = [0; 8];
    let offset_flags_window = [0x50, flags, 0xff, 0xff];
    let checksum_urgent = [0; 4];
    join(&[
        &ports,
        &sequence_and_ack,
        &offset_flags_window,
        &checksum_urgent,
    ])
}

pub fn syn25() -> Vec<u8> {
    segment(0x02)
}

/// A UDP header from port 40000 to port 25, and a few octets.
pub fn datagram() -> Vec<u8> {
    join(&[&[0x9c, 0x40, 0, 25, 0, 12, 0, 0], b"data"])
}

/// What has to be seen of `V4::tcp().over(syn25())` that begins here.
pub fn syn25_over_v4(ip_offset: u16) -> Packet {
    Packet {
        src: u32::from_be_bytes(SRC4).into(),
        dst: u32::from_be_bytes(DST4).into(),
        family: Some(sekisho::wire::Family::V4),
        ..syn25_packet(ip_offset)
    }
}

/// What has to be seen of `V6::tcp().over(syn25())` that begins here.
pub fn syn25_over_v6(ip_offset: u16) -> Packet {
    Packet {
        src: u128::from_be_bytes(SRC6),
        dst: u128::from_be_bytes(DST6),
        family: Some(sekisho::wire::Family::V6),
        ..syn25_packet(ip_offset)
    }
}

fn syn25_packet(ip_offset: u16) -> Packet {
    Packet {
        src_port: SRC_PORT,
        dst_port: 25,
        flags: TcpFlags(TcpFlags::SYN),
        protocol: TCP,
        transport_len: 14,
        ip_offset,
        ..Packet::bare(Shape::Tcp)
    }
}
