use super::{Compression, MAX_CAPTURED_BYTES};
use crate::wire::LinkType;
use std::fmt;
use std::io;

/// Where in a capture something broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes from the start of the capture, counted after decompression.
    pub offset: u64,
    /// The record that could not be read, counted from 1; records only, not blocks.
    pub record: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}, at byte {}", self.record, self.offset)
    }
}

/// Why a capture cannot be read, or no further.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum CaptureError {
    #[error("{file}: cannot be opened: {cause}")]
    Open { file: String, cause: io::Error },

    #[error("{file}: is empty, where a capture has a file header")]
    Empty { file: String },

    #[error(
        "{file}: is no capture: it begins with {}, and neither as pcap nor as pcapng \
         (plain, or in gzip, zstd or lz4)",
        Magic(.found)
    )]
    NotACapture { file: String, found: Vec<u8> },

    #[error("{file}: the file header is cut: it takes {needed} bytes, and {left} are there")]
    CutHeader {
        file: String,
        needed: usize,
        left: usize,
    },

    #[error("{file}: is pcap version {major}.{minor}, where only 2.x is known")]
    Version {
        file: String,
        major: u16,
        minor: u16,
    },

    #[error("{file}: {at}: cut: it takes {needed} bytes, and {left} are left")]
    CutRecord {
        file: String,
        at: Place,
        needed: usize,
        left: usize,
    },

    #[error(
        "{file}: {at}: claims {captured} captured bytes, \
         where {MAX_CAPTURED_BYTES} is the most that a record holds"
    )]
    AbsurdLength {
        file: String,
        at: Place,
        captured: u32,
    },

    #[error("{file}: {at}: bad block: {fault}")]
    BadBlock {
        file: String,
        at: Place,
        fault: BlockFault,
    },

    #[error("{file}: {at}, after decompression: the {format} stream {fault}")]
    Compression {
        file: String,
        at: Place,
        format: Compression,
        fault: CompressionFault,
    },

    #[error("{file}: {at}: cannot be read: {cause}")]
    Read {
        file: String,
        at: Place,
        cause: io::Error,
    },
}

/// What is wrong with a pcapng block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum BlockFault {
    #[error("its length is {length}, where this kind takes at least {least}")]
    TooShort { length: u32, least: u32 },

    #[error("its length is {length}, where {most} is the most that is believed")]
    TooLong { length: u32, most: u32 },

    #[error("its length is {first} at its start and {last} at its end")]
    LengthsDiffer { first: u32, last: u32 },

    #[error("the section's byte-order magic is {magic:#010x}, where it should be 0x1a2b3c4d")]
    ByteOrder { magic: u32 },

    #[error("the section is pcapng version {major}.{minor}, where 1.0 and 1.2 are known")]
    Version { major: u16, minor: u16 },

    #[error("it is of interface {interface}, and the section describes {described} so far")]
    UnknownInterface { interface: u32, described: usize },

    #[error("it describes another interface, where a section has {most} at most")]
    TooManyInterfaces { most: usize },

    #[error("it claims {captured} captured bytes and holds {held}")]
    CapturedBeyondBlock { captured: u32, held: usize },
}

/// What is wrong with a compressed stream.
#[derive(Debug, thiserror::Error)]
pub enum CompressionFault {
    /// The file ends inside the stream.
    #[error("is cut")]
    Cut,
    /// The decoder refuses what it reads.
    #[error("is damaged: {0}")]
    Damaged(String),
}

/// Why an output cannot be written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum OutputError {
    #[error("{file}: cannot be written: {cause}")]
    Write { file: String, cause: io::Error },

    #[error(
        "{file}: record {record} is of link type {}, and the records before it of {}: \
         a pcap file holds one link type, so write them to different files",
        .found.0,
        .first.0
    )]
    LinkType {
        file: String,
        record: u64,
        first: LinkType,
        found: LinkType,
    },

    #[error(
        "{file}: record {record} has the time {timestamp_ns} ns since 1970, \
         where a pcap file holds 0 to 4294967295 s"
    )]
    Timestamp {
        file: String,
        record: u64,
        timestamp_ns: i64,
    },

    #[error(
        "{file}: record {record} holds {captured} bytes, \
         where {MAX_CAPTURED_BYTES} is the most that a record holds"
    )]
    Length {
        file: String,
        record: u64,
        captured: usize,
    },
}

impl OutputError {
    /// Whether whoever reads this output has gone, as `head` does: no reason to complain.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write { cause, .. } if cause.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The first bytes of a file, as a person compares them with a list of magic numbers.
struct Magic<'a>(&'a [u8]);

impl fmt::Display for Magic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let gap = if place == 0 { "" } else { " " };
            write!(f, "{gap}{byte:02x}")?;
        }
        Ok(())
    }
}
