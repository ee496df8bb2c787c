//! Frames that this program makes itself.

use super::TcpFlags;
use etherparse::{PacketBuilder, TcpHeader};
use std::net::IpAddr;

/// A whole Ethernet frame with one TCP segment without data, checksums and all; `None` when one
/// address is IPv4 and the other IPv6.
pub fn tcp_probe(
    src: IpAddr,
    dst: IpAddr,
    src_port: u16,
    dst_port: u16,
    flags: TcpFlags,
) -> Option<Vec<u8>> {
    // Locally administered addresses: nobody's hardware.
    let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let ip = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => link.ipv4(src.octets(), dst.octets(), 64),
        (IpAddr::V6(src), IpAddr::V6(dst)) => link.ipv6(src.octets(), dst.octets(), 64),
        _ => return None,
    };
    let segment = ip.tcp_header(tcp_header(src_port, dst_port, flags));
    let mut frame = Vec::with_capacity(segment.size(0));
    segment.write(&mut frame, &[]).ok()?;
    Some(frame)
}

fn tcp_header(src_port: u16, dst_port: u16, flags: TcpFlags) -> TcpHeader {
    let has = |bit: u16| flags.0 & bit != 0;
    TcpHeader {
        fin: has(TcpFlags::FIN),
        syn: has(TcpFlags::SYN),
        rst: has(TcpFlags::RST),
        psh: has(0x008),
        ack: has(TcpFlags::ACK),
        urg: has(0x020),
        ece: has(0x040),
        cwr: has(0x080),
        ns: has(0x100),
        ..TcpHeader::new(src_port, dst_port, 0, 0xffff)
    }
}
