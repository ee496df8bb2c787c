//! From the link header to the IP header.

use crate::closed::parse;
use crate::frames::*;
use sekisho::wire::{LinkType, Packet, Shape};

fn v4() -> Vec<u8> {
    V4::tcp().over(syn25())
}

fn v6() -> Vec<u8> {
    V6::tcp().over(syn25())
}

fn unparsed(wants_more: bool) -> Packet {
    Packet {
        wants_more,
        ..Packet::bare(Shape::Unparsed)
    }
}

#[track_caller]
fn sees(frame: &[u8], link_type: LinkType, expected: Packet) {
    assert_eq!(parse(frame, link_type), expected, "{frame:02x?}");
}

#[track_caller]
fn sees_ethernet(frame: &[u8], expected: Packet) {
    sees(frame, LinkType::ETHERNET, expected);
}

#[test]
fn plain_ethernet() {
    sees_ethernet(&ethernet(IP4, v4()), syn25_over_v4(14));
    sees_ethernet(&ethernet(IP6, v6()), syn25_over_v6(14));
}

#[test]
fn up_to_four_tags_of_any_type_are_followed() {
    for tpid in [0x8100, 0x88a8, 0x9100, 0x9200] {
        let (mut four, mut six) = (tag(IP4, v4()), tag(IP6, v6()));
        for tags in 1..=4 {
            sees_ethernet(&ethernet(tpid, four.clone()), syn25_over_v4(14 + 4 * tags));
            sees_ethernet(&ethernet(tpid, six.clone()), syn25_over_v6(14 + 4 * tags));
            (four, six) = (tag(0x8100, four), tag(0x8100, six));
        }
        sees_ethernet(
            &ethernet(tpid, four),
            Packet::bare(Shape::EncapsulationLimit),
        );
    }
}

/// 802.1ah: a customer's whole frame behind the backbone's own addresses and a tag of 4 octets.
#[test]
fn backbone_tags_are_opened_and_count_as_tags() {
    let backbone = |inner: Vec<u8>| [vec![0, 0x1e, 0xbb, 0x30], inner].concat();
    let plain = ethernet(0x88e7, backbone(ethernet(IP4, v4())));
    sees_ethernet(&plain, syn25_over_v4(32));
    let customer = ethernet(0x88a8, tag(0x8100, tag(IP6, v6())));
    let carried = ethernet(0x88a8, tag(0x88e7, backbone(customer)));
    sees_ethernet(&carried, syn25_over_v6(14 + 4 + 18 + 8));
    for len in 0..=44 {
        sees_ethernet(&carried[..len], unparsed(true));
    }
    let four = (0..4).fold(ethernet(IP4, v4()), |inner, _| {
        ethernet(0x88e7, backbone(inner))
    });
    sees_ethernet(&four, syn25_over_v4(14 + 4 * 18));
    let five = ethernet(0x88e7, backbone(four));
    sees_ethernet(&five, Packet::bare(Shape::EncapsulationLimit));
}

#[test]
fn llc_snap_is_opened_behind_a_tag_too() {
    sees_ethernet(&ethernet(48, llc_snap(IP4, v4())), syn25_over_v4(22));
    let tagged = tag(48, llc_snap(IP6, v6()));
    sees_ethernet(&ethernet(0x8100, tagged), syn25_over_v6(26));
    // Whatever is no type is taken for a length, though no frame may be so long.
    for len in [0, 1500, 1501, 1535] {
        sees_ethernet(&ethernet(len, llc_snap(IP4, v4())), syn25_over_v4(22));
    }
    let tag_inside = llc_snap(0x8100, tag(IP4, v4()));
    sees_ethernet(&ethernet(52, tag_inside), syn25_over_v4(26));
}

#[test]
fn any_other_llc_is_not_ip() {
    let spanning_tree = vec![0x42, 0x42, 3, 0, 0, 0, 0, 0];
    sees_ethernet(&ethernet(38, spanning_tree), Packet::bare(Shape::NotIp));
    let mut cisco_oui = llc_snap(IP4, v4());
    cisco_oui[5] = 0x0c;
    sees_ethernet(&ethernet(48, cisco_oui), Packet::bare(Shape::NotIp));
    sees_ethernet(
        &ethernet(48, llc_snap(40, v4())),
        Packet::bare(Shape::NotIp),
    );
}

#[test]
fn pppoe_sessions_carry_ip_with_both_protocol_field_lengths() {
    sees_ethernet(
        &ethernet(0x8864, pppoe(ppp(0x0021, v4()))),
        syn25_over_v4(22),
    );
    sees_ethernet(
        &ethernet(0x8864, pppoe(ppp(0x0057, v6()))),
        syn25_over_v6(22),
    );
    let short_field = [vec![0x21], v4()].concat();
    sees_ethernet(&ethernet(0x8864, pppoe(short_field)), syn25_over_v4(21));
    let short_field = [vec![0x57], v6()].concat();
    sees_ethernet(&ethernet(0x8864, pppoe(short_field)), syn25_over_v6(21));
}

/// E17
#[test]
fn pppoe_inside_stacked_tags() {
    let session = pppoe(ppp(0x0021, v4()));
    let frame = ethernet(0x88a8, tag(0x8100, tag(0x8864, session)));
    sees_ethernet(&frame, syn25_over_v4(30));
}

#[test]
fn pppoe_discovery_and_ppp_control_are_not_ip() {
    sees_ethernet(&ethernet(0x8863, pppoe(vec![])), Packet::bare(Shape::NotIp));
    let lcp = pppoe(ppp(0xc021, vec![9, 1, 0, 8, 0, 0, 0, 0]));
    sees_ethernet(&ethernet(0x8864, lcp), Packet::bare(Shape::NotIp));
}

#[test]
fn the_pppoe_length_bounds_what_is_read() {
    let of = |len| ethernet(0x8864, pppoe_of(len, ppp(0x0021, v4())));
    // Nothing is in it, or less than an IPv4 header: what lies behind the length is no part of it.
    for len in [0, 1, 2, 12, 21] {
        sees_ethernet(&of(len), unparsed(false));
    }
    let only_the_ip_header = parse(&of(22), LinkType::ETHERNET);
    assert_eq!(only_the_ip_header.shape, Shape::IncompleteHeaders);
    assert!(!only_the_ip_header.wants_more);
    assert_eq!(parse(&of(35), LinkType::ETHERNET).shape, Shape::Malformed);
    for len in [36, 42, 65535] {
        sees_ethernet(&of(len), syn25_over_v4(22));
    }
}

#[test]
fn up_to_four_labels_are_followed() {
    for ether_type in [0x8847, 0x8848] {
        for labels in 1..=4 {
            let offset = 14 + 4 * labels as u16;
            sees_ethernet(
                &ethernet(ether_type, mpls(labels, v4())),
                syn25_over_v4(offset),
            );
            sees_ethernet(
                &ethernet(ether_type, mpls(labels, v6())),
                syn25_over_v6(offset),
            );
        }
        let five = ethernet(ether_type, mpls(5, v4()));
        sees_ethernet(&five, Packet::bare(Shape::EncapsulationLimit));
    }
    let over_ppp = ethernet(0x8864, pppoe(ppp(0x0281, mpls(1, v4()))));
    sees_ethernet(&over_ppp, syn25_over_v4(26));
    let over_ppp = ethernet(0x8864, pppoe(ppp(0x0283, mpls(2, v6()))));
    sees_ethernet(&over_ppp, syn25_over_v6(30));
}

#[test]
fn tags_and_labels_have_caps_of_their_own() {
    let tagged = (0..3).fold(tag(0x8847, mpls(4, v4())), |inner, _| tag(0x8100, inner));
    sees_ethernet(&ethernet(0x88a8, tagged), syn25_over_v4(14 + 16 + 16));
}

#[test]
fn labels_over_anything_but_ip_are_not_ip() {
    let pseudowire = mpls(1, ethernet(IP4, v4()));
    sees_ethernet(&ethernet(0x8847, pseudowire), Packet::bare(Shape::NotIp));
}

#[test]
fn other_ethertypes_are_not_ip() {
    // ARP, LLDP, MACsec, the first and an unassigned one.
    for ether_type in [0x0806, 0x88cc, 0x88e5, 1536, 0xfffe] {
        sees_ethernet(&ethernet(ether_type, v4()), Packet::bare(Shape::NotIp));
        sees_ethernet(&ethernet(ether_type, vec![]), Packet::bare(Shape::NotIp));
        let tagged = ethernet(0x8100, tag(ether_type, vec![]));
        sees_ethernet(&tagged, Packet::bare(Shape::NotIp));
    }
}

#[test]
fn raw_ip_tells_its_family_by_the_first_nibble() {
    for link_type in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD] {
        sees(&v4(), link_type, syn25_over_v4(0));
        sees(&v6(), link_type, syn25_over_v6(0));
        sees(&[0x50; 60], link_type, unparsed(false));
    }
}

#[test]
fn raw_ip_of_one_family_takes_no_other() {
    sees(&v4(), LinkType::IPV4, syn25_over_v4(0));
    sees(&v6(), LinkType::IPV6, syn25_over_v6(0));
    sees(&v6(), LinkType::IPV4, unparsed(false));
    sees(&v4(), LinkType::IPV6, unparsed(false));
}

#[test]
fn loopback_families_in_either_byte_order() {
    let with = |family: [u8; 4], ip: Vec<u8>| [family.to_vec(), ip].concat();
    sees(&with([2, 0, 0, 0], v4()), LinkType::NULL, syn25_over_v4(4));
    sees(&with([0, 0, 0, 2], v4()), LinkType::NULL, syn25_over_v4(4));
    for family in [10, 24, 28, 30] {
        sees(
            &with([family, 0, 0, 0], v6()),
            LinkType::NULL,
            syn25_over_v6(4),
        );
        sees(
            &with([0, 0, 0, family], v6()),
            LinkType::NULL,
            syn25_over_v6(4),
        );
        sees(
            &with([0, 0, 0, family], v6()),
            LinkType::LOOP,
            syn25_over_v6(4),
        );
    }
    sees(&with([0, 0, 0, 2], v4()), LinkType::LOOP, syn25_over_v4(4));
    sees(
        &with([2, 0, 0, 0], v4()),
        LinkType::LOOP,
        Packet::bare(Shape::NotIp),
    );
    sees(
        &with([0, 2, 0, 0], v4()),
        LinkType::NULL,
        Packet::bare(Shape::NotIp),
    );
}

#[test]
fn ppp_with_and_without_address_and_control() {
    for link_type in [LinkType::PPP, LinkType::PPP_HDLC] {
        let bare = ppp(0x0021, v4());
        sees(&bare, link_type, syn25_over_v4(2));
        let framed = [vec![0xff, 3], bare].concat();
        sees(&framed, link_type, syn25_over_v4(4));
        let framed_short_field = [vec![0xff, 3, 0x57], v6()].concat();
        sees(&framed_short_field, link_type, syn25_over_v6(3));
        sees(&ppp(0x8021, vec![1]), link_type, Packet::bare(Shape::NotIp));
    }
}

#[test]
fn cisco_hdlc_also_under_the_number_of_ppp_in_hdlc_like_framing() {
    for link_type in [LinkType::CISCO_HDLC, LinkType::PPP_HDLC] {
        sees(&cisco_hdlc(IP4, v4()), link_type, syn25_over_v4(4));
        sees(
            &cisco_hdlc(0x8847, mpls(1, v6())),
            link_type,
            syn25_over_v6(8),
        );
        let keepalive = cisco_hdlc(0x8035, vec![0; 18]);
        sees(&keepalive, link_type, Packet::bare(Shape::NotIp));
    }
}

#[test]
fn linux_cooked_with_tags_and_llc_inside() {
    let inner: [(u16, Vec<u8>, Packet); 4] = [
        (IP4, v4(), syn25_over_v4(0)),
        (IP6, v6(), syn25_over_v6(0)),
        (0x8100, tag(IP4, v4()), syn25_over_v4(4)),
        (4, llc_snap(IP4, v4()), syn25_over_v4(8)),
    ];
    for (protocol, payload, expected) in inner {
        // A header that is no Ethernet's, too: 0xfffe is a tunnel device's.
        for hardware in [1, 0xfffe] {
            let behind = |len| Packet {
                ip_offset: expected.ip_offset + len,
                ..expected
            };
            let frame = sll(hardware, protocol, payload.clone());
            sees(&frame, LinkType::LINUX_SLL, behind(16));
            let frame = sll2(hardware, protocol, payload.clone());
            sees(&frame, LinkType::LINUX_SLL2, behind(20));
        }
    }
}

#[test]
fn linux_cooked_netlink_numbers_its_own_protocols() {
    let netlink = 824;
    sees(
        &sll(netlink, IP4, v4()),
        LinkType::LINUX_SLL,
        Packet::bare(Shape::NotIp),
    );
    sees(
        &sll2(netlink, IP4, v4()),
        LinkType::LINUX_SLL2,
        Packet::bare(Shape::NotIp),
    );
    // 802.3 frames without LLC, and CAN.
    sees(
        &sll(1, 1, v4()),
        LinkType::LINUX_SLL,
        Packet::bare(Shape::NotIp),
    );
    sees(
        &sll(280, 12, v4()),
        LinkType::LINUX_SLL,
        Packet::bare(Shape::NotIp),
    );
}

/// Whatever announces IP, and ends before its first octet, could still be read if it were longer.
#[test]
fn a_cut_inside_link_headers_wants_more() {
    let ip_offset_and_frame: [(LinkType, usize, Vec<u8>); 12] = [
        (LinkType::ETHERNET, 14, ethernet(IP4, v4())),
        (
            LinkType::ETHERNET,
            22,
            ethernet(0x8100, tag(0x88a8, tag(IP6, v6()))),
        ),
        (LinkType::ETHERNET, 22, ethernet(48, llc_snap(IP4, v4()))),
        (
            LinkType::ETHERNET,
            22,
            ethernet(0x8864, pppoe(ppp(0x0021, v4()))),
        ),
        (LinkType::ETHERNET, 22, ethernet(0x8847, mpls(2, v6()))),
        (LinkType::NULL, 4, [vec![2, 0, 0, 0], v4()].concat()),
        (
            LinkType::PPP,
            4,
            [vec![0xff, 3], ppp(0x0021, v4())].concat(),
        ),
        (LinkType::PPP_HDLC, 4, cisco_hdlc(IP4, v4())),
        (LinkType::CISCO_HDLC, 4, cisco_hdlc(IP4, v4())),
        (LinkType::LINUX_SLL, 16, sll(1, IP4, v4())),
        (LinkType::LINUX_SLL2, 20, sll2(1, IP4, v4())),
        (LinkType::RAW, 0, v4()),
    ];
    for (link_type, ip_offset, frame) in ip_offset_and_frame {
        for len in 0..=ip_offset {
            sees(&frame[..len], link_type, unparsed(true));
        }
    }
}

#[test]
fn a_type_that_says_not_ip_is_believed_though_the_rest_is_cut() {
    let spanning_tree = ethernet(38, vec![0x42]);
    sees_ethernet(&spanning_tree, Packet::bare(Shape::NotIp));
    let fifth_tag = (0..3).fold(tag(0x8100, vec![]), |inner, _| tag(0x8100, inner));
    sees_ethernet(
        &ethernet(0x8100, fifth_tag),
        Packet::bare(Shape::EncapsulationLimit),
    );
}

#[test]
fn link_types_that_are_not_read_say_so() {
    for number in 0..=u16::MAX {
        let link_type = LinkType(number);
        // A type that is read wants the rest of an empty frame; any other wants nothing.
        sees(&[], link_type, unparsed(link_type.is_read()));
        assert_eq!(link_type.is_read(), link_type.name().is_some());
    }
    assert_eq!(LinkType::ETHERNET.to_string(), "1 (Ethernet)");
    assert_eq!(LinkType(147).to_string(), "147");
}
