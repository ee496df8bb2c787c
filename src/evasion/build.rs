//! Packets of the catalogue's own making: etherparse sums the checksums, everything else is written
//! octet by octet, so that any field can lie. It shares nothing with the parser that it tries.

use etherparse::checksum::Sum16BitWords;
use std::net::IpAddr;

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const HOP_BY_HOP: u8 = 0;
pub(super) const ROUTING: u8 = 43;
pub(super) const FRAGMENT: u8 = 44;
pub(super) const AH: u8 = 51;
pub(super) const NO_NEXT: u8 = 59;
pub(super) const DESTINATION: u8 = 60;

/// More fragments, in the word that holds an IPv4 header's offset.
pub(super) const MORE: u16 = 0x2000;

/// Both ends of a packet, the source first.
pub(super) type Ends = (IpAddr, IpAddr);

/// A TCP segment.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) src_port: u16,
    pub(super) dst_port: u16,
    pub(super) flags: u16,
    /// As written, in units of four octets, where it lies.
    pub(super) data_offset: Option<u8>,
    pub(super) options: Vec<u8>,
    pub(super) urgent: u16,
    pub(super) data: Vec<u8>,
    /// What is added to the right checksum.
    pub(super) checksum_error: u16,
}

impl Segment {
    pub(super) fn new(src_port: u16, dst_port: u16, flags: u16) -> Self {
        Self {
            src_port,
            dst_port,
            flags,
            data_offset: None,
            options: Vec::new(),
            urgent: 0,
            data: Vec::new(),
            checksum_error: 0,
        }
    }

    pub(super) fn octets(&self, ends: Ends) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let offset = self.data_offset.map_or((header_len / 4) as u16, u16::from);
        let mut octets = Vec::with_capacity(header_len + self.data.len());
        octets.extend(self.src_port.to_be_bytes());
        octets.extend(self.dst_port.to_be_bytes());
        octets.extend(SEQUENCE.to_be_bytes());
        octets.extend([0; 4]);
        octets.extend((offset << 12 | self.flags).to_be_bytes());
        octets.extend(0xfaf0_u16.to_be_bytes());
        octets.extend([0; 2]);
        octets.extend(self.urgent.to_be_bytes());
        octets.extend(&self.options);
        octets.extend(&self.data);
        let sum = upper_sum(ends, TCP, &octets).wrapping_add(self.checksum_error);
        put(&mut octets, 16, &sum.to_be_bytes());
        octets
    }
}

const SEQUENCE: u32 = 0x5eed_0001;

/// A UDP datagram.
pub(super) fn udp(ends: Ends, src_port: u16, dst_port: u16, data: &[u8]) -> Vec<u8> {
    let len = (8 + data.len()) as u16;
    let ports = [src_port.to_be_bytes(), dst_port.to_be_bytes()].concat();
    let mut octets = [&ports[..], &len.to_be_bytes(), &[0; 2], data].concat();
    let sum = upper_sum(ends, UDP, &octets);
    put(&mut octets, 6, &sum.to_be_bytes());
    octets
}

/// An ICMP or ICMPv6 error, prohibited by administration, that quotes a packet.
pub(super) fn icmp_error(ends: Ends, quoted: &[u8]) -> (u8, Vec<u8>) {
    let (protocol, kind) = match ends.0 {
        IpAddr::V4(_) => (1, [3, 13]),
        IpAddr::V6(_) => (58, [1, 1]),
    };
    let mut octets = [&kind[..], &[0; 6], quoted].concat();
    let sum = match ends.0 {
        IpAddr::V4(_) => checksum(&octets),
        IpAddr::V6(_) => upper_sum(ends, protocol, &octets),
    };
    put(&mut octets, 2, &sum.to_be_bytes());
    (protocol, octets)
}

/// An IP packet.
#[derive(Clone, Debug)]
pub(super) struct Ip {
    pub(super) ends: Ends,
    pub(super) protocol: u8,
    pub(super) body: Vec<u8>,
    /// IPv4 options, filled up to a multiple of four octets by whoever writes them.
    pub(super) options: Vec<u8>,
    /// The IPv4 word of flags and offset.
    pub(super) fragment: u16,
    /// IPv4 total length, or IPv6 payload length, as written where it lies.
    pub(super) length: Option<u16>,
    /// Version and IPv4 header length as written where they lie.
    pub(super) first_octet: Option<u8>,
    /// Type of service, or traffic class.
    pub(super) class: u8,
    pub(super) hops: u8,
    /// What is added to the right IPv4 checksum.
    pub(super) checksum_error: u16,
}

impl Ip {
    pub(super) fn new(ends: Ends, protocol: u8, body: impl Into<Vec<u8>>) -> Self {
        Self {
            ends,
            protocol,
            body: body.into(),
            options: Vec::new(),
            fragment: 0,
            length: None,
            first_octet: None,
            class: 0,
            hops: 64,
            checksum_error: 0,
        }
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        let mut octets = match self.ends {
            (IpAddr::V4(src), IpAddr::V4(dst)) => self.ipv4(src.octets(), dst.octets()),
            (src, dst) => self.ipv6(sixteen(src), sixteen(dst)),
        };
        octets.extend(&self.body);
        octets
    }

    fn ipv4(&self, src: [u8; 4], dst: [u8; 4]) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let total_len = (header_len + self.body.len()) as u16;
        let first = self.first_octet.unwrap_or(0x40 | (header_len / 4) as u8);
        let mut header = vec![first, self.class];
        header.extend(self.length.unwrap_or(total_len).to_be_bytes());
        header.extend([0x19, 0x05]);
        header.extend(self.fragment.to_be_bytes());
        header.extend([self.hops, self.protocol, 0, 0]);
        header.extend(src.iter().chain(&dst).chain(&self.options));
        let sum = checksum(&header).wrapping_add(self.checksum_error);
        put(&mut header, 10, &sum.to_be_bytes());
        header
    }

    fn ipv6(&self, src: [u8; 16], dst: [u8; 16]) -> Vec<u8> {
        let first = self.first_octet.unwrap_or(0x60) | self.class >> 4;
        let mut header = vec![first, self.class << 4, 0, 0];
        header.extend(self.length.unwrap_or(self.body.len() as u16).to_be_bytes());
        header.extend([self.protocol, self.hops]);
        header.extend(src.iter().chain(&dst));
        header
    }
}

/// An extension header: its number, and its octets, of which the first is the next one's number.
#[derive(Clone, Debug)]
pub(super) struct Extension {
    number: u8,
    octets: Vec<u8>,
}

/// Options of this many octets in sum: PadN, or Pad1 where nothing is left for its two.
pub(super) fn options(number: u8, octets: usize) -> Extension {
    let mut header = vec![0, (octets / 8).saturating_sub(1) as u8];
    let mut left = octets - 2;
    while left >= 2 {
        let pad = (left - 2).min(255);
        header.extend([1, pad as u8]);
        header.extend(std::iter::repeat_n(0, pad));
        left -= 2 + pad;
    }
    header.extend(std::iter::repeat_n(0, left));
    Extension {
        number,
        octets: header,
    }
}

/// Any extension header from its octets; the first is replaced.
pub(super) fn extension(number: u8, octets: impl Into<Vec<u8>>) -> Extension {
    Extension {
        number,
        octets: octets.into(),
    }
}

/// A fragment header: offset in units of eight octets.
pub(super) fn fragment(offset: u16, more: bool) -> Extension {
    let word = (offset << 3 | u16::from(more)).to_be_bytes();
    let octets = [&[0, 0][..], &word, &[0, 0, 0x19, 0x05]].concat();
    extension(FRAGMENT, octets)
}

/// An authentication header with a check value of so many words of four octets.
pub(super) fn ah(words: u8) -> Extension {
    let mut octets = vec![0, words + 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    octets.extend(std::iter::repeat_n(0x5e, usize::from(words) * 4));
    extension(AH, octets)
}

/// A routing header of a type, with what follows its first four octets.
pub(super) fn routing(kind: u8, segments_left: u8, rest: &[u8]) -> Extension {
    let units = (4 + rest.len()) / 8;
    let fixed = [0, units.saturating_sub(1) as u8, kind, segments_left];
    extension(ROUTING, [&fixed, rest].concat())
}

/// Headers in front of a body: the first one's number, and all octets.
pub(super) fn behind(headers: &[Extension], protocol: u8, body: &[u8]) -> (u8, Vec<u8>) {
    let mut octets = body.to_vec();
    let mut next = protocol;
    for header in headers.iter().rev() {
        let mut front = header.octets.clone();
        put(&mut front, 0, &[next]);
        front.extend(octets);
        octets = front;
        next = header.number;
    }
    (next, octets)
}

/// Writes octets over others; what lies behind the end is left out.
pub(super) fn put(octets: &mut [u8], at: usize, new: &[u8]) {
    for (old, new) in octets.iter_mut().skip(at).zip(new) {
        *old = *new;
    }
}

/// An address in the 16 octets of IPv6; IPv4 is mapped.
pub(super) fn sixteen(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn checksum(octets: &[u8]) -> u16 {
    let sum = Sum16BitWords::new().add_slice(octets).ones_complement();
    u16::from_be_bytes(sum.to_ne_bytes())
}

/// The checksum of an upper layer over its pseudo header and itself.
fn upper_sum((src, dst): Ends, protocol: u8, octets: &[u8]) -> u16 {
    let addresses = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => [src.octets(), dst.octets()].concat(),
        (src, dst) => [sixteen(src), sixteen(dst)].concat(),
    };
    let len = (octets.len() as u32).to_be_bytes();
    checksum(&[&addresses, &len[..], &[0, 0, 0, protocol], octets].concat())
}
