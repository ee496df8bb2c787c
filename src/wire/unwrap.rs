//! From a frame to the IP header that is judged: through its link headers, and through the tunnels
//! that are opened.

use super::full::{Stop, Walk};
use super::ip::{self, Leads, Place, Runt, Walked};
use super::tunnel::Opened;
use super::{Family, LinkType, Packet, Shape, Unwrap, route_addresses};
use std::iter::once;

/// Tunnels, one in the other, that are opened in one frame.
const TUNNELS_CAP: usize = 2;

/// Reads a frame of which the capture left out so many octets.
pub(super) fn read(
    frame: &[u8],
    missing_bytes: usize,
    link_type: LinkType,
    unwrap: &Unwrap,
) -> Packet {
    let mut walk = Walk::new(frame, missing_bytes);
    let mut around = None;
    let mut tunnels = 0;
    let mut reached = walk.link(link_type);
    loop {
        let Walked {
            packet,
            payload,
            payload_at,
            leads,
        } = match read_ip(&walk, frame, reached, around.as_ref(), unwrap) {
            Ok(walked) => walked,
            Err(packet) => return packet,
        };
        match leads {
            Leads::Nowhere => return packet,
            Leads::Within => {}
            Leads::Hidden(inner) => return packet.hiding(packet.shape, inner, packet.wants_more),
        }
        let to = once(packet.dst).chain(route_addresses(frame, &packet));
        let ends = once(packet.src).chain(to.clone());
        let Some(tunnel) = unwrap.announced(&packet, ends) else {
            return packet;
        };
        let kind = tunnel.tunnel.kind;
        if tunnels == TUNNELS_CAP {
            return packet.hiding(Shape::HeaderChainLimit, kind.inner(), false);
        }
        tunnels += 1;
        around = Some(Around {
            tunnel,
            outer: packet,
            toward: tunnel.is_end_of(&packet, to),
        });
        walk.go_on(payload, payload_at);
        reached = walk.enter(kind);
    }
}

/// A tunnel that was opened, around what is read next.
struct Around<'a> {
    tunnel: &'a Opened,
    outer: Packet,
    /// It goes to the tunnel's endpoint.
    toward: bool,
}

/// Reads the IP header that the walk reached; a packet where that ends the walk.
#[inline]
fn read_ip<'a>(
    walk: &Walk<'a>,
    frame: &'a [u8],
    reached: Result<Family, Stop>,
    around: Option<&Around<'_>>,
    unwrap: &'a Unwrap,
) -> Result<Walked<'a>, Packet> {
    let family = reached.map_err(|stop| stopped(stop, walk, around))?;
    let place = Place {
        frame,
        offset_bytes: walk.offset_bytes,
        in_fragment: around.is_some_and(|around| around.outer.is_first_fragment()),
    };
    let walked =
        ip::read(family, walk.rest, place, unwrap).map_err(|runt| unread(runt, family, around))?;
    Ok(match around {
        None => walked,
        Some(Around {
            tunnel,
            outer,
            toward,
        }) => Walked {
            packet: tunnel.told(walked.packet, outer, *toward),
            ..walked
        },
    })
}

/// What a frame is whose headers lead to no IP header.
fn stopped(stop: Stop, walk: &Walk<'_>, around: Option<&Around<'_>>) -> Packet {
    let could_go_on = walk.rest.could_hold(1);
    match (stop, around) {
        // A tunnel's own message, or another protocol in it.
        (Stop::NotIp, Some(Around { outer, .. })) => *outer,
        (Stop::NotIp, None) => Packet::bare(Shape::NotIp),
        (Stop::Unreadable, _) => Packet::bare(Shape::Unparsed),
        (Stop::Limit, _) => Packet::bare(Shape::EncapsulationLimit),
        (Stop::Short, Some(Around { tunnel, outer, .. })) => {
            let inner = tunnel.tunnel.kind.inner();
            outer.hiding(Shape::IncompleteHeaders, inner, could_go_on)
        }
        (Stop::Short, None) => Packet {
            wants_more: could_go_on,
            ..Packet::bare(Shape::Unparsed)
        },
    }
}

/// What a packet is that was announced as IP and cannot be read as that.
fn unread(runt: Runt, family: Family, around: Option<&Around<'_>>) -> Packet {
    let Runt { short, wants_more } = runt;
    match around {
        Some(Around { outer, .. }) if short => {
            outer.hiding(Shape::IncompleteHeaders, family, wants_more)
        }
        _ => Packet {
            wants_more,
            ..Packet::bare(Shape::Unparsed)
        },
    }
}
