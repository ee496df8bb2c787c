//! Ports and flags, from as many octets as are there.
//!
//! etherparse's `TcpHeaderSlice` wants 20 octets and a data offset that fits; 14 octets decide.

use super::area::Area;
use super::{Fragment, Packet, Shape, TRANSPORT_OCTETS, TcpFlags};

/// Octets of a UDP header.
const UDP_OCTETS: u8 = 8;

/// Reads a TCP header that is not in a later fragment.
pub(super) fn tcp(packet: &mut Packet, segment: Area<'_>) {
    ports(packet, segment.bytes, TRANSPORT_OCTETS);
    if let Some(octets) = segment.bytes.first_chunk::<14>() {
        packet.shape = Shape::Tcp;
        packet.flags = flags([octets[12], octets[13]]);
        return;
    }
    packet.wants_more = segment.could_hold(usize::from(TRANSPORT_OCTETS));
    packet.shape = match (packet.transport_len, packet.fragment) {
        (0, _) => Shape::IncompleteHeaders,
        (_, Fragment::First) => Shape::TinyFragment,
        (_, Fragment::None | Fragment::Later) => Shape::Malformed,
    };
}

/// Reads the ports of a UDP header that is not in a later fragment.
pub(super) fn udp(packet: &mut Packet, datagram: Area<'_>) {
    ports(packet, datagram.bytes, UDP_OCTETS);
}

/// Octets 12 and 13 of a TCP header: the low nine bits are flags.
pub(super) fn flags(octets: [u8; 2]) -> TcpFlags {
    TcpFlags(u16::from_be_bytes(octets) & 0x01ff)
}

fn ports(packet: &mut Packet, header: &[u8], header_len: u8) {
    packet.transport_len = u8::try_from(header.len()).map_or(header_len, |len| len.min(header_len));
    if let [a, b, ..] = *header {
        packet.src_port = u16::from_be_bytes([a, b]);
    }
    if let [_, _, c, d, ..] = *header {
        packet.dst_port = u16::from_be_bytes([c, d]);
    }
}
