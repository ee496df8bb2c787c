use super::super::{Fragment, Packet, Shape, TcpFlags};
use super::header::{Ends, Header, extension_bytes};
use etherparse::{TcpHeaderSlice, ip_number};

/// Extension headers that are passed, at most; a packet with more is evasive.
const EXTENSIONS_CAP: usize = 8;

/// A TCP segment that may be answered, in its packet.
pub(super) struct Segment<'a> {
    /// The packet from its IP header on, as far as it is there.
    pub(super) packet: &'a [u8],
    pub(super) ends: Ends,
    pub(super) tcp: TcpHeaderSlice<'a>,
    /// Octets behind the TCP header; `None` in a first fragment.
    pub(super) data_bytes: Option<u32>,
}

impl<'a> Segment<'a> {
    /// Follows the way of the parser once more. `octets` are those from the IP header on that are
    /// there, of which there were so many on the wire.
    pub(super) fn of(octets: &'a [u8], on_wire_bytes: usize, parsed: &Packet) -> Option<Self> {
        if parsed.shape != Shape::Tcp || parsed.flags.0 & TcpFlags::RST != 0 {
            return None;
        }
        let header = Header::of(parsed.family?, octets)?;
        if header.packet_bytes > on_wire_bytes {
            return None;
        }
        let packet = octets.get(..header.packet_bytes).unwrap_or(octets);
        let tcp_at = tcp_at(&header, packet)?;
        let tcp = TcpHeaderSlice::from_slice(packet.get(tcp_at..)?).ok()?;
        // The packet may be longer than what is there of it.
        let data_bytes = header.packet_bytes - tcp_at - tcp.slice().len();
        Some(Self {
            packet,
            ends: header.ends,
            tcp,
            data_bytes: match parsed.fragment {
                Fragment::None => u32::try_from(data_bytes).ok(),
                Fragment::First | Fragment::Later => None,
            },
        })
    }
}

fn tcp_at(header: &Header, packet: &[u8]) -> Option<usize> {
    let (mut at, mut kind) = (header.header_bytes, header.next);
    for _ in 0..=EXTENSIONS_CAP {
        if kind == ip_number::TCP.0 {
            return Some(at);
        }
        let extension = packet.get(at..)?;
        at += extension_bytes(kind, extension)?;
        kind = *extension.first()?;
    }
    None
}
