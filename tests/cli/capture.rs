//! Captures for these tests, written and read without the program's own code.

use etherparse::PacketBuilder;
use std::net::Ipv4Addr;

/// Link types as pcap numbers them.
pub(crate) const ETHERNET: u32 = 1;
pub(crate) const RAW: u32 = 101;

const FILE_HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;

/// A pcap with microseconds, little-endian; each record has its seconds since 1970.
pub(crate) fn pcap(link_type: u32, records: &[(u32, Vec<u8>)]) -> Vec<u8> {
    // Magic, version 2.4, zone, accuracy, snapshot length, link type.
    let header = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0x0004_0000, link_type];
    let mut file: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    for (seconds, bytes) in records {
        let len = u32::try_from(bytes.len()).unwrap();
        let words = [*seconds, 0, len, len];
        file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        file.extend(bytes);
    }
    file
}

/// The frames of a little-endian pcap.
pub(crate) fn frames(pcap: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    let mut rest = &pcap[FILE_HEADER_BYTES..];
    while !rest.is_empty() {
        let captured = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (record, later) = rest.split_at(RECORD_HEADER_BYTES + captured);
        frames.push(&record[RECORD_HEADER_BYTES..]);
        rest = later;
    }
    frames
}

/// The link type that a little-endian pcap names.
pub(crate) fn link_type(pcap: &[u8]) -> u32 {
    u32::from_le_bytes(pcap[20..24].try_into().unwrap())
}

/// An Ethernet frame with a SYN to port 25.
pub(crate) fn syn(src: [u8; 4], dst: [u8; 4]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ip(etherparse::IpHeaders::Ipv4(
            ipv4(src, dst),
            Default::default(),
        ))
        .tcp(49152, 25, 1, 65535)
        .syn();
    let mut bytes = Vec::with_capacity(builder.size(0));
    builder.write(&mut bytes, &[]).unwrap();
    bytes
}

/// The same SYN without Ethernet.
pub(crate) fn raw_syn(src: [u8; 4], dst: [u8; 4]) -> Vec<u8> {
    syn(src, dst).split_off(14)
}

fn ipv4(src: [u8; 4], dst: [u8; 4]) -> etherparse::Ipv4Header {
    let (src, dst) = (Ipv4Addr::from(src), Ipv4Addr::from(dst));
    let protocol = etherparse::IpNumber::TCP;
    etherparse::Ipv4Header::new(0, 64, protocol, src.octets(), dst.octets()).unwrap()
}
