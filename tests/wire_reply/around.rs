//! What stood around the packet stands around the reply, the other way round.

use crate::frames::*;
use crate::read::{What, packet};

/// Up to the type or length field.
const THERE: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const BACK: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

/// Octets behind the addresses before the packet: as they come, and as they have to go back with a
/// packet of so many octets.
type Encapsulation = (&'static str, fn(usize, Family) -> Vec<u8>);

#[derive(Clone, Copy, PartialEq)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn ether_type(self) -> [u8; 2] {
        match self {
            Self::V4 => [0x08, 0x00],
            Self::V6 => [0x86, 0xdd],
        }
    }

    fn ppp(self) -> u8 {
        match self {
            Self::V4 => 0x21,
            Self::V6 => 0x57,
        }
    }
}

/// A tag with priority 5, DEI set and VLAN 0x234; one with priority 1 and VLAN 7.
const SERVICE: [u8; 4] = [0x88, 0xa8, 0xb2, 0x34];
const CUSTOMER: [u8; 4] = [0x81, 0x00, 0x20, 0x07];

fn pppoe(octets: usize, protocol: &[u8]) -> Vec<u8> {
    let len = ((octets + protocol.len()) as u16).to_be_bytes();
    [&[0x88, 0x64, 0x11, 0, 0xab, 0xcd], &len[..], protocol].concat()
}

fn snap(octets: usize, family: Family) -> Vec<u8> {
    let len = ((octets + 8) as u16).to_be_bytes();
    [&len, &[0xaa, 0xaa, 3, 0, 0, 0][..], &family.ether_type()].concat()
}

const ENCAPSULATIONS: [Encapsulation; 11] = [
    ("bare", |_, family| family.ether_type().to_vec()),
    ("802.1Q", |_, family| {
        [&CUSTOMER[..], &family.ether_type()].concat()
    }),
    ("QinQ", |_, family| {
        [&SERVICE[..], &CUSTOMER, &family.ether_type()].concat()
    }),
    ("other tags", |_, family| {
        let tags = [0x91, 0x00, 0xe0, 1, 0x92, 0x00, 0xff, 0xff];
        [&tags[..], &family.ether_type()].concat()
    }),
    ("PPPoE", |octets, family| pppoe(octets, &[0, family.ppp()])),
    ("PPPoE, one octet", |octets, family| {
        pppoe(octets, &[family.ppp()])
    }),
    ("PPPoE, address and control", |octets, family| {
        pppoe(octets, &[0xff, 0x03, 0, family.ppp()])
    }),
    ("PPPoE, address and control, one octet", |octets, family| {
        pppoe(octets, &[0xff, 0x03, family.ppp()])
    }),
    ("PPPoE in QinQ", |octets, family| {
        [&SERVICE[..], &CUSTOMER, &pppoe(octets, &[0, family.ppp()])].concat()
    }),
    ("LLC/SNAP", snap),
    ("LLC/SNAP in 802.1Q", |octets, family| {
        [&CUSTOMER[..], &snap(octets, family)].concat()
    }),
];

#[test]
fn through_every_encapsulation() {
    for (name, encapsulation) in ENCAPSULATIONS {
        for (family, sent) in [
            (Family::V4, ipv4(SYN, b"data")),
            (Family::V6, ipv6(SYN, b"data")),
        ] {
            let number = if family == Family::V4 { 4 } else { 6 };
            let before = [&THERE[..], &encapsulation(sent.len(), family)].concat();
            let frame = [&before[..], &sent].concat();
            for with in answers(number) {
                let reply = answer(&frame, with).unwrap_or_else(|| panic!("{name}"));
                let read = packet(&reply[before.len()..]);
                let expected = [&BACK[..], &encapsulation(read.len, family)].concat();
                assert_eq!(reply[..before.len()], expected, "{name}");
                let end = before.len() + read.len;
                assert_eq!(reply.len(), end.max(60), "{name}");
                assert!(reply[end..].iter().all(|octet| *octet == 0), "{name}");
            }
        }
    }
}

/// A label of MPLS says nothing about the way back.
#[test]
fn no_way_back_is_known_through_labels() {
    let label = [0x88, 0x47, 0x00, 0x01, 0x01, 0x40];
    let frame = [&THERE[..], &label, &ipv4(SYN, b"")].concat();
    assert!(
        answers(4)
            .iter()
            .all(|with| answer(&frame, *with).is_none())
    );
}

/// What stands behind the end of a PPPoE payload is not the packet's, whatever IP says.
#[test]
fn a_packet_longer_than_what_it_lies_in_is_not_answered() {
    let sent = ipv4(SYN, &[0; 20]);
    for (short, is_answered) in [(0, true), (1, false), (20, false)] {
        for around in [
            pppoe(sent.len() - short, &[0, 0x21]),
            snap(sent.len() - short, Family::V4),
        ] {
            let frame = [&THERE[..], &around, &sent].concat();
            for with in answers(4) {
                assert_eq!(answer(&frame, with).is_some(), is_answered, "{short}");
            }
        }
    }
}

/// Receivers take up to 1535 for a length, which is more than 802.3 has; a reply is shorter.
#[test]
fn a_length_beyond_what_802_3_has_is_read() {
    let sent = ipv4(SYN, &[0; 1_487]);
    assert_eq!(sent.len() + 8, 1_535);
    let frame = [&THERE[..], &snap(sent.len(), Family::V4), &sent].concat();
    for with in answers(4) {
        let reply = answer(&frame, with).unwrap();
        let read = packet(&reply[22..]);
        assert_eq!(reply[12..22], snap(read.len, Family::V4));
    }
}

/// The longest quotation goes where there is room for it: a reply fits an MTU of 1,500.
#[test]
fn what_is_quoted_ends_where_the_frame_must() {
    let sent = ipv6(SYN, &[0; 1_400]);
    let tags: Vec<u8> = [CUSTOMER; 4].concat();
    let frame = [&THERE[..], &tags, &pppoe(sent.len(), &[0, 0x57]), &sent].concat();
    let reply = answer(&frame, answers(6)[0]).unwrap();
    let read = packet(&reply[38..]);
    assert!(matches!(&read.what, What::Icmp { quoted, .. } if quoted.len() == 1_232));
    assert_eq!((read.len, reply.len()), (1_280, 38 + 1_280));
}
