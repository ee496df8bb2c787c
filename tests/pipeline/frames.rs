//! Frames in tunnels, built header by header.

use etherparse::PacketBuilder;
use sekisho::wire::{TcpFlags, tcp_probe};
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

const ETHERNET_OCTETS: usize = 14;

/// An Ethernet frame with one TCP segment.
pub(crate) fn tcp(src: (&str, u16), dst: (&str, u16), flags: &str) -> Vec<u8> {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let flags = TcpFlags::from_letters(flags).unwrap();
    tcp_probe(address(src.0), address(dst.0), src.1, dst.1, flags).unwrap()
}

/// The IP packet of an Ethernet frame.
pub(crate) fn ip(frame: &[u8]) -> Vec<u8> {
    frame[ETHERNET_OCTETS..].to_vec()
}

/// An Ethernet frame of some type.
pub(crate) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend(ether_type.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A packet in IPv6, as MAP-E and DS-Lite carry it.
pub(crate) fn in_ipv6(src: &str, dst: &str, next_header: u8, payload: &[u8]) -> Vec<u8> {
    let octets = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
    let length = u16::try_from(payload.len()).unwrap();
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([next_header, 64]);
    packet.extend(octets(src));
    packet.extend(octets(dst));
    packet.extend(payload);
    ethernet(0x86dd, &packet)
}

/// The tunnel encapsulation limit in destination options (RFC 2473), and a packet behind it.
pub(crate) fn behind_options(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![next_header, 0, 4, 1, 4, 1, 1, 0];
    packet.extend(payload);
    packet
}

/// A UDP datagram in Ethernet.
pub(crate) fn udp(src: (&str, u16), dst: (&str, u16), payload: &[u8]) -> Vec<u8> {
    let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let ip = match (src.0.parse().unwrap(), dst.0.parse().unwrap()) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => link.ipv4(src.octets(), dst.octets(), 64),
        (IpAddr::V6(src), IpAddr::V6(dst)) => link.ipv6(src.octets(), dst.octets(), 64),
        ends => panic!("{ends:?}"),
    };
    let mut frame = Vec::new();
    let datagram = ip.udp(src.1, dst.1);
    datagram.write(&mut frame, payload).unwrap();
    frame
}

/// L2TPv2 data without any optional field, and PPP with address and control before IPv4.
pub(crate) fn l2tp(packet: &[u8]) -> Vec<u8> {
    let mut payload = vec![0x00, 0x02, 0x12, 0x34, 0x56, 0x78, 0xff, 0x03, 0x00, 0x21];
    payload.extend(packet);
    payload
}

/// Writes a capture of Ethernet frames, each with its time in milliseconds.
pub(crate) fn capture(path: &Path, frames: &[(u64, Vec<u8>)]) {
    let words = |words: &[u32]| {
        words
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let mut file = words(&[0xa1b2_3c4d, 2 | 4 << 16, 0, 0, 262_144, 1]);
    for (at_ms, octets) in frames {
        let seconds = 1_700_000_000 + u32::try_from(at_ms / 1000).unwrap();
        let nanoseconds = u32::try_from(at_ms % 1000).unwrap() * 1_000_000;
        let octets_there = u32::try_from(octets.len()).unwrap();
        file.extend(words(&[seconds, nanoseconds, octets_there, octets_there]));
        file.extend(octets);
    }
    std::fs::write(path, file).unwrap();
}
