use super::header::{Ends, IPV4_OCTETS, IPV6_OCTETS};
use super::segment::Segment;
use super::{HOPS, Reply};
use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::icmpv6::DestUnreachableCode;
use etherparse::{
    Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpDscp, Ipv4Header, Ipv6Header, ip_number,
};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest error from its IP header on: RFC 1812, section 4.3.2.3; RFC 4443, section 2.4.
const IPV4_ERROR_OCTETS: usize = 576;
const IPV6_ERROR_OCTETS: usize = 1_280;

/// Octets before what is quoted.
const ICMP_OCTETS: usize = 8;

/// Internetwork control: precedence 6, as errors have it (RFC 1812, section 4.3.2.5).
const CONTROL: u8 = 48;

/// Appends an error about a segment to its sender, IP header and all.
pub(super) fn append(
    reply: &mut Reply,
    sources: (Option<Ipv4Addr>, Option<Ipv6Addr>),
    segment: &Segment<'_>,
) -> Option<()> {
    let room = reply.remaining_capacity();
    match segment.ends {
        Ends::V4 { src, .. } => {
            let source = sources.0.filter(|source| *source != src)?;
            let octets = room.min(IPV4_ERROR_OCTETS).checked_sub(IPV4_OCTETS)?;
            v4(reply, source, src, quoted(segment, octets)?)
        }
        Ends::V6 { src, .. } => {
            let source = sources.1.filter(|source| *source != src)?;
            let octets = room.min(IPV6_ERROR_OCTETS).checked_sub(IPV6_OCTETS)?;
            v6(reply, source, src, quoted(segment, octets)?)
        }
    }
}

/// As much of the packet as fits into an ICMP message of so many octets.
fn quoted<'a>(segment: &Segment<'a>, message_octets: usize) -> Option<&'a [u8]> {
    let octets = message_octets.checked_sub(ICMP_OCTETS)?;
    let packet = segment.packet;
    packet.get(..octets.min(packet.len()))
}

fn v4(reply: &mut Reply, source: Ipv4Addr, sender: Ipv4Addr, quoted: &[u8]) -> Option<()> {
    let prohibited = Icmpv4Type::DestinationUnreachable(DestUnreachableHeader::FilterProhibited);
    let icmp = Icmpv4Header::with_checksum(prohibited, quoted).to_bytes();
    let mut ip = Ipv4Header::new(
        u16::try_from(icmp.len() + quoted.len()).ok()?,
        HOPS,
        ip_number::ICMP,
        source.octets(),
        sender.octets(),
    )
    .ok()?;
    ip.dscp = IpDscp::try_new(CONTROL).ok()?;
    ip.header_checksum = ip.calc_header_checksum();
    super::extend(reply, &[&ip.to_bytes(), &icmp, quoted])
}

fn v6(reply: &mut Reply, source: Ipv6Addr, sender: Ipv6Addr, quoted: &[u8]) -> Option<()> {
    let prohibited = Icmpv6Type::DestinationUnreachable(DestUnreachableCode::Prohibited);
    let (source, destination) = (source.octets(), sender.octets());
    let icmp = Icmpv6Header::with_checksum(prohibited, source, destination, quoted).ok()?;
    let icmp = icmp.to_bytes();
    let ip = Ipv6Header {
        payload_length: u16::try_from(icmp.len() + quoted.len()).ok()?,
        next_header: ip_number::IPV6_ICMP,
        hop_limit: HOPS,
        source,
        destination,
        ..Ipv6Header::default()
    };
    super::extend(reply, &[&ip.to_bytes(), &icmp, quoted])
}
