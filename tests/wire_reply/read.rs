//! A reply, read by etherparse and summed by hand.

use crate::frames::checksum;
use crate::frames::pseudo;
use etherparse::{NetSlice, SlicedPacket, TcpSlice, TransportSlice};
use sekisho::wire::Family;

/// A packet whose checksums are right.
#[derive(Debug, PartialEq, Eq)]
pub struct Read {
    /// Octets, with the IP header.
    pub len: usize,
    pub source: Vec<u8>,
    pub destination: Vec<u8>,
    pub what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub enum What {
    Icmp {
        kind: [u8; 2],
        quoted: Vec<u8>,
    },
    Rst {
        ports: [u16; 2],
        sequence: u32,
        acknowledged: Option<u32>,
    },
}

/// Reads strictly what begins with an IP header, and may have padding behind it.
pub fn packet(octets: &[u8]) -> Read {
    let sliced = SlicedPacket::from_ip(octets).unwrap();
    let (family, header, source, destination) = match sliced.net.as_ref().unwrap() {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            assert_eq!(checksum(header.slice()), 0);
            assert!(header.dont_fragment() && header.identification() == 0);
            (
                Family::V4,
                20,
                header.source().to_vec(),
                header.destination().to_vec(),
            )
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            (
                Family::V6,
                40,
                header.source().to_vec(),
                header.destination().to_vec(),
            )
        }
        NetSlice::Arp(_) => panic!("no IP"),
    };
    let addresses = [&source[..], &destination].concat();
    let (what, upper_len) = match sliced.transport.unwrap() {
        TransportSlice::Icmpv4(icmp) if family == Family::V4 => {
            assert_eq!(checksum(icmp.slice()), 0);
            (error(icmp.slice()), icmp.slice().len())
        }
        TransportSlice::Icmpv6(icmp) if family == Family::V6 => {
            assert_eq!(checksum(&pseudo(&addresses, 58, icmp.slice())), 0);
            (error(icmp.slice()), icmp.slice().len())
        }
        TransportSlice::Tcp(tcp) => {
            assert_eq!(checksum(&pseudo(&addresses, 6, tcp.slice())), 0);
            (reset(&tcp), tcp.slice().len())
        }
        other => panic!("{other:?}"),
    };
    Read {
        len: header + upper_len,
        source,
        destination,
        what,
    }
}

fn error(icmp: &[u8]) -> What {
    assert_eq!(icmp[4..8], [0; 4], "unused");
    What::Icmp {
        kind: [icmp[0], icmp[1]],
        quoted: icmp[8..].to_vec(),
    }
}

fn reset(tcp: &TcpSlice<'_>) -> What {
    assert!(tcp.rst() && !tcp.syn() && !tcp.fin() && !tcp.psh() && !tcp.urg());
    assert_eq!((tcp.data_offset(), tcp.payload()), (5, &[][..]));
    What::Rst {
        ports: [tcp.source_port(), tcp.destination_port()],
        sequence: tcp.sequence_number(),
        acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
    }
}
