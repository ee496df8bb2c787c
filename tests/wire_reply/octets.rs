//! Replies written out by hand, from the RFCs.

use crate::frames::*;
use crate::read::{Read, What, packet};
use sekisho::wire::{Frame, LinkType, Unwrap, reply};

/// A SYN with one option, as it leaves a host.
const SYN4: &[u8] = &[
    0x45, 0x00, 0x00, 0x2c, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0x3b, 0xfe, // 44 octets
    192, 0, 2, 77, 198, 51, 100, 25, // subscriber, peer
    0x9c, 0x40, 0x00, 0x19, 0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0, // port 40000 to 25
    0x60, 0x02, 0xfa, 0xf0, 0x10, 0x3c, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, // SYN, MSS 1460
];

const SYN6: &[u8] = &[
    0x60, 0x00, 0x00, 0x00, 0x00, 0x18, 0x06, 0x40, // 24 octets of TCP
    0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77, // subscriber
    0x20, 0x01, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x25, // peer
    0x9c, 0x40, 0x00, 0x19, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0, // port 40000 to 25
    0x60, 0x02, 0xfd, 0x20, 0xa2, 0x9c, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, // SYN, MSS 1460
];

/// Ethernet's addresses the other way, the packet, and nothing but zeros up to 60 octets.
fn back(ether_type: u16, parts: &[&[u8]]) -> Vec<u8> {
    let addresses = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    let mut frame = [&addresses, &ether_type.to_be_bytes()[..], &parts.concat()].concat();
    frame.resize(frame.len().max(60), 0);
    frame
}

#[test]
fn an_error_over_ipv4() {
    let header = [
        0x45, 0xc0, 0x00, 0x48, 0x00, 0x00, 0x40, 0x00, 0x40, 0x01, 0x3b,
        0xa6, // precedence 6
        203, 0, 113, 1, 192, 0, 2, 77, // reply source, subscriber
        3, 13, 0xe9, 0xab, 0, 0, 0, 0, // administratively prohibited
    ];
    let [icmp, _] = answers(4);
    let reply = answer(&ethernet(IP4, SYN4), icmp).unwrap();
    assert_eq!(reply[..], back(IP4, &[&header, SYN4]));
}

#[test]
fn an_error_over_ipv6() {
    let header = [
        0x60, 0x00, 0x00, 0x00, 0x00, 0x48, 0x3a, 0x40, // 72 octets of ICMPv6
        0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, // reply source
        0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77, // subscriber
        1, 1, 0x3c, 0x57, 0, 0, 0, 0, // administratively prohibited
    ];
    let [icmp, _] = answers(6);
    let reply = answer(&ethernet(IP6, SYN6), icmp).unwrap();
    assert_eq!(reply[..], back(IP6, &[&header, SYN6]));
}

#[test]
fn a_reset_over_ipv4() {
    let segment = [
        0x45, 0x00, 0x00, 0x28, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06, 0x4e, 0x36, // 40 octets
        198, 51, 100, 25, 192, 0, 2, 77, // peer, subscriber
        0x00, 0x19, 0x9c, 0x40, 0, 0, 0, 0, 0x01, 0x02, 0x03, 0x05, // the SYN is acknowledged
        0x50, 0x14, 0x00, 0x00, 0x22, 0xd6, 0x00, 0x00, // RST, ACK
    ];
    let [_, rst] = answers(4);
    let reply = answer(&ethernet(IP4, SYN4), rst).unwrap();
    assert_eq!(reply[..], back(IP4, &[&segment]));
}

#[test]
fn a_reset_over_ipv6() {
    let segment = [
        0x60, 0x00, 0x00, 0x00, 0x00, 0x14, 0x06, 0x40, // 20 octets of TCP
        0x20, 0x01, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x25, // peer
        0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77, // subscriber
        0x00, 0x19, 0x9c, 0x40, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, // the SYN is acknowledged
        0x50, 0x14, 0x00, 0x00, 0xb7, 0x66, 0x00, 0x00, // RST, ACK
    ];
    let [_, rst] = answers(6);
    let reply = answer(&ethernet(IP6, SYN6), rst).unwrap();
    assert_eq!(reply[..], back(IP6, &[&segment]));
}

/// SEG.SEQ is 01020304 and SEG.ACK 0a0b0c0d, where there is one.
#[test]
fn what_a_reset_acknowledges() {
    let cases = [
        (SYN, 0, 0, Some(0x0102_0305)),
        (SYN, 100, 0, Some(0x0102_0304 + 101)),
        (SYN | FIN, 100, 0, Some(0x0102_0304 + 102)),
        (FIN, 1, 0, Some(0x0102_0306)),
        (0, 7, 0, Some(0x0102_030b)),
        (ACK, 7, 0x0a0b_0c0d, None),
        (SYN | ACK, 0, 0x0a0b_0c0d, None),
        (FIN | ACK, 0, 0x0a0b_0c0d, None),
    ];
    for (flags, data, sequence, acknowledged) in cases {
        let data = vec![b'x'; data];
        let expected = What::Rst {
            ports: [25, 40_000],
            sequence,
            acknowledged,
        };
        let frame = ethernet(IP4, &ipv4(flags, &data));
        let reply = answer(&frame, answers(4)[1]).unwrap();
        assert_eq!(packet(&reply[14..]).what, expected, "{flags:#x}");
        let frame = ethernet(IP6, &ipv6(flags, &data));
        let reply = answer(&frame, answers(6)[1]).unwrap();
        assert_eq!(packet(&reply[14..]).what, expected, "{flags:#x}");
    }
}

/// The padding of a short frame is no data.
#[test]
fn padding_is_not_acknowledged_and_not_quoted() {
    let mut frame = ethernet(IP4, &ipv4(SYN, &[]));
    frame.resize(60, 0xee);
    let [icmp, rst] = answers(4).map(|with| answer(&frame, with).unwrap());
    assert_eq!(packet(&icmp[14..]).len, 20 + 8 + 40);
    let What::Rst { acknowledged, .. } = packet(&rst[14..]).what else {
        panic!("no reset");
    };
    assert_eq!(acknowledged, Some(0x0102_0305));
}

/// A driver may show the first segment of a long frame, and how long it is.
#[test]
fn a_frame_in_segments_is_answered_by_its_length_on_the_wire() {
    let whole = ethernet(IP4, &ipv4(SYN, &[7; 8_000]));
    for (on_wire, is_answered) in [(whole.len(), true), (whole.len() - 1, false)] {
        let frame = Frame {
            bytes: &whole[..1_792],
            original_len: on_wire as u32,
            link_type: LinkType::ETHERNET,
        };
        let [icmp, rst] = answers(4).map(|with| reply(frame, &Unwrap::default(), with));
        assert_eq!((icmp.is_some(), rst.is_some()), (is_answered, is_answered));
        let (Some(icmp), Some(rst)) = (icmp, rst) else {
            continue;
        };
        assert_eq!(packet(&icmp[14..]), prohibited4(&whole[14..14 + 548]));
        let What::Rst { acknowledged, .. } = packet(&rst[14..]).what else {
            panic!("no reset");
        };
        assert_eq!(acknowledged, Some(0x0102_0304 + 8_001));
    }
}

#[test]
fn an_error_quotes_as_much_as_it_may() {
    for (data, quoted) in [(0, 40), (508, 548), (509, 548), (1_400, 548)] {
        let sent = ipv4(SYN, &vec![7; data]);
        let reply = answer(&ethernet(IP4, &sent), answers(4)[0]).unwrap();
        assert_eq!(packet(&reply[14..]), prohibited4(&sent[..quoted]));
    }
    for (data, quoted) in [(0, 60), (1_172, 1_232), (1_173, 1_232), (1_400, 1_232)] {
        let sent = ipv6(SYN, &vec![7; data]);
        let reply = answer(&ethernet(IP6, &sent), answers(6)[0]).unwrap();
        assert_eq!(packet(&reply[14..]), prohibited6(&sent[..quoted]));
    }
}

fn prohibited4(quoted: &[u8]) -> Read {
    Read {
        len: 28 + quoted.len(),
        source: [203, 0, 113, 1].to_vec(),
        destination: SUBSCRIBER4.to_vec(),
        what: What::Icmp {
            kind: [3, 13],
            quoted: quoted.to_vec(),
        },
    }
}

fn prohibited6(quoted: &[u8]) -> Read {
    Read {
        len: 48 + quoted.len(),
        source: [
            0x20, 1, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        ]
        .to_vec(),
        destination: SUBSCRIBER6.to_vec(),
        what: What::Icmp {
            kind: [1, 1],
            quoted: quoted.to_vec(),
        },
    }
}
