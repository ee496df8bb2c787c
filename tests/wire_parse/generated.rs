//! Frames made from a plan, and the shape that the plan alone, without its octets, must give.

use crate::frames::*;
use proptest::prelude::*;
use sekisho::wire::{LinkType, Shape};

/// What a frame is made of, from the outside in.
#[derive(Clone, Debug)]
pub struct Plan {
    pub link: LinkType,
    pub tags: Vec<u16>,
    pub snap: bool,
    pub pppoe: Option<Ppp>,
    pub labels: usize,
    pub ip: Ip,
}

/// How the PPP protocol field is written.
#[derive(Clone, Copy, Debug)]
pub enum Ppp {
    TwoOctets,
    OneOctet,
}

#[derive(Clone, Debug)]
pub enum Ip {
    V4 {
        options: usize,
        offset: u16,
        more: bool,
        chain: Vec<Extension>,
    },
    V6 {
        chain: Vec<Extension>,
    },
}

/// An extension header: its kind, and its length field or its place in a datagram.
#[derive(Clone, Copy, Debug)]
pub struct Extension {
    kind: u8,
    units: u8,
    offset: u16,
    more: bool,
}

impl Extension {
    fn len_bytes(self) -> usize {
        match self.kind {
            FRAGMENT => 8,
            AH => 4 * (usize::from(self.units) + 2),
            _ => 8 * (usize::from(self.units) + 1),
        }
    }

    fn over(self, next: u8, inner: Vec<u8>) -> Vec<u8> {
        match self.kind {
            FRAGMENT => fragment(next, self.offset, self.more, inner),
            AH => authentication(next, self.units, inner),
            _ => extension(next, self.units, inner),
        }
    }
}

/// A plan, and what stands behind its headers.
#[derive(Clone, Debug)]
pub struct Generated {
    pub plan: Plan,
    pub protocol: u8,
    pub transport: Vec<u8>,
}

impl Generated {
    pub fn frame(&self) -> Vec<u8> {
        let plan = &self.plan;
        let (mut ether_type, mut frame) = self.ip();
        if plan.labels > 0 {
            (ether_type, frame) = (0x8847, mpls(plan.labels, frame));
        }
        if let Some(field) = plan.pppoe {
            frame = pppoe(over_ppp(field, ether_type, frame));
            ether_type = 0x8864;
        }
        if plan.snap {
            frame = llc_snap(ether_type, frame);
            ether_type = 100;
        }
        for tpid in plan.tags.iter().rev() {
            frame = tag(ether_type, frame);
            ether_type = *tpid;
        }
        match plan.link {
            LinkType::LINUX_SLL => sll(1, if ether_type == 100 { 4 } else { ether_type }, frame),
            LinkType::LINUX_SLL2 => sll2(1, if ether_type == 100 { 4 } else { ether_type }, frame),
            _ => ethernet(ether_type, frame),
        }
    }

    /// Without what stands before it.
    pub fn ip(&self) -> (u16, Vec<u8>) {
        let (Ip::V4 { chain, .. } | Ip::V6 { chain }) = &self.plan.ip;
        let (first, payload) = chain.iter().rev().fold(
            (self.protocol, self.transport.clone()),
            |(next, inner), header| (header.kind, header.over(next, inner)),
        );
        match self.plan.ip {
            Ip::V4 {
                options,
                offset,
                more,
                ..
            } => {
                let header = V4::of(first).options(options).fragment(offset, more);
                (IP4, header.over(payload))
            }
            Ip::V6 { .. } => (IP6, V6::of(first).over(payload)),
        }
    }

    /// The shape by the rules, read off the plan.
    pub fn shape(&self) -> Shape {
        let plan = &self.plan;
        if plan.tags.len() > 4 || plan.labels > 4 {
            return Shape::EncapsulationLimit;
        }
        let (chain, mut first_fragment) = match &plan.ip {
            Ip::V4 { offset, chain, .. } if *offset > 0 => {
                let protocol = chain.first().map_or(self.protocol, |header| header.kind);
                return later(*offset, protocol);
            }
            Ip::V4 { more, chain, .. } => (chain, *more),
            Ip::V6 { chain } => (chain, false),
        };
        let mut sum_bytes = 0;
        for (index, header) in chain.iter().enumerate() {
            let next = chain
                .get(index + 1)
                .map_or(self.protocol, |header| header.kind);
            sum_bytes += header.len_bytes();
            if index >= 8 || sum_bytes > 256 {
                let to_tcp = next == TCP || index + 1 < chain.len();
                return if to_tcp {
                    Shape::HeaderChainLimit
                } else {
                    Shape::Opaque
                };
            }
            if header.kind == FRAGMENT && header.offset > 0 {
                return later(header.offset, next);
            }
            first_fragment |= header.kind == FRAGMENT && header.more;
        }
        match (self.protocol, self.transport.len()) {
            (TCP, 0) => Shape::IncompleteHeaders,
            (TCP, 1..14) if first_fragment => Shape::TinyFragment,
            (TCP, 1..14) => Shape::Malformed,
            (TCP, _) => Shape::Tcp,
            _ => Shape::Opaque,
        }
    }

    /// Where IP begins, by what stands before it.
    pub fn ip_offset(&self) -> usize {
        let plan = &self.plan;
        let link = match plan.link {
            LinkType::LINUX_SLL => 16,
            LinkType::LINUX_SLL2 => 20,
            _ => 14,
        };
        let session = match plan.pppoe {
            // A label stack has no short protocol number.
            Some(Ppp::OneOctet) if plan.labels == 0 => 7,
            Some(_) => 8,
            None => 0,
        };
        link + 4 * plan.tags.len() + if plan.snap { 8 } else { 0 } + session + 4 * plan.labels
    }
}

fn later(offset: u16, protocol: u8) -> Shape {
    if offset == 1 && protocol == TCP {
        Shape::OverlappingFragment
    } else {
        Shape::LaterFragment
    }
}

fn over_ppp(field: Ppp, ether_type: u16, payload: Vec<u8>) -> Vec<u8> {
    let protocol = match ether_type {
        IP4 => 0x0021,
        IP6 => 0x0057,
        _ => 0x0281,
    };
    match field {
        Ppp::OneOctet if protocol < 0x100 => [vec![protocol as u8], payload].concat(),
        _ => ppp(protocol, payload),
    }
}

/// Any plan: mostly short, now and then over a cap.
pub fn generated() -> impl Strategy<Value = Generated> {
    let protocol = prop_oneof![4 => Just(TCP), 2 => Just(UDP), 1 => Just(ICMPV6), 1 => Just(50u8)];
    let transport = prop_oneof![
        3 => Just(syn25()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (0usize..20).prop_map(|len| syn25()[..len].to_vec()),
    ];
    (plan(), protocol, transport).prop_map(|(plan, protocol, transport)| Generated {
        plan,
        protocol,
        transport,
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let link = prop_oneof![
        6 => Just(LinkType::ETHERNET),
        1 => Just(LinkType::LINUX_SLL),
        1 => Just(LinkType::LINUX_SLL2),
    ];
    let tpid = prop::sample::select(vec![0x8100u16, 0x88a8, 0x9100, 0x9200]);
    let tags = prop_oneof![
        3 => prop::collection::vec(tpid.clone(), 0..2),
        1 => prop::collection::vec(tpid, 0..6),
    ];
    let field = prop_oneof![Just(Ppp::TwoOctets), Just(Ppp::OneOctet)];
    let pppoe = prop::option::weighted(0.2, field);
    let labels = prop_oneof![4 => Just(0usize), 1 => 0..6usize];
    (link, tags, prop::bool::weighted(0.1), pppoe, labels, ip()).prop_map(
        |(link, tags, snap, pppoe, labels, ip)| Plan {
            link,
            tags,
            snap,
            pppoe,
            labels,
            ip,
        },
    )
}

fn ip() -> impl Strategy<Value = Ip> {
    let v4_chain = || extensions(vec![AH]);
    let v4 = (options(), offset(), prop::bool::weighted(0.2), v4_chain()).prop_map(
        |(options, offset, more, chain)| Ip::V4 {
            options,
            offset,
            more,
            chain,
        },
    );
    let v6 = extensions(vec![HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION])
        .prop_map(|chain| Ip::V6 { chain });
    prop_oneof![v4, v6]
}

fn options() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0usize), 1 => (0usize..=10).prop_map(|words| 4 * words)]
}

fn offset() -> impl Strategy<Value = u16> + Clone {
    prop_oneof![6 => Just(0u16), 1 => Just(1u16), 1 => 0..8192u16]
}

fn extensions(kinds: Vec<u8>) -> impl Strategy<Value = Vec<Extension>> {
    let units = prop_oneof![4 => 0..4u8, 1 => 0..70u8];
    let one = (prop::sample::select(kinds), units, offset(), any::<bool>()).prop_map(
        |(kind, units, offset, more)| Extension {
            kind,
            units,
            offset,
            more,
        },
    );
    prop_oneof![
        3 => Just(vec![]),
        2 => prop::collection::vec(one.clone(), 0..3),
        1 => prop::collection::vec(one, 0..11),
    ]
}
