use super::header::Ends;
use super::segment::Segment;
use super::{HOPS, Reply};
use etherparse::{Ipv4Header, Ipv6Header, TcpHeader, ip_number};

/// Appends the reset that the peer would answer a segment with, IP header and all.
pub(super) fn append(reply: &mut Reply, segment: &Segment<'_>) -> Option<()> {
    let mut tcp = reset(segment)?;
    let tcp_octets = tcp.header_len_u16();
    match segment.ends {
        Ends::V4 { src, dst } => {
            let (from, to) = (dst.octets(), src.octets());
            let mut ip = Ipv4Header::new(tcp_octets, HOPS, ip_number::TCP, from, to).ok()?;
            ip.header_checksum = ip.calc_header_checksum();
            tcp.checksum = tcp.calc_checksum_ipv4_raw(from, to, &[]).ok()?;
            super::extend(reply, &[&ip.to_bytes(), &tcp.to_bytes()])
        }
        Ends::V6 { src, dst } => {
            let (from, to) = (dst.octets(), src.octets());
            let ip = Ipv6Header {
                payload_length: tcp_octets,
                next_header: ip_number::TCP,
                hop_limit: HOPS,
                source: from,
                destination: to,
                ..Ipv6Header::default()
            };
            tcp.checksum = tcp.calc_checksum_ipv6_raw(from, to, &[]).ok()?;
            super::extend(reply, &[&ip.to_bytes(), &tcp.to_bytes()])
        }
    }
}

/// What a host without the connection answers (RFC 9293, section 3.10.7.1).
fn reset(segment: &Segment<'_>) -> Option<TcpHeader> {
    let tcp = &segment.tcp;
    let data_bytes = segment.data_bytes?;
    let (to, from) = (tcp.source_port(), tcp.destination_port());
    let mut reset = match tcp.ack() {
        true => TcpHeader::new(from, to, tcp.acknowledgment_number(), 0),
        false => TcpHeader::new(from, to, 0, 0),
    };
    reset.rst = true;
    if !tcp.ack() {
        reset.ack = true;
        reset.acknowledgment_number = tcp
            .sequence_number()
            .wrapping_add(data_bytes)
            .wrapping_add(tcp.syn().into())
            .wrapping_add(tcp.fin().into());
    }
    Some(reset)
}
