//! What holds for every frame: random ones, and good ones that were then spoilt.

use crate::frames::*;
use crate::read::{What, packet};
use proptest::prelude::*;
use proptest::sample::Index;
use sekisho::wire::{Fragment, LinkType, REPLY_OCTETS, Shape, TcpFlags, Unwrap, parse};

fn encapsulated(ether_type: u16, ip: &[u8], kind: u8) -> Vec<u8> {
    let [high, low] = ether_type.to_be_bytes();
    let ppp = if ether_type == IP4 { 0x21 } else { 0x57 };
    let len = (ip.len() as u16 + 2).to_be_bytes();
    let pppoe = [&[0x11, 0, 0, 1], &len[..], &[0, ppp]].concat();
    match kind {
        0 => ethernet(ether_type, ip),
        1 => ethernet(0x8100, &[&[0, 100, high, low], ip].concat()),
        2 => ethernet(0x88a8, &[&[0, 100, 0x81, 0, 0, 7, high, low], ip].concat()),
        3 => ethernet(0x8864, &[&pppoe, ip].concat()),
        4 => ethernet(0x8100, &[&[0, 100, 0x88, 0x64], &pppoe[..], ip].concat()),
        _ => {
            let snap = [0xaa, 0xaa, 3, 0, 0, 0, high, low];
            ethernet(ip.len() as u16 + 8, &[&snap, ip].concat())
        }
    }
}

fn good() -> impl Strategy<Value = Vec<u8>> {
    let data = prop_oneof![0..20_usize, 0..1_400_usize];
    (any::<bool>(), any::<u8>(), data, 0..6_u8).prop_map(|(four, flags, data, kind)| {
        let data = vec![0xda; data];
        match four {
            true => encapsulated(IP4, &ipv4(flags, &data), kind),
            false => encapsulated(IP6, &ipv6(flags, &data), kind),
        }
    })
}

/// Some octets of the headers overwritten; the checksum of an IPv4 header may be right again.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec(any::<(Index, u8)>(), 0..4);
    (good(), changes, any::<bool>()).prop_map(|(mut frame, changes, mend)| {
        let headers = frame.len().min(90);
        for (index, octet) in changes {
            frame[index.index(headers)] = octet;
        }
        let parsed = parse(&frame, LinkType::ETHERNET, &Unwrap::default());
        let at = usize::from(parsed.ip_offset);
        let fits = frame
            .get(at)
            .is_some_and(|first| at + usize::from(first & 0xf) * 4 <= frame.len());
        if mend && fits && frame[at] >> 4 == 4 && frame[at] & 0xf >= 5 {
            resum(&mut frame, at);
        }
        frame
    })
}

/// Holds what is answered against what it is answered with; says how many replies there are.
fn check(frame: &[u8]) -> usize {
    let mut answered = 0;
    let ([icmp4, rst], [icmp6, _]) = (answers(4), answers(6));
    for with in [icmp4, icmp6, rst] {
        let Some(reply) = answer(frame, with) else {
            continue;
        };
        answered += 1;
        let parsed = parse(frame, LinkType::ETHERNET, &Unwrap::default());
        assert_eq!(parsed.shape, Shape::Tcp);
        assert!(parsed.flags.0 & TcpFlags::RST == 0 && parsed.fragment != Fragment::Later);
        assert_eq!((frame[0] | frame[6]) & 1, 0);
        assert_eq!(reply[..6], frame[6..12]);
        assert_eq!(reply[6..12], frame[..6]);
        assert!((60..=REPLY_OCTETS).contains(&reply.len()));

        let at = usize::from(parsed.ip_offset);
        let read = packet(&reply[at..]);
        assert!(read.len <= if frame[at] >> 4 == 4 { 576 } else { 1_280 });
        assert_eq!(reply.len(), (at + read.len).max(60));
        let back = parse(&reply, LinkType::ETHERNET, &Unwrap::default());
        assert_eq!(
            (back.ip_offset, back.family),
            (parsed.ip_offset, parsed.family)
        );
        assert_eq!(back.dst, parsed.src);
        match read.what {
            What::Icmp { quoted, .. } => {
                assert!(quoted.len() >= 40 && frame[at..].starts_with(&quoted));
            }
            What::Rst { ports, .. } => {
                assert_eq!(back.src, parsed.dst);
                assert_eq!(ports, [parsed.dst_port, parsed.src_port]);
            }
        }
    }
    answered
}

fn times(factor: u32) -> ProptestConfig {
    ProptestConfig::with_cases(ProptestConfig::default().cases * factor)
}

proptest! {
    #![proptest_config(times(8))]

    #[test]
    fn random_octets(frame in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&frame);
    }

    #[test]
    fn good_frames_are_answered_unless_they_are_resets(frame in good()) {
        let flags = parse(&frame, LinkType::ETHERNET, &Unwrap::default()).flags;
        // An error of the family, and a reset.
        let expected = if flags.0 & TcpFlags::RST == 0 { 2 } else { 0 };
        prop_assert_eq!(check(&frame), expected);
    }

    #[test]
    fn spoilt_frames(frame in spoilt(), len in any::<Index>()) {
        check(&frame);
        check(&frame[..len.index(frame.len() + 1)]);
    }
}
