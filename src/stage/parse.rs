use crate::wire::{self, Frame, Packet};

/// Parses a frame, and keeps [`Packet::wants_more`] only where the capture cut it: then, and only
/// then, the octets that the walk missed were on the wire.
pub(super) fn parse(frame: &Frame<'_>) -> Packet {
    let mut packet = wire::parse(frame.bytes, frame.link_type);
    packet.wants_more &= frame.is_cut();
    packet
}
