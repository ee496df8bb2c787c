//! What is never answered, whatever a rule says.

use crate::frames::*;

#[track_caller]
fn never(frame: &[u8]) {
    for with in [answers(4), answers(6)].concat() {
        let reply = answer(frame, with);
        assert!(reply.is_none(), "{with:?}: {:x?}", reply.unwrap());
    }
}

#[track_caller]
fn by_both(frame: &[u8], family: u8) {
    for with in answers(family) {
        assert!(answer(frame, with).is_some(), "{with:?}");
    }
}

/// The frames that the others differ from.
#[test]
fn ordinary_frames_are_answered() {
    by_both(&ethernet(IP4, &ipv4(SYN, b"")), 4);
    by_both(&ethernet(IP6, &ipv6(SYN, b"")), 6);
    by_both(&ethernet(IP4, &from_to4(SUBSCRIBER4, PEER4)), 4);
    by_both(&ethernet(IP6, &from_to6(SUBSCRIBER6, PEER6)), 6);
}

#[test]
fn resets() {
    for flags in [RST, RST | ACK, RST | SYN, RST | SYN | FIN | ACK] {
        never(&ethernet(IP4, &ipv4(flags, b"")));
        never(&ethernet(IP6, &ipv6(flags, b"")));
    }
}

#[test]
fn errors_of_the_other_family() {
    let [icmp4, _] = answers(4);
    let [icmp6, _] = answers(6);
    assert!(answer(&ethernet(IP4, &ipv4(SYN, b"")), icmp6).is_none());
    assert!(answer(&ethernet(IP6, &ipv6(SYN, b"")), icmp4).is_none());
}

/// ICMP and its errors, UDP, ESP, tunnels, ARP.
#[test]
fn what_is_no_tcp() {
    let error = [3, 1, 0, 0, 0, 0, 0, 0];
    let quoted = [&error[..], &ipv4(SYN, b"")].concat();
    for protocol in [1, 4, 17, 41, 47, 50, 132] {
        never(&ethernet(
            IP4,
            &ipv4_of(SUBSCRIBER4, PEER4, protocol, &[], &quoted),
        ));
    }
    for next in [58, 4, 17, 41, 47, 50, 59, 132] {
        never(&ethernet(IP6, &ipv6_of(SUBSCRIBER6, PEER6, next, &quoted)));
    }
    never(&ethernet(0x0806, &[0; 46]));
    never(&[]);
}

fn from_to4(src: [u8; 4], dst: [u8; 4]) -> Vec<u8> {
    let segment = segment(&[src, dst].concat(), SYN, b"");
    ipv4_of(src, dst, TCP, &[], &segment)
}

fn from_to6(src: [u8; 16], dst: [u8; 16]) -> Vec<u8> {
    ipv6_of(src, dst, TCP, &segment(&[src, dst].concat(), SYN, b""))
}

/// Unspecified, this network, loopback, multicast, class E, broadcast; and itself.
#[test]
fn addresses_that_are_no_single_host() {
    for bad in [
        [0, 0, 0, 0],
        [0, 1, 2, 3],
        [127, 0, 0, 1],
        [127, 255, 255, 255],
        [224, 0, 0, 1],
        [239, 255, 255, 255],
        [240, 0, 0, 1],
        [255, 255, 255, 255],
    ] {
        never(&ethernet(IP4, &from_to4(bad, PEER4)));
        never(&ethernet(IP4, &from_to4(SUBSCRIBER4, bad)));
    }
    let mut loopback = [0; 16];
    loopback[15] = 1;
    let mut all_nodes = loopback;
    all_nodes[..2].copy_from_slice(&[0xff, 0x02]);
    for bad in [[0; 16], loopback, all_nodes] {
        never(&ethernet(IP6, &from_to6(bad, PEER6)));
        never(&ethernet(IP6, &from_to6(SUBSCRIBER6, bad)));
    }
    never(&ethernet(IP4, &from_to4(PEER4, PEER4)));
    never(&ethernet(IP6, &from_to6(PEER6, PEER6)));
    let reply_source = [203, 0, 113, 1];
    let frame = ethernet(IP4, &from_to4(reply_source, PEER4));
    assert!(answer(&frame, answers(4)[0]).is_none());
}

#[test]
fn groups_and_broadcasts_of_ethernet() {
    for at in [0, 6] {
        for group in [[1, 0, 0x5e, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 1], [0xff; 6]] {
            for mut frame in [
                ethernet(IP4, &ipv4(SYN, b"")),
                ethernet(IP6, &ipv6(SYN, b"")),
            ] {
                frame[at..at + 6].copy_from_slice(&group);
                never(&frame);
            }
        }
    }
}

/// A later fragment, one that overlaps, a tiny one, and what is cut within 14 octets.
#[test]
fn later_fragments_and_evasive_ones() {
    let whole = ethernet(IP4, &ipv4(SYN, &[0; 100]));
    for offset_and_flags in [0x0001_u16, 0x0002, 0x1000, 0x2001, 0x2100] {
        let mut fragment = whole.clone();
        fragment[20..22].copy_from_slice(&offset_and_flags.to_be_bytes());
        resum(&mut fragment, 14);
        never(&fragment);
    }
    for octets in 0..20 {
        let tcp = &segment(&[SUBSCRIBER4, PEER4].concat(), SYN, b"")[..octets];
        let mut frame = ethernet(IP4, &ipv4_of(SUBSCRIBER4, PEER4, TCP, &[], tcp));
        never(&frame);
        frame[20] = 0x20;
        resum(&mut frame, 14);
        never(&frame);
        never(&ethernet(IP6, &ipv6_of(SUBSCRIBER6, PEER6, TCP, tcp)));
    }
    let tcp = segment(&[SUBSCRIBER6, PEER6].concat(), SYN, b"");
    for offset_and_more in [[0, 8], [0, 16], [0x80, 1]] {
        let header = [TCP, 0, offset_and_more[0], offset_and_more[1], 0, 0, 0, 1];
        let payload = [&header[..], &tcp].concat();
        never(&ethernet(IP6, &ipv6_of(SUBSCRIBER6, PEER6, 44, &payload)));
    }
    let chain = [[60, 0, 1, 4, 0, 0, 0, 0]; 9].concat();
    let payload = [&chain[..], &tcp].concat();
    never(&ethernet(IP6, &ipv6_of(SUBSCRIBER6, PEER6, 60, &payload)));
}

/// How long a segment is that is sent in fragments does not stand in the first: no reset. An error
/// may be sent about it; so is either to an atomic fragment.
#[test]
fn first_fragments_are_not_reset() {
    let mut frame = ethernet(IP4, &ipv4(SYN, &[0; 64]));
    frame[20] = 0x20;
    resum(&mut frame, 14);
    let [icmp, rst] = answers(4);
    assert!(answer(&frame, icmp).is_some() && answer(&frame, rst).is_none());

    let tcp = segment(&[SUBSCRIBER6, PEER6].concat(), SYN, &[0; 64]);
    for (more, is_reset) in [(1, false), (0, true)] {
        let payload = [&[TCP, 0, 0, more, 0, 0, 0, 1], &tcp[..]].concat();
        let frame = ethernet(IP6, &ipv6_of(SUBSCRIBER6, PEER6, 44, &payload));
        let [icmp, rst] = answers(6);
        assert!(answer(&frame, icmp).is_some());
        assert_eq!(answer(&frame, rst).is_some(), is_reset);
    }
}

#[test]
fn source_routes() {
    let tcp = segment(&[SUBSCRIBER4, PEER4].concat(), SYN, b"");
    let with = |options: &[u8]| ethernet(IP4, &ipv4_of(SUBSCRIBER4, PEER4, TCP, options, &tcp));
    by_both(&with(&[1, 1, 1, 0]), 4);
    by_both(&with(&[148, 4, 0, 0]), 4);
    by_both(&with(&[0, 131, 3, 4]), 4);
    for kind in [131, 137] {
        // With an address to go, exhausted, empty, and behind another option.
        never(&with(&[kind, 7, 4, 203, 0, 113, 9, 0]));
        never(&with(&[kind, 7, 8, 203, 0, 113, 9, 0]));
        never(&with(&[kind, 3, 4, 0]));
        never(&with(&[148, 4, 0, 0, 1, kind, 3, 4]));
    }
    // Options that cannot be read.
    for options in [
        [148, 0, 0, 0],
        [148, 1, 0, 0],
        [148, 5, 0, 0],
        [1, 1, 1, 148],
    ] {
        never(&with(&options));
    }
    let tcp = segment(&[SUBSCRIBER6, PEER6].concat(), SYN, b"");
    for (kind, left) in [(0, 1), (0, 0), (2, 1), (3, 0), (4, 1), (4, 0)] {
        let header = [&[TCP, 2, kind, left, 0, 0, 0, 0], &PEER6[..]].concat();
        let payload = [&header[..], &tcp].concat();
        never(&ethernet(IP6, &ipv6_of(SUBSCRIBER6, PEER6, 43, &payload)));
    }
}

/// No host sent these.
#[test]
fn lengths_and_checksums_that_are_wrong() {
    let frame = ethernet(IP4, &ipv4(SYN, &[0; 100]));
    for total_len in [0_u16, 161, 1_500, 65_535] {
        let mut frame = frame.clone();
        frame[16..18].copy_from_slice(&total_len.to_be_bytes());
        resum(&mut frame, 14);
        never(&frame);
    }
    let mut spoilt = frame.clone();
    spoilt[24] ^= 1;
    never(&spoilt);
    let six = ethernet(IP6, &ipv6(SYN, &[0; 100]));
    for payload_len in [0_u16, 121, 65_535] {
        let mut frame = six.clone();
        frame[18..20].copy_from_slice(&payload_len.to_be_bytes());
        never(&frame);
    }
    // A data offset within the fixed header, or past the end of 20 octets.
    for offset in (0..5).chain(6..=15) {
        let mut frame = ethernet(IP4, &ipv4(SYN, b""));
        frame[14 + 20 + 12] = offset << 4;
        never(&frame);
        let mut frame = ethernet(IP6, &ipv6(SYN, b""));
        frame[14 + 40 + 12] = offset << 4;
        never(&frame);
    }
}
