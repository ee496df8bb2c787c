//! The frames that this program makes itself.

use crate::closed::parse;
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use sekisho::wire::{Family, LinkType, Shape, TcpFlags, tcp_probe};
use std::net::IpAddr;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_probe_says_what_was_asked_in_both_families() {
    for (src, dst, family) in [
        ("192.0.2.1", "198.51.100.25", Family::V4),
        ("2001:db8::1", "2001:db8:ffff::25", Family::V6),
    ] {
        for bits in 0..0x200 {
            let frame = tcp_probe(address(src), address(dst), 40_000, 25, TcpFlags(bits)).unwrap();
            let packet = parse(&frame, LinkType::ETHERNET);
            assert_eq!((packet.shape, packet.family), (Shape::Tcp, Some(family)));
            assert_eq!((packet.src_port, packet.dst_port), (40_000, 25));
            assert_eq!(packet.flags, TcpFlags(bits));
            let bits_of = |text| match address(text) {
                IpAddr::V4(address) => u128::from(u32::from(address)),
                IpAddr::V6(address) => u128::from(address),
            };
            assert_eq!((packet.src, packet.dst), (bits_of(src), bits_of(dst)));
        }
    }
}

#[test]
fn a_probe_has_valid_checksums() {
    let frame = tcp_probe(
        address("192.0.2.1"),
        address("198.51.100.25"),
        40_000,
        25,
        TcpFlags(TcpFlags::SYN),
    )
    .unwrap();
    let sliced = SlicedPacket::from_ethernet(&frame).unwrap();
    let Some(NetSlice::Ipv4(ip)) = sliced.net else {
        panic!("no IPv4")
    };
    let header = ip.header().to_header();
    assert_eq!(header.header_checksum, header.calc_header_checksum());
    let Some(TransportSlice::Tcp(tcp)) = sliced.transport else {
        panic!("no TCP")
    };
    let wanted = tcp
        .calc_checksum_ipv4(header.source, header.destination)
        .unwrap();
    assert_eq!(tcp.checksum(), wanted);
}

#[test]
fn one_family_at_a_time() {
    let (four, six) = (address("192.0.2.1"), address("2001:db8::1"));
    assert_eq!(tcp_probe(four, six, 1, 2, TcpFlags(0)), None);
    assert_eq!(tcp_probe(six, four, 1, 2, TcpFlags(0)), None);
}
