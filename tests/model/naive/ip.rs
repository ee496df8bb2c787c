//! IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200), AH (RFC 4302), TCP (RFC 9293).

use super::octets::{Octet, Octets};
use super::route;
use super::tunnel::{Ends, Outside, unread};
use super::{Inside, Ip, Route, Seen};
use sekisho::stats::Reason;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const TCP: u8 = 6;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const ROUTING: u8 = 43;
const HOP_BY_HOP: u8 = 0;
const DESTINATION: u8 = 60;

pub fn ipv4(header: Octets<'_>, outside: Outside<'_>) -> Seen {
    const FIXED: usize = 20;
    let unknown = Some(Ipv4Addr::UNSPECIFIED.into());
    let (runt, unreadable) = (Seen::Runt(unknown), Seen::Unreadable(unknown));
    let first = match header.at(0) {
        Octet::There(first) if first / 16 != 4 || first % 16 < 5 => return Seen::Unparsed,
        Octet::There(first) => first,
        _ if header.left() < FIXED => return runt,
        _ => return unreadable,
    };
    let header_octets = usize::from(first % 16) * 4;
    let total = match header.two(2) {
        Ok(total) if total > 0 && usize::from(total) < header_octets => return Seen::Unparsed,
        _ if header.left() < FIXED => return runt,
        Ok(total) => total,
        Err(_) => return unreadable,
    };
    let packet = match usize::from(total) {
        0 => header,
        total => header.bounded(total),
    };
    let (Ok(src), Ok(dst)) = (header.number(12, 4), header.number(16, 4)) else {
        return unreadable;
    };
    let (Ok(fragment), Octet::There(protocol)) = (header.two(6), header.at(9)) else {
        return unreadable;
    };
    let offset = fragment % 0x2000;
    let (src, dst) = (v4(src), v4(dst));
    // A route stands in every fragment: both of its options are copied (RFC 791 §3.1).
    let mut route = route::of_options(header.behind(FIXED).bounded(header_octets - FIXED));
    let through = listed(&route);
    let through = &through;
    let chain = Chain {
        first_fragment: fragment & 0x2000 != 0,
        ..Chain::begin(Ends { src, dst, through }, outside)
    };
    let found = if offset > 0 {
        chain.later_fragment(offset, protocol)
    } else if packet.left() < header_octets {
        // The options reach beyond what was on the wire.
        chain.ends_before(Some(protocol), Reason::IncompleteHeaders)
    } else {
        chain.walk(protocol, packet.behind(header_octets), &mut route)
    };
    seen(src, dst, route, found)
}

/// The addresses of a route that can be read.
fn listed(route: &Route) -> Vec<IpAddr> {
    match route {
        Route::Through(addresses) => addresses.clone(),
        Route::Nowhere | Route::Unreadable => Vec::new(),
    }
}

fn v4(number: u128) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(number as u32))
}

pub fn ipv6(header: Octets<'_>, outside: Outside<'_>) -> Seen {
    const FIXED: usize = 40;
    let unknown = Some(Ipv6Addr::UNSPECIFIED.into());
    let unreadable = Seen::Unreadable(unknown);
    match header.at(0) {
        Octet::There(first) if first / 16 != 6 => return Seen::Unparsed,
        _ if header.left() < FIXED => return Seen::Runt(unknown),
        Octet::There(_) => {}
        _ => return unreadable,
    }
    let (Ok(payload), Octet::There(next)) = (header.two(4), header.at(6)) else {
        return unreadable;
    };
    let (Ok(src), Ok(dst)) = (header.number(8, 16), header.number(24, 16)) else {
        return unreadable;
    };
    let packet = match usize::from(payload) {
        0 => header,
        payload => header.bounded(FIXED + payload),
    };
    let mut route = Route::Nowhere;
    let (src, dst) = (Ipv6Addr::from(src).into(), Ipv6Addr::from(dst).into());
    let through = &[];
    let chain = Chain::begin(Ends { src, dst, through }, outside);
    let found = chain.walk(next, packet.behind(FIXED), &mut route);
    seen(src, dst, route, found)
}

fn seen(src: IpAddr, dst: IpAddr, route: Route, found: Found) -> Seen {
    match found {
        Found::Within(seen) => seen,
        Found::Here(inside) => Seen::Ip(Ip {
            src,
            dst,
            tunnelled: false,
            known_by: (src, dst),
            route,
            spoofed: false,
            inside,
        }),
    }
}

enum Found {
    Here(Inside),
    /// In a tunnel that was opened.
    Within(Seen),
}

/// What was walked so far behind the fixed header.
#[derive(Clone, Copy)]
struct Chain<'a> {
    ends: Ends<'a>,
    outside: Outside<'a>,
    of_ipv6: bool,
    headers: usize,
    octets: usize,
    /// Behind the fragment header, or IPv4's.
    octets_of_datagram: usize,
    first_fragment: bool,
}

const UNREAD: Inside = Inside::Cut {
    src_port: None,
    dst_port: None,
};

impl<'a> Chain<'a> {
    const MOST_HEADERS: usize = 8;
    const MOST_OCTETS: usize = 256;
    /// Of an outer datagram: no later fragment may begin within them.
    const SAFE_OCTETS: usize = 512;
    /// What a header takes at least.
    const SHORTEST: usize = 8;

    /// How many octets of a header tell whether TCP that decides follows: of any other than TCP
    /// itself the first, which names the next.
    fn decided_by(kind: u8) -> usize {
        if kind == TCP { 14 } else { 1 }
    }

    fn begin(ends: Ends<'a>, outside: Outside<'a>) -> Self {
        Self {
            ends,
            outside,
            of_ipv6: ends.src.is_ipv6(),
            headers: 0,
            octets: 0,
            octets_of_datagram: 0,
            first_fragment: false,
        }
    }

    /// Whether such a header is walked over on the way to TCP.
    fn is_walked(self, kind: u8) -> bool {
        kind == AUTHENTICATION
            || self.of_ipv6 && [HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION].contains(&kind)
    }

    /// Whether TCP may stand behind it.
    fn leads_to_tcp(self, kind: u8) -> bool {
        let into_tunnel = self.outside.leads(kind, self.ends).is_some();
        kind == TCP || self.is_walked(kind) || into_tunnel
    }

    fn walk(self, kind: u8, rest: Octets<'_>, route: &mut Route) -> Found {
        if kind == TCP {
            Found::Here(self.tcp(rest))
        } else if self.is_walked(kind) {
            self.header(kind, rest, route)
        } else if self.outside.leads(kind, self.ends).is_some() {
            // What is behind the first of an outer first fragment may be written over.
            let rest = match self.first_fragment {
                true => rest.bounded(Self::SAFE_OCTETS.saturating_sub(self.octets_of_datagram)),
                false => rest,
            };
            let through = &listed(route);
            let ends = Ends {
                through,
                ..self.ends
            };
            Found::Within(self.outside.open(kind, ends, rest))
        } else {
            Found::Here(Inside::Opaque)
        }
    }

    fn later_fragment(self, offset: u16, next: u8) -> Found {
        if offset == 1 && next == TCP {
            return Found::Here(Inside::Evasive(Reason::OverlappingFragment));
        }
        // Toward a tunnel's end it could write over what the first was judged by.
        let unknown = self.inside_of_tunnel(Some(next));
        match unknown {
            Some(unknown) if usize::from(offset) * 8 < Self::SAFE_OCTETS => {
                let evasive = Inside::Evasive(Reason::OverlappingFragment);
                Found::Within(unread(self.ends, unknown, evasive))
            }
            _ => Found::Here(Inside::LaterFragment),
        }
    }

    /// What stands for the addresses inside, where such a header could lead into a tunnel.
    fn inside_of_tunnel(self, next: Option<u8>) -> Option<IpAddr> {
        let tunnel = next.and_then(|next| self.outside.leads(next, self.ends));
        let may_lead = next.is_none_or(|next| self.is_walked(next));
        match tunnel {
            Some(tunnel) => Some(tunnel.unknown()),
            None if may_lead => self.outside.unknown(self.ends),
            None => None,
        }
    }

    /// What would stand here, `next` if that is known, cannot be read.
    fn ends_before(self, next: Option<u8>, reason: Reason) -> Found {
        let evasive = Inside::Evasive(reason);
        match self.inside_of_tunnel(next) {
            Some(unknown) => Found::Within(unread(self.ends, unknown, evasive)),
            None if next.is_none_or(|next| self.leads_to_tcp(next)) => Found::Here(evasive),
            None => Found::Here(Inside::Opaque),
        }
    }

    /// The capture ends before what would stand here, `next` if that is known; a routing header of
    /// IPv6 may be part of it, unless this was the last header that is followed.
    fn cut(self, next: Option<u8>, route: &mut Route) -> Found {
        let is_last = self.headers == Self::MOST_HEADERS;
        if self.of_ipv6 && !is_last && next.is_none_or(|next| self.is_walked(next)) {
            route::add(route, Route::Unreadable);
        }
        match self.inside_of_tunnel(next) {
            Some(unknown) => Found::Within(unread(self.ends, unknown, UNREAD)),
            None => Found::Here(UNREAD),
        }
    }

    /// A routing header leads on along its list, however much of it is there and may be followed.
    fn header(self, kind: u8, header: Octets<'_>, route: &mut Route) -> Found {
        if kind != ROUTING {
            return self.next(kind, header, route);
        }
        let here = match header.at(1) {
            Octet::There(length) => route::of_header(header, (usize::from(length) + 1) * 8),
            Octet::Cut | Octet::Gone => Route::Unreadable,
        };
        let through = [self.ends.through, &listed(&here)].concat();
        let ends = Ends {
            through: &through,
            ..self.ends
        };
        route::add(route, here);
        Chain { ends, ..self }.next(kind, header, route)
    }

    fn next(self, kind: u8, header: Octets<'_>, route: &mut Route) -> Found {
        let (limit, incomplete) = (Reason::HeaderChainLimit, Reason::IncompleteHeaders);
        let full = self.headers == Self::MOST_HEADERS;
        let next = match header.at(0) {
            Octet::There(next) => next,
            Octet::Cut => return self.cut(None, route),
            Octet::Gone if full => return self.ends_before(None, limit),
            Octet::Gone => return self.ends_before(None, incomplete),
        };
        let leads_to_tcp = self.leads_to_tcp(next);
        if !leads_to_tcp && kind != FRAGMENT {
            return Found::Here(Inside::Opaque);
        }
        let octets = match (kind, header.at(1)) {
            _ if full => usize::MAX,
            (FRAGMENT, _) => 8,
            (AUTHENTICATION, Octet::There(length)) => (usize::from(length) + 2) * 4,
            (_, Octet::There(length)) => (usize::from(length) + 1) * 8,
            (_, Octet::Cut) if header.left() >= Self::SHORTEST + Self::decided_by(next) => {
                return self.cut(Some(next), route);
            }
            // Whatever is missing, there is no room for what would decide behind it.
            (_, Octet::Cut | Octet::Gone) => return self.ends_before(Some(next), incomplete),
        };
        if octets > Self::MOST_OCTETS - self.octets {
            return self.ends_before(Some(next), limit);
        }
        let mut beyond = Self {
            headers: self.headers + 1,
            octets: self.octets + octets,
            octets_of_datagram: self.octets_of_datagram + octets,
            ..self
        };
        if header.left() < octets {
            return self.ends_before(Some(next), incomplete);
        }
        if kind == FRAGMENT {
            // A header that is cut is not read, beyond what it leads to.
            match header.number(0, 8).and(header.two(2)) {
                Ok(word) if word / 8 > 0 => return self.later_fragment(word / 8, next),
                Ok(word) => beyond.first_fragment |= word % 2 == 1,
                Err(_) if leads_to_tcp && self.begins_too_late(header, next) => {
                    return self.ends_before(Some(next), incomplete);
                }
                Err(_) if leads_to_tcp => return self.cut(Some(next), route),
                Err(_) => return Found::Here(Inside::Opaque),
            }
            beyond.octets_of_datagram = 0;
        }
        beyond.walk(next, header.behind(octets), route)
    }

    /// Whether a fragment header, itself cut, shows that what is behind it begins a datagram and
    /// has no room to decide.
    fn begins_too_late(self, header: Octets<'_>, next: u8) -> bool {
        let begins = header.two(2).is_ok_and(|word| word / 8 == 0);
        begins && header.left() < Self::SHORTEST + Self::decided_by(next)
    }

    fn tcp(self, header: Octets<'_>) -> Inside {
        // Of a header that can never be whole, what is there tells which way it evades.
        match header.left() {
            0..=13 if !matches!(header.at(0), Octet::There(_)) => {
                return Inside::Evasive(Reason::IncompleteHeaders);
            }
            0..=13 if self.first_fragment => return Inside::Evasive(Reason::TinyFragment),
            0..=13 => return Inside::Evasive(Reason::Malformed),
            _ => {}
        }
        let (src_port, dst_port) = (header.two(0).ok(), header.two(2).ok());
        match (src_port, dst_port, header.at(13)) {
            (Some(src_port), Some(dst_port), Octet::There(flags)) => Inside::Segment {
                src_port,
                dst_port,
                flags,
            },
            _ => Inside::Cut { src_port, dst_port },
        }
    }
}
