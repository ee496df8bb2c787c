//! The parser: from the link header to TCP, octet by octet, as the contracts and the RFCs say and
//! with nothing of the product in it.

mod ip;
mod link;
mod octets;
mod route;
pub mod tunnel;

use sekisho::stats::Reason;
use std::net::IpAddr;

/// What can be seen of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    NotIp,
    Unparsed,
    /// It ends before it can be told apart from what is sound. What stands for its addresses, where
    /// IP was announced.
    Runt(Option<IpAddr>),
    /// The capture ends before the addresses. What stands for them, likewise.
    Unreadable(Option<IpAddr>),
    TooManyTagsOrLabels,
    Ip(Ip),
}

/// What can be seen of an IP packet.
#[derive(Clone, Debug, PartialEq)]
pub struct Ip {
    pub src: IpAddr,
    pub dst: IpAddr,
    /// By which the subscriber is known, at either end; a tunnel may have others.
    pub known_by: (IpAddr, IpAddr),
    /// It is in a tunnel: the innermost has said by what it is known.
    pub tunnelled: bool,
    pub route: Route,
    /// Its source has a port, or an address, that is not its own.
    pub spoofed: bool,
    pub inside: Inside,
}

/// Where it is to go yet beside its destination.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    Nowhere,
    Through(Vec<IpAddr>),
    /// It says that it is to go on, and not where.
    Unreadable,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inside {
    /// Nothing that could be TCP.
    Opaque,
    LaterFragment,
    Segment {
        src_port: u16,
        dst_port: u16,
        flags: u8,
    },
    Evasive(Reason),
    /// The capture ends before the flags; a port is known if both its octets are there.
    Cut {
        src_port: Option<u16>,
        dst_port: Option<u16>,
    },
}

pub use link::see;
