//! What a rejected frame is answered with: an ICMP error, or a reset in the peer's name.
//!
//! [`reply`] makes the whole frame from the one that is rejected: around its packet stands what
//! stood around that one (tags, PPPoE, LLC, an opened tunnel), with the ends exchanged and the
//! lengths and checksums mended. Nothing else of the rejected frame is trusted: it is answered only
//! where all of its headers are whole and say what is there.
//!
//! # What is never answered
//! - What is no TCP, a segment with RST, a later fragment, and whatever [`Shape`](super::Shape)
//!   calls evasive.
//! - A frame from or to a group or broadcast address of Ethernet; a packet that is from or to an
//!   address which names no single host (unspecified, `0.0.0.0/8`, loopback, multicast, broadcast,
//!   `240.0.0.0/4`), or that is from whom it is to (RFC 1122, section 3.2.2; RFC 4443, section
//!   2.4).
//! - A source route, which a reply would have to follow back, be it exhausted or not.
//! - An IPv4 header whose checksum is wrong, a length field that is 0 or promises more than is
//!   there, a TCP header that is cut or longer than its segment: no host sent that.
//! - A source port outside the port set of the subscriber: somebody else sent it.
//! - A first fragment, by a reset: how long the segment is stands in the fragments behind it.
//! - What came through labels of MPLS, L2TP, GTP-U or GRE with a checksum or a sequence number: what
//!   the way back is called, or counts, is known to the ends of the tunnel only. Nor what came
//!   through anything else that is not named above.

mod around;
mod checksum;
mod header;
mod icmp;
mod rst;
mod segment;

use super::{Frame, LinkType, Unwrap, parse};
use around::Around;
use arrayvec::ArrayVec;
use segment::Segment;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest reply: an untagged frame of an MTU of 1,500.
pub const REPLY_OCTETS: usize = 1_514;

/// The shortest frame of Ethernet, without its check sequence.
const SHORTEST_FRAME: usize = 60;

/// Hops that a reply may take.
const HOPS: u8 = 64;

/// The octets of a whole Ethernet frame.
pub type Reply = ArrayVec<u8, REPLY_OCTETS>;

/// How a rejected frame is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Destination unreachable, communication administratively prohibited: type 3, code 13 over
    /// IPv4 (RFC 1812, section 5.2.7.1), type 1, code 1 over IPv6 (RFC 4443, section 3.1).
    Icmp {
        /// Whom the error is from, over IPv4 and over IPv6; over a family without, there is no
        /// answer.
        sources: (Option<Ipv4Addr>, Option<Ipv6Addr>),
    },
    /// A reset, as the peer itself would send it (RFC 9293, section 3.10.7.1).
    Rst,
}

/// The frame that answers this one, in which these tunnels are opened; `None` where none may, or
/// none can be made.
pub fn reply(frame: Frame<'_>, unwrap: &Unwrap, answer: Answer) -> Option<Reply> {
    if frame.link_type != LinkType::ETHERNET {
        return None;
    }
    let parsed = parse(frame.bytes, frame.link_type, unwrap);
    if parsed.spoofed_port {
        return None;
    }
    let packet_at = usize::from(parsed.ip_offset);
    let (before, octets) = frame.bytes.split_at_checked(packet_at)?;
    let mut reply = Reply::new();
    extend(&mut reply, &[before])?;
    let around = Around::of(before, frame.original_len as usize)?;
    let segment = Segment::of(octets, around.packet_bytes(), &parsed)?;
    match answer {
        Answer::Icmp { sources } => icmp::append(&mut reply, sources, &segment)?,
        Answer::Rst => rst::append(&mut reply, &segment)?,
    }
    around.turn(&mut reply)?;
    // Behind the packet, where no length counts it.
    while reply.len() < SHORTEST_FRAME {
        reply.push(0);
    }
    Some(reply)
}

/// Appends all of them, or says that there is no room.
fn extend(reply: &mut Reply, parts: &[&[u8]]) -> Option<()> {
    parts
        .iter()
        .try_for_each(|part| reply.try_extend_from_slice(part).ok())
}
