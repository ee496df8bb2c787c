//! Captures in and out, and the ports that frames come from and go to.
//!
//! [`CaptureReader`] hands out the frames of a pcap or pcapng file in bursts that borrow its read
//! buffer; [`CaptureWriter`] writes them to a pcap file that appears under its name only when it is
//! finished. Formats and compressions are told by their first bytes, never by the file's name.
//!
//! A capture that breaks off gives every whole record before the fault, then one
//! [`CaptureError`] that names the file, the byte and the record, then its end.
//!
//! [`port`] is the live side: frames that have an owner, and move; [`afxdp`] is a driver of it.

#[cfg(feature = "af-xdp")]
pub mod afxdp;
mod ahead;
mod bytes;
#[cfg(feature = "dpdk")]
pub mod dpdk;
mod error;
mod gzip;
mod input;
pub mod netdev;
mod output;
mod pcap;
mod pcapng;
pub mod port;
mod reader;
mod stretch;
mod walk;
mod writer;
mod zstd;

pub use error::{BlockFault, CaptureError, CompressionFault, OutputError, Place};
pub use input::Compression;
pub use output::{OutputFile, discard_unfinished, is_stdout};
pub use reader::CaptureReader;
pub use stretch::STRETCH_BYTES;
pub use writer::CaptureWriter;

use crate::wire::{AsFrame, Frame, LinkType};

/// The most bytes that one record may hold: what libpcap calls `MAXIMUM_SNAPLEN`. A record that
/// claims more is taken for damage.
pub const MAX_CAPTURED_BYTES: u32 = 262_144;

/// A frame of a capture, and when it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The frame. Its original length is never below the captured one, whatever the file says.
    pub frame: Frame<'a>,
    /// Nanoseconds since 1970-01-01 00:00:00 UTC; `None` for pcapng's simple packets, which have
    /// no time. A fraction of a second or more is carried over; what a 64-bit count cannot hold
    /// is its nearest end.
    pub timestamp_ns: Option<i64>,
}

impl AsFrame for Record<'_> {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        self.frame
    }

    /// Whatever was before 1970 was at once.
    #[inline(always)]
    fn at_ns(&self) -> Option<u64> {
        let since_1970 = |stamp: i64| u64::try_from(stamp).unwrap_or(0);
        self.timestamp_ns.map(since_1970)
    }
}

/// Where a record's frame is, and what else the capture says of it.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// Where the captured bytes begin; no stretch is as long as 4 GiB.
    start: u32,
    captured: u32,
    /// Not below `captured`.
    original_len: u32,
    link_type: LinkType,
    timestamp_ns: Option<i64>,
}

/// One step of a format through the unread bytes of a capture.
enum Step {
    /// A whole record, and the bytes it takes with everything around it.
    Record(Found, usize),
    /// Whole bytes that hold no record.
    Skip(usize),
}

/// Why a format cannot step.
enum Halt {
    /// So many bytes, counted from the first unread one, are needed.
    More(usize),
    /// The record claims so many captured bytes.
    AbsurdLength(u32),
    /// The pcapng block contradicts itself or its section.
    Block(BlockFault),
}
