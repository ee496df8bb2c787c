//! Tunnels that end where the provider's own do: IPv4 in IPv6 (RFC 2473), IPv6 in IPv4 (RFC 4213),
//! GRE (RFC 2784, RFC 2890, RFC 2637), L2TP (RFC 2661), VXLAN (RFC 7348), GTP-U (TS 29.281).

use super::octets::{Octet, Octets};
use super::{Inside, Ip, Route, Seen, link};
use crate::policy::Prefix;
use sekisho::stats::Reason;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One entry of a pipeline's `unwrap`.
#[derive(Clone, Debug)]
pub struct Tunnel {
    pub kind: Kind,
    pub endpoints: Vec<Prefix>,
    pub by_outer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    FourInSix,
    SixInFour,
    Gre,
    L2tp,
    Vxlan,
    GtpU,
}

/// What a packet lies in.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    pub tunnels: &'a [Tunnel],
    /// How many tunnels were opened on the way.
    pub opened: usize,
}

/// The ends of a tunnel, as its outer header has them.
#[derive(Clone, Copy)]
pub struct Ends<'a> {
    pub src: IpAddr,
    pub dst: IpAddr,
    /// Where a source route has it go yet: it ends there, too.
    pub through: &'a [IpAddr],
}

const UDP: u8 = 17;
const MOST_TUNNELS: usize = 2;

impl Kind {
    fn is_over(self, protocol: u8, ipv6: bool) -> bool {
        match self {
            Self::FourInSix => protocol == 4 && ipv6,
            Self::SixInFour => protocol == 41 && !ipv6,
            Self::Gre => protocol == 47,
            Self::L2tp | Self::Vxlan | Self::GtpU => protocol == UDP,
        }
    }

    fn is_at(self, src_port: u16, dst_port: u16) -> bool {
        match self {
            Self::FourInSix | Self::SixInFour | Self::Gre => true,
            Self::L2tp => src_port == 1701 || dst_port == 1701,
            Self::Vxlan => dst_port == 4789,
            Self::GtpU => dst_port == 2152,
        }
    }

    /// An address that nobody has, of the family inside; where any may be, of that of most.
    fn unknown(self) -> IpAddr {
        match self {
            Self::SixInFour => Ipv6Addr::UNSPECIFIED.into(),
            _ => Ipv4Addr::UNSPECIFIED.into(),
        }
    }
}

impl<'a> Outside<'a> {
    pub fn nothing(tunnels: &'a [Tunnel]) -> Self {
        Self { tunnels, opened: 0 }
    }

    fn ending_at(self, ends: Ends<'_>) -> impl Iterator<Item = &'a Tunnel> {
        self.tunnels.iter().filter(move |tunnel| {
            let mut addresses = [ends.src, ends.dst]
                .into_iter()
                .chain(ends.through.to_vec());
            addresses.any(|end| tunnel.endpoints.iter().any(|prefix| prefix.holds(end)))
        })
    }

    /// What stands for the addresses inside where any tunnel that ends here may follow: IPv6's where
    /// nothing else can be inside.
    pub fn unknown(self, ends: Ends<'_>) -> Option<IpAddr> {
        let protocols = [4, 41, 47, UDP];
        let tunnels = protocols.iter().filter_map(|p| self.leads(*p, ends));
        let unknown = tunnels.map(Tunnel::unknown);
        unknown.reduce(|one, other| if one.is_ipv4() { one } else { other })
    }

    /// The first tunnel that a protocol may lead into.
    pub fn leads(self, protocol: u8, ends: Ends<'_>) -> Option<&'a Tunnel> {
        let ipv6 = ends.src.is_ipv6();
        let mut tunnels = self.ending_at(ends);
        tunnels.find(|tunnel| tunnel.kind.is_over(protocol, ipv6))
    }

    /// What is seen behind the outer headers.
    pub fn open(self, protocol: u8, ends: Ends<'_>, payload: Octets<'_>) -> Seen {
        let ipv6 = ends.src.is_ipv6();
        let (mut ports, mut within) = ((0, 0), payload);
        if protocol == UDP {
            match (payload.two(0), payload.two(2)) {
                (Ok(src_port), Ok(dst_port)) => {
                    (ports, within) = ((src_port, dst_port), payload.behind(8));
                }
                _ => {
                    let unknown = Ipv4Addr::UNSPECIFIED.into();
                    let inside = match payload.left() {
                        0..4 => Inside::Evasive(Reason::IncompleteHeaders),
                        _ => short(payload),
                    };
                    return unread(ends, unknown, inside);
                }
            }
        }
        let mut tunnels = self.ending_at(ends);
        let tunnel = tunnels.find(|tunnel| {
            tunnel.kind.is_over(protocol, ipv6) && tunnel.kind.is_at(ports.0, ports.1)
        });
        let Some(tunnel) = tunnel else {
            return outer(ends, Inside::Opaque);
        };
        if protocol == UDP && payload.number(0, 8).is_err() {
            return unread(ends, tunnel.kind.unknown(), short(payload));
        }
        if self.opened == MOST_TUNNELS {
            let evasive = Inside::Evasive(Reason::HeaderChainLimit);
            return unread(ends, tunnel.kind.unknown(), evasive);
        }
        let deeper = Self {
            opened: self.opened + 1,
            ..self
        };
        match deeper.behind(tunnel.kind, within) {
            Within::Nothing => outer(ends, Inside::Opaque),
            Within::Short => unread(ends, tunnel.kind.unknown(), short(payload)),
            Within::Seen(Seen::Runt(announced)) => {
                let unknown = announced.unwrap_or(tunnel.kind.unknown());
                unread(ends, unknown, Inside::Evasive(Reason::IncompleteHeaders))
            }
            Within::Seen(Seen::Ip(ip)) => Seen::Ip(tunnel.known(ip, ends)),
            Within::Seen(Seen::NotIp) => outer(ends, Inside::Opaque),
            Within::Seen(Seen::Unparsed) => Seen::Unparsed,
            Within::Seen(Seen::Unreadable(announced)) => {
                unread(ends, announced.unwrap_or(tunnel.kind.unknown()), CUT)
            }
            Within::Seen(Seen::TooManyTagsOrLabels) => Seen::TooManyTagsOrLabels,
        }
    }

    fn behind(self, kind: Kind, within: Octets<'_>) -> Within {
        match kind {
            Kind::FourInSix => Within::Seen(super::ip::ipv4(within, self)),
            Kind::SixInFour => Within::Seen(super::ip::ipv6(within, self)),
            Kind::Vxlan => match within.number(0, 8) {
                Ok(_) => Within::Seen(link::ethernet(within.behind(8), self)),
                Err(_) => Within::Short,
            },
            Kind::Gre => self.gre(within),
            Kind::L2tp => self.l2tp(within),
            Kind::GtpU => self.gtp_u(within),
        }
    }

    fn gre(self, header: Octets<'_>) -> Within {
        let (Ok(flags), Ok(kind)) = (header.two(0), header.two(2)) else {
            return Within::Short;
        };
        let has = |bit: u16| if flags & bit != 0 { 4 } else { 0 };
        let (checksum, routing, key, sequence) = (0x8000, 0x4000, 0x2000, 0x1000);
        let octets = match flags & 7 {
            // Of RFC 1701, not RFC 2784, whose receivers discard it.
            0 | 1 if has(routing) > 0 => return Within::Seen(Seen::Unparsed),
            0 => 4 + has(checksum) + has(key) + has(sequence),
            1 => 4 + has(checksum) + has(key) + has(sequence) + has(0x0080),
            _ => return Within::Nothing,
        };
        if header.number(0, octets).is_err() {
            return Within::Short;
        }
        let within = header.behind(octets);
        Within::Seen(match kind {
            0x6558 => link::ethernet(within, self),
            0x880b => link::framed_ppp(within, self),
            kind => link::ether_type(kind, within, 0, self),
        })
    }

    fn l2tp(self, header: Octets<'_>) -> Within {
        let Ok(flags) = header.two(0) else {
            return Within::Short;
        };
        let (control, length, sequence, offset) = (0x8000, 0x4000, 0x0800, 0x0200);
        if flags & control != 0 || flags & 0xf != 2 {
            return Within::Nothing;
        }
        let mut octets = 2;
        if flags & length != 0 {
            octets += 2;
        }
        octets += 4;
        if flags & sequence != 0 {
            octets += 4;
        }
        if flags & offset != 0 {
            match header.two(octets) {
                Ok(pad) => octets += 2 + usize::from(pad),
                Err(_) => return Within::Short,
            }
        }
        if header.left() < octets {
            return Within::Short;
        }
        Within::Seen(link::framed_ppp(header.behind(octets), self))
    }

    fn gtp_u(self, header: Octets<'_>) -> Within {
        let (Octet::There(flags), Octet::There(message), Ok(_)) =
            (header.at(0), header.at(1), header.number(0, 8))
        else {
            return Within::Short;
        };
        const TUNNELLED: u8 = 255;
        if flags >> 4 != 3 || message != TUNNELLED {
            return Within::Nothing;
        }
        let mut octets = 8;
        if flags & 7 != 0 {
            octets += 4;
            let mut next = header.at(octets - 1);
            // Extension headers: their length in words, and at their end what follows.
            while flags & 4 != 0 && next != Octet::There(0) {
                match header.at(octets) {
                    Octet::There(words) if words > 0 => octets += usize::from(words) * 4,
                    Octet::There(_) => return Within::Seen(Seen::Unparsed),
                    _ => return Within::Short,
                }
                next = header.at(octets - 1);
            }
        }
        if header.left() < octets {
            return Within::Short;
        }
        let packet = header.behind(octets);
        match packet.at(0) {
            Octet::There(first) if first >> 4 == 4 => Within::Seen(super::ip::ipv4(packet, self)),
            Octet::There(first) if first >> 4 == 6 => Within::Seen(super::ip::ipv6(packet, self)),
            Octet::There(_) => Within::Nothing,
            _ => Within::Short,
        }
    }
}

enum Within {
    Nothing,
    /// What should tell ends before it does.
    Short,
    Seen(Seen),
}

const CUT: Inside = Inside::Cut {
    src_port: None,
    dst_port: None,
};

fn short(payload: Octets<'_>) -> Inside {
    if payload.are_cut() {
        CUT
    } else {
        Inside::Evasive(Reason::IncompleteHeaders)
    }
}

fn outer(ends: Ends<'_>, inside: Inside) -> Seen {
    Seen::Ip(Ip {
        src: ends.src,
        dst: ends.dst,
        known_by: (ends.src, ends.dst),
        tunnelled: false,
        route: Route::Nowhere,
        spoofed: false,
        inside,
    })
}

/// A packet of which nothing is known but the ends of its tunnel. Where that one lies in another, it
/// is known as the other's packets are.
pub fn unread(ends: Ends<'_>, address: IpAddr, inside: Inside) -> Seen {
    Seen::Ip(Ip {
        src: address,
        dst: address,
        known_by: (ends.src, ends.dst),
        tunnelled: false,
        route: Route::Nowhere,
        spoofed: false,
        inside,
    })
}

impl Tunnel {
    pub fn unknown(&self) -> IpAddr {
        self.kind.unknown()
    }

    fn known(&self, ip: Ip, ends: Ends<'_>) -> Ip {
        let known_by = match (ip.tunnelled, self.by_outer) {
            (false, true) => (ends.src, ends.dst),
            (true, _) | (false, false) => ip.known_by,
        };
        Ip {
            known_by,
            tunnelled: true,
            ..ip
        }
    }
}
