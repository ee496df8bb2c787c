//! From as many transport octets as there are.

use crate::closed::parse;
use crate::frames::*;
use sekisho::wire::{LinkType, Packet, Shape, TcpFlags};

/// The same transport octets in both families, whole or as a first fragment.
fn wrapped(protocol: u8, transport: &[u8], first: bool) -> [Packet; 2] {
    let transport = transport.to_vec();
    let four = V4::of(protocol).fragment(0, first).over(transport.clone());
    let six = V6::of(FRAGMENT).over(fragment(protocol, 0, first, transport));
    [ethernet(IP4, four), ethernet(IP6, six)].map(|frame| parse(&frame, LinkType::ETHERNET))
}

/// E2, E13: fewer than 14 octets hide the flags.
#[test]
fn fourteen_octets_decide() {
    for first in [false, true] {
        for len in 0..=20 {
            let shape = match (len, first) {
                (0, _) => Shape::IncompleteHeaders,
                (..14, true) => Shape::TinyFragment,
                (..14, false) => Shape::Malformed,
                _ => Shape::Tcp,
            };
            for packet in wrapped(TCP, &syn25()[..len], first) {
                assert_eq!(packet.shape, shape, "{len} octets");
                assert_eq!(usize::from(packet.transport_len), len.min(14));
                assert_eq!(packet.src_port, if len >= 2 { SRC_PORT } else { 0 });
                assert_eq!(packet.dst_port, if len >= 4 { 25 } else { 0 });
                // The IP length says that this is all.
                assert!(!packet.wants_more);
            }
        }
    }
}

/// E28: the same cuts, made by a capture.
#[test]
fn a_frame_cut_before_the_flags_wants_more() {
    for (header_len, frame) in [
        (14 + 20, ethernet(IP4, V4::tcp().over(syn25()))),
        (14 + 40, ethernet(IP6, V6::tcp().over(syn25()))),
    ] {
        for len in 0..frame.len() {
            let packet = parse(&frame[..len], LinkType::ETHERNET);
            assert_eq!(packet.wants_more, len < header_len + 14, "{len} octets");
        }
    }
}

/// E8
#[test]
fn every_combination_of_flags_is_read() {
    for bits in 0..0x200u16 {
        let mut octets = syn25();
        octets[12] = 0x50 | (bits >> 8) as u8;
        octets[13] = bits as u8;
        for packet in wrapped(TCP, &octets, false) {
            assert_eq!(packet.flags, TcpFlags(bits));
            assert_eq!(packet.flags.is_new(), bits & 0x12 == 0x02);
        }
    }
}

/// E7, E9
#[test]
fn data_offset_reserved_bits_and_data_do_not_matter() {
    for data_offset in 0..16 {
        for reserved in 0..8 {
            let mut octets = [syn25(), b"EHLO bot.example\r\n".to_vec()].concat();
            octets[12] = data_offset << 4 | reserved << 1;
            let [four, six] = wrapped(TCP, &octets, false);
            assert_eq!(four, syn25_over_v4(14));
            assert_eq!(six, syn25_over_v6(14));
        }
    }
}

/// E25
#[test]
fn udp_shows_its_ports_and_is_opaque() {
    for first in [false, true] {
        for len in 0..=12 {
            for packet in wrapped(UDP, &datagram()[..len], first) {
                assert_eq!((packet.shape, packet.protocol), (Shape::Opaque, UDP));
                assert_eq!(usize::from(packet.transport_len), len.min(8));
                assert_eq!(packet.src_port, if len >= 2 { SRC_PORT } else { 0 });
                assert_eq!(packet.dst_port, if len >= 4 { 25 } else { 0 });
                assert_eq!((packet.flags, packet.wants_more), (TcpFlags(0), false));
            }
        }
    }
}

#[test]
fn frames_of_any_size_are_read() {
    let jumbo = [syn25(), vec![0; 8960]].concat();
    let frame = ethernet(IP4, V4::tcp().over(jumbo));
    assert_eq!(parse(&frame, LinkType::ETHERNET), syn25_over_v4(14));
    let beyond_any_length_field = [syn25(), vec![0; 100_000]].concat();
    let frame = ethernet(IP6, V6::tcp().payload_len(0).over(beyond_any_length_field));
    assert_eq!(parse(&frame, LinkType::ETHERNET), syn25_over_v6(14));
}
