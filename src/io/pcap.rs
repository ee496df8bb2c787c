use super::bytes::{ByteOrder, Fields};
use super::{Found, Halt, MAX_CAPTURED_BYTES, Step};
use crate::wire::LinkType;

/// Bytes of the file header.
pub(super) const HEADER_BYTES: usize = 24;

/// Bytes of the header that every record has.
const RECORD_HEADER_BYTES: usize = 16;

/// The files that begin with one magic number.
#[derive(Clone, Copy)]
struct Flavour {
    magic: u32,
    ns_per_unit: i64,
    record_header_bytes: usize,
}

const FLAVOURS: [Flavour; 3] = [
    Flavour {
        magic: 0xa1b2_c3d4,
        ns_per_unit: 1_000,
        record_header_bytes: RECORD_HEADER_BYTES,
    },
    Flavour {
        magic: 0xa1b2_3c4d,
        ns_per_unit: 1,
        record_header_bytes: RECORD_HEADER_BYTES,
    },
    // "Modified" pcap: interface, protocol and packet type follow the usual record header.
    Flavour {
        magic: 0xa1b2_cd34,
        ns_per_unit: 1_000,
        record_header_bytes: 24,
    },
];

/// Which of a record's two lengths is the captured one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Captured {
    First,
    /// As before version 2.3.
    Last,
    /// Version 2.3 was written both ways: the captured one is not the larger.
    Smaller,
}

/// A classic pcap file, as its header describes it.
#[derive(Clone, Copy)]
pub(super) struct Pcap {
    order: ByteOrder,
    flavour: Flavour,
    captured: Captured,
    link_type: LinkType,
}

/// What a header that begins like pcap turns out to be.
pub(super) enum Header {
    Known(Pcap),
    UnknownVersion { major: u16, minor: u16 },
}

/// Whether a file that begins with these four bytes is a pcap file.
pub(super) fn is_magic(bytes: [u8; 4]) -> bool {
    flavour(bytes).is_some()
}

/// Reads the file header; `None` if that is not one.
pub(super) fn header(bytes: &[u8; HEADER_BYTES]) -> Option<Header> {
    let (order, flavour) = flavour(*bytes.first_chunk()?)?;
    let mut fields = Fields::new(bytes, order);
    fields.u32()?;
    let (major, minor) = (fields.u16()?, fields.u16()?);
    if major != 2 {
        return Some(Header::UnknownVersion { major, minor });
    }
    let captured = match minor {
        0..=2 => Captured::Last,
        3 => Captured::Smaller,
        4.. => Captured::First,
    };
    // Time zone and accuracy are 0 in every file in the wild, and records longer than the
    // snapshot length occur.
    let (_zone, _accuracy, _snap_len) = (fields.u32()?, fields.u32()?, fields.u32()?);
    // The upper half holds the length of the frame check sequence, and flags.
    let link_type = LinkType((fields.u32()? & 0xffff) as u16);
    Some(Header::Known(Pcap {
        order,
        flavour,
        captured,
        link_type,
    }))
}

impl Pcap {
    /// This file, if it is one of those that nearly all are: little-endian, of today's version.
    ///
    /// What is known of it is then constant in a loop over its records, which is a third faster.
    #[inline(always)]
    pub(super) fn as_usual(self) -> Option<Self> {
        let usual = Self {
            order: ByteOrder::Little,
            captured: Captured::First,
            flavour: Flavour {
                record_header_bytes: RECORD_HEADER_BYTES,
                ..self.flavour
            },
            ..self
        };
        let is_usual = self.order == usual.order
            && self.captured == usual.captured
            && self.flavour.record_header_bytes == RECORD_HEADER_BYTES;
        is_usual.then_some(usual)
    }

    #[inline(always)]
    pub(super) fn step(&self, unread: &[u8]) -> Result<Step, Halt> {
        let header_bytes = self.flavour.record_header_bytes;
        let header = unread.get(..header_bytes).unwrap_or_default();
        let mut fields = Fields::new(header, self.order);
        let header = (fields.u32(), fields.u32(), fields.u32(), fields.u32());
        let (Some(seconds), Some(fraction), Some(first), Some(last)) = header else {
            return Err(Halt::More(header_bytes));
        };
        let (captured, original) = match self.captured {
            Captured::First => (first, last),
            Captured::Last => (last, first),
            Captured::Smaller => (first.min(last), first.max(last)),
        };
        if captured > MAX_CAPTURED_BYTES {
            return Err(Halt::AbsurdLength(captured));
        }
        let record_bytes = header_bytes + captured as usize;
        if unread.len() < record_bytes {
            return Err(Halt::More(record_bytes));
        }
        // A fraction beyond a second (some writers do it) carries over: both factors are below
        // 2^32, so the sum stays far from the limit.
        let timestamp_ns =
            i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.flavour.ns_per_unit;
        let found = Found {
            start: header_bytes as u32,
            captured,
            original_len: original.max(captured),
            link_type: self.link_type,
            timestamp_ns: Some(timestamp_ns),
        };
        Ok(Step::Record(found, record_bytes))
    }
}

fn flavour(magic: [u8; 4]) -> Option<(ByteOrder, Flavour)> {
    FLAVOURS.iter().find_map(|flavour| {
        if magic == flavour.magic.to_le_bytes() {
            Some((ByteOrder::Little, *flavour))
        } else if magic == flavour.magic.to_be_bytes() {
            Some((ByteOrder::Big, *flavour))
        } else {
            None
        }
    })
}
