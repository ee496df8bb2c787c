//! Link types that ports do not have and captures do: 802.11 behind what drivers put before it,
//! other local networks, switch tags, and the headers of those who capture.

use crate::closed::parse;
use crate::frames::*;
use sekisho::wire::{LinkType, Packet, Shape};

fn v4() -> Vec<u8> {
    V4::tcp().over(syn25())
}

fn v6() -> Vec<u8> {
    V6::tcp().over(syn25())
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A header, and then what it announces.
fn behind(header: &[u8], rest: Vec<u8>) -> Vec<u8> {
    join(&[header, &rest])
}

#[track_caller]
fn sees(frame: &[u8], link_type: LinkType, expected: Packet) {
    assert_eq!(parse(frame, link_type), expected, "{frame:02x?}");
}

#[track_caller]
fn is_not_ip(frame: &[u8], link_type: LinkType) {
    sees(frame, link_type, Packet::bare(Shape::NotIp));
}

#[track_caller]
fn is_unreadable(frame: &[u8], link_type: LinkType) {
    sees(frame, link_type, Packet::bare(Shape::Unparsed));
}

/// Both families behind this header are seen; cut anywhere before the first octet of IP, it wants
/// more.
#[track_caller]
fn carries_both(link_type: LinkType, frame_of: impl Fn(u16, Vec<u8>) -> Vec<u8>) {
    for (kind, ip) in [(IP4, v4()), (IP6, v6())] {
        let ip_len_bytes = ip.len();
        let frame = frame_of(kind, ip);
        let offset = frame.len() - ip_len_bytes;
        let expected = match kind {
            IP4 => syn25_over_v4(offset as u16),
            _ => syn25_over_v6(offset as u16),
        };
        sees(&frame, link_type, expected);
        for len in 0..=offset {
            let unparsed = Packet {
                wants_more: true,
                ..Packet::bare(Shape::Unparsed)
            };
            sees(&frame[..len], link_type, unparsed);
        }
        // What follows the IP packet, as a frame check sequence does, is no part of it.
        sees(&behind(&frame, vec![0xde, 0xad]), link_type, expected);
    }
}

/// Duration, three addresses, sequence control; `flags` is the second octet of frame control.
fn data(kind: u8, flags: u8) -> Vec<u8> {
    let mut header = vec![kind, flags, 0x2c, 0];
    for station in 1..=3 {
        header.extend([2, 0, 0, 0, 0, station]);
    }
    header.extend([0x10, 0]);
    header
}

const DATA: u8 = 0x08;
const QOS_DATA: u8 = 0x88;
const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const HT_CONTROL: u8 = 0x80;

/// Headers of data frames and their lengths, as 802.11 adds them up.
fn data_headers() -> Vec<(usize, Vec<u8>)> {
    let fourth = [2, 0, 0, 0, 0, 4];
    let (qos, ht) = ([6, 0], [1, 2, 3, 4]);
    let wds = TO_DS | FROM_DS;
    vec![
        (24, data(DATA, 0)),
        (24, data(DATA, TO_DS)),
        (24, data(DATA, FROM_DS | MORE_FRAGMENTS)),
        // Data with a contention-free acknowledgement.
        (24, data(DATA | 0x10, FROM_DS)),
        (30, behind(&data(DATA, wds), fourth.to_vec())),
        (26, behind(&data(QOS_DATA, TO_DS), qos.to_vec())),
        (32, join(&[&data(QOS_DATA, wds), &fourth, &qos])),
        (30, join(&[&data(QOS_DATA, HT_CONTROL), &qos, &ht])),
        (
            36,
            join(&[&data(QOS_DATA, wds | HT_CONTROL), &fourth, &qos, &ht]),
        ),
        // In a frame without QoS that bit means strict order.
        (24, data(DATA, HT_CONTROL)),
    ]
}

#[test]
fn wireless_data_frames_of_every_header() {
    for (len_bytes, header) in data_headers() {
        assert_eq!(header.len(), len_bytes);
        carries_both(LinkType::IEEE802_11, |kind, ip| {
            behind(&header, llc_snap(kind, ip))
        });
    }
    let tagged = behind(&data(DATA, 0), llc_snap(0x8100, tag(IP4, v4())));
    sees(&tagged, LinkType::IEEE802_11, syn25_over_v4(36));
}

#[test]
fn wireless_frames_that_show_no_ip() {
    let inside = || llc_snap(IP4, v4());
    for kind in [
        // A beacon, an acknowledgement, data and QoS data without any, an extension, a version.
        0x80, 0xd4, 0x48, 0xc8, 0x0c, 0x09,
    ] {
        is_not_ip(&behind(&data(kind, 0), inside()), LinkType::IEEE802_11);
        is_not_ip(&[kind, 0], LinkType::IEEE802_11);
    }
    let protected = behind(&data(DATA, PROTECTED), inside());
    is_not_ip(&protected, LinkType::IEEE802_11);
    let several = join(&[&data(QOS_DATA, TO_DS), &[0x86, 0], &inside()]);
    is_not_ip(&several, LinkType::IEEE802_11);
    let mut later = behind(&data(DATA, 0), inside());
    later[22] = 0x11;
    is_not_ip(&later, LinkType::IEEE802_11);
    let spanning_tree = behind(&data(DATA, 0), vec![0x42, 0x42, 3]);
    is_not_ip(&spanning_tree, LinkType::IEEE802_11);
}

/// A radiotap header of this length that says which fields are there.
fn radiotap(len_bytes: u16, present: &[u32], fields: &[u8]) -> Vec<u8> {
    let mut header = join(&[&[0, 0], &len_bytes.to_le_bytes()]);
    header.extend(present.iter().flat_map(|word| word.to_le_bytes()));
    header.extend(fields);
    header.resize(len_bytes.into(), 0);
    header
}

#[test]
fn radiotap_of_any_length() {
    for len_bytes in [8, 9, 32, 300] {
        carries_both(LinkType::RADIOTAP, |kind, ip| {
            let header = radiotap(len_bytes, &[0], &[]);
            join(&[&header, &data(DATA, TO_DS), &llc_snap(kind, ip)])
        });
    }
}

/// Drivers that fill the 802.11 header to whole words say so in the flags, which stand behind a
/// timer where there is one.
#[test]
fn radiotap_tells_of_a_filled_header() {
    const TIMER: u32 = 1;
    const FLAGS: u32 = 2;
    const MORE: u32 = 1 << 31;
    const FILLED: u8 = 0x20;
    let timer = [0x20; 8];
    let headers = [
        radiotap(9, &[FLAGS], &[FILLED]),
        radiotap(17, &[FLAGS | TIMER], &[&timer[..], &[FILLED]].concat()),
        radiotap(13, &[FLAGS | MORE, 0], &[FILLED]),
        // The timer stands at a multiple of eight.
        radiotap(
            25,
            &[FLAGS | TIMER | MORE, 0],
            &[&[0; 4], &timer[..], &[FILLED]].concat(),
        ),
    ];
    for header in headers {
        // A header of 26 octets is filled up to 28, and one of 24 stays.
        for (data, fill) in [
            (join(&[&data(QOS_DATA, TO_DS), &[6, 0]]), &[0; 2][..]),
            (data(DATA, TO_DS), &[]),
        ] {
            carries_both(LinkType::RADIOTAP, |kind, ip| {
                join(&[&header, &data, fill, &llc_snap(kind, ip)])
            });
        }
    }
    // Another field of the same octets is no flags.
    let rate = radiotap(9, &[4], &[FILLED]);
    carries_both(LinkType::RADIOTAP, |kind, ip| {
        let data = join(&[&data(QOS_DATA, TO_DS), &[6, 0]]);
        join(&[&rate, &data, &llc_snap(kind, ip)])
    });
}

/// A cooked header before radiotap, or before Frame Relay: its protocol field says nothing.
#[test]
fn cooked_captures_of_devices_with_headers_of_their_own() {
    let wireless = |kind, ip| {
        let header = radiotap(8, &[0], &[]);
        join(&[&header, &data(DATA, TO_DS), &llc_snap(kind, ip)])
    };
    let relayed = |kind, ip: Vec<u8>| {
        let protocol = if kind == IP4 { 0xcc } else { 0x8e };
        behind(&[0x18, 0x41, 3, protocol], ip)
    };
    carries_both(LinkType::LINUX_SLL, |kind, ip| {
        sll(803, 4, wireless(kind, ip))
    });
    carries_both(LinkType::LINUX_SLL2, |kind, ip| {
        sll2(803, 4, wireless(kind, ip))
    });
    carries_both(LinkType::LINUX_SLL, |kind, ip| {
        sll(770, 0, relayed(kind, ip))
    });
}

#[test]
fn radiotap_that_is_none() {
    let frame = join(&[&data(DATA, 0), &llc_snap(IP4, v4())]);
    let of_version_1 = behind(&[1, 0, 8, 0, 0, 0, 0, 0], frame.clone());
    is_unreadable(&of_version_1, LinkType::RADIOTAP);
    is_unreadable(
        &behind(&[0, 0, 7, 0, 0, 0, 0, 0], frame),
        LinkType::RADIOTAP,
    );
    // So far behind the beginning that no offset would hold it.
    is_unreadable(&radiotap(0x8000, &[0], &[]), LinkType::RADIOTAP);
}

#[test]
fn prism_and_avs() {
    let mut prism = vec![0x44, 0, 0, 0, 144, 0, 0, 0];
    prism.resize(144, 0);
    carries_both(LinkType::PRISM, |kind, ip| {
        join(&[&prism, &data(DATA, 0), &llc_snap(kind, ip)])
    });
    for version in [1, 2] {
        let mut avs = vec![0x80, 0x21, 0x10, version, 0, 0, 0, 64];
        avs.resize(64, 0);
        for link_type in [LinkType::AVS, LinkType::PRISM] {
            carries_both(link_type, |kind, ip| {
                join(&[&avs, &data(DATA, 0), &llc_snap(kind, ip)])
            });
        }
    }
    is_unreadable(&[0x80, 0x21, 0x10, 1, 0, 0, 0, 7], LinkType::AVS);
    is_unreadable(&[0x80, 0x21, 0x11, 1, 0, 0, 0, 64], LinkType::AVS);
}

/// Per-Packet Information: one field of four octets, then a frame of that link type.
fn ppi(link_type: u8, rest: Vec<u8>) -> Vec<u8> {
    let header = [0, 0, 16, 0, link_type, 0, 0, 0, 2, 0, 4, 0, 1, 2, 3, 4];
    behind(&header, rest)
}

#[test]
fn per_packet_information_before_any_frame() {
    carries_both(LinkType::PPI, |kind, ip| {
        ppi(105, join(&[&data(DATA, TO_DS), &llc_snap(kind, ip)]))
    });
    carries_both(LinkType::PPI, |kind, ip| ppi(1, ethernet(kind, ip)));
    sees(&ppi(101, v6()), LinkType::PPI, syn25_over_v6(16));
    is_unreadable(&ppi(147, v4()), LinkType::PPI);
    is_unreadable(&ppi(192, ppi(1, ethernet(IP4, v4()))), LinkType::PPI);
    is_unreadable(&[1, 0, 8, 0, 1, 0, 0, 0], LinkType::PPI);
    is_unreadable(&[0, 0, 7, 0, 1, 0, 0, 0], LinkType::PPI);
}

#[test]
fn pktap_before_any_frame() {
    let pktap = |kind: u8, link_type: u8, rest: Vec<u8>| {
        let mut header = vec![108, 0, 0, 0, kind, 0, 0, 0, link_type, 0, 0, 0];
        header.resize(108, 0);
        behind(&header, rest)
    };
    carries_both(LinkType::PKTAP, |kind, ip| pktap(1, 1, ethernet(kind, ip)));
    sees(&pktap(1, 12, v4()), LinkType::PKTAP, syn25_over_v4(108));
    // A record without a frame.
    is_not_ip(&pktap(0, 1, vec![]), LinkType::PKTAP);
    is_unreadable(&pktap(1, 147, v4()), LinkType::PKTAP);
    let twice = join(&[&[12, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0], &pktap(1, 12, v4())]);
    is_unreadable(&twice, LinkType::PKTAP);
}

#[test]
fn token_ring_with_and_without_a_route() {
    let header = |source: u8| [0x10, 0x40, 2, 0, 0, 0, 0, 2, source, 0, 0, 0, 0, 1];
    carries_both(LinkType::TOKEN_RING, |kind, ip| {
        behind(&header(2), llc_snap(kind, ip))
    });
    let route = [0x06, 0x90, 0x12, 0x31, 0x45, 0x60];
    carries_both(LinkType::TOKEN_RING, |kind, ip| {
        join(&[&header(0x82), &route, &llc_snap(kind, ip)])
    });
    let mut medium_access = behind(&header(2), llc_snap(IP4, v4()));
    medium_access[1] = 0x02;
    is_not_ip(&medium_access, LinkType::TOKEN_RING);
    is_unreadable(&behind(&header(0x82), vec![0x01]), LinkType::TOKEN_RING);
}

#[test]
fn fddi() {
    for control in [0x50, 0x54, 0x57, 0xd0] {
        let header = [control, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        carries_both(LinkType::FDDI, |kind, ip| {
            behind(&header, llc_snap(kind, ip))
        });
    }
    // A token, station management, short addresses.
    for control in [0x80, 0x41, 0x10] {
        let header = [control, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        is_not_ip(&behind(&header, llc_snap(IP4, v4())), LinkType::FDDI);
    }
}

#[test]
fn arcnet_as_linux_captures_it() {
    let header = |protocol| [0xbe, 0x50, 0xab, 0x08, protocol];
    let new = |kind: u16, split: u8, ip: Vec<u8>| {
        let protocol = if kind == IP4 { 212 } else { 196 };
        join(&[&header(protocol), &[split, 0, 1], &ip])
    };
    carries_both(LinkType::ARCNET_LINUX, |kind, ip| new(kind, 0, ip));
    carries_both(LinkType::ARCNET_LINUX, |kind, ip| new(kind, 3, ip));
    sees(
        &behind(&header(240), v4()),
        LinkType::ARCNET_LINUX,
        syn25_over_v4(5),
    );
    is_not_ip(&new(IP4, 2, v4()), LinkType::ARCNET_LINUX);
    // ARP, by both RFCs.
    is_not_ip(&behind(&header(241), v4()), LinkType::ARCNET_LINUX);
    is_not_ip(&behind(&header(213), v4()), LinkType::ARCNET_LINUX);
}

#[test]
fn ethernet_that_a_switch_marked() {
    let addresses = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let marked = |mark: &[u8], kind: u16, rest: Vec<u8>| {
        join(&[&addresses, mark, &kind.to_be_bytes(), &rest])
    };
    let mark = [0xc0, 0x10, 0x05, 0x39];
    for link_type in [LinkType::DSA_MARVELL, LinkType::DSA_BROADCOM] {
        carries_both(link_type, |kind, ip| marked(&mark, kind, ip));
        carries_both(link_type, |kind, ip| marked(&mark, 0x8100, tag(kind, ip)));
        is_not_ip(&marked(&mark, 38, vec![0x42, 0x42, 3]), link_type);
    }
    let with_a_type = [0xda, 0xda, 0, 0, 0xc0, 0, 0, 0];
    carries_both(LinkType::EDSA_MARVELL, |kind, ip| {
        marked(&with_a_type, kind, ip)
    });
    carries_both(LinkType::EDSA_MARVELL, |kind, ip| marked(&[], kind, ip));
}

#[test]
fn ip_over_infiniband() {
    carries_both(LinkType::IPOIB, |kind, ip| {
        join(&[&[0xab; 40], &kind.to_be_bytes(), &[0, 0], &ip])
    });
    let arp = join(&[&[0xab; 40], &[8, 6, 0, 0]]);
    is_not_ip(&arp, LinkType::IPOIB);
}

#[test]
fn frame_relay() {
    let nlpid = |kind: u16| if kind == IP4 { 0xcc } else { 0x8e };
    let addresses: [&[u8]; 3] = [
        &[0x18, 0x41],
        &[0x18, 0x40, 0x01],
        &[0x18, 0x40, 0x02, 0x05],
    ];
    for address in addresses {
        carries_both(LinkType::FRAME_RELAY, |kind, ip| {
            join(&[address, &[3, nlpid(kind)], &ip])
        });
        // An octet fills up to an even length.
        carries_both(LinkType::FRAME_RELAY, |kind, ip| {
            let snap = [3, 0, 0x80, 0, 0, 0];
            join(&[address, &snap, &kind.to_be_bytes(), &ip])
        });
        carries_both(LinkType::FRAME_RELAY, |kind, ip| {
            join(&[address, &kind.to_be_bytes(), &ip])
        });
    }
    // Q.933, a bridged frame.
    is_not_ip(&[0x18, 0x41, 3, 0x08], LinkType::FRAME_RELAY);
    is_not_ip(
        &[0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7],
        LinkType::FRAME_RELAY,
    );
    is_unreadable(&[0x18, 0x40, 0x40, 0x40, 0x41], LinkType::FRAME_RELAY);
    is_unreadable(&[0x19, 0x41, 3, 0xcc], LinkType::FRAME_RELAY);
}

/// Records hold attributes of whole words; lengths are in the byte order of whoever wrote them.
#[test]
fn netfilter_log_records() {
    let attribute = |little: bool, kind: u16, value: &[u8]| {
        let len = value.len() as u16 + 4;
        let fields = if little {
            [len.to_le_bytes(), kind.to_le_bytes()]
        } else {
            [len.to_be_bytes(), kind.to_be_bytes()]
        };
        let mut attribute = join(&[fields.as_flattened(), value]);
        attribute.resize(attribute.len().next_multiple_of(4), 0);
        attribute
    };
    for little in [true, false] {
        let record = |kind: u16, ip: Vec<u8>| {
            let family = if kind == IP4 { 2 } else { 10 };
            join(&[
                &[family, 0, 0, 0x28],
                &attribute(little, 1, &[8, 0, 1, 0]),
                &attribute(little, 10, &[0]),
                &attribute(little, 9, &ip),
            ])
        };
        // The payload's own length bounds what is read, so what follows is left.
        carries_both(LinkType::NFLOG, record);
        let short = join(&[&[2, 0, 0, 0x28], &attribute(little, 9, &v4()[..30])]);
        let packet = parse(&short, LinkType::NFLOG);
        assert_eq!((packet.shape, packet.wants_more), (Shape::Malformed, false));
        // What only names addresses of hardware, and a length that is less than its own field.
        is_not_ip(&[7, 0, 0, 0], LinkType::NFLOG);
        let empty = join(&[&[2, 0, 0, 0x28], &attribute(little, 1, &[])]);
        let mut no_length = behind(&empty, vec![0; 8]);
        no_length[if little { 4 } else { 5 }] = 3;
        is_unreadable(&no_length, LinkType::NFLOG);
        let many = [&[2, 0, 0, 0x28][..], &attribute(little, 1, &[]).repeat(32)].concat();
        let many = behind(&many, attribute(little, 9, &v4()));
        sees(
            &many,
            LinkType::NFLOG,
            Packet::bare(Shape::EncapsulationLimit),
        );
    }
    is_unreadable(&[2, 1, 0, 0], LinkType::NFLOG);
    is_unreadable(&[2, 0, 0, 0, 8, 0, 9, 1], LinkType::NFLOG);
}
