use crate::wire::{self, Frame, LinkType, Packet};

/// Parses a frame; [`Packet::wants_more`] is set only where the capture cut it, and what was cut
/// off could change what is decided.
#[inline]
pub(super) fn parse(frame: &Frame<'_>) -> Packet {
    if frame.link_type == LinkType::ETHERNET
        && let Some(packet) = wire::parse_fast(frame.bytes)
    {
        return packet;
    }
    wire::parse_part(frame.bytes, frame.missing_bytes(), frame.link_type)
}
