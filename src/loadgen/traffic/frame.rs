//! Octets of one frame.

use super::RELAY;
use super::made::{Guise, Kind, Way, Wrapping};
use crate::wire::Family;
use etherparse::{
    IcmpEchoHeader, Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpNumber, Ipv4Header,
    Ipv4Options, Ipv6Header, TcpHeader, UdpHeader, ip_number,
};
use std::net::Ipv6Addr;

/// Ethernet's least frame without the check sequence.
const LEAST_OCTETS: usize = 60;

/// What is carried: zeros, as many as the largest frame holds.
const PAYLOAD: [u8; 9_216] = [0; 9_216];

/// Every IPv4 option is "no operation".
const OPTIONS: [u8; 40] = [1; 40];

/// Extension headers of the longest chain that is followed, and octets of each.
const CHAIN_HEADERS: usize = 8;
const CHAIN_OCTETS: usize = 32;

/// Addresses of the longest source routes: of as many IPv4 options as there may be, and of an IPv6
/// header that leaves nothing of the 256 octets that are followed.
const ROUTE_V4: usize = 9;
const ROUTE_V6: usize = 15;

/// A tunnel's header, and the prefix in which subscribers' ends of it lie.
const OUTER_OCTETS: usize = 40;
const OWN_PREFIX: u128 = 0x2001_0db8_fffd << 80;

/// What a tiny fragment has of TCP.
const TINY_OCTETS: usize = 8;

/// Locally administered: the access side, and the core side.
const ACCESS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
const CORE: [u8; 6] = [0x02, 0, 0, 0, 0, 0x02];

/// All that a frame is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipe {
    pub(super) kind: Kind,
    pub(super) guise: Guise,
    pub(super) family: Family,
    pub(super) way: Way,
    pub(super) wrapping: Wrapping,
    pub(super) subscriber: u128,
    pub(super) peer: u128,
    /// Without the check sequence.
    pub(super) octets: usize,
    /// Whence ports, sequence numbers and identifications are taken.
    pub(super) bits: u64,
}

impl Recipe {
    /// Appends the frame; how many octets it has.
    #[inline]
    pub(super) fn append(&self, out: &mut Vec<u8>) -> usize {
        let headers = self.link_octets() + self.ip_octets() + self.transport_octets();
        let octets = self.octets.max(headers).max(LEAST_OCTETS);
        // Segments without data are padded to the least frame, as a sender's would be.
        let empty = octets == LEAST_OCTETS && self.kind.is_tcp();
        let payload = if empty || self.guise == Guise::TinyFragment {
            0
        } else {
            octets - headers
        };
        let end = out.len() + octets;
        self.link(payload, out);
        match self.family {
            Family::V4 => self.ipv4(payload, out),
            Family::V6 => self.ipv6(payload, out),
        }
        out.resize(end, 0);
        octets
    }

    fn link_octets(&self) -> usize {
        14 + match self.wrapping {
            Wrapping::None => 0,
            Wrapping::Vlan => 4,
            Wrapping::Qinq => 8,
            Wrapping::QinqPppoe | Wrapping::FourTags => 16,
            Wrapping::MapE => OUTER_OCTETS,
        }
    }

    fn ip_octets(&self) -> usize {
        match (self.family, self.guise) {
            (Family::V4, Guise::Options | Guise::SourceRouted) => 60,
            (Family::V4, _) => 20,
            (Family::V6, Guise::Chain) => 40 + CHAIN_HEADERS * CHAIN_OCTETS,
            (Family::V6, Guise::SourceRouted) => 40 + 8 + 16 * ROUTE_V6,
            (Family::V6, _) => 40,
        }
    }

    fn transport_octets(&self) -> usize {
        if self.guise == Guise::TinyFragment {
            TINY_OCTETS
        } else if self.kind.is_tcp() {
            20
        } else {
            8
        }
    }

    /// Ethernet, tags and PPPoE. Tags and sessions are the subscriber's own.
    fn link(&self, payload: usize, out: &mut Vec<u8>) {
        match self.way {
            Way::Out => out.extend([CORE, ACCESS].as_flattened()),
            Way::In => out.extend([ACCESS, CORE].as_flattened()),
        }
        let line =
            (self.subscriber as u32 ^ (self.subscriber >> 64) as u32).wrapping_mul(0x9e37_79b1);
        let outer = (100 + (line >> 28) as u16).to_be_bytes();
        let inner = (1 + (line >> 16 & 0xfff) as u16 % 4_000).to_be_bytes();
        let service = [0x88, 0xa8, outer[0], outer[1]];
        let customer = [0x81, 0x00, inner[0], inner[1]];
        match self.wrapping {
            Wrapping::None | Wrapping::MapE => {}
            Wrapping::Vlan => out.extend(customer),
            Wrapping::Qinq | Wrapping::QinqPppoe => out.extend([service, customer].as_flattened()),
            Wrapping::FourTags => {
                out.extend([service, service, customer, customer].as_flattened());
            }
        }
        let (ether_type, ppp) = match self.family {
            Family::V4 => (0x0800_u16, 0x0021_u16),
            Family::V6 => (0x86dd, 0x0057),
        };
        if self.wrapping == Wrapping::MapE {
            out.extend(0x86dd_u16.to_be_bytes());
            self.outer(payload, out);
        } else if self.wrapping == Wrapping::QinqPppoe {
            let session = (1 + (line & 0x7fff) as u16).to_be_bytes();
            let carried = 2 + self.ip_octets() + self.transport_octets() + payload;
            // Version 1, type 1, code 0: session data.
            out.extend([0x88, 0x64, 0x11, 0x00, session[0], session[1]]);
            out.extend((carried as u16).to_be_bytes());
            out.extend(ppp.to_be_bytes());
        } else {
            out.extend(ether_type.to_be_bytes());
        }
    }

    /// The IPv6 header of a tunnel between a subscriber's own prefix and the relay.
    fn outer(&self, payload: usize, out: &mut Vec<u8>) {
        let own = Ipv6Addr::from(OWN_PREFIX | self.subscriber << 32);
        let [source, destination] = match self.way {
            Way::Out => [own, RELAY],
            Way::In => [RELAY, own],
        };
        let header = Ipv6Header {
            payload_length: (self.ip_octets() + self.transport_octets() + payload) as u16,
            next_header: ip_number::IPV4,
            hop_limit: self.hops(),
            source: source.octets(),
            destination: destination.octets(),
            ..Ipv6Header::default()
        };
        out.extend(header.to_bytes());
    }

    /// Source and destination.
    fn ends(&self) -> [u128; 2] {
        match self.way {
            Way::Out => [self.subscriber, self.peer],
            Way::In => [self.peer, self.subscriber],
        }
    }

    fn ipv4(&self, payload: usize, out: &mut Vec<u8>) {
        let [source, destination] = self.ends().map(|address| (address as u32).to_be_bytes());
        let mut header = Ipv4Header {
            total_len: (self.ip_octets() + self.transport_octets() + payload) as u16,
            identification: (self.bits >> 8) as u16,
            dont_fragment: self.guise != Guise::TinyFragment,
            more_fragments: self.guise == Guise::TinyFragment,
            time_to_live: self.hops(),
            protocol: self.protocol(),
            source,
            destination,
            ..Ipv4Header::default()
        };
        match self.guise {
            Guise::Options => header.options = Ipv4Options::from(OPTIONS),
            Guise::SourceRouted => header.options = Ipv4Options::from(self.loose_route()),
            _ => {}
        }
        header.header_checksum = header.calc_header_checksum();
        out.extend_from_slice(&header.to_bytes());
        let payload = PAYLOAD.get(..payload).unwrap_or(&PAYLOAD);
        match self.kind {
            Kind::Udp => {
                let mut udp = self.udp(payload.len());
                let sum = udp.calc_checksum_ipv4_raw(source, destination, payload);
                udp.checksum = sum.unwrap_or_default();
                out.extend(udp.to_bytes());
            }
            Kind::Icmp => {
                let echo = self.echo();
                let echo = match self.way {
                    Way::Out => Icmpv4Type::EchoRequest(echo),
                    Way::In => Icmpv4Type::EchoReply(echo),
                };
                out.extend_from_slice(&Icmpv4Header::with_checksum(echo, payload).to_bytes());
            }
            Kind::Esp => out.extend(self.esp()),
            _ => {
                let mut tcp = self.tcp();
                let sum = tcp.calc_checksum_ipv4_raw(source, destination, payload);
                tcp.checksum = sum.unwrap_or_default();
                let octets = tcp.to_bytes();
                let sent = octets.get(..self.transport_octets());
                out.extend_from_slice(sent.unwrap_or(&octets));
            }
        }
    }

    fn ipv6(&self, payload: usize, out: &mut Vec<u8>) {
        let [source, destination] = self.ends().map(u128::to_be_bytes);
        let header = Ipv6Header {
            payload_length: (self.ip_octets() - 40 + self.transport_octets() + payload) as u16,
            next_header: match self.guise {
                Guise::Chain => ip_number::IPV6_HEADER_HOP_BY_HOP,
                Guise::SourceRouted => ip_number::IPV6_ROUTE_HEADER,
                _ => self.protocol(),
            },
            hop_limit: self.hops(),
            source,
            destination,
            ..Ipv6Header::default()
        };
        out.extend(header.to_bytes());
        match self.guise {
            Guise::Chain => chain(self.protocol(), out),
            Guise::SourceRouted => self.routing_header(out),
            _ => {}
        }
        let payload = PAYLOAD.get(..payload).unwrap_or(&PAYLOAD);
        match self.kind {
            Kind::Udp => {
                let mut udp = self.udp(payload.len());
                let sum = udp.calc_checksum_ipv6_raw(source, destination, payload);
                udp.checksum = sum.unwrap_or_default();
                out.extend(udp.to_bytes());
            }
            Kind::Icmp => {
                let echo = self.echo();
                let echo = match self.way {
                    Way::Out => Icmpv6Type::EchoRequest(echo),
                    Way::In => Icmpv6Type::EchoReply(echo),
                };
                let header = Icmpv6Header::with_checksum(echo, source, destination, payload);
                if let Ok(header) = header {
                    out.extend_from_slice(&header.to_bytes());
                }
            }
            Kind::Esp => out.extend(self.esp()),
            _ => {
                let mut tcp = self.tcp();
                let sum = tcp.calc_checksum_ipv6_raw(source, destination, payload);
                tcp.checksum = sum.unwrap_or_default();
                out.extend_from_slice(&tcp.to_bytes());
            }
        }
    }

    /// Loose source routing (RFC 791): its length, a pointer to the first address, and the addresses;
    /// behind it the end of the options.
    fn loose_route(&self) -> [u8; 40] {
        let mut option = [0; 40];
        let (head, addresses) = option.split_at_mut(3);
        head.copy_from_slice(&[131, 3 + 4 * ROUTE_V4 as u8, 4]);
        let (addresses, _) = addresses.as_chunks_mut::<4>();
        for (address, hop) in addresses.iter_mut().zip(self.hops_of(ROUTE_V4)) {
            *address = (hop as u32).to_be_bytes();
        }
        option
    }

    /// A routing header of type 0 (RFC 2460): every address is yet to be passed.
    fn routing_header(&self, out: &mut Vec<u8>) {
        let units = 2 * ROUTE_V6 as u8;
        out.extend([self.protocol().0, units, 0, ROUTE_V6 as u8, 0, 0, 0, 0]);
        out.extend(self.hops_of(ROUTE_V6).flat_map(u128::to_be_bytes));
    }

    /// The addresses of a route: some beside the destination, and at last the destination itself, so
    /// that checksums are the same before and behind it.
    fn hops_of(&self, addresses: usize) -> impl Iterator<Item = u128> {
        let [_, destination] = self.ends();
        let (bits, last) = (self.bits, addresses - 1);
        (0..addresses).map(move |hop| {
            let beside = bits.rotate_left(hop as u32 * 7) >> 40;
            destination ^ if hop == last { 0 } else { beside.into() }
        })
    }

    fn protocol(&self) -> IpNumber {
        match (self.kind, self.family) {
            (Kind::Udp, _) => ip_number::UDP,
            (Kind::Icmp, Family::V4) => ip_number::ICMP,
            (Kind::Icmp, Family::V6) => ip_number::IPV6_ICMP,
            (Kind::Esp, _) => ip_number::ENCAP_SEC,
            _ => ip_number::TCP,
        }
    }

    /// A sender's 64, and some hops later.
    fn hops(&self) -> u8 {
        match self.way {
            Way::Out => 63,
            Way::In => 52,
        }
    }

    /// Source and destination port: the subscriber's is an ephemeral one (RFC 6335).
    fn ports(&self) -> [u16; 2] {
        let own = 49_152 + (self.bits & 0x3fff) as u16;
        let service = match self.kind {
            Kind::Port25Syn | Kind::Port25SynAck | Kind::BotSyn => 25,
            Kind::Udp => match self.bits >> 24 & 31 {
                0..=24 => 443,
                25..=29 => 53,
                30 => 123,
                _ => 3_478,
            },
            _ => match self.bits >> 24 & 31 {
                0..=26 => 443,
                27..=29 => 80,
                30 => 993,
                _ => 587,
            },
        };
        match self.way {
            Way::Out => [own, service],
            Way::In => [service, own],
        }
    }

    fn tcp(&self) -> TcpHeader {
        let [source_port, destination_port] = self.ports();
        let sequence = (self.bits >> 32) as u32;
        let mut tcp = TcpHeader::new(source_port, destination_port, sequence, 65_535);
        tcp.syn = matches!(
            self.kind,
            Kind::Syn | Kind::Port25Syn | Kind::Port25SynAck | Kind::BotSyn
        );
        tcp.ack = match self.kind {
            Kind::Syn => self.way == Way::In,
            Kind::Port25Syn | Kind::BotSyn | Kind::Reset => false,
            _ => true,
        };
        tcp.psh = self.kind == Kind::Push;
        tcp.fin = self.kind == Kind::Fin;
        tcp.rst = self.kind == Kind::Reset;
        if tcp.ack {
            tcp.acknowledgment_number = sequence.rotate_left(16);
        }
        tcp
    }

    fn udp(&self, payload: usize) -> UdpHeader {
        let [source_port, destination_port] = self.ports();
        UdpHeader {
            source_port,
            destination_port,
            length: (8 + payload) as u16,
            checksum: 0,
        }
    }

    fn echo(&self) -> IcmpEchoHeader {
        IcmpEchoHeader {
            id: (self.bits >> 32) as u16,
            seq: (self.bits >> 48) as u16,
        }
    }

    /// Security parameters index (255 and below are reserved), and sequence number.
    fn esp(&self) -> [u8; 8] {
        (self.bits | 1 << 63).to_be_bytes()
    }
}

/// A hop-by-hop header, then destination options, each filled with one padding option.
fn chain(last: IpNumber, out: &mut Vec<u8>) {
    for left in (0..CHAIN_HEADERS).rev() {
        let next = if left == 0 {
            last
        } else {
            ip_number::IPV6_DESTINATION_OPTIONS
        };
        let end = out.len() + CHAIN_OCTETS;
        // Next header, units of 8 octets beyond the first, PadN and how much it pads.
        out.extend([
            next.0,
            (CHAIN_OCTETS / 8 - 1) as u8,
            1,
            (CHAIN_OCTETS - 4) as u8,
        ]);
        out.resize(end, 0);
    }
}
