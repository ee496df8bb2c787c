//! What a frame is, as etherparse sees it.

use etherparse::{
    EtherType, Ethernet2HeaderSlice, IpNumber, Ipv4Slice, Ipv6Slice, SingleVlanSlice, TcpSlice,
    UdpSlice, icmpv4, icmpv6,
};
use sekisho::loadgen::traffic::{Guise, Kind, Way, Wrapping};
use sekisho::wire::Family;

/// What was found in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) wrapping: Wrapping,
    pub(crate) family: Family,
    pub(crate) way: Way,
    pub(crate) kind: Kind,
    pub(crate) guise: Guise,
    pub(crate) source: u128,
    pub(crate) destination: u128,
    pub(crate) checksums: bool,
}

/// What is told before the transport is read.
struct Network<'a> {
    family: Family,
    guise: Guise,
    source: Vec<u8>,
    destination: Vec<u8>,
    protocol: IpNumber,
    body: &'a [u8],
    checksum: bool,
}

pub(crate) fn see(frame: &[u8]) -> Seen {
    let ethernet = Ethernet2HeaderSlice::from_slice(frame).unwrap();
    let mut rest = &frame[14..];
    let mut ether_type = ethernet.ether_type();
    let mut tags = Vec::new();
    while [0x8100, 0x88a8].contains(&ether_type.0) {
        let tag = SingleVlanSlice::from_slice(rest).unwrap();
        assert!((1..4_095).contains(&tag.vlan_identifier().value()));
        tags.push(ether_type.0);
        ether_type = tag.ether_type();
        rest = &rest[4..];
    }
    let mut wrapping = match tags.as_slice() {
        [] => Wrapping::None,
        [0x8100] => Wrapping::Vlan,
        [0x88a8, 0x8100] => Wrapping::Qinq,
        [0x88a8, 0x88a8, 0x8100, 0x8100] => Wrapping::FourTags,
        other => panic!("{other:x?}"),
    };
    if ether_type.0 == 0x8864 {
        wrapping = Wrapping::QinqPppoe;
        assert_eq!(rest[..2], [0x11, 0]);
        let length = usize::from(u16::from_be_bytes([rest[4], rest[5]]));
        let trailing = rest.len() - 6 - length;
        assert!(trailing == 0 || rest[6 + length..].iter().all(|octet| *octet == 0));
        ether_type = match rest[6..8] {
            [0, 0x21] => EtherType::IPV4,
            [0, 0x57] => EtherType::IPV6,
            _ => panic!("{rest:x?}"),
        };
        rest = &rest[8..6 + length];
    }
    let network = if ether_type == EtherType::IPV4 {
        ipv4(rest)
    } else {
        assert_eq!(ether_type, EtherType::IPV6);
        ipv6(rest)
    };
    let way = match ethernet.source()[5] {
        1 => Way::Out,
        _ => Way::In,
    };
    assert!(ethernet.source()[0] & 2 == 2 && ethernet.destination()[0] & 3 == 2);
    let (kind, checksum) = transport(&network, way);
    Seen {
        wrapping,
        family: network.family,
        way,
        kind,
        guise: network.guise,
        source: number(&network.source),
        destination: number(&network.destination),
        checksums: network.checksum && checksum,
    }
}

fn number(octets: &[u8]) -> u128 {
    octets
        .iter()
        .fold(0, |sum, octet| sum << 8 | u128::from(*octet))
}

fn ipv4(rest: &[u8]) -> Network<'_> {
    let packet = Ipv4Slice::from_slice(rest).unwrap();
    let header = packet.header();
    let guise = if header.more_fragments() {
        assert_eq!(packet.payload().payload.len(), 8);
        Guise::TinyFragment
    } else if header.options().first() == Some(&131) {
        // RFC 791: the pointer counts from 1, and beyond the length the route is exhausted.
        assert_eq!(header.options()[1..3], [39, 4]);
        assert_eq!(header.options()[35..39], header.destination());
        assert_eq!(header.options()[39], 0);
        Guise::SourceRouted
    } else if header.options().len() == 40 {
        Guise::Options
    } else {
        assert!(header.options().is_empty());
        Guise::Plain
    };
    Network {
        family: Family::V4,
        guise,
        source: header.source().to_vec(),
        destination: header.destination().to_vec(),
        protocol: packet.payload().ip_number,
        body: packet.payload().payload,
        checksum: header.header_checksum() == header.to_header().calc_header_checksum(),
    }
}

fn ipv6(rest: &[u8]) -> Network<'_> {
    let packet = Ipv6Slice::from_slice(rest).unwrap();
    let chain = packet.extensions().clone().into_iter().count();
    let guise = match chain {
        0 => Guise::Plain,
        8 => Guise::Chain,
        1 => {
            // RFC 2460: next header, units of 8 octets behind the first, type 0, segments left.
            assert_eq!(rest[6], 43);
            assert_eq!(rest[41..44], [30, 0, 15]);
            assert_eq!(rest[40 + 8 + 14 * 16..][..16], rest[24..40]);
            Guise::SourceRouted
        }
        other => panic!("{other} extension headers"),
    };
    Network {
        family: Family::V6,
        guise,
        source: packet.header().source().to_vec(),
        destination: packet.header().destination().to_vec(),
        protocol: packet.payload().ip_number,
        body: packet.payload().payload,
        checksum: true,
    }
}

/// The kind, and whether the checksum is right.
fn transport(network: &Network<'_>, way: Way) -> (Kind, bool) {
    let body = network.body;
    match (network.protocol, network.family) {
        (IpNumber::TCP, _) if network.guise == Guise::TinyFragment => {
            // Ports and sequence number; the flags are in another fragment.
            (Kind::Ack, true)
        }
        (IpNumber::TCP, _) => tcp(network, way),
        (IpNumber::UDP, _) => {
            let udp = UdpSlice::from_slice(body).unwrap();
            let header = udp.to_header();
            assert_eq!(usize::from(header.length), body.len());
            let sum = match network.family {
                Family::V4 => header.calc_checksum_ipv4_raw(
                    four(&network.source),
                    four(&network.destination),
                    udp.payload(),
                ),
                Family::V6 => header.calc_checksum_ipv6_raw(
                    sixteen(&network.source),
                    sixteen(&network.destination),
                    udp.payload(),
                ),
            };
            (Kind::Udp, sum.unwrap() == header.checksum)
        }
        (IpNumber::ICMP, Family::V4) => {
            let expected = if way == Way::Out {
                icmpv4::TYPE_ECHO_REQUEST
            } else {
                icmpv4::TYPE_ECHO_REPLY
            };
            assert_eq!(body[0], expected);
            (Kind::Icmp, folded(&[body]) == 0xffff)
        }
        (IpNumber::IPV6_ICMP, Family::V6) => {
            let expected = if way == Way::Out {
                icmpv6::TYPE_ECHO_REQUEST
            } else {
                icmpv6::TYPE_ECHO_REPLY
            };
            assert_eq!(body[0], expected);
            let pseudo = [(body.len() as u32).to_be_bytes(), 58_u32.to_be_bytes()].concat();
            (
                Kind::Icmp,
                folded(&[&network.source, &network.destination, &pseudo, body]) == 0xffff,
            )
        }
        (IpNumber(50), _) => (Kind::Esp, true),
        other => panic!("{other:?}"),
    }
}

fn tcp(network: &Network<'_>, way: Way) -> (Kind, bool) {
    let tcp = TcpSlice::from_slice(network.body).unwrap();
    let header = tcp.to_header();
    let sum = match network.family {
        Family::V4 => header.calc_checksum_ipv4_raw(
            four(&network.source),
            four(&network.destination),
            tcp.payload(),
        ),
        Family::V6 => header.calc_checksum_ipv6_raw(
            sixteen(&network.source),
            sixteen(&network.destination),
            tcp.payload(),
        ),
    };
    let (own, service) = match way {
        Way::Out => (header.source_port, header.destination_port),
        Way::In => (header.destination_port, header.source_port),
    };
    assert!(own >= 49_152);
    let flags = [header.syn, header.ack, header.fin, header.rst, header.psh];
    let kind = match (service == 25, flags) {
        (true, [true, false, false, false, false]) => Kind::Port25Syn,
        (true, [true, true, false, false, false]) => Kind::Port25SynAck,
        (false, [true, ack, false, false, false]) if ack == (way == Way::In) => Kind::Syn,
        (false, [false, true, false, false, false]) => Kind::Ack,
        (false, [false, true, true, false, false]) => Kind::Fin,
        (false, [false, false, false, true, false]) => Kind::Reset,
        (false, [false, true, false, false, true]) => Kind::Push,
        other => panic!("{other:?}"),
    };
    (kind, sum.unwrap() == header.checksum)
}

/// The ones' complement sum of RFC 1071.
fn folded(parts: &[&[u8]]) -> u16 {
    let octets = parts.concat();
    let words = octets
        .chunks(2)
        .map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn four(octets: &[u8]) -> [u8; 4] {
    octets.try_into().unwrap()
}

fn sixteen(octets: &[u8]) -> [u8; 16] {
    octets.try_into().unwrap()
}
