//! Tunnels around IP packets, octet by octet from their specifications, and any of them.

use crate::frames::*;
use crate::generated::{Generated, Ip, generated};
use proptest::prelude::*;
use sekisho::wire::{MapRule, Subscriber, Tunnel, TunnelKind, Unwrap};

pub const IPIP: u8 = 4;
pub const SIX_IN_FOUR: u8 = 41;
pub const GRE: u8 = 47;
pub const L2TP_PORT: u16 = 1701;
pub const GTP_U_PORT: u16 = 2152;
pub const VXLAN_PORT: u16 = 4789;

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A datagram between these ports, without checksum.
pub fn udp(src_port: u16, dst_port: u16, payload: Vec<u8>) -> Vec<u8> {
    let len = (8 + payload.len()) as u16;
    join(&[
        &src_port.to_be_bytes(),
        &dst_port.to_be_bytes(),
        &len.to_be_bytes(),
        &[0, 0],
        &payload,
    ])
}

/// Which optional fields of an L2TP data message are there.
#[derive(Clone, Copy, Debug, Default)]
pub struct L2tp {
    pub length: bool,
    pub sequence: bool,
    /// So many octets of padding.
    pub offset: Option<u16>,
    pub priority: bool,
}

impl L2tp {
    pub fn over(self, ppp: Vec<u8>) -> Vec<u8> {
        let bit = |set: bool, bit: u16| if set { bit } else { 0 };
        let bits = 2
            | bit(self.length, 0x4000)
            | bit(self.sequence, 0x0800)
            | bit(self.offset.is_some(), 0x0200)
            | bit(self.priority, 0x0100);
        let mut behind = vec![0x12, 0x34, 0x56, 0x78];
        if self.sequence {
            behind.extend([0, 7, 0, 0]);
        }
        if let Some(octets) = self.offset {
            behind.extend(octets.to_be_bytes());
            // Padding that looks like an IPv4 header.
            behind.extend(vec![0x45; usize::from(octets)]);
        }
        behind.extend(ppp);
        let mut message = bits.to_be_bytes().to_vec();
        if self.length {
            message.extend((behind.len() as u16 + 4).to_be_bytes());
        }
        join(&[&message, &behind])
    }

    pub fn every() -> Vec<Self> {
        let either = [false, true];
        let mut all = vec![];
        for length in either {
            for sequence in either {
                for priority in either {
                    for offset in [None, Some(0), Some(3), Some(16)] {
                        all.push(Self {
                            length,
                            sequence,
                            offset,
                            priority,
                        });
                    }
                }
            }
        }
        all
    }
}

/// PPP around IP, with address and control or without, and a protocol of one octet or two.
pub fn framed(ether_type: u16, with_address: bool, short: bool, ip: Vec<u8>) -> Vec<u8> {
    let protocol: u16 = if ether_type == IP4 { 0x21 } else { 0x57 };
    let address: &[u8] = if with_address { &[0xff, 0x03] } else { &[] };
    match short {
        true => join(&[address, &[protocol as u8], &ip]),
        false => join(&[address, &protocol.to_be_bytes(), &ip]),
    }
}

/// GRE with these bits, and the fields that they announce.
pub fn gre(bits: u8, more_bits: u8, protocol: u16, payload: Vec<u8>) -> Vec<u8> {
    let version_1 = more_bits & 7 == 1;
    let fields = [bits & 0x80, bits & 0x20, bits & 0x10, {
        if version_1 { more_bits & 0x80 } else { 0 }
    }];
    let fields = fields.into_iter().filter(|bit| *bit != 0).count();
    join(&[
        &[bits, more_bits],
        &protocol.to_be_bytes(),
        &vec![0xa5; 4 * fields],
        &payload,
    ])
}

pub fn vxlan(frame: Vec<u8>) -> Vec<u8> {
    join(&[&[0x08, 0, 0, 0, 0, 0x30, 0x39, 0], &frame])
}

/// A T-PDU with these E, S and PN bits, and extension headers of so many units each.
pub fn gtp_u(bits: u8, extensions: &[u8], ip: Vec<u8>) -> Vec<u8> {
    let mut behind = vec![];
    if bits & 7 != 0 {
        let next = if extensions.is_empty() { 0 } else { 0x85 };
        behind.extend([0, 1, 0, next]);
    }
    for (index, units) in extensions.iter().enumerate() {
        let mut extension = vec![0x45; 4 * usize::from(*units)];
        extension[0] = *units;
        *extension.last_mut().unwrap() = if index + 1 < extensions.len() {
            0x85
        } else {
            0
        };
        behind.extend(extension);
    }
    let len = (behind.len() + ip.len()) as u16;
    join(&[
        &[0x30 | bits, 255],
        &len.to_be_bytes(),
        &[0xca, 0xfe, 0xba, 0xbe],
        &behind,
        &ip,
    ])
}

/// A tunnel around IP of this type: the protocol of the outer header, and what it carries.
pub fn wrapped(way: usize, ether_type: u16, ip: Vec<u8>) -> (u8, Vec<u8>) {
    let l2tp = L2tp {
        sequence: way.is_multiple_of(2),
        ..L2tp::default()
    };
    let ppp = |ip| framed(ether_type, way.is_multiple_of(3), way.is_multiple_of(5), ip);
    let to = |port, payload| (UDP, udp(40_000, port, payload));
    match way % 7 {
        0 => (if ether_type == IP4 { IPIP } else { SIX_IN_FOUR }, ip),
        1 => to(L2TP_PORT, l2tp.over(ppp(ip))),
        2 => (GRE, gre(0xb0, 0, ether_type, ip)),
        3 => (GRE, gre(0x30, 0x81, 0x880b, ppp(ip))),
        4 => (GRE, gre(0, 0, 0x6558, ethernet(ether_type, ip))),
        5 => to(VXLAN_PORT, vxlan(ethernet(0x8100, tag(ether_type, ip)))),
        _ => to(GTP_U_PORT, gtp_u(7, &[1, 2], ip)),
    }
}

/// Packets wrapped up to three times, each outer header as any plan has it.
pub fn tunnelled() -> impl Strategy<Value = Generated> {
    let layers = prop::collection::vec((generated(), 0..70usize), 1..4);
    (generated(), layers).prop_map(|(inner, layers)| {
        layers.into_iter().fold(inner, |inner, (mut outer, way)| {
            let (ether_type, ip) = inner.ip();
            (outer.protocol, outer.transport) = wrapped(way, ether_type, ip);
            if way % 2 == 0 {
                outer.plan.ip = match outer.plan.ip {
                    Ip::V4 { .. } => Ip::V4 {
                        options: 0,
                        offset: 0,
                        more: way % 4 == 0,
                        chain: vec![],
                    },
                    Ip::V6 { .. } => Ip::V6 { chain: vec![] },
                };
            }
            outer
        })
    })
}

/// Any tunnels that end at one of the addresses of frames, or at none.
pub fn unwraps() -> impl Strategy<Value = Unwrap> {
    let kind = prop::sample::select(vec![
        TunnelKind::Ipv4InIpv6,
        TunnelKind::Ipv6InIpv4,
        TunnelKind::L2tp,
        TunnelKind::Gre,
        TunnelKind::Vxlan,
        TunnelKind::GtpU,
    ]);
    let endpoint = prop::sample::select(vec![
        "192.0.2.1/32",
        "198.51.100.0/24",
        "2001:db8::/64",
        "2001:db8:ffff::25/128",
        "203.0.113.0/24",
        "2001:db8:bad::/48",
        "0.0.0.0/0",
        "::/0",
    ]);
    let subscriber = prop::sample::select(vec![
        Subscriber::Inner,
        Subscriber::Outer,
        Subscriber::PortSet,
    ]);
    let tunnel = (kind, prop::collection::vec(endpoint, 0..4), subscriber).prop_map(
        |(kind, endpoints, subscriber)| Tunnel {
            kind,
            endpoints: endpoints.iter().map(|net| net.parse().unwrap()).collect(),
            subscriber,
            rules: vec![rule()],
        },
    );
    prop::collection::vec(tunnel, 0..7).prop_map(Unwrap::new)
}

/// 192.0.2.0/24 shared by 2001:db8::/40.
pub fn rule() -> MapRule {
    let (ipv6, ipv4) = ("2001:db8::/40", "192.0.2.0/24");
    MapRule::new(ipv6.parse().unwrap(), ipv4.parse().unwrap(), 16, 6, None).unwrap()
}
