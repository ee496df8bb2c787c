//! Headers, from the inside out.

use super::routes;
use proptest::prelude::*;
use proptest::sample::select;
use std::net::IpAddr;

/// What a header must announce of what it carries.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    V4,
    V6,
    Labels,
    Tag(u16),
    Session,
    Llc,
    Other(u16),
}

impl Kind {
    pub fn ether_type(self, payload: &[u8]) -> u16 {
        match self {
            Self::V4 => 0x0800,
            Self::V6 => 0x86dd,
            Self::Labels => 0x8847,
            Self::Tag(kind) | Self::Other(kind) => kind,
            Self::Session => 0x8864,
            Self::Llc => payload.len().min(1500) as u16,
        }
    }

    pub fn ppp_protocol(self) -> u16 {
        match self {
            Self::V4 => 0x0021,
            Self::V6 => 0x0057,
            Self::Labels => 0x0281,
            Self::Tag(_) | Self::Session | Self::Llc | Self::Other(_) => 0xc021,
        }
    }
}

/// A length field: right, or not.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    Right,
    Off(i8),
    Any(u16),
}

impl Length {
    pub fn of(self, right: usize) -> u16 {
        match self {
            Self::Right => right as u16,
            Self::Off(off) => (right as u16).wrapping_add_signed(off.into()),
            Self::Any(any) => any,
        }
    }
}

pub fn length() -> impl Strategy<Value = Length> {
    prop_oneof![
        12 => Just(Length::Right),
        1 => Just(Length::Any(0)),
        2 => any::<i8>().prop_map(Length::Off),
        1 => any::<u16>().prop_map(Length::Any),
    ]
}

/// Between the link header and IP.
#[derive(Clone, Copy, Debug)]
pub enum Layer {
    Tag(u16),
    Snap,
    Session { length: Length, short_field: bool },
    Labels(usize),
    Nonsense(u16),
}

pub fn layer() -> impl Strategy<Value = Layer> {
    let session = (length(), any::<bool>()).prop_map(|(length, short_field)| Layer::Session {
        length,
        short_field,
    });
    prop_oneof![
        6 => select(vec![0x8100, 0x88a8, 0x9100, 0x9200]).prop_map(Layer::Tag),
        2 => Just(Layer::Snap),
        4 => session,
        3 => (1..=5_usize).prop_map(Layer::Labels),
        1 => any::<u16>().prop_map(Layer::Nonsense),
    ]
}

/// A PPP protocol field, of one octet where that is wanted and can be.
pub fn ppp(kind: Kind, short_field: bool, payload: &[u8]) -> Vec<u8> {
    let [high, low] = kind.ppp_protocol().to_be_bytes();
    match (short_field, high) {
        (true, 0) => [&[low], payload].concat(),
        _ => [&[high, low], payload].concat(),
    }
}

impl Layer {
    /// The layer around what it carries.
    pub fn around(self, kind: Kind, payload: &[u8]) -> (Kind, Vec<u8>) {
        let ether_type = kind.ether_type(payload).to_be_bytes();
        match self {
            Self::Tag(tag) => (Kind::Tag(tag), [&[0, 7], &ether_type, payload].concat()),
            Self::Snap => {
                let llc: &[u8] = &[0xaa, 0xaa, 3, 0, 0, 0];
                (Kind::Llc, [llc, &ether_type, payload].concat())
            }
            Self::Session {
                length,
                short_field,
            } => {
                let inside = ppp(kind, short_field, payload);
                let length = length.of(inside.len()).to_be_bytes();
                let header: &[u8] = &[0x11, 0, 0, 1];
                (Kind::Session, [header, &length, &inside].concat())
            }
            Self::Labels(count) => {
                let mut stack = [0, 1, 0, 64].repeat(count);
                stack[count * 4 - 2] = 1;
                (Kind::Labels, [&stack, payload].concat())
            }
            Self::Nonsense(kind) => (Kind::Other(kind), payload.to_vec()),
        }
    }
}

/// A header of IPv6 between the fixed one and TCP; AH, of IPv4 too.
#[derive(Clone, Debug)]
pub struct Extension {
    pub kind: u8,
    /// The length field.
    pub units: u8,
    /// Of a routing header, behind its length.
    pub route: Option<Vec<u8>>,
    /// Of a fragment header.
    pub offset: u16,
    pub more: bool,
}

pub const AUTHENTICATION: u8 = 51;
const FRAGMENT: u8 = 44;
const ROUTING: u8 = 43;

pub fn offset() -> impl Strategy<Value = u16> {
    prop_oneof![6 => Just(0_u16), 2 => Just(1), 1 => Just(2), 1 => Just(4096), 1 => 0..8192_u16]
}

pub fn extension(v6: bool) -> BoxedStrategy<Extension> {
    let kinds = if v6 {
        vec![60, 0, ROUTING, FRAGMENT, FRAGMENT, AUTHENTICATION, 135]
    } else {
        vec![AUTHENTICATION, AUTHENTICATION, AUTHENTICATION, 60]
    };
    let units = prop_oneof![6 => Just(0_u8), 3 => 1..5_u8, 1 => 5..40_u8, 1 => any::<u8>()];
    let plain =
        (select(kinds), units, offset(), any::<bool>()).prop_map(|(kind, units, offset, more)| {
            Extension {
                kind,
                units,
                route: None,
                offset,
                more,
            }
        });
    let routing = routes::header().prop_map(|route| Extension {
        kind: ROUTING,
        units: (route.len() / 8) as u8,
        route: Some(route),
        offset: 0,
        more: false,
    });
    if v6 {
        prop_oneof![5 => plain, 1 => routing].boxed()
    } else {
        plain.boxed()
    }
}

impl Extension {
    pub fn around(&self, next: u8, payload: &[u8]) -> Vec<u8> {
        let octets = match self.kind {
            FRAGMENT => 8,
            AUTHENTICATION => (usize::from(self.units) + 2) * 4,
            _ => (usize::from(self.units) + 1) * 8,
        };
        let mut header = vec![0; octets];
        (header[0], header[1]) = (next, self.units);
        if self.kind == FRAGMENT {
            let word = self.offset << 3 | u16::from(self.more);
            header[2..4].copy_from_slice(&word.to_be_bytes());
        }
        if let Some(route) = &self.route {
            header.splice(2.., route.iter().copied());
        }
        [&header, payload].concat()
    }
}

/// The first twenty octets of TCP, and as much as there is to be of them.
pub fn tcp(src_port: u16, dst_port: u16, flags: u8, octets: usize) -> Vec<u8> {
    let (src, dst) = (src_port.to_be_bytes(), dst_port.to_be_bytes());
    let rest: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
    let mut header = [&src, &dst, rest].concat();
    header.resize(octets, 0x25);
    header
}

/// What the fixed header of either version says beside its addresses.
#[derive(Clone, Debug)]
pub struct Fixed {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub length: Length,
    /// Of IPv4, whole words.
    pub options: Vec<u8>,
    pub offset: u16,
    pub more: bool,
}

impl Fixed {
    pub fn around(self, next: u8, payload: &[u8]) -> (Kind, Vec<u8>) {
        match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let octets = 20 + self.options.len();
                let length = self.length.of(octets + payload.len()).to_be_bytes();
                let fragment = (self.offset | u16::from(self.more) << 13).to_be_bytes();
                let first = [0x40 + (octets / 4) as u8, 0, length[0], length[1]];
                let second = [0, 0, fragment[0], fragment[1]];
                let third = [64, next, 0, 0];
                let mut packet = [first, second, third, src.octets(), dst.octets()].concat();
                packet.extend(self.options);
                packet.extend(payload);
                (Kind::V4, packet)
            }
            (src, dst) => {
                let length = self.length.of(payload.len()).to_be_bytes();
                let first: &[u8] = &[0x60, 0, 0, 0, length[0], length[1], next, 64];
                (
                    Kind::V6,
                    [first, &octets(src), &octets(dst), payload].concat(),
                )
            }
        }
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}
