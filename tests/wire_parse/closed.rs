//! The parsers where no tunnel is opened.

use sekisho::wire::{self, LinkType, Packet, Unwrap};

pub fn parse(frame: &[u8], link_type: LinkType) -> Packet {
    wire::parse(frame, link_type, &Unwrap::default())
}

pub fn parse_fast(frame: &[u8]) -> Option<Packet> {
    wire::parse_fast(frame, &Unwrap::default())
}
