//! Which tunnels are opened, and who their subscribers are.

use super::prefixes::Prefixes;
use super::{Family, Fragment, Identity, MapRule, Packet, Shape};
use etherparse::ip_number;
use ipnet::IpNet;
use std::net::Ipv4Addr;

pub(super) const IPV4: u8 = ip_number::IPV4.0;
pub(super) const IPV6: u8 = ip_number::IPV6.0;
pub(super) const GRE: u8 = ip_number::GRE.0;
pub(super) const UDP: u8 = ip_number::UDP.0;

const L2TP_PORT: u16 = 1701;
const GTP_U_PORT: u16 = 2152;
const VXLAN_PORT: u16 = 4789;

/// The tunnels that are opened. Those that end anywhere else stay closed.
///
/// Built once from the pipeline, and asked by every parse; [`Unwrap::default`] opens none.
#[derive(Clone, Debug, Default)]
pub struct Unwrap {
    watch: Watch,
    opened: Vec<Opened>,
}

/// Tunnels of one kind that end at the same endpoints.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// How packets are wrapped.
    pub kind: TunnelKind,
    /// The provider's ends: border relays, AFTRs, LNSs. A frame is opened when either of its outer
    /// ends is among them.
    pub endpoints: Vec<IpNet>,
    /// By what a packet's subscriber is known.
    pub subscriber: Subscriber,
    /// Of MAP-E: which address and ports each subscriber may use. Without any, neither is checked.
    pub rules: Vec<MapRule>,
}

/// How packets are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TunnelKind {
    /// IPv4 in IPv6 (RFC 2473): MAP-E and DS-Lite.
    Ipv4InIpv6,
    /// IPv6 in IPv4, protocol 41: 6rd.
    Ipv6InIpv4,
    /// L2TP version 2 over UDP port 1701.
    L2tp,
    /// GRE, that of PPTP too.
    Gre,
    /// VXLAN over UDP port 4789.
    Vxlan,
    /// GTP-U over UDP port 2152.
    GtpU,
}

/// By what the subscriber of a tunnelled packet is known; of one that comes from the endpoint, by
/// the destination in place of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subscriber {
    /// The inner source.
    Inner,
    /// The outer source.
    Outer,
    /// The end-user IPv6 prefix that the rules give for the inner source and its port; the outer
    /// source where they give none.
    PortSet,
}

impl Unwrap {
    /// Opens these tunnels; where several fit a frame, the first of them.
    pub fn new(tunnels: Vec<Tunnel>) -> Self {
        let opened: Vec<Opened> = tunnels.into_iter().map(Opened::new).collect();
        Self {
            watch: opened.iter().fold(Watch::default(), Watch::with),
            opened,
        }
    }

    /// Whether no tunnel is opened.
    pub fn is_empty(&self) -> bool {
        self.opened.is_empty()
    }

    /// The tunnels, in the order in which they were given.
    pub fn tunnels(&self) -> impl Iterator<Item = &Tunnel> {
        self.opened.iter().map(|opened| &opened.tunnel)
    }

    /// What the fast lanes leave to the full lane.
    #[inline(always)]
    pub(crate) fn watch(&self) -> Watch {
        self.watch
    }

    /// The protocols, a bit each, that lead into a tunnel which ends at this address.
    pub(super) fn protocols(&self, family: Family, end: u128) -> u64 {
        self.opened
            .iter()
            .filter(|opened| opened.ends_at(family, end))
            .fold(0, |bits, opened| {
                bits | opened.tunnel.kind.protocols(family)
            })
    }

    /// The tunnel that a packet announces, and that ends at one of these addresses.
    pub(super) fn announced(
        &self,
        packet: &Packet,
        ends: impl Iterator<Item = u128> + Clone,
    ) -> Option<&Opened> {
        self.opened.iter().find(|opened| {
            opened.tunnel.kind.is_announced_by(packet) && opened.is_end_of(packet, ends.clone())
        })
    }
}

impl TunnelKind {
    /// The protocols that lead into it, a bit each, over an outer header of this family.
    fn protocols(self, family: Family) -> u64 {
        match (self, family) {
            (Self::Ipv4InIpv6, Family::V6) => 1 << IPV4,
            (Self::Ipv6InIpv4, Family::V4) => 1 << IPV6,
            (Self::Ipv4InIpv6, Family::V4) | (Self::Ipv6InIpv4, Family::V6) => 0,
            (Self::Gre, _) => 1 << GRE,
            (Self::L2tp | Self::Vxlan | Self::GtpU, _) => 1 << UDP,
        }
    }

    /// The family of what is wrapped, where the kind alone tells it; of any other, the family that
    /// most rules are about.
    pub(super) fn inner(self) -> Family {
        match self {
            Self::Ipv6InIpv4 => Family::V6,
            Self::Ipv4InIpv6 | Self::L2tp | Self::Gre | Self::Vxlan | Self::GtpU => Family::V4,
        }
    }

    /// Whether the protocol, and the ports of UDP, announce it.
    fn is_announced_by(self, packet: &Packet) -> bool {
        let leads = packet
            .family
            .is_some_and(|family| self.protocols(family) >> (packet.protocol & 63) & 1 == 1);
        leads
            && match self {
                Self::Ipv4InIpv6 | Self::Ipv6InIpv4 | Self::Gre => true,
                // Only this one is answered from the port where it was asked.
                Self::L2tp => [packet.src_port, packet.dst_port].contains(&L2TP_PORT),
                Self::Vxlan => packet.dst_port == VXLAN_PORT,
                Self::GtpU => packet.dst_port == GTP_U_PORT,
            }
    }
}

/// What the fast lanes leave to the full lane, because it may be a tunnel that is opened: small, and
/// asked without a branch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// Protocols over IPv4 and over IPv6, UDP aside; [`NOTHING`] where no such tunnel is opened.
    ///
    /// They are compared one by one: not every processor shifts the lanes of a vector each by a
    /// number of its own, as a mask would need.
    ipv4: [u8; 2],
    ipv6: [u8; 2],
    /// 0 where no such tunnel is opened.
    l2tp: u16,
    vxlan: u16,
    gtp_u: u16,
}

/// AH, which the fast lanes leave to the full lane anyway.
const NOTHING: u8 = ip_number::AUTHENTICATION_HEADER.0;

impl Default for Watch {
    fn default() -> Self {
        Self {
            ipv4: [NOTHING; 2],
            ipv6: [NOTHING; 2],
            l2tp: 0,
            vxlan: 0,
            gtp_u: 0,
        }
    }
}

impl Watch {
    /// Whether a protocol, or UDP with these ports, may lead into a tunnel.
    #[inline(always)]
    pub(super) fn concerns(
        self,
        family: Family,
        protocol: u8,
        [src_port, dst_port]: [u16; 2],
    ) -> bool {
        let [first, second] = match family {
            Family::V4 => self.ipv4,
            Family::V6 => self.ipv6,
        };
        let has_port = (src_port == self.l2tp)
            | (dst_port == self.l2tp)
            | (dst_port == self.vxlan)
            | (dst_port == self.gtp_u);
        (protocol == first) | (protocol == second) | ((protocol == UDP) & has_port)
    }

    fn with(self, opened: &Opened) -> Self {
        let kind = opened.tunnel.kind;
        let port = |of: TunnelKind, port: u16| if kind == of { port } else { 0 };
        // Kinds that end at no address of a family are watched there all the same: the full lane
        // tells.
        let protocol = |of: TunnelKind, protocol: u8, before: u8| match kind == of {
            true => protocol,
            false => before,
        };
        let [ipv6_in, gre_over_4] = self.ipv4;
        let [ipv4_in, gre_over_6] = self.ipv6;
        Self {
            ipv4: [
                protocol(TunnelKind::Ipv6InIpv4, IPV6, ipv6_in),
                protocol(TunnelKind::Gre, GRE, gre_over_4),
            ],
            ipv6: [
                protocol(TunnelKind::Ipv4InIpv6, IPV4, ipv4_in),
                protocol(TunnelKind::Gre, GRE, gre_over_6),
            ],
            l2tp: self.l2tp | port(TunnelKind::L2tp, L2TP_PORT),
            vxlan: self.vxlan | port(TunnelKind::Vxlan, VXLAN_PORT),
            gtp_u: self.gtp_u | port(TunnelKind::GtpU, GTP_U_PORT),
        }
    }
}

/// A tunnel, and what is asked of it for each frame.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) tunnel: Tunnel,
    ipv4: Prefixes,
    ipv6: Prefixes,
    /// Indices of rules by their prefixes.
    rules_by_ipv4: Prefixes,
    rules_by_ipv6: Prefixes,
}

impl Opened {
    fn new(tunnel: Tunnel) -> Self {
        let by_ipv4 = tunnel.rules.iter().enumerate().map(|(index, rule)| {
            let net = rule.ipv4();
            let [first, last] = [net.network(), net.broadcast()].map(u32::from);
            (first.into(), last.into(), index)
        });
        let by_ipv6 = tunnel.rules.iter().enumerate().map(|(index, rule)| {
            let net = rule.ipv6();
            (net.network().into(), net.broadcast().into(), index)
        });
        Self {
            rules_by_ipv4: Prefixes::new(by_ipv4),
            rules_by_ipv6: Prefixes::new(by_ipv6),
            ipv4: Prefixes::of_family(&tunnel.endpoints, Family::V4),
            ipv6: Prefixes::of_family(&tunnel.endpoints, Family::V6),
            tunnel,
        }
    }

    fn endpoints(&self, family: Family) -> &Prefixes {
        match family {
            Family::V4 => &self.ipv4,
            Family::V6 => &self.ipv6,
        }
    }

    /// Whether an endpoint has this address.
    fn ends_at(&self, family: Family, address: u128) -> bool {
        self.endpoints(family).hold(address)
    }

    /// Whether an endpoint is among these addresses of a packet's family.
    pub(super) fn is_end_of(&self, packet: &Packet, mut ends: impl Iterator<Item = u128>) -> bool {
        packet
            .family
            .is_some_and(|family| ends.any(|end| self.ends_at(family, end)))
    }

    /// The inner packet with what the tunnel says of it: by what its subscriber is known, and
    /// whether its source is not its own.
    pub(super) fn told(&self, inner: Packet, outer: &Packet, toward: bool) -> Packet {
        let spoofs = toward && self.spoofs(outer, &inner);
        let identity = match self.tunnel.subscriber {
            Subscriber::Inner => None,
            Subscriber::PortSet if !spoofs => Some(self.end_users(&inner, outer, toward)),
            Subscriber::Outer | Subscriber::PortSet => outer.own_ends(),
        };
        Packet {
            spoofed_port: outer.spoofed_port || spoofs,
            identity,
            ..inner
        }
    }

    /// Whether an inner source is another than the outer source may use (RFC 7597, section 8.1).
    fn spoofs(&self, outer: &Packet, inner: &Packet) -> bool {
        let (Some(Family::V6), Some(Family::V4)) = (outer.family, inner.family) else {
            return false;
        };
        let ends = (outer.src.into(), Ipv4Addr::from(inner.src as u32));
        let (tunnel_end, source) = ends;
        let mut rules = self.rules_by_ipv6.holding(outer.src);
        let rule = rules.next().and_then(|index| self.tunnel.rules.get(index));
        let Some((rule, share)) = rule.and_then(|rule| Some((rule, rule.share(tunnel_end)?)))
        else {
            // Nobody else may use what the rules give away.
            return self.rules_by_ipv4.hold(inner.src);
        };
        let port = inner.ports().0;
        !share.ipv4.contains(&source)
            || port.is_some_and(|port| !share.ports.contains(port))
            || !rule.has_interface_id(tunnel_end, &share)
    }

    /// The outer ends, with the end-user prefix in place of the one that is the subscriber's.
    fn end_users(&self, inner: &Packet, outer: &Packet, toward: bool) -> Identity {
        let (src_port, dst_port) = inner.ports();
        let (end, port) = match toward {
            true => (inner.src, src_port),
            false => (inner.dst, dst_port),
        };
        let end_user = self.rules_by_ipv4.holding(end).find_map(|index| {
            let rule = self.tunnel.rules.get(index)?;
            rule.end_user(Ipv4Addr::from(end as u32), port)
        });
        let end_user = end_user.map(|net| u128::from(net.network()));
        let (src, dst) = match toward {
            true => (end_user.unwrap_or(outer.src), outer.dst),
            false => (outer.src, end_user.unwrap_or(outer.dst)),
        };
        Identity {
            family: Family::V6,
            src,
            dst,
        }
    }
}

impl Packet {
    /// The ends that its own header names.
    fn own_ends(&self) -> Option<Identity> {
        Some(Identity {
            family: self.family?,
            src: self.src,
            dst: self.dst,
        })
    }

    /// The ports of TCP or UDP, those that could be read.
    fn ports(&self) -> (Option<u16>, Option<u16>) {
        (
            (self.transport_len >= 2).then_some(self.src_port),
            (self.transport_len >= 4).then_some(self.dst_port),
        )
    }

    /// What lies within this packet, where no address of it can be read: it evades, and is known by
    /// the ends of this one.
    pub(super) fn hiding(&self, shape: Shape, family: Family, wants_more: bool) -> Self {
        Self {
            shape,
            family: Some(family),
            identity: self.identity.or(self.own_ends()),
            fragment: self.fragment,
            protocol: self.protocol,
            ip_offset: self.ip_offset,
            spoofed_port: self.spoofed_port,
            wants_more,
            ..Self::bare(shape)
        }
    }

    /// Whether it is the first of several fragments.
    pub(super) fn is_first_fragment(&self) -> bool {
        self.fragment == Fragment::First
    }
}
