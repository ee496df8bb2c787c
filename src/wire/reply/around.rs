//! What stands around the packet that is answered, turned round.

use super::super::Family;
use super::header::{Header, IPV4_OCTETS, IPV6_OCTETS, extension_bytes};
use super::{HOPS, checksum};
use arrayvec::ArrayVec;
use etherparse::{ether_type, ip_number};

/// Layers with something to turn round: more than the parser goes through.
const LAYERS_CAP: usize = 16;

const IPV4_IN_IP: u8 = ip_number::IPV4.0;
const IPV6_IN_IP: u8 = ip_number::IPV6.0;
const GRE: u8 = ip_number::GRE.0;
const UDP: u8 = ip_number::UDP.0;
const DESTINATION_OPTIONS: u8 = ip_number::IPV6_DESTINATION_OPTIONS.0;

/// The destination options that say nothing about the way (RFC 8200, section 4.2; RFC 2473, section
/// 4.1.1).
const PAD_1: u8 = 0;
const PAD_N: u8 = 1;
const ENCAPSULATION_LIMIT: u8 = 4;

/// The port that VXLAN is sent to, and the flags of its header: a network number is there.
const VXLAN_PORT: u16 = 4_789;
const VXLAN_FLAGS: u8 = 0x08;

/// What is above it is no length of 802.3, but a type.
const LONGEST_LENGTH: u16 = 1_535;

/// The flags of a GRE header that has a key, and nothing else (RFC 2890).
const GRE_KEY: u8 = 0x20;

/// The ethertype of a whole Ethernet frame.
const TRANSPARENT_ETHERNET: u16 = 0x6558;

/// All bits of a TOS octet or traffic class but those of ECN: a reply that cannot carry a mark must
/// not be marked around it (RFC 6040).
const NOT_ECN: u8 = 0xfc;

/// The layers in which a packet lies, outermost first.
pub(super) struct Around {
    layers: ArrayVec<Layer, LAYERS_CAP>,
    /// Where the packet begins.
    packet_at: usize,
    /// Where it ends at last, by the lengths of all layers.
    end: usize,
}

/// A header in which a reply differs from what it answers, and where it begins.
#[derive(Clone, Copy)]
enum Layer {
    /// Two addresses of Ethernet.
    Ethernet {
        at: usize,
    },
    /// A length, and from where on it counts: of 802.3 or PPPoE.
    Length {
        at: usize,
        from: usize,
    },
    Ipv4 {
        at: usize,
    },
    Ipv6 {
        at: usize,
    },
    /// Behind an IP header that begins at `ip_at`.
    Udp {
        at: usize,
        ip_at: usize,
        family: Family,
    },
}

impl Around {
    /// The layers in the octets before the packet, if each can be turned round. So many octets were on
    /// the wire, with the packet.
    pub(super) fn of(before: &[u8], on_wire_bytes: usize) -> Option<Self> {
        let mut walk = Walk {
            before,
            at: 0,
            around: Self {
                layers: ArrayVec::new(),
                packet_at: before.len(),
                end: on_wire_bytes,
            },
        };
        walk.ethernet()?;
        Some(walk.around)
    }

    /// How many octets of the frame may be the packet's.
    pub(super) fn packet_bytes(&self) -> usize {
        self.end.saturating_sub(self.packet_at)
    }

    /// Exchanges the ends, and mends lengths and checksums: in a reply that is complete, and whose
    /// layers are still those of the frame that it answers.
    pub(super) fn turn(&self, reply: &mut [u8]) -> Option<()> {
        self.layers
            .iter()
            .rev()
            .try_for_each(|layer| layer.turn(reply))
    }
}

/// The walk over the layers.
struct Walk<'a> {
    /// Up to where the packet begins.
    before: &'a [u8],
    at: usize,
    around: Around,
}

impl Walk<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let octets = *self.before.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(octets)
    }

    fn note(&mut self, layer: Layer) -> Option<()> {
        self.around.layers.try_push(layer).ok()
    }

    /// What lies in a layer ends so many octets from here, and not later than what it lies in.
    fn ends_in(&mut self, octets: usize) {
        self.around.end = self.around.end.min(self.at + octets);
    }

    fn ethernet(&mut self) -> Option<()> {
        self.note(Layer::Ethernet { at: self.at })?;
        let [to, _, _, _, _, _, from, ..] = self.take::<12>()?;
        let is_group = (to | from) & 1 == 1;
        if is_group {
            None
        } else {
            self.type_or_length()
        }
    }

    fn type_or_length(&mut self) -> Option<()> {
        let at = self.at;
        let value = u16::from_be_bytes(self.take()?);
        if value > LONGEST_LENGTH {
            return self.ether_type(value);
        }
        self.note(Layer::Length { at, from: self.at })?;
        self.ends_in(value.into());
        let [0xaa, 0xaa, 0x03, 0, 0, 0, high, low] = self.take()? else {
            return None;
        };
        self.ether_type(u16::from_be_bytes([high, low]))
    }

    fn ether_type(&mut self, value: u16) -> Option<()> {
        const IPV4: u16 = ether_type::IPV4.0;
        const IPV6: u16 = ether_type::IPV6.0;
        match value {
            IPV4 => self.ip(Family::V4),
            IPV6 => self.ip(Family::V6),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                self.take::<2>()?;
                self.type_or_length()
            }
            0x8864 => self.pppoe_session(),
            _ => None,
        }
    }

    /// Address and control octets may stand before the protocol, which has one octet or two.
    fn pppoe_session(&mut self) -> Option<()> {
        self.take::<4>()?;
        let at = self.at;
        let payload_bytes = u16::from_be_bytes(self.take()?);
        self.note(Layer::Length { at, from: self.at })?;
        self.ends_in(payload_bytes.into());
        if self.before.get(self.at..)?.starts_with(&[0xff, 0x03]) {
            self.at += 2;
        }
        let [first] = self.take()?;
        let protocol = match first & 1 {
            1 => first,
            _ => match [first, self.take::<1>()?[0]] {
                [0, low] => low,
                _ => return None,
            },
        };
        match protocol {
            0x21 => self.ip(Family::V4),
            0x57 => self.ip(Family::V6),
            _ => None,
        }
    }

    /// An IP header: the packet's, where the walk is over, or that of a tunnel.
    fn ip(&mut self, family: Family) -> Option<()> {
        let at = self.at;
        if at == self.around.packet_at {
            return Some(());
        }
        let header = Header::of(family, self.before.get(at..)?)?;
        self.ends_in(header.packet_bytes);
        match family {
            // A reply must not give the options of the other direction.
            Family::V4 if header.is_fragment || header.header_bytes > IPV4_OCTETS => return None,
            Family::V4 => self.note(Layer::Ipv4 { at })?,
            Family::V6 => self.note(Layer::Ipv6 { at })?,
        }
        self.at += header.header_bytes;
        let mut next = header.next;
        if family == Family::V6 && next == DESTINATION_OPTIONS {
            next = self.destination_options()?;
        }
        match next {
            IPV4_IN_IP => self.ip(Family::V4),
            IPV6_IN_IP => self.ip(Family::V6),
            GRE => self.gre(),
            UDP => self.vxlan(at, family),
            _ => None,
        }
    }

    /// The header with which tunnels limit how often a packet is encapsulated (RFC 2473, section
    /// 4.1.1): a reply may have it, too. Gives what follows.
    fn destination_options(&mut self) -> Option<u8> {
        let header = self.before.get(self.at..)?;
        let [next, ..] = *header else { return None };
        let octets = extension_bytes(DESTINATION_OPTIONS, header)?;
        let mut options = header.get(2..octets)?;
        while let [kind, rest @ ..] = options {
            options = match (kind, rest) {
                (&PAD_1, _) => rest,
                (&(PAD_N | ENCAPSULATION_LIMIT), [len, octets @ ..]) => {
                    octets.get(usize::from(*len)..)?
                }
                _ => return None,
            };
        }
        self.at += octets;
        Some(next)
    }

    /// Without the fields that number or sum what is sent. A key is that of both ends.
    fn gre(&mut self) -> Option<()> {
        let [flags, 0, high, low] = self.take()? else {
            return None;
        };
        match flags {
            0 => {}
            GRE_KEY => self.at += 4,
            _ => return None,
        }
        match u16::from_be_bytes([high, low]) {
            TRANSPARENT_ETHERNET => self.ethernet(),
            value => self.ether_type(value),
        }
    }

    fn vxlan(&mut self, ip_at: usize, family: Family) -> Option<()> {
        let at = self.at;
        let [_, _, high, low, len_high, len_low, ..] = self.take::<8>()?;
        let [flags, ..] = self.take::<8>()?;
        if u16::from_be_bytes([high, low]) != VXLAN_PORT || flags != VXLAN_FLAGS {
            return None;
        }
        let udp_bytes = usize::from(u16::from_be_bytes([len_high, len_low]));
        self.around.end = self.around.end.min(at + udp_bytes);
        self.note(Layer::Udp { at, ip_at, family })?;
        self.ethernet()
    }
}

impl Layer {
    fn turn(self, reply: &mut [u8]) -> Option<()> {
        match self {
            Self::Ethernet { at } => exchange::<6>(reply, at),
            Self::Length { at, from } => {
                let octets = u16::try_from(reply.len().checked_sub(from)?).ok()?;
                *octets_at(reply, at)? = octets.to_be_bytes();
                Some(())
            }
            Self::Ipv4 { at } => turn_ipv4(reply, at),
            Self::Ipv6 { at } => turn_ipv6(reply, at),
            Self::Udp { at, ip_at, family } => turn_udp(reply, at, ip_at, family),
        }
    }
}

fn turn_ipv4(reply: &mut [u8], at: usize) -> Option<()> {
    exchange::<4>(reply, at + 12)?;
    let packet_bytes = u16::try_from(reply.len().checked_sub(at)?).ok()?;
    let header = octets_at::<IPV4_OCTETS>(reply, at)?;
    header[1] &= NOT_ECN;
    [header[2], header[3]] = packet_bytes.to_be_bytes();
    // No identification, and not to be fragmented: the sender of this direction numbers his own.
    [header[4], header[5], header[6], header[7]] = [0, 0, 0x40, 0];
    header[8] = HOPS;
    [header[10], header[11]] = [0, 0];
    [header[10], header[11]] = checksum::of_header(header).to_be_bytes();
    Some(())
}

fn turn_ipv6(reply: &mut [u8], at: usize) -> Option<()> {
    exchange::<16>(reply, at + 8)?;
    let payload_bytes = u16::try_from(reply.len().checked_sub(at + IPV6_OCTETS)?).ok()?;
    let header = octets_at::<IPV6_OCTETS>(reply, at)?;
    // The low bits of the traffic class are the high ones of this octet.
    header[1] &= NOT_ECN << 4 | 0x0f;
    [header[4], header[5]] = payload_bytes.to_be_bytes();
    header[7] = HOPS;
    Some(())
}

/// The port that chooses a way through the network stays; so does a checksum that was not used.
fn turn_udp(reply: &mut [u8], at: usize, ip_at: usize, family: Family) -> Option<()> {
    let udp_bytes = u16::try_from(reply.len().checked_sub(at)?).ok()?;
    let header = octets_at::<8>(reply, at)?;
    [header[4], header[5]] = udp_bytes.to_be_bytes();
    if [header[6], header[7]] == [0, 0] {
        return Some(());
    }
    [header[6], header[7]] = [0, 0];
    let addresses = match family {
        Family::V4 => ip_at + 12..ip_at + IPV4_OCTETS,
        Family::V6 => ip_at + 8..ip_at + IPV6_OCTETS,
    };
    // In the sum, it does not matter which of the addresses is first.
    let sum = checksum::of_udp(reply.get(addresses)?, reply.get(at..)?);
    let header = octets_at::<8>(reply, at)?;
    [header[6], header[7]] = sum.to_be_bytes();
    Some(())
}

/// Exchanges two fields of `N` octets, one behind the other.
fn exchange<const N: usize>(reply: &mut [u8], at: usize) -> Option<()> {
    let (first, second) = reply.get_mut(at..)?.split_at_mut_checked(N)?;
    first.swap_with_slice(second.get_mut(..N)?);
    Some(())
}

fn octets_at<const N: usize>(reply: &mut [u8], at: usize) -> Option<&mut [u8; N]> {
    reply.get_mut(at..)?.first_chunk_mut()
}
