//! From record to record through a capture.

use super::input::{Input, InputFault};
use super::pcap::{self, Pcap};
use super::pcapng::{self, PcapNg};
use super::stretch::{STRETCH_BYTES, Stretch, Then};
use super::{CaptureError, CompressionFault, Found, Halt, Place, Step};

/// A capture, as far as it was walked.
pub(super) struct Walk {
    name: String,
    input: Input,
    format: Format,
    /// What was read behind the last record of the last stretch.
    rest: Vec<u8>,
    /// Bytes walked since the start of the capture.
    offset: u64,
    /// Records found so far.
    records: u64,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl Walk {
    /// Reads the file header; `name` is what errors call the capture.
    pub(super) fn begin(name: String, mut input: Input) -> Result<Self, CaptureError> {
        let mut rest = Vec::new();
        let format = read_header(&name, &mut input, &mut rest)?;
        let offset = match format {
            Format::Pcap(_) => rest.drain(..).len(),
            // The section header is a block like any other.
            Format::PcapNg(_) => 0,
        };
        Ok(Self {
            name,
            input,
            format,
            rest,
            offset: offset as u64,
            records: 0,
        })
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.input.source().bytes_read()
    }

    /// Reads on until there is a record, or the capture ends; finds every record that is whole.
    ///
    /// Reads no more often than it must, so that a capture that is still being written to a pipe
    /// is handed on as it comes.
    pub(super) fn fill(&mut self, stretch: &mut Stretch) {
        stretch.found.clear();
        stretch.then = self.find(&mut stretch.bytes, &mut stretch.found);
        stretch.bytes_read = self.bytes_read();
        self.records += stretch.found.len() as u64;
    }

    /// Finds records in what was read; what comes behind them.
    fn find(&mut self, bytes: &mut Vec<u8>, found: &mut Vec<Found>) -> Then {
        let mut held = self.rest.len();
        make_room(bytes, held);
        if let Some(front) = bytes.get_mut(..held) {
            front.copy_from_slice(&self.rest);
        }
        loop {
            let unread = bytes.get(..held).unwrap_or_default();
            let mut walked = 0;
            let halt = self.format.walk(unread, &mut walked, found);
            self.offset += walked as u64;
            let needed = match halt {
                Halt::More(needed) if found.is_empty() => needed,
                Halt::More(_) => {
                    self.rest.clear();
                    self.rest.extend(unread.get(walked..).unwrap_or_default());
                    return Then::More;
                }
                Halt::AbsurdLength(captured) => {
                    let (file, at) = (self.name.clone(), self.place(found.len()));
                    return Then::Fault(CaptureError::AbsurdLength { file, at, captured });
                }
                Halt::Block(fault) => {
                    let (file, at) = (self.name.clone(), self.place(found.len()));
                    return Then::Fault(CaptureError::BadBlock { file, at, fault });
                }
            };
            bytes.copy_within(walked..held, 0);
            held -= walked;
            match read(&mut self.input, bytes, &mut held, needed) {
                Ok(true) => {}
                Ok(false) if held == 0 => return Then::End,
                Ok(false) => {
                    return Then::Fault(CaptureError::CutRecord {
                        file: self.name.clone(),
                        at: self.place(0),
                        needed,
                        left: held,
                    });
                }
                Err(fault) => {
                    return Then::Fault(input_error(&self.name, self.place(0), fault));
                }
            }
        }
    }

    /// Of the record behind so many of this stretch.
    fn place(&self, found: usize) -> Place {
        Place {
            offset: self.offset,
            record: self.records + found as u64 + 1,
        }
    }
}

impl Format {
    /// Steps from record to record, until something stops it.
    fn walk(&mut self, unread: &[u8], walked: &mut usize, found: &mut Vec<Found>) -> Halt {
        match self {
            Self::Pcap(pcap) => match pcap.as_usual() {
                Some(usual) => each_step(unread, walked, found, |unread| usual.step(unread)),
                None => each_step(unread, walked, found, |unread| pcap.step(unread)),
            },
            Self::PcapNg(pcapng) => each_step(unread, walked, found, |unread| pcapng.step(unread)),
        }
    }
}

#[inline(always)]
fn each_step(
    unread: &[u8],
    walked: &mut usize,
    found: &mut Vec<Found>,
    mut step: impl FnMut(&[u8]) -> Result<Step, Halt>,
) -> Halt {
    let mut at = 0;
    let halt = loop {
        match step(unread.get(at..).unwrap_or_default()) {
            Ok(Step::Record(record, len)) => {
                found.push(Found {
                    start: at as u32 + record.start,
                    ..record
                });
                at += len;
            }
            Ok(Step::Skip(len)) => at += len,
            Err(halt) => break halt,
        }
    };
    *walked = at;
    halt
}

/// Reads until so many bytes are held, or until the end; says whether they are there.
fn read(
    input: &mut Input,
    bytes: &mut Vec<u8>,
    held: &mut usize,
    needed: usize,
) -> Result<bool, InputFault> {
    // A block that is larger grows the buffer; those after it are read as ever.
    let most = needed.max(STRETCH_BYTES);
    make_room(bytes, most);
    while *held < needed {
        let space = bytes.get_mut(*held..most).unwrap_or_default();
        match input.read(space)? {
            0 => return Ok(false),
            len => *held += len,
        }
    }
    Ok(true)
}

fn make_room(bytes: &mut Vec<u8>, len: usize) {
    if bytes.len() < len {
        bytes.resize(len, 0);
    }
}

/// Reads `head` up to so many bytes, or to the end.
fn read_head(input: &mut Input, head: &mut Vec<u8>, len: usize) -> Result<(), InputFault> {
    let mut held = head.len();
    head.resize(len, 0);
    while let Some(space) = head.get_mut(held..).filter(|space| !space.is_empty()) {
        match input.read(space)? {
            0 => break,
            len => held += len,
        }
    }
    head.truncate(held);
    Ok(())
}

/// Reads what tells the format: of a pcap file its header, of a pcapng file its first bytes.
fn read_header(name: &str, input: &mut Input, head: &mut Vec<u8>) -> Result<Format, CaptureError> {
    let file = || name.to_owned();
    let start = Place {
        offset: 0,
        record: 1,
    };
    let mut read = |head: &mut Vec<u8>, len| {
        read_head(input, head, len).map_err(|fault| input_error(name, start, fault))
    };
    read(head, 4)?;
    let Some(magic) = head.first_chunk().copied() else {
        return Err(match head.as_slice() {
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
    read(head, pcap::HEADER_BYTES)?;
    let Some(header) = head.first_chunk() else {
        return Err(CaptureError::CutHeader {
            file: file(),
            needed: pcap::HEADER_BYTES,
            left: head.len(),
        });
    };
    match pcap::header(header) {
        Some(pcap::Header::Known(pcap)) => Ok(Format::Pcap(pcap)),
        Some(pcap::Header::UnknownVersion { major, minor }) => Err(CaptureError::Version {
            file: file(),
            major,
            minor,
        }),
        None => Err(not_a_capture()),
    }
}

/// What is wrong with a capture whose bytes cannot be read.
pub(super) fn input_error(name: &str, at: Place, fault: InputFault) -> CaptureError {
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
