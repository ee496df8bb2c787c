//! Which tunnels are opened, and who their subscribers are.

use super::MapRule;
use ipnet::IpNet;

/// The tunnels that are opened. Those that end anywhere else stay closed.
///
/// Built once from the pipeline, and asked by every parse; [`Unwrap::default`] opens none.
#[derive(Clone, Debug, Default)]
pub struct Unwrap {
    tunnels: Vec<Tunnel>,
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
    /// Of MAP-E: which address and ports each subscriber may use. Without any, ports are not
    /// checked.
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
        Self { tunnels }
    }

    /// Whether no tunnel is opened.
    pub fn is_empty(&self) -> bool {
        self.tunnels.is_empty()
    }

    /// The tunnels, in the order in which they were given.
    pub fn tunnels(&self) -> &[Tunnel] {
        &self.tunnels
    }
}
