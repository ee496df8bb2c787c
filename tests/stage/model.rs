//! Every shape × who the ends are × direction × what the rules say, against a model that follows
//! the contracts sentence by sentence and knows no table.

use crate::{Judged, judge, tables};
use etherparse::PacketBuilder;
use sekisho::stage::Facing;
use sekisho::stats::{Reason, Verdict};
use sekisho::wire::{Frame, LinkType};

const POLICY: &str = "
isp: model
time_zone: Asia/Tokyo
plans:
  blocked: { kind: dynamic }
  counted: { kind: dynamic }
  any: { kind: dynamic }
  odd: { kind: dynamic }
  open: { kind: fixed }
subscribers:
  - { plan: blocked, prefixes: [10.1.0.0/16, 2001:db8:1::/48] }
  - { plan: counted, prefixes: [10.2.0.0/16, 2001:db8:2::/48] }
  - { plan: any, prefixes: [10.3.0.0/16, 2001:db8:3::/48] }
  - { plan: odd, prefixes: [10.4.0.0/16, 2001:db8:4::/48] }
  - { plan: open, prefixes: [10.5.0.0/16, 2001:db8:5::/48] }
destinations:
  own: { prefixes: [10.9.0.0/16, 2001:db8:9::/48] }
rules:
  - { name: new, plans: [blocked], to-other-than: [own], action: drop }
  - { name: would, plans: [counted], action: count }
  - { name: all, plans: [any], mode: any, action: drop }
  - { name: odd-new, plans: [odd], action: forward }
  - { name: odd-rest, plans: [odd], mode: any, action: drop }
";

/// Someone at one end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Blocked = 1,
    Counted = 2,
    Any = 3,
    Odd = 4,
    Open = 5,
    Stranger = 6,
    Own = 9,
}

const ENDS: [End; 7] = [
    End::Blocked,
    End::Counted,
    End::Any,
    End::Odd,
    End::Open,
    End::Stranger,
    End::Own,
];

impl End {
    fn is_subscriber(self) -> bool {
        !matches!(self, Self::Stranger | Self::Own)
    }

    fn v4(self) -> [u8; 4] {
        [10, self as u8, 0, 1]
    }

    fn v6(self) -> [u8; 16] {
        [
            0x20, 1, 0x0d, 0xb8, 0, self as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        ]
    }

    /// What the rules above say of a subscriber, first match wins.
    fn rule(self, peer: Self, opening: bool) -> Option<(&'static str, Verdict)> {
        match self {
            Self::Blocked if opening && peer != Self::Own => Some(("new", Verdict::Drop)),
            Self::Counted if opening => Some(("would", Verdict::Forward)),
            Self::Any => Some(("all", Verdict::Drop)),
            Self::Odd if opening => Some(("odd-new", Verdict::Forward)),
            Self::Odd => Some(("odd-rest", Verdict::Drop)),
            _ => None,
        }
    }
}

/// What a frame is, as its maker knows.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain(Reason),
    Evasive(Reason),
    Tcp {
        src_port: u16,
        dst_port: u16,
        syn: bool,
        ack: bool,
    },
}

/// One direction, as the contracts have it.
fn one_way(kind: Kind, out: bool, subscriber: End, peer: End) -> Judged {
    let forward = |reason| (Verdict::Forward, reason, None);
    let (opening, reason) = match kind {
        Kind::Plain(reason) => return forward(reason),
        Kind::Evasive(reason) => (true, reason),
        Kind::Tcp {
            src_port,
            dst_port,
            syn,
            ack,
        } => match (out, if out { dst_port } else { src_port }) {
            (true, 25) => (syn && !ack, Reason::Port25Syn),
            (false, 25) => (syn, Reason::Port25Return),
            _ => return forward(Reason::NotCandidate),
        },
    };
    let rule = subscriber.rule(peer, opening);
    match rule {
        Some((name, verdict)) => (verdict, reason, Some(name.to_owned())),
        None if !opening => forward(Reason::NotCandidate),
        None if !subscriber.is_subscriber() => forward(Reason::NoSubscriber),
        None => forward(reason),
    }
}

/// A drop by either drops; of two that forward, the one that has something to say.
fn both_ways(kind: Kind, src: End, dst: End) -> Judged {
    let out = one_way(kind, true, src, dst);
    let inward = one_way(kind, false, dst, src);
    let silent = out.1 == Reason::NotCandidate && inward.1 != Reason::NotCandidate;
    if out.0 == Verdict::Forward && (inward.0 == Verdict::Drop || silent) {
        inward
    } else {
        out
    }
}

fn model(kind: Kind, facing: Facing, src: End, dst: End) -> Judged {
    match (facing, src.is_subscriber(), dst.is_subscriber()) {
        (Facing::Out, ..) | (Facing::Auto, true, false) => one_way(kind, true, src, dst),
        (Facing::In, ..) | (Facing::Auto, false, true) => one_way(kind, false, dst, src),
        (Facing::Auto, ..) => both_ways(kind, src, dst),
    }
}

/// Raw IP of either family, with its lengths right.
fn ip(v6: bool, src: End, dst: End, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let builder = if v6 {
        PacketBuilder::ipv6(src.v6(), dst.v6(), 64)
    } else {
        PacketBuilder::ipv4(src.v4(), dst.v4(), 64)
    };
    let mut frame = Vec::new();
    builder.write(&mut frame, protocol.into(), payload).unwrap();
    frame
}

fn tcp(src_port: u16, dst_port: u16, flags: u8) -> Vec<u8> {
    let [a, b] = src_port.to_be_bytes();
    let [c, d] = dst_port.to_be_bytes();
    vec![
        a, b, c, d, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0,
    ]
}

/// Turns an IPv4 packet into a fragment.
fn fragment(mut frame: Vec<u8>, offset: u16, more: bool) -> Vec<u8> {
    let word = offset | if more { 0x2000 } else { 0 };
    frame[6..8].copy_from_slice(&word.to_be_bytes());
    frame
}

/// One frame of every shape, and segments of every kind.
fn frames(v6: bool, src: End, dst: End) -> Vec<(Kind, Vec<u8>)> {
    let over = |protocol, payload: &[u8]| ip(v6, src, dst, protocol, payload);
    let mut frames = vec![
        (
            Kind::Plain(Reason::NotCandidate),
            over(17, &[0, 25, 0, 25, 0, 8, 0, 0]),
        ),
        (Kind::Plain(Reason::NotCandidate), over(50, &tcp(25, 25, 2))),
        (
            Kind::Plain(Reason::Unparsed),
            over(6, &tcp(25, 25, 2))[..19].to_vec(),
        ),
        (
            Kind::Evasive(Reason::Malformed),
            over(6, &tcp(9, 80, 2)[..13]),
        ),
        (Kind::Evasive(Reason::IncompleteHeaders), over(51, &[6])),
    ];
    if v6 {
        // Nine destination options headers of eight octets.
        let chain = [[60, 0, 1, 4, 0, 0, 0, 0]; 9].concat();
        frames.push((Kind::Evasive(Reason::HeaderChainLimit), over(60, &chain)));
    } else {
        let part = |offset, more, len| fragment(over(6, &tcp(25, 25, 2)[..len]), offset, more);
        frames.extend([
            (Kind::Plain(Reason::LaterFragment), part(2, false, 20)),
            (Kind::Plain(Reason::LaterFragment), part(4096, true, 20)),
            (
                Kind::Evasive(Reason::OverlappingFragment),
                part(1, false, 20),
            ),
            (Kind::Evasive(Reason::TinyFragment), part(0, true, 8)),
        ]);
    }
    for (src_port, dst_port) in [(40_000, 25), (25, 40_000), (25, 25), (80, 587)] {
        for flags in 0..0x40 {
            let kind = Kind::Tcp {
                src_port,
                dst_port,
                syn: flags & 0x02 != 0,
                ack: flags & 0x10 != 0,
            };
            frames.push((kind, over(6, &tcp(src_port, dst_port, flags))));
        }
    }
    frames
}

#[test]
fn decisions_follow_the_contracts() {
    let tables = tables(POLICY);
    for (v6, src) in ENDS.into_iter().flat_map(|src| [(false, src), (true, src)]) {
        for dst in ENDS {
            for (kind, bytes) in frames(v6, src, dst) {
                for facing in [Facing::Auto, Facing::Out, Facing::In] {
                    let frame = Frame {
                        bytes: &bytes,
                        original_len: bytes.len() as u32,
                        link_type: LinkType::RAW,
                    };
                    assert_eq!(
                        judge(frame, &tables, facing),
                        model(kind, facing, src, dst),
                        "{kind:?} {src:?} → {dst:?} {facing:?}, IPv6: {v6}"
                    );
                }
            }
        }
    }
}
