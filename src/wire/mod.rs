//! Bytes on the wire become a [`Packet`].
//!
//! # Contract
//! [`parse`] is *total*: any bytes, of any length, under any link type, give a `Packet`; it does
//! not panic, does not allocate, and does bounded work (at most 8 IP extension headers or 256
//! bytes of them, 4 tags, 4 labels, 32 attributes of a log record). After it, nothing reads the
//! frame again to find a verdict.
//!
//! Every read is bounded by the smallest of what was captured, the PPPoE length and the IP
//! length; an IP length of 0, or one beyond the frame, means "what is there". TCP is decided from
//! its first 14 octets (ports and flags), whatever its data offset, checksum or length say.
//!
//! # Two lanes
//! The fast lane knows the few layouts that nearly every frame has and leaves the rest to
//! [`parse_full`]; where it answers ([`parse_fast`]), both answer the same. The stages read its
//! fields for a burst at a time.
//!
//! [`Packet`]: crate::wire::Packet
//! [`parse`]: crate::wire::parse
//! [`parse_fast`]: crate::wire::parse_fast
//! [`parse_full`]: crate::wire::parse_full

mod area;
mod build;
mod fast;
mod full;
mod ip;
mod link;
mod local;
mod map;
mod packet;
mod prefixes;
mod reply;
mod route;
mod transport;
mod tunnel;
mod tunnelled;
mod unwrap;
mod wireless;
mod wrapped;

pub use build::tcp_probe;
pub use fast::parse_fast;
pub(crate) use fast::{
    Halves, Header, LINK_OCTETS, PLAIN_TYPE_AT, Tcp, announces, ipv4_header, ipv4_words,
    ipv6_header, ipv6_words, link_words, start,
};
pub use full::{parse_full, parse_part};
pub use link::LinkType;
pub use map::{InterfaceId, MapFault, MapRule, PortSet, Share};
pub use packet::{
    AsFrame, BURST, Family, Fragment, Frame, Identity, Packet, Route, Shape, TRANSPORT_OCTETS,
    TcpFlags,
};
pub use reply::{Answer, REPLY_OCTETS, Reply, reply};
pub use route::route_addresses;
pub(crate) use tunnel::Watch;
pub use tunnel::{Subscriber, Tunnel, TunnelKind, Unwrap};

/// Reads a frame from its link header to the TCP or UDP header.
#[inline(always)]
pub fn parse(frame: &[u8], link_type: LinkType, unwrap: &Unwrap) -> Packet {
    if link_type == LinkType::ETHERNET
        && let Some(packet) = parse_fast(frame, unwrap)
    {
        return packet;
    }
    parse_full(frame, link_type, unwrap)
}
