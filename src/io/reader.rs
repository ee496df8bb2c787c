use super::buffer::ReadBuffer;
use super::input::{Input, InputFault};
use super::pcap::{self, Pcap};
use super::pcapng::{self, PcapNg};
use super::{CaptureError, CompressionFault, Halt, Place, Record, Step};
use crate::wire::BURST;
use arrayvec::ArrayVec;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a capture burst by burst.
pub struct CaptureReader {
    name: String,
    len_bytes: Option<u64>,
    buffer: ReadBuffer,
    format: Format,
    /// Bytes at the front of the buffer that the last burst borrows; they leave it at the next
    /// call.
    lent_bytes: usize,
    /// Records handed out so far.
    records: u64,
    finished: bool,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl CaptureReader {
    /// Opens a capture; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        if path == Path::new("-") {
            return Self::from_read("stdin", io::stdin());
        }
        let name = path.display().to_string();
        let (file, len_bytes) = open_file(path).map_err(|cause| CaptureError::Open {
            file: name.clone(),
            cause,
        })?;
        let mut reader = Self::from_read(name, file)?;
        reader.len_bytes = len_bytes;
        Ok(reader)
    }

    /// Reads a capture from anywhere; `name` is what errors call it.
    pub fn from_read(
        name: impl Into<String>,
        input: impl Read + Send + 'static,
    ) -> Result<Self, CaptureError> {
        let name = name.into();
        let start = Place {
            offset: 0,
            record: 1,
        };
        let input = Input::new(Box::new(input)).map_err(|f| input_error(&name, start, f))?;
        let mut buffer = ReadBuffer::new(input);
        let format = read_header(&name, start, &mut buffer)?;
        Ok(Self {
            name,
            len_bytes: None,
            buffer,
            format,
            lent_bytes: 0,
            records: 0,
            finished: false,
        })
    }

    /// The next records: those that are there, up to a burst of them; none at the end.
    ///
    /// A fault is reported once, by the call after the one that gave the last whole record before
    /// it; the capture ends there.
    pub fn read_burst(&mut self) -> Result<ArrayVec<Record<'_>, BURST>, CaptureError> {
        self.buffer.consume(std::mem::take(&mut self.lent_bytes));
        if self.finished {
            return Ok(ArrayVec::new());
        }
        let reached = self.reach_record();
        self.finished = !matches!(reached, Ok(true));
        match reached? {
            true => Ok(self.lend_records()),
            false => Ok(ArrayVec::new()),
        }
    }

    /// What errors call this capture: its path, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes read of the file so far, before decompression.
    pub fn bytes_read(&self) -> u64 {
        self.buffer.input().source().bytes_read()
    }

    /// Length of the file, where it has one.
    pub fn len_bytes(&self) -> Option<u64> {
        self.len_bytes
    }

    /// Makes a whole record the first thing in the buffer; `false` at the end.
    fn reach_record(&mut self) -> Result<bool, CaptureError> {
        loop {
            match self.format.step(self.buffer.unread()) {
                Ok(Step::Record(..)) => return Ok(true),
                Ok(Step::Skip(len)) => self.buffer.consume(len),
                Err(Halt::More(needed)) => match self.buffer.fill(needed) {
                    Ok(true) => {}
                    Ok(false) if self.buffer.unread().is_empty() => return Ok(false),
                    Ok(false) => {
                        return Err(CaptureError::CutRecord {
                            file: self.name.clone(),
                            at: self.place(),
                            needed,
                            left: self.buffer.unread().len(),
                        });
                    }
                    Err(fault) => return Err(input_error(&self.name, self.place(), fault)),
                },
                Err(Halt::AbsurdLength(captured)) => {
                    return Err(CaptureError::AbsurdLength {
                        file: self.name.clone(),
                        at: self.place(),
                        captured,
                    });
                }
                Err(Halt::Block(fault)) => {
                    return Err(CaptureError::BadBlock {
                        file: self.name.clone(),
                        at: self.place(),
                        fault,
                    });
                }
            }
        }
    }

    /// The records that are whole in the buffer. Whatever stops it is met again by the next call.
    fn lend_records(&mut self) -> ArrayVec<Record<'_>, BURST> {
        let mut burst = ArrayVec::new();
        let mut rest = self.buffer.unread();
        while !burst.is_full() {
            let len = match self.format.step(rest) {
                Ok(Step::Record(record, len)) => {
                    burst.push(record);
                    len
                }
                Ok(Step::Skip(len)) => len,
                Err(_) => break,
            };
            rest = rest.get(len..).unwrap_or_default();
            self.lent_bytes += len;
        }
        self.records += burst.len() as u64;
        burst
    }

    fn place(&self) -> Place {
        Place {
            offset: self.buffer.offset(),
            record: self.records + 1,
        }
    }
}

impl fmt::Debug for CaptureReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureReader")
            .field("name", &self.name)
            .field("place", &self.place())
            .finish_non_exhaustive()
    }
}

impl Format {
    #[inline]
    fn step<'a>(&mut self, unread: &'a [u8]) -> Result<Step<'a>, Halt> {
        match self {
            Self::Pcap(pcap) => pcap.step(unread),
            Self::PcapNg(pcapng) => pcapng.step(unread),
        }
    }
}

fn open_file(path: &Path) -> io::Result<(File, Option<u64>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok((file, metadata.is_file().then_some(metadata.len())))
}

fn read_header(name: &str, start: Place, buffer: &mut ReadBuffer) -> Result<Format, CaptureError> {
    let file = || name.to_owned();
    let fill = |buffer: &mut ReadBuffer, needed| {
        let filled = buffer.fill(needed);
        filled.map_err(|fault| input_error(name, start, fault))
    };
    fill(buffer, 4)?;
    let Some(magic) = buffer.unread().first_chunk().copied() else {
        return Err(match buffer.unread() {
            [] => CaptureError::Empty { file: file() },
            found => CaptureError::NotACapture {
                file: file(),
                found: found.to_vec(),
            },
        });
    };
    // The block type of a section header reads the same in both byte orders.
    if magic == pcapng::SECTION_HEADER.to_be_bytes() {
        return Ok(Format::PcapNg(PcapNg::new()));
    }
    let not_a_capture = || CaptureError::NotACapture {
        file: file(),
        found: magic.to_vec(),
    };
    if !pcap::is_magic(magic) {
        return Err(not_a_capture());
    }
    fill(buffer, pcap::HEADER_BYTES)?;
    let Some(header) = buffer.unread().first_chunk() else {
        return Err(CaptureError::CutHeader {
            file: file(),
            needed: pcap::HEADER_BYTES,
            left: buffer.unread().len(),
        });
    };
    let header = pcap::header(header);
    buffer.consume(pcap::HEADER_BYTES);
    match header {
        Some(pcap::Header::Known(pcap)) => Ok(Format::Pcap(pcap)),
        Some(pcap::Header::UnknownVersion { major, minor }) => Err(CaptureError::Version {
            file: file(),
            major,
            minor,
        }),
        None => Err(not_a_capture()),
    }
}

fn input_error(name: &str, at: Place, fault: InputFault) -> CaptureError {
    let file = name.to_owned();
    let (format, fault) = match fault {
        InputFault::Io(cause) => return CaptureError::Read { file, at, cause },
        InputFault::Cut(format) => (format, CompressionFault::Cut),
        InputFault::Damaged(format, cause) => {
            (format, CompressionFault::Damaged(cause.to_string()))
        }
    };
    CaptureError::Compression {
        file,
        at,
        format,
        fault,
    }
}
