//! The full lane from the IP header to the transport header.
//!
//! etherparse reads the fixed headers and the fragment header. The other extension headers are
//! read here: its slices refuse an AH shorter than 12 octets and show nothing of a header that is
//! cut, where the first octet alone decides whether TCP can follow.

use super::area::Area;
use super::tunnel::{IPV4, IPV6};
use super::{Family, Fragment, Packet, Route, Shape, TRANSPORT_OCTETS, Unwrap, transport};
use etherparse::{Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, ip_number};

/// Extension headers that are followed, and their octets in sum.
const HEADERS_CAP: u32 = 8;
const HEADERS_CAP_BYTES: usize = 256;

/// Octets of the fixed headers.
const IPV4_OCTETS: usize = 20;
const IPV6_OCTETS: usize = 40;

/// Of a packet that leads into a tunnel: the octets of its first fragment that are read, and the
/// offset below which no later fragment may begin. What decides then stands where no other fragment
/// can write over it, whatever the endpoint makes of overlaps. No honest fragment begins so low:
/// IPv6 links carry 1280 octets, and IPv4 links that carry fewer than 576 carry no tunnels.
const FIRST_FRAGMENT_OCTETS: usize = 512;

const TCP: u8 = ip_number::TCP.0;
const UDP: u8 = ip_number::UDP.0;
const HOP_BY_HOP: u8 = ip_number::IPV6_HEADER_HOP_BY_HOP.0;
const ROUTING: u8 = ip_number::IPV6_ROUTE_HEADER.0;
const FRAGMENT: u8 = ip_number::IPV6_FRAGMENTATION_HEADER.0;
const AUTHENTICATION: u8 = ip_number::AUTHENTICATION_HEADER.0;
const DESTINATION: u8 = ip_number::IPV6_DESTINATION_OPTIONS.0;

/// Where an IP header stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) frame: &'a [u8],
    /// In the frame.
    pub(super) offset_bytes: u16,
    /// In the first fragment of a packet around it.
    pub(super) in_fragment: bool,
}

/// An IP packet, and what a tunnel needs to know of it.
pub(super) struct Walked<'a> {
    pub(super) packet: Packet,
    /// What is behind its headers.
    pub(super) payload: Area<'a>,
    pub(super) payload_at: u16,
    /// What it may lead into.
    pub(super) leads: Leads,
}

/// How a packet stands to the tunnels that end where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// Into none.
    Nowhere,
    /// Into one, if its ports do: this is its upper layer, whole or from its beginning.
    Within,
    /// It may lead into one, and evades: what lies within cannot be read.
    Hidden(Family),
}

/// Not the IP header it was announced as.
pub(super) struct Runt {
    /// Only because the octets ended.
    pub(super) short: bool,
    /// More could follow.
    pub(super) wants_more: bool,
}

/// Reads what was announced as IP of this family.
#[inline]
pub(super) fn read<'a>(
    family: Family,
    ip: Area<'a>,
    place: Place<'a>,
    unwrap: &'a Unwrap,
) -> Result<Walked<'a>, Runt> {
    let mut chain = Chain {
        packet: Packet {
            ip_offset: place.offset_bytes,
            family: Some(family),
            fragment: match place.in_fragment {
                true => Fragment::First,
                false => Fragment::None,
            },
            ..Packet::bare(Shape::Opaque)
        },
        family,
        rest: ip,
        // One that does not fit is noted nowhere.
        at: usize::from(place.offset_bytes),
        tunnels: 0,
        at_upper_layer: false,
        place,
        unwrap,
    };
    match family {
        Family::V4 => chain.ipv4()?,
        Family::V6 => chain.ipv6()?,
    }
    let leads = chain.leads();
    Ok(Walked {
        packet: chain.packet,
        payload: chain.rest,
        payload_at: u16::try_from(chain.at).unwrap_or(u16::MAX),
        leads,
    })
}

/// The walk from an IP header to its upper layer.
struct Chain<'a> {
    packet: Packet,
    family: Family,
    rest: Area<'a>,
    /// Where `rest` begins in the frame.
    at: usize,
    /// The protocols, a bit each, that lead into a tunnel that ends where the packet does.
    tunnels: u64,
    at_upper_layer: bool,
    place: Place<'a>,
    unwrap: &'a Unwrap,
}

impl<'a> Chain<'a> {
    fn ipv4(&mut self) -> Result<(), Runt> {
        let ip = self.rest;
        let header_len_bytes = match ip.bytes {
            [first, ..] if first >> 4 == 4 => usize::from(first & 0x0f) * 4,
            bytes => {
                return Err(Runt {
                    short: bytes.is_empty(),
                    wants_more: bytes.is_empty() && ip.could_hold(IPV4_OCTETS),
                });
            }
        };
        let total_len_bytes = match ip.bytes {
            [_, _, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
            _ => 0,
        };
        let too_small = total_len_bytes != 0 && total_len_bytes < header_len_bytes;
        let unreadable = Runt {
            short: false,
            wants_more: false,
        };
        if header_len_bytes < IPV4_OCTETS || too_small {
            return Err(unreadable);
        }
        // Told as a header without options: one whose options are cut still shows its addresses.
        let mut fixed: [u8; IPV4_OCTETS] = *ip.bytes.first_chunk().ok_or(Runt {
            short: true,
            wants_more: ip.could_hold(IPV4_OCTETS),
        })?;
        fixed[0] = 0x45;
        let header = Ipv4HeaderSlice::from_slice(&fixed).map_err(|_| unreadable)?;

        self.packet.src = u32::from_be_bytes(header.source()).into();
        self.packet.dst = u32::from_be_bytes(header.destination()).into();
        self.packet.protocol = header.protocol().0;
        let options_end = header_len_bytes.min(ip.bytes.len());
        if let Some(options) = ip.bytes.get(IPV4_OCTETS..options_end) {
            let on_wire_end = header_len_bytes.min(ip.on_wire_bytes());
            let on_wire_bytes = on_wire_end.saturating_sub(IPV4_OCTETS);
            self.packet.route = Route::of_options(options, on_wire_bytes, self.at + IPV4_OCTETS);
        }
        self.look_for_tunnels();
        if total_len_bytes != 0 {
            self.rest = ip.bounded(total_len_bytes);
        }
        let offset = header.fragments_offset().value();
        if !self.enter_fragment(offset, header.more_fragments()) {
            return Ok(());
        }
        if self.pass(header_len_bytes).is_some() {
            self.bound_first_fragment();
            self.extension_headers();
        } else if self.leads_on(self.packet.protocol) {
            self.packet.shape = Shape::IncompleteHeaders;
            let needed_bytes = header_len_bytes + decides_at(self.packet.protocol);
            self.packet.wants_more = self.rest.could_hold(needed_bytes);
        }
        Ok(())
    }

    fn ipv6(&mut self) -> Result<(), Runt> {
        let ip = self.rest;
        let header = Ipv6HeaderSlice::from_slice(ip.bytes).map_err(|_| {
            let may_be_ipv6 = ip.bytes.first().is_none_or(|first| first >> 4 == 6);
            Runt {
                short: may_be_ipv6,
                wants_more: may_be_ipv6 && ip.could_hold(IPV6_OCTETS),
            }
        })?;
        self.packet.src = u128::from_be_bytes(header.source());
        self.packet.dst = u128::from_be_bytes(header.destination());
        self.packet.protocol = header.next_header().0;
        self.look_for_tunnels();
        match header.payload_length() {
            0 => {}
            len_bytes => self.rest = ip.bounded(header.header_len() + usize::from(len_bytes)),
        }
        if self.pass(header.header_len()).is_some() {
            self.extension_headers();
        }
        Ok(())
    }

    /// Follows the headers from `packet.protocol` on, and reads the transport header behind them.
    fn extension_headers(&mut self) {
        let mut headers = 0;
        let mut headers_bytes = 0;
        while is_followed(self.family, self.packet.protocol) {
            let kind = self.packet.protocol;
            let here = self.rest;
            let next = here.bytes.first().copied();
            let len_bytes = header_len_bytes(kind, here.bytes);
            headers += 1;
            headers_bytes += len_bytes.unwrap_or(0);
            self.packet.protocol = next.unwrap_or(kind);
            if kind == ROUTING {
                self.enter_route(here.bytes, len_bytes);
            }

            let over_cap = headers > HEADERS_CAP || headers_bytes > HEADERS_CAP_BYTES;
            let header = len_bytes.and_then(|len_bytes| self.pass(len_bytes));
            let ends_here = over_cap || header.is_none();
            if ends_here && next.is_some_and(|next| !self.leads_on(next)) {
                return;
            }
            if over_cap {
                self.packet.shape = Shape::HeaderChainLimit;
                self.packet.wants_more = next.is_none() && self.rest.could_hold(1);
                return;
            }
            let Some(header) = header else {
                self.packet.shape = Shape::IncompleteHeaders;
                self.packet.wants_more = here.could_hold(decided_by(kind, next, here.bytes));
                if self.packet.wants_more && self.may_lead_to_route(next, headers) {
                    self.packet.route = self.packet.route.and(Route::Unreadable);
                }
                return;
            };
            if kind == FRAGMENT
                && let Ok(fragment) = Ipv6FragmentHeaderSlice::from_slice(header)
            {
                let offset = fragment.fragment_offset().value();
                if !self.enter_fragment(offset, fragment.more_fragments()) {
                    return;
                }
                self.bound_first_fragment();
            }
        }
        self.at_upper_layer = true;
        match self.packet.protocol {
            TCP => transport::tcp(&mut self.packet, self.rest),
            UDP => transport::udp(&mut self.packet, self.rest),
            _ => {}
        }
    }

    /// Whether a routing header may stand among what the capture left out, behind so many headers.
    fn may_lead_to_route(&self, next: Option<u8>, headers: u32) -> bool {
        self.family == Family::V6
            && next.is_none_or(|next| {
                next == ROUTING || headers < HEADERS_CAP && is_followed(self.family, next)
            })
    }

    /// Notes the route of a routing header, and the tunnels that end where it leads.
    fn enter_route(&mut self, header: &[u8], len_bytes: Option<usize>) {
        let header = match len_bytes {
            Some(len_bytes) => header.get(..len_bytes).unwrap_or(header),
            None => header,
        };
        let before = self.packet.route;
        self.packet.route = Route::of_routing_header(header, self.at);
        self.look_along_route();
        self.packet.route = before.and(self.packet.route);
    }

    #[inline]
    fn look_for_tunnels(&mut self) {
        if self.unwrap.is_empty() {
            return;
        }
        for end in [self.packet.src, self.packet.dst] {
            self.tunnels |= self.unwrap.protocols(self.family, end);
        }
        self.look_along_route();
    }

    fn look_along_route(&mut self) {
        if self.unwrap.is_empty() {
            return;
        }
        for end in super::route_addresses(self.place.frame, &self.packet) {
            self.tunnels |= self.unwrap.protocols(self.family, end);
        }
    }

    /// Takes octets off the front, when so many are there.
    fn pass(&mut self, len_bytes: usize) -> Option<&'a [u8]> {
        let passed = self.rest.take(len_bytes)?;
        self.at += len_bytes;
        Some(passed)
    }

    /// Notes where in its datagram the packet stands; `false` when nothing behind may be read.
    fn enter_fragment(&mut self, offset: u16, more: bool) -> bool {
        if offset == 0 {
            if more {
                self.packet.fragment = Fragment::First;
            }
            return true;
        }
        self.packet.fragment = Fragment::Later;
        self.packet.shape = match (offset, self.packet.protocol) {
            (1, TCP) => Shape::OverlappingFragment,
            _ if self.writes_over_a_tunnel(offset) => Shape::OverlappingFragment,
            _ => Shape::LaterFragment,
        };
        false
    }

    /// Whether a later fragment may write over what was read of its first one, and the packet may
    /// lead into a tunnel.
    fn writes_over_a_tunnel(&self, offset: u16) -> bool {
        let protocol = self.packet.protocol;
        let may_lead =
            self.is_tunnel(protocol) || (self.tunnels != 0 && is_followed(self.family, protocol));
        may_lead && usize::from(offset) * 8 < FIRST_FRAGMENT_OCTETS
    }

    fn bound_first_fragment(&mut self) {
        if self.tunnels != 0 && self.packet.is_first_fragment() {
            self.rest = self.rest.bounded(FIRST_FRAGMENT_OCTETS);
        }
    }

    /// Whether TCP, or a tunnel that is opened, may stand behind.
    fn leads_on(&self, kind: u8) -> bool {
        kind == TCP || is_followed(self.family, kind) || self.is_tunnel(kind)
    }

    fn is_tunnel(&self, protocol: u8) -> bool {
        protocol < 64 && self.tunnels >> protocol & 1 == 1
    }

    fn leads(&mut self) -> Leads {
        let protocol = self.packet.protocol;
        if self.tunnels == 0 {
            return Leads::Nowhere;
        }
        let inner = match (protocol, self.tunnels) {
            (IPV6, _) => Family::V6,
            (protocol, tunnels) if protocol != IPV4 && tunnels == 1 << IPV6 => Family::V6,
            // Announced, or not known: most rules are about this family.
            _ => Family::V4,
        };
        match self.packet.shape {
            Shape::IncompleteHeaders | Shape::HeaderChainLimit if protocol != TCP => {
                Leads::Hidden(inner)
            }
            Shape::OverlappingFragment if protocol != TCP => Leads::Hidden(inner),
            Shape::Opaque if !self.at_upper_layer || !self.is_tunnel(protocol) => Leads::Nowhere,
            Shape::Opaque if protocol == UDP && self.packet.transport_len < 4 => {
                self.packet.shape = Shape::IncompleteHeaders;
                self.packet.wants_more = self.rest.could_hold(4);
                Leads::Hidden(inner)
            }
            Shape::Opaque => Leads::Within,
            _ => Leads::Nowhere,
        }
    }
}

/// The extension headers that are walked; anything else is an upper layer.
fn is_followed(family: Family, kind: u8) -> bool {
    match family {
        Family::V4 => kind == AUTHENTICATION,
        Family::V6 => matches!(
            kind,
            HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION
        ),
    }
}

/// Octets that TCP, or a header that leads to it, must have for the packet not to be evasive.
fn decides_at(kind: u8) -> usize {
    match kind {
        TCP => usize::from(TRANSPORT_OCTETS),
        _ => 1,
    }
}

/// Octets of an extension header, when enough of it is there to tell.
fn header_len_bytes(kind: u8, header: &[u8]) -> Option<usize> {
    match (kind, header) {
        (FRAGMENT, _) => Some(8),
        (AUTHENTICATION, [_, len, ..]) => Some((usize::from(*len) + 2) * 4),
        (_, [_, len, ..]) => Some((usize::from(*len) + 1) * 8),
        _ => None,
    }
}

/// Octets that would decide, from the beginning of an extension header that is cut.
fn decided_by(kind: u8, next: Option<u8>, header: &[u8]) -> usize {
    match (next, kind, header) {
        (None, _, _) => 1,
        (Some(next), FRAGMENT, [_, _, 0, 0..=7, ..]) => 8 + decides_at(next),
        // With an offset above 0, the whole header decides without what is behind it.
        (_, FRAGMENT, _) => 8,
        (Some(next), _, _) => header_len_bytes(kind, header).unwrap_or(8) + decides_at(next),
    }
}
