//! The parser: from the link header to TCP, octet by octet, as the contracts and the RFCs say and
//! with nothing of the product in it.

mod ip;
mod link;
mod octets;

use sekisho::stats::Reason;
use std::net::IpAddr;

/// What can be seen of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    NotIp,
    Unparsed,
    /// The capture ends before the addresses.
    Unreadable,
    TooManyTagsOrLabels,
    Ip(Ip),
}

/// What can be seen of an IP packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ip {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub inside: Inside,
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
