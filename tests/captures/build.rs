//! Captures, byte by byte, and what must be read from them.

use sekisho::io::{CaptureError, CaptureReader, Record};
use sekisho::wire::{Frame, LinkType};
use std::io::{self, Read};

/// A record that owns its frame: the model that readers are held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
    pub(super) original_len: u32,
    pub(super) link_type: u16,
    pub(super) timestamp_ns: Option<i64>,
}

impl Sample {
    /// An Ethernet frame of `len` bytes, `seconds` after 1970.
    pub(super) fn ethernet(len: usize, seconds: i64) -> Self {
        Self {
            bytes: (0..len).map(|place| place as u8).collect(),
            original_len: len as u32,
            link_type: 1,
            timestamp_ns: Some(seconds * 1_000_000_000),
        }
    }

    pub(super) fn of(record: &Record<'_>) -> Self {
        Self {
            bytes: record.frame.bytes.to_vec(),
            original_len: record.frame.original_len,
            link_type: record.frame.link_type.0,
            timestamp_ns: record.timestamp_ns,
        }
    }

    pub(super) fn record(&self) -> Record<'_> {
        Record {
            frame: Frame {
                bytes: &self.bytes,
                original_len: self.original_len,
                link_type: LinkType(self.link_type),
            },
            timestamp_ns: self.timestamp_ns,
        }
    }
}

/// A byte order to write numbers in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

pub(super) use Order::{Big, Little};

impl Order {
    pub(super) fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Little => value.to_le_bytes(),
            Big => value.to_be_bytes(),
        }
    }

    pub(super) fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Little => value.to_le_bytes(),
            Big => value.to_be_bytes(),
        }
    }

    pub(super) fn u64(self, value: u64) -> [u8; 8] {
        match self {
            Little => value.to_le_bytes(),
            Big => value.to_be_bytes(),
        }
    }

    pub(super) fn words(self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| self.u32(*word)).collect()
    }
}

pub(super) const MICROSECONDS: u32 = 0xa1b2_c3d4;
pub(super) const NANOSECONDS: u32 = 0xa1b2_3c4d;
pub(super) const MODIFIED: u32 = 0xa1b2_cd34;

pub(super) fn pcap_header(order: Order, magic: u32, link_type: u32) -> Vec<u8> {
    let mut file = order.u32(magic).to_vec();
    file.extend(order.u16(2)); // version 2.4
    file.extend(order.u16(4));
    file.extend(order.words(&[0, 0, 65535, link_type])); // time zone, accuracy, snapshot length
    file
}

pub(super) fn pcap_record(order: Order, magic: u32, sample: &Sample) -> Vec<u8> {
    let time = sample.timestamp_ns.unwrap();
    let fraction_ns = time % 1_000_000_000;
    let fraction = if magic == NANOSECONDS {
        fraction_ns
    } else {
        fraction_ns / 1_000
    };
    let mut record = order.words(&[
        (time / 1_000_000_000) as u32,
        fraction as u32,
        sample.bytes.len() as u32,
        sample.original_len,
    ]);
    if magic == MODIFIED {
        record.extend(order.u32(3)); // interface
        record.extend(order.u16(0x0008)); // protocol
        record.extend([4, 0]); // outgoing, padding
    }
    record.extend(&sample.bytes);
    record
}

pub(super) fn pcap(order: Order, magic: u32, samples: &[Sample]) -> Vec<u8> {
    let link_type = samples.first().map_or(1, |sample| sample.link_type);
    let records = samples
        .iter()
        .map(|sample| pcap_record(order, magic, sample));
    let header = pcap_header(order, magic, u32::from(link_type));
    header.into_iter().chain(records.flatten()).collect()
}

/// A pcapng block around `body`, which is padded.
pub(super) fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded_bytes = body.len().next_multiple_of(4);
    let length = order.u32(12 + padded_bytes as u32);
    let mut block = order.u32(kind).to_vec();
    block.extend(length);
    block.extend(body);
    block.resize(8 + padded_bytes, 0);
    block.extend(length);
    block
}

pub(super) fn section(order: Order) -> Vec<u8> {
    let mut body = order.u32(0x1a2b_3c4d).to_vec();
    body.extend(order.u16(1)); // version 1.0
    body.extend(order.u16(0));
    body.extend(order.u64(u64::MAX)); // section length: not given
    block(order, 0x0a0d_0d0a, &body)
}

/// Code and value of each option.
pub(super) type Options<'a> = &'a [(u16, &'a [u8])];

pub(super) fn interface(
    order: Order,
    link_type: u16,
    snap_len: u32,
    options: Options<'_>,
) -> Vec<u8> {
    let mut body = order.u16(link_type).to_vec();
    body.extend(order.u16(0)); // reserved
    body.extend(order.u32(snap_len));
    for (code, value) in options {
        body.extend(order.u16(*code));
        body.extend(order.u16(value.len() as u16));
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    block(order, 1, &body)
}

/// An enhanced packet whose time is `units` of its interface.
pub(super) fn enhanced(order: Order, interface: u32, units: u64, sample: &Sample) -> Vec<u8> {
    let mut body = order.words(&[
        interface,
        (units >> 32) as u32,
        units as u32,
        sample.bytes.len() as u32,
        sample.original_len,
    ]);
    body.extend(&sample.bytes);
    block(order, 6, &body)
}

pub(super) fn simple(order: Order, sample: &Sample) -> Vec<u8> {
    let mut body = order.u32(sample.original_len).to_vec();
    body.extend(&sample.bytes);
    block(order, 3, &body)
}

/// The packet block that enhanced packets replaced.
pub(super) fn obsolete(order: Order, interface: u16, units: u64, sample: &Sample) -> Vec<u8> {
    let mut body = order.u16(interface).to_vec();
    body.extend(order.u16(7)); // drops
    body.extend(order.words(&[
        (units >> 32) as u32,
        units as u32,
        sample.bytes.len() as u32,
        sample.original_len,
    ]));
    body.extend(&sample.bytes);
    block(order, 2, &body)
}

/// Gives at most as many bytes a read as the next of `sizes`, round and round.
pub(super) struct Trickle {
    bytes: io::Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    reads: usize,
}

impl Trickle {
    pub(super) fn new(bytes: Vec<u8>, sizes: Vec<usize>) -> Self {
        Self {
            bytes: io::Cursor::new(bytes),
            sizes,
            reads: 0,
        }
    }
}

impl Read for Trickle {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.reads % self.sizes.len()].min(space.len());
        self.reads += 1;
        self.bytes.read(&mut space[..size])
    }
}

/// All records, and the message of what stopped the reader before the end.
pub(super) fn read_all(input: impl Read + Send + 'static) -> (Vec<Sample>, Option<String>) {
    read_to_end(CaptureReader::from_read("x.pcap", input))
}

/// The same, by a reader that reads ahead.
pub(super) fn read_all_ahead(input: impl Read + Send + 'static) -> (Vec<Sample>, Option<String>) {
    read_to_end(CaptureReader::from_read("x.pcap", input).map(CaptureReader::ahead))
}

fn read_to_end(reader: Result<CaptureReader, CaptureError>) -> (Vec<Sample>, Option<String>) {
    let mut samples = Vec::new();
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(error) => return (samples, Some(error.to_string())),
    };
    let stopped = loop {
        match reader.read_burst() {
            Ok(burst) if burst.is_empty() => break None,
            Ok(burst) => samples.extend(burst.iter().map(Sample::of)),
            Err(error) => break Some(error.to_string()),
        }
    };
    assert!(
        reader.read_burst().unwrap().is_empty(),
        "after the end or a fault comes the end"
    );
    (samples, stopped)
}

/// All records of a capture that is whole.
pub(super) fn read_whole(bytes: Vec<u8>) -> Vec<Sample> {
    let (samples, stopped) = read_all(io::Cursor::new(bytes));
    assert_eq!(stopped, None);
    samples
}
