//! Tunnels that are opened, and packets in them and in others.

use super::layers::{Extension, Fixed, Kind as Layer, extension, length, offset, ppp};
use super::{Place, place};
use crate::naive::tunnel::{Kind, Tunnel};
use crate::policy::Prefix;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const KINDS: [Kind; 6] = [
    Kind::FourInSix,
    Kind::SixInFour,
    Kind::Gre,
    Kind::L2tp,
    Kind::Vxlan,
    Kind::GtpU,
];

/// The provider's ends are in nobody's part of the addresses.
const PROVIDER: u8 = 3;

pub fn tunnels() -> impl Strategy<Value = Vec<Tunnel>> {
    let endpoint = (any::<bool>(), 0..64_u8, 0..3_usize).prop_map(|(v6, bits, length)| {
        let lengths = if v6 { [40, 64, 128] } else { [16, 24, 32] };
        let tenant = PROVIDER;
        Prefix::around(Place { v6, tenant, bits }.address(), lengths[length])
    });
    let tunnel = (select(KINDS.to_vec()), vec(endpoint, 1..4), any::<bool>());
    let tunnel = tunnel.prop_map(|(kind, endpoints, by_outer)| Tunnel {
        kind,
        endpoints,
        by_outer,
    });
    prop_oneof![2 => Just(Vec::new()), 3 => vec(tunnel, 1..5)]
}

/// How a packet is put into a tunnel.
#[derive(Clone, Debug)]
pub struct Wrap {
    kind: Kind,
    fixed: Fixed,
    chain: Vec<Extension>,
    /// Flags of GRE, L2TP or GTP-U, and where the ports are the other way round.
    flags: u16,
    back: bool,
    /// Octets of L2TP's offset.
    pad: u8,
    kept: Option<prop::sample::Index>,
}

pub fn wrap() -> impl Strategy<Value = Wrap> {
    let v6 = select(KINDS.to_vec()).prop_flat_map(|kind| {
        let v6 = match kind {
            Kind::FourInSix => Just(true).boxed(),
            Kind::SixInFour => Just(false).boxed(),
            _ => any::<bool>().boxed(),
        };
        v6.prop_map(move |v6| (kind, v6))
    });
    v6.prop_flat_map(|(kind, v6)| {
        let near = (0..64_u8).prop_map(move |bits| {
            let tenant = PROVIDER;
            Place { v6, tenant, bits }
        });
        let ends = (near, place(v6), any::<bool>());
        let whole = prop::bool::weighted(0.8);
        let fixed = (ends, length(), whole, offset(), any::<bool>()).prop_map(
            |((near, far, back), length, whole, offset, more)| {
                let (near, far) = (near.address(), far.address());
                let (src, dst) = if back { (near, far) } else { (far, near) };
                Fixed {
                    src,
                    dst,
                    length,
                    options: Vec::new(),
                    offset: if whole { 0 } else { offset },
                    more: !whole && more,
                }
            },
        );
        let chain = prop_oneof![4 => Just(Vec::new()), 1 => vec(extension(v6), 1..3)];
        let kept = prop::option::weighted(0.1, any::<prop::sample::Index>());
        let parts = (fixed, chain, flags(), any::<bool>(), 0..4_u8, kept);
        parts.prop_map(move |(fixed, chain, flags, back, pad, kept)| Wrap {
            kind,
            fixed,
            chain,
            flags,
            back,
            pad,
            kept,
        })
    })
}

fn flags() -> impl Strategy<Value = u16> {
    prop_oneof![4 => Just(0_u16), 4 => any::<u16>()]
}

impl Wrap {
    pub fn around(&self, inner: Layer, packet: &[u8]) -> (Layer, Vec<u8>) {
        let (protocol, mut payload) = self.payload(inner, packet);
        if let Some(kept) = self.kept {
            payload.truncate(kept.index(payload.len() + 1));
        }
        let around = |(next, payload): (u8, Vec<u8>), header: &Extension| {
            (header.kind, header.around(next, &payload))
        };
        let (next, payload) = self.chain.iter().rev().fold((protocol, payload), around);
        self.fixed.clone().around(next, &payload)
    }

    fn payload(&self, inner: Layer, packet: &[u8]) -> (u8, Vec<u8>) {
        match self.kind {
            Kind::FourInSix => (4, packet.to_vec()),
            Kind::SixInFour => (41, packet.to_vec()),
            Kind::Gre => (47, self.gre(inner, packet)),
            Kind::L2tp => (17, self.udp(1701, &self.l2tp(inner, packet))),
            Kind::Vxlan => {
                let ether_type = inner.ether_type(packet).to_be_bytes();
                let header: &[u8] = &[8, 0, 0, 0, 0, 0, 1, 0];
                let frame = [header, &[2; 12], &ether_type, packet].concat();
                (17, self.udp(4789, &frame))
            }
            Kind::GtpU => (17, self.udp(2152, &self.gtp_u(packet))),
        }
    }

    fn udp(&self, port: u16, payload: &[u8]) -> Vec<u8> {
        let (own, other) = (port.to_be_bytes(), 40_000_u16.to_be_bytes());
        let ports = if self.back {
            [own, other]
        } else {
            [other, own]
        };
        let length = (payload.len() as u16 + 8).to_be_bytes();
        [&ports.concat()[..], &length, &[0, 0], payload].concat()
    }

    fn gre(&self, inner: Layer, packet: &[u8]) -> Vec<u8> {
        // Without routing, versions 0 and 1.
        let flags = self.flags & 0xb081;
        let optional = [0x8000, 0x2000, 0x1000, 0x0080];
        let words = optional.iter().filter(|bit| flags & **bit != 0).count();
        let words = if flags & 1 == 0 && flags & 0x0080 != 0 {
            words - 1
        } else {
            words
        };
        let (kind, packet) = if flags & 1 == 1 {
            (0x880b, ppp(inner, self.pad % 2 == 1, packet))
        } else if self.pad == 3 {
            let ether_type = inner.ether_type(packet).to_be_bytes();
            (0x6558, [&[2; 12][..], &ether_type, packet].concat())
        } else {
            (inner.ether_type(packet), packet.to_vec())
        };
        let header = [flags.to_be_bytes(), kind.to_be_bytes()].concat();
        [header, vec![0; words * 4], packet].concat()
    }

    fn l2tp(&self, inner: Layer, packet: &[u8]) -> Vec<u8> {
        // Data, with each mix of length, sequence and offset.
        let flags = self.flags & 0x4a00 | 2;
        let mut frame = ppp(inner, self.pad % 2 == 1, packet);
        if self.pad >= 2 {
            frame.splice(..0, [0xff, 3]);
        }
        let mut header = vec![0, 1, 0, 2];
        if flags & 0x0800 != 0 {
            header.extend([0; 4]);
        }
        if flags & 0x0200 != 0 {
            header.extend([0, self.pad]);
            header.resize(header.len() + usize::from(self.pad), 0);
        }
        if flags & 0x4000 != 0 {
            let length = header.len() + frame.len() + 4;
            header.splice(..0, (length as u16).to_be_bytes());
        }
        [flags.to_be_bytes().to_vec(), header, frame].concat()
    }

    fn gtp_u(&self, packet: &[u8]) -> Vec<u8> {
        let flags = (self.flags & 7) as u8;
        let mut behind = vec![0, 0, 0, 1];
        if flags > 0 {
            let extended = flags & 4 != 0 && self.pad > 0;
            behind.extend([0, 0, 0, u8::from(extended) * 0x85]);
            if extended {
                behind.extend([1, 0, 0, 0]);
            }
        }
        let length = (behind.len() - 4 + packet.len()) as u16;
        let header = [0x30 | flags, 255];
        [&header[..], &length.to_be_bytes(), &behind, packet].concat()
    }
}
