//! IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200), AH (RFC 4302), TCP (RFC 9293).

use super::octets::{Octet, Octets};
use super::route;
use super::{Inside, Ip, Route, Seen};
use sekisho::stats::Reason;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const TCP: u8 = 6;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const ROUTING: u8 = 43;
const HOP_BY_HOP: u8 = 0;
const DESTINATION: u8 = 60;

pub fn ipv4(header: Octets<'_>) -> Seen {
    const FIXED: usize = 20;
    if header.left() < FIXED {
        return Seen::Unparsed;
    }
    let Octet::There(first) = header.at(0) else {
        return Seen::Unreadable;
    };
    let header_octets = usize::from(first % 16) * 4;
    if first / 16 != 4 || header_octets < FIXED {
        return Seen::Unparsed;
    }
    let Ok(total) = header.two(2) else {
        return Seen::Unreadable;
    };
    let packet = match usize::from(total) {
        0 => header,
        total => header.bounded(total),
    };
    if total > 0 && usize::from(total) < header_octets {
        return Seen::Unparsed;
    }
    let (Ok(src), Ok(dst)) = (header.number(12, 4), header.number(16, 4)) else {
        return Seen::Unreadable;
    };
    let (Ok(fragment), Octet::There(protocol)) = (header.two(6), header.at(9)) else {
        return Seen::Unreadable;
    };
    let offset = fragment % 0x2000;
    let mut route = Route::Nowhere;
    let inside = if offset > 0 {
        later_fragment(offset, protocol)
    } else if packet.left() < header_octets {
        // The options reach beyond what was on the wire.
        match protocol {
            TCP | AUTHENTICATION => Inside::Evasive(Reason::IncompleteHeaders),
            _ => Inside::Opaque,
        }
    } else {
        route = route::of_options(header.behind(FIXED).bounded(header_octets - FIXED));
        let chain = Chain {
            first_fragment: fragment & 0x2000 != 0,
            ..Chain::begin(false)
        };
        chain.walk(protocol, packet.behind(header_octets), &mut route)
    };
    let (src, dst) = (v4(src), v4(dst));
    Seen::Ip(Ip {
        src,
        dst,
        known_by: (src, dst),
        route,
        spoofed: false,
        inside,
    })
}

fn v4(number: u128) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(number as u32))
}

pub fn ipv6(header: Octets<'_>) -> Seen {
    const FIXED: usize = 40;
    if header.left() < FIXED {
        return Seen::Unparsed;
    }
    let Octet::There(first) = header.at(0) else {
        return Seen::Unreadable;
    };
    if first / 16 != 6 {
        return Seen::Unparsed;
    }
    let (Ok(payload), Octet::There(next)) = (header.two(4), header.at(6)) else {
        return Seen::Unreadable;
    };
    let (Ok(src), Ok(dst)) = (header.number(8, 16), header.number(24, 16)) else {
        return Seen::Unreadable;
    };
    let packet = match usize::from(payload) {
        0 => header,
        payload => header.bounded(FIXED + payload),
    };
    let mut route = Route::Nowhere;
    let inside = Chain::begin(true).walk(next, packet.behind(FIXED), &mut route);
    let (src, dst) = (Ipv6Addr::from(src).into(), Ipv6Addr::from(dst).into());
    Seen::Ip(Ip {
        src,
        dst,
        known_by: (src, dst),
        route,
        spoofed: false,
        inside,
    })
}

fn later_fragment(offset: u16, next: u8) -> Inside {
    if offset == 1 && next == TCP {
        Inside::Evasive(Reason::OverlappingFragment)
    } else {
        Inside::LaterFragment
    }
}

/// What was walked so far behind the fixed header.
#[derive(Clone, Copy)]
struct Chain {
    of_ipv6: bool,
    headers: usize,
    octets: usize,
    first_fragment: bool,
}

const UNREAD: Inside = Inside::Cut {
    src_port: None,
    dst_port: None,
};

impl Chain {
    const MOST_HEADERS: usize = 8;
    const MOST_OCTETS: usize = 256;
    /// What a header takes at least.
    const SHORTEST: usize = 8;

    fn begin(of_ipv6: bool) -> Self {
        Self {
            of_ipv6,
            headers: 0,
            octets: 0,
            first_fragment: false,
        }
    }

    /// Whether such a header is walked over on the way to TCP.
    fn is_walked(self, kind: u8) -> bool {
        kind == AUTHENTICATION
            || self.of_ipv6 && [HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION].contains(&kind)
    }

    fn walk(self, kind: u8, rest: Octets<'_>, route: &mut Route) -> Inside {
        if kind == TCP {
            self.tcp(rest)
        } else if self.is_walked(kind) {
            self.header(kind, rest, route)
        } else {
            Inside::Opaque
        }
    }

    fn header(self, kind: u8, header: Octets<'_>, route: &mut Route) -> Inside {
        let limit = Inside::Evasive(Reason::HeaderChainLimit);
        let incomplete = Inside::Evasive(Reason::IncompleteHeaders);
        let full = self.headers == Self::MOST_HEADERS;
        let next = match header.at(0) {
            Octet::There(next) => next,
            Octet::Cut => return UNREAD,
            Octet::Gone if full => return limit,
            Octet::Gone => return incomplete,
        };
        let leads_to_tcp = next == TCP || self.is_walked(next);
        if !leads_to_tcp && kind != FRAGMENT {
            return Inside::Opaque;
        }
        let octets = match (kind, header.at(1)) {
            _ if full => usize::MAX,
            (FRAGMENT, _) => 8,
            (AUTHENTICATION, Octet::There(length)) => (usize::from(length) + 2) * 4,
            (_, Octet::There(length)) => (usize::from(length) + 1) * 8,
            (_, Octet::Cut) if header.left() >= Self::SHORTEST + 14 => return UNREAD,
            // Whatever is missing, there is no room for TCP behind it.
            (_, Octet::Cut | Octet::Gone) => return incomplete,
        };
        if octets > Self::MOST_OCTETS - self.octets {
            return if leads_to_tcp { limit } else { Inside::Opaque };
        }
        let mut beyond = Self {
            headers: self.headers + 1,
            octets: self.octets + octets,
            ..self
        };
        if header.left() < octets {
            return if leads_to_tcp {
                incomplete
            } else {
                Inside::Opaque
            };
        }
        if kind == FRAGMENT {
            // A header that is cut is not read, beyond what it leads to.
            match header.number(0, 8).and(header.two(2)) {
                Ok(word) if word / 8 > 0 => return later_fragment(word / 8, next),
                Ok(word) => beyond.first_fragment |= word % 2 == 1,
                Err(_) if leads_to_tcp => return UNREAD,
                Err(_) => return Inside::Opaque,
            }
        }
        if kind == ROUTING {
            route::add(route, route::of_header(header.bounded(octets)));
        }
        beyond.walk(next, header.behind(octets), route)
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
