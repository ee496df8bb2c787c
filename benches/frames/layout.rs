use super::Random;
use etherparse::{IpFragOffset, IpNumber, Ipv4Header, Ipv6Header, TcpHeader, UdpHeader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ethernet's least, without the check sequence: what a "64-byte frame" has in memory.
const LEAST_OCTETS: usize = 60;

/// From whom to whom.
#[derive(Clone, Copy)]
pub(crate) struct Talk {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) destination_port: u16,
    /// Opens a connection; otherwise it is a segment in the midst of one.
    pub(crate) opens: bool,
    pub(crate) payload_octets: usize,
}

/// An address of the whole space; of IPv6, of its sixteenth that is in use.
pub(crate) fn any_address(ipv6: bool, random: &mut Random) -> IpAddr {
    let bits = random.next();
    if ipv6 {
        let low = u128::from(random.next());
        IpAddr::V6(Ipv6Addr::from(
            0x2 << 124 | u128::from(bits >> 4) << 64 | low,
        ))
    } else {
        IpAddr::V4(Ipv4Addr::from(bits as u32))
    }
}

/// What stands around a packet.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Layout {
    Tcp,
    Udp,
    /// One 802.1Q tag.
    TaggedTcp,
    TaggedUdp,
    /// Two stacked tags (802.1ad), then a PPPoE session.
    QinqPppoeTcp,
    /// IPv6: so many extension headers of so many octets each.
    ExtendedTcp {
        headers: usize,
        octets: usize,
    },
    /// IPv4: the first fragment holds 8 octets of TCP.
    TinyFragment,
}

impl Layout {
    /// The frame, from the destination's hardware address on.
    pub(crate) fn frame(self, talk: &Talk, random: &mut Random) -> Vec<u8> {
        let (transport, body) = self.transport(talk, random);
        let (ether_type, packet) = match (talk.source, talk.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let octets = [source.octets(), destination.octets()];
                (0x0800_u16, self.ipv4(octets, transport, &body))
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let octets = [source.octets(), destination.octets()];
                (0x86dd, self.ipv6(octets, transport, &body))
            }
            _ => panic!("two addresses of one family"),
        };
        let vlan = 100_u16.to_be_bytes();
        let announced = ether_type.to_be_bytes();
        let mut frame = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]].concat();
        match self {
            Self::TaggedTcp | Self::TaggedUdp => {
                frame.extend([[0x81, 0x00], vlan, announced].concat());
            }
            Self::QinqPppoeTcp => {
                let length = u16::try_from(packet.len() + 2).unwrap().to_be_bytes();
                let ppp = if ether_type == 0x0800 { 0x21 } else { 0x57 };
                frame.extend([[0x88, 0xa8], vlan, [0x81, 0x00], vlan].concat());
                // Version 1, type 1, code 0, session 7.
                frame.extend([[0x88, 0x64], [0x11, 0], [0, 7], length, [0, ppp]].concat());
            }
            Self::Tcp | Self::Udp | Self::ExtendedTcp { .. } | Self::TinyFragment => {
                frame.extend(announced);
            }
        }
        frame.extend(packet);
        frame.resize(frame.len().max(LEAST_OCTETS), 0);
        frame
    }

    fn transport(self, talk: &Talk, random: &mut Random) -> (IpNumber, Vec<u8>) {
        let source_port = 49_152 + random.below(16_384) as u16;
        if matches!(self, Self::Udp | Self::TaggedUdp) {
            // No less than a DNS header.
            let payload_octets = talk.payload_octets.max(12);
            let header = UdpHeader {
                source_port,
                destination_port: talk.destination_port,
                length: 8 + payload_octets as u16,
                checksum: 0,
            };
            let mut body = header.to_bytes().to_vec();
            body.resize(body.len() + payload_octets, 0);
            return (IpNumber::UDP, body);
        }
        let sequence = random.next() as u32;
        let mut header = TcpHeader::new(source_port, talk.destination_port, sequence, 65_535);
        header.syn = talk.opens;
        header.ack = !talk.opens;
        let mut body = header.to_bytes().to_vec();
        body.resize(body.len() + talk.payload_octets, 0);
        if self == Self::TinyFragment {
            body.truncate(8);
        }
        (IpNumber::TCP, body)
    }

    fn ipv4(self, [source, destination]: [[u8; 4]; 2], next: IpNumber, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap();
        let mut header = Ipv4Header::new(length, 64, next, source, destination).unwrap();
        header.dont_fragment = self != Self::TinyFragment;
        header.more_fragments = self == Self::TinyFragment;
        header.fragment_offset = IpFragOffset::ZERO;
        header.header_checksum = header.calc_header_checksum();
        [&header.to_bytes(), body].concat()
    }

    fn ipv6(self, [source, destination]: [[u8; 16]; 2], next: IpNumber, body: &[u8]) -> Vec<u8> {
        let (next_header, chain) = match self {
            Self::ExtendedTcp { headers, octets } => chain(headers, octets, next),
            _ => (next, Vec::new()),
        };
        let header = Ipv6Header {
            payload_length: u16::try_from(chain.len() + body.len()).unwrap(),
            next_header,
            hop_limit: 64,
            source,
            destination,
            ..Ipv6Header::default()
        };
        [&header.to_bytes(), &*chain, body].concat()
    }
}

/// A hop-by-hop header, then destination options, each filled with one padding option; and the
/// number of the first.
fn chain(headers: usize, octets: usize, last: IpNumber) -> (IpNumber, Vec<u8>) {
    let mut chain = Vec::new();
    let options = IpNumber::IPV6_DESTINATION_OPTIONS;
    for left in (0..headers).rev() {
        let next = if left == 0 { last } else { options };
        // Next header, length in units of 8 octets beyond the first, PadN and its length.
        chain.extend([next.0, (octets / 8 - 1) as u8, 1, (octets - 4) as u8]);
        chain.resize(chain.len() + octets - 4, 0);
    }
    (IpNumber::IPV6_HEADER_HOP_BY_HOP, chain)
}
