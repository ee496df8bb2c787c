//! What holds for every reply, asked by the fuzz target and by ordinary tests.

use sekisho::wire::{
    Answer, Fragment, Frame, LinkType, Packet, REPLY_OCTETS, Shape, TcpFlags, Unwrap, parse, reply,
};

/// A whole Ethernet frame that a rule rejects.
pub(super) fn check(frame: &[u8]) {
    let errors = Answer::Icmp {
        sources: (
            Some([203, 0, 113, 1].into()),
            Some([0x2001, 0x0db8, 0xffff, 0, 0, 0, 0, 1].into()),
        ),
    };
    let nobody = Answer::Icmp {
        sources: (None, None),
    };
    let unwrap = Unwrap::default();
    let frame = Frame {
        bytes: frame,
        original_len: u32::try_from(frame.len()).unwrap_or(u32::MAX),
        link_type: LinkType::ETHERNET,
    };
    assert!(reply(frame, &unwrap, nobody).is_none());
    for answer in [errors, Answer::Rst] {
        if let Some(reply) = reply(frame, &unwrap, answer) {
            answers(frame.bytes, &reply, answer, &unwrap);
        }
    }
}

/// Only what asks for a connection or belongs to one is answered; the answer goes back the way the
/// frame came, is shorter than a frame may be, and is itself never answered.
fn answers(frame: &[u8], reply: &[u8], answer: Answer, unwrap: &Unwrap) {
    let asked = parse(frame, LinkType::ETHERNET, unwrap);
    assert_eq!(asked.shape, Shape::Tcp);
    assert!(asked.flags.0 & TcpFlags::RST == 0 && asked.fragment != Fragment::Later);
    assert!(reply.len() <= REPLY_OCTETS);
    let ends = |frame: &[u8]| {
        (
            frame.get(..6).map(<[u8]>::to_vec),
            frame.get(6..12).map(<[u8]>::to_vec),
        )
    };
    let (to, from) = ends(frame);
    assert_eq!(ends(reply), (from, to));
    let back: Packet = parse(reply, LinkType::ETHERNET, unwrap);
    assert_eq!((back.family, back.dst), (asked.family, asked.src));
    assert_eq!(back.ip_offset, asked.ip_offset);
    match answer {
        Answer::Rst => {
            assert_eq!(back.shape, Shape::Tcp);
            assert_eq!(
                (back.src, back.src_port, back.dst_port),
                (asked.dst, asked.dst_port, asked.src_port)
            );
            assert!(back.flags.0 & TcpFlags::RST != 0);
        }
        Answer::Icmp { .. } => {
            assert!(back.shape == Shape::Opaque && [1, 58].contains(&back.protocol))
        }
    }
    sums_to_nothing(reply, &back);
    let again = Frame {
        bytes: reply,
        original_len: u32::try_from(reply.len()).unwrap_or(u32::MAX),
        link_type: LinkType::ETHERNET,
    };
    assert!(sekisho::wire::reply(again, unwrap, answer).is_none());
}

/// Checksums of the reply's own headers, over what its length fields bound (RFC 1071).
fn sums_to_nothing(reply: &[u8], packet: &Packet) {
    let ip = reply
        .get(usize::from(packet.ip_offset)..)
        .unwrap_or_default();
    let (payload, pseudo) = match ip {
        [0x45, _, high, low, ..] => {
            let header = ip.get(..20).unwrap_or_default();
            assert_eq!(sum(&[header]), 0xffff);
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            let ends = ip.get(12..20).unwrap_or_default().to_vec();
            (ip.get(20..len).unwrap_or_default(), ends)
        }
        [_, _, _, _, high, low, ..] => {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            let ends = ip.get(8..40).unwrap_or_default().to_vec();
            (ip.get(40..40 + len).unwrap_or_default(), ends)
        }
        _ => panic!("{ip:02x?}"),
    };
    assert!(!payload.is_empty());
    let of_icmp4 = packet.protocol == 1;
    let protocol = [0, packet.protocol];
    let len = u16::try_from(payload.len())
        .unwrap_or_default()
        .to_be_bytes();
    let sum = match of_icmp4 {
        true => sum(&[payload]),
        false => sum(&[&pseudo, &protocol, &len, payload]),
    };
    assert_eq!(sum, 0xffff);
}

/// Ones' complement sum of words; only the last part may be of an odd length.
fn sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for word in parts.iter().flat_map(|part| part.chunks(2)) {
        let word = match *word {
            [high, low] => u16::from_be_bytes([high, low]),
            [high] => u16::from_be_bytes([high, 0]),
            _ => 0,
        };
        sum += u32::from(word);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
