//! What a capture cut off. At every length: a frame that is decided has the verdict that it has
//! with any octets in place of the missing ones; one that is not has both among them.

use crate::{judge, tables};
use sekisho::stage::Facing;
use sekisho::stats::Verdict;
use sekisho::wire::{Frame, LinkType};
use std::collections::HashSet;

const ONLY_NEW: &str = include_str!("../../config/strict.yaml");

/// A whole frame, and where what can be changed in it stands.
struct Whole {
    name: &'static str,
    bytes: Vec<u8>,
    link_type: LinkType,
    /// From here on, both addresses are there.
    addresses_end: usize,
    /// Octets that name the next header.
    next_headers: Vec<usize>,
    tcp_at: usize,
}

const PLAIN: [u8; 20] = [
    0x9c, 0x40, 0, 25, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0,
];

/// Raw IPv4: header with `options` octets of options, then `rest`: where TCP stands in it, and its octets.
fn v4(name: &'static str, fragment: u16, options: u8, protocol: u8, rest: (usize, &[u8])) -> Whole {
    let header_len = 20 + options;
    let [high, low] = (u16::from(header_len) + rest.1.len() as u16).to_be_bytes();
    let [offset_high, offset_low] = fragment.to_be_bytes();
    let mut bytes = vec![
        0x40 | (header_len / 4),
        0,
        high,
        low,
        0,
        0,
        offset_high,
        offset_low,
        64,
        protocol,
        0,
        0,
        192,
        0,
        2,
        1,
        198,
        51,
        100,
        25,
    ];
    bytes.resize(usize::from(header_len), 1);
    bytes.extend(rest.1);
    Whole {
        name,
        bytes,
        link_type: LinkType::RAW,
        addresses_end: 20,
        // Before TCP stands an AH or nothing.
        next_headers: match rest.0 {
            0 => vec![9],
            _ => vec![9, usize::from(header_len)],
        },
        tcp_at: usize::from(header_len) + rest.0,
    }
}

/// Raw IPv6: the fixed header, then extension headers, then TCP.
fn v6(name: &'static str, next: u8, chain: &[&[u8]], tcp: &[u8]) -> Whole {
    let rest = [chain.concat().as_slice(), tcp].concat();
    let [high, low] = (rest.len() as u16).to_be_bytes();
    let mut bytes = vec![0x60, 0, 0, 0, high, low, next, 64];
    let address = |last| [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    bytes.extend([address(1), address(2)].concat());
    bytes.extend(rest);
    let mut whole = Whole {
        name,
        bytes,
        link_type: LinkType::RAW,
        addresses_end: 40,
        next_headers: vec![6],
        tcp_at: 40,
    };
    for header in chain {
        whole.next_headers.push(whole.tcp_at);
        whole.tcp_at += header.len();
    }
    whole
}

/// The same behind other octets.
fn behind(name: &'static str, link: &[u8], link_type: LinkType, whole: Whole) -> Whole {
    Whole {
        name,
        bytes: [link, &whole.bytes].concat(),
        link_type,
        addresses_end: whole.addresses_end + link.len(),
        next_headers: whole
            .next_headers
            .iter()
            .map(|at| at + link.len())
            .collect(),
        tcp_at: whole.tcp_at + link.len(),
    }
}

fn wholes() -> impl Iterator<Item = Whole> {
    over_v4().into_iter().chain(over_v6())
}

fn over_v4() -> Vec<Whole> {
    let mut web = PLAIN;
    web[3] = 80;
    let mut answer = PLAIN;
    (answer[0], answer[1], answer[13]) = (0, 25, 0x12);
    let authentication = [6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    let ah_over = |tcp: &[u8]| [&authentication, tcp].concat();
    let ethernet = |ether_type: [u8; 2]| [&[2; 12][..], &ether_type].concat();
    let pppoe = [
        &ethernet([0x88, 0x64])[..],
        &[0x11, 0, 0, 1, 0, 42, 0, 0x21],
    ]
    .concat();
    let mut lying = v4("an IP length beyond the frame", 0, 0, 6, (0, &PLAIN[..9]));
    lying.bytes[3] = 200;
    let mut offload = v4("an IP length of 0", 0, 0, 6, (0, &PLAIN));
    offload.bytes[2..4].fill(0);
    vec![
        v4("a SYN", 0, 0, 6, (0, &PLAIN)),
        v4("a SYN to the web", 0, 0, 6, (0, &web)),
        v4("a SYN-ACK from port 25", 0, 0, 6, (0, &answer)),
        v4("options", 0, 40, 6, (0, &PLAIN)),
        v4("options, malformed", 0, 40, 6, (0, &PLAIN[..5])),
        v4("options, nothing behind", 0, 40, 6, (0, &[])),
        v4("UDP", 0, 0, 17, (0, &PLAIN)),
        v4("AH", 0, 0, 51, (12, &ah_over(&PLAIN))),
        v4("AH, malformed", 0, 8, 51, (12, &ah_over(&PLAIN[..9]))),
        v4("a first fragment", 0x2000, 0, 6, (0, &PLAIN)),
        v4("a tiny fragment to the web", 0x2000, 0, 6, (0, &web[..10])),
        v4("an overlapping fragment", 1, 0, 6, (0, &PLAIN)),
        v4("a later fragment", 2, 0, 6, (0, &PLAIN)),
        v4("malformed, to the web", 0, 0, 6, (0, &web[..13])),
        lying,
        offload,
        behind(
            "Ethernet",
            &ethernet([8, 0]),
            LinkType::ETHERNET,
            v4("", 0, 0, 6, (0, &PLAIN)),
        ),
        // 42 octets of PPP: its protocol field and the packet.
        behind(
            "PPPoE",
            &pppoe,
            LinkType::ETHERNET,
            v4("", 0, 0, 6, (0, &PLAIN)),
        ),
        behind(
            "PPPoE that ends inside TCP",
            &pppoe,
            LinkType::ETHERNET,
            v4("", 0, 8, 6, (0, &web)),
        ),
    ]
}

fn over_v6() -> Vec<Whole> {
    let mut web = PLAIN;
    web[3] = 80;
    let options = [6, 0, 1, 4, 0, 0, 0, 0];
    let (to_fragment, to_options) = (
        [44, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [60, 0, 1, 4, 0, 0, 0, 0],
    );
    let first = [6, 0, 0, 1, 0, 0, 0, 7];
    vec![
        v6("a SYN over IPv6", 6, &[], &PLAIN),
        v6("no octet of TCP", 6, &[], &[]),
        v6("options over IPv6", 60, &[&options], &PLAIN),
        v6("two headers", 60, &[&to_options, &options], &PLAIN),
        v6(
            "two headers, malformed",
            60,
            &[&to_options, &options],
            &web[..13],
        ),
        v6("a cut header", 60, &[&to_options, &options[..6]], &[]),
        v6(
            "a chain to a first fragment",
            0,
            &[&to_fragment, &first],
            &PLAIN,
        ),
        v6("a first fragment over IPv6", 44, &[&first], &PLAIN),
        v6("a tiny fragment over IPv6", 44, &[&first], &web[..9]),
        v6("nine headers", 60, &[to_options.as_slice(); 9], &PLAIN),
    ]
}

/// The frame with other octets behind `cut`: every mix of next headers, ports and flags.
fn completions(whole: &Whole, cut: usize) -> HashSet<Vec<u8>> {
    let mut frames = HashSet::from([whole.bytes.clone()]);
    let mut vary = |at: usize, values: &[&[u8]]| {
        if values.iter().all(|value| at + value.len() <= cut) {
            return;
        }
        let varied: Vec<_> = frames
            .iter()
            .flat_map(|frame| values.iter().map(move |value| (frame.clone(), *value)))
            .collect();
        for (mut frame, value) in varied {
            for (octet, value) in frame.iter_mut().skip(at).zip(value) {
                *octet = *value;
            }
            frame[..cut].copy_from_slice(&whole.bytes[..cut]);
            frames.insert(frame);
        }
    };
    // The last two are enough: what is behind one that is not TCP's way is not looked at.
    for at in whole.next_headers.iter().rev().take(2) {
        vary(*at, &[&[6], &[17]]);
    }
    // The last may be a fragment header: with an offset there is no TCP behind it.
    if let Some(at) = whole.next_headers.last() {
        vary(at + 2, &[&[0, 0x10]]);
    }
    vary(whole.tcp_at, &[&[0, 25], &[0, 80]]);
    vary(whole.tcp_at + 2, &[&[0, 25], &[0, 80]]);
    vary(whole.tcp_at + 13, &[&[0x02], &[0x10]]);
    frames
}

/// Half a port is taken for none, though it may show that the port is not 25.
fn shows_half_a_port(whole: &Whole, cut: usize) -> bool {
    cut == whole.tcp_at + 1 || cut == whole.tcp_at + 3
}

fn check(policy: &str) {
    let tables = tables(policy);
    for whole in wholes() {
        let verdict = |bytes: &[u8], facing| {
            let frame = Frame {
                bytes,
                original_len: whole.bytes.len() as u32,
                link_type: whole.link_type,
            };
            judge(frame, &tables, facing).0
        };
        for cut in 0..whole.bytes.len() {
            let completions = completions(&whole, cut);
            for facing in [Facing::Auto, Facing::Out, Facing::In] {
                let decided = verdict(&whole.bytes[..cut], facing);
                let possible: HashSet<_> = completions
                    .iter()
                    .map(|frame| verdict(frame, facing))
                    .collect();
                let place = format!("{}, cut at {cut}, {facing:?}: {decided}", whole.name);
                if decided != Verdict::Indeterminate {
                    assert_eq!(possible, HashSet::from([decided]), "{place}");
                } else if cut >= whole.addresses_end && !shows_half_a_port(&whole, cut) {
                    let both = HashSet::from([Verdict::Forward, Verdict::Drop]);
                    assert_eq!(possible, both, "{place}");
                }
            }
        }
    }
}

#[test]
fn a_cut_frame_is_decided_exactly_where_what_is_missing_cannot_matter() {
    check(ONLY_NEW);
}

#[test]
fn nor_does_it_matter_under_mode_any() {
    check(&ONLY_NEW.replace("action: drop", "mode: any, action: drop"));
}

/// Whom a frame is for hangs on its source route: while that may be missing, the own server's
/// openness decides nothing.
#[test]
fn a_missing_source_route_may_lead_past_the_own_server() {
    let own = r#"
destinations: { own: { prefixes: [198.51.100.25, "2001:db8::2"] } }
rules:
"#;
    let policy = ONLY_NEW.replace("\nrules:\n", own);
    let tables = tables(&policy.replace("action: drop", "to-other-than: [own], action: drop"));
    let options = v4("", 0, 12, 6, (0, &PLAIN));
    let chain = [[60, 0, 1, 4, 0, 0, 0, 0], [6, 0, 1, 4, 0, 0, 0, 0]];
    let chain = v6("", 60, &[&chain[0], &chain[1]], &PLAIN);
    // In the options; before the octet that says that TCP is next.
    for (whole, unread) in [(options, 20..32), (chain, 40..49)] {
        for cut in unread.start..=whole.bytes.len() {
            let frame = Frame {
                bytes: &whole.bytes[..cut],
                original_len: whole.bytes.len() as u32,
                link_type: whole.link_type,
            };
            let expected = match unread.contains(&cut) {
                true => Verdict::Indeterminate,
                false => Verdict::Forward,
            };
            assert_eq!(judge(frame, &tables, Facing::Out).0, expected, "{cut}");
        }
    }
}
