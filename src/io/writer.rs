use super::{MAX_CAPTURED_BYTES, OutputError, OutputFile, Record};
use crate::wire::LinkType;
use std::io::Write;
use std::path::Path;

/// The magic number of pcap with nanoseconds: nothing is lost of what comes with microseconds or
/// nanoseconds.
const MAGIC: u32 = 0xa1b2_3c4d;

/// Writes a pcap file (little-endian, nanoseconds).
///
/// Every record keeps its bytes, link type, time and original length. A record without a time (a
/// pcapng simple packet) gets time 0, as pcap has no way to leave it out.
#[derive(Debug)]
pub struct CaptureWriter {
    output: OutputFile,
    /// That of the first record; the file header waits for it.
    link_type: Option<LinkType>,
    records: u64,
}

impl CaptureWriter {
    /// Begins a capture; see [`OutputFile`] for when it appears.
    pub fn create(path: &Path) -> Result<Self, OutputError> {
        Ok(Self {
            output: OutputFile::create(path)?,
            link_type: None,
            records: 0,
        })
    }

    /// Writes one record.
    pub fn write(&mut self, record: &Record<'_>) -> Result<(), OutputError> {
        let header = self.record_header(record)?;
        self.require_link_type(record.frame.link_type)?;
        self.records += 1;
        self.put(&header)?;
        self.put(record.frame.bytes)
    }

    /// Finishes the file and says how many records it holds. A file without records needs a link
    /// type all the same.
    pub fn finish(mut self, link_type_if_empty: LinkType) -> Result<u64, OutputError> {
        if self.link_type.is_none() {
            self.require_link_type(link_type_if_empty)?;
        }
        self.output.finish()?;
        Ok(self.records)
    }

    /// Writes the file header, or holds the record against it.
    fn require_link_type(&mut self, link_type: LinkType) -> Result<(), OutputError> {
        match self.link_type {
            Some(first) if first == link_type => Ok(()),
            Some(first) => Err(OutputError::LinkType {
                file: self.output.name().to_owned(),
                record: self.records + 1,
                first,
                found: link_type,
            }),
            None => {
                self.link_type = Some(link_type);
                self.put(&file_header(link_type))
            }
        }
    }

    fn record_header(&self, record: &Record<'_>) -> Result<[u8; 16], OutputError> {
        let bytes = record.frame.bytes;
        let captured = match u32::try_from(bytes.len()) {
            Ok(captured) if captured <= MAX_CAPTURED_BYTES => captured,
            _ => {
                return Err(OutputError::Length {
                    file: self.output.name().to_owned(),
                    record: self.records + 1,
                    captured: bytes.len(),
                });
            }
        };
        let timestamp_ns = record.timestamp_ns.unwrap_or(0);
        let Ok(seconds) = u32::try_from(timestamp_ns.div_euclid(1_000_000_000)) else {
            return Err(OutputError::Timestamp {
                file: self.output.name().to_owned(),
                record: self.records + 1,
                timestamp_ns,
            });
        };
        let fraction_ns = timestamp_ns.rem_euclid(1_000_000_000) as u32;
        let original = record.frame.original_len.max(captured);
        Ok(little_endian([seconds, fraction_ns, captured, original]))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let written = self.output.write_all(bytes);
        written.map_err(|cause| self.output.error(cause))
    }
}

fn file_header(link_type: LinkType) -> [u8; 24] {
    let version = 2 | 4 << 16;
    let (zone, accuracy) = (0, 0);
    little_endian([
        MAGIC,
        version,
        zone,
        accuracy,
        MAX_CAPTURED_BYTES,
        u32::from(link_type.0),
    ])
}

/// `BYTES` is four times `WORDS`.
fn little_endian<const WORDS: usize, const BYTES: usize>(words: [u32; WORDS]) -> [u8; BYTES] {
    const { assert!(BYTES == 4 * WORDS) };
    let mut bytes = [0; BYTES];
    for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}
