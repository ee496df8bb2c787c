use super::gzip::GzipMembers;
use super::zstd::ZstdFrames;
use lz4_flex::frame::{Error as Lz4Error, FrameDecoder as Lz4Decoder};
use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};

/// Compressed bytes are read in pieces of this size.
const SOURCE_BUFFER_BYTES: usize = 64 * 1024;

/// What a capture may be wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip, one member or several (RFC 1952).
    Gzip,
    /// Zstandard frames (RFC 8878).
    Zstd,
    /// LZ4 frames.
    Lz4,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        })
    }
}

/// A capture's bytes, decompressed if need be.
pub(super) enum Input {
    Plain(Source),
    Gzip(Box<GzipMembers>),
    Zstd(Box<ZstdFrames>),
    Lz4(Box<Lz4Decoder<Source>>),
}

pub(super) enum InputFault {
    Io(io::Error),
    Cut(Compression),
    Damaged(Compression, io::Error),
}

impl Input {
    /// Tells the compression by the first bytes.
    pub(super) fn new(mut file: Box<dyn Read + Send>) -> Result<Self, InputFault> {
        let mut magic = read_magic(&mut file).map_err(InputFault::Io)?;
        let mut passed_bytes = 0;
        // Parallel compressors begin a file with a frame of their own notes; zstd and lz4 share
        // the form of it.
        while let Some(frame_bytes) = skip_frame(&magic, &mut file)? {
            passed_bytes += frame_bytes;
            magic = read_magic(&mut file).map_err(InputFault::Io)?;
        }
        let compression = match magic.as_slice() {
            [0x1f, 0x8b, ..] => Some(Compression::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd] => Some(Compression::Zstd),
            [0x04, 0x22, 0x4d, 0x18] => Some(Compression::Lz4),
            _ => None,
        };
        let source = Source::new(magic, file, passed_bytes);
        Ok(match compression {
            None => Self::Plain(source),
            Some(Compression::Gzip) => Self::Gzip(Box::new(GzipMembers::new(source))),
            Some(Compression::Zstd) => Self::Zstd(Box::new(ZstdFrames::new(source))),
            Some(Compression::Lz4) => Self::Lz4(Box::new(Lz4Decoder::new(source))),
        })
    }

    /// Reads some bytes; 0 at the end.
    pub(super) fn read(&mut self, space: &mut [u8]) -> Result<usize, InputFault> {
        loop {
            let (compression, read) = match self {
                Self::Plain(source) => (None, source.read(space)),
                Self::Gzip(gzip) => (Some(Compression::Gzip), gzip.read(space)),
                Self::Zstd(zstd) => (Some(Compression::Zstd), zstd.read(space)),
                Self::Lz4(lz4) => (Some(Compression::Lz4), read_lz4(lz4, space)),
            };
            return match (read, compression) {
                (Ok(len), _) => Ok(len),
                (Err(error), _) if error.kind() == io::ErrorKind::Interrupted => continue,
                (Err(error), Some(_)) if self.source().failed() => Err(InputFault::Io(error)),
                (Err(error), None) => Err(InputFault::Io(error)),
                // A decoder that was still reading at the end of the file wanted more of it.
                (Err(_), Some(format)) if self.source().ended() => Err(InputFault::Cut(format)),
                (Err(error), Some(format)) => Err(InputFault::Damaged(format, error)),
            };
        }
    }

    pub(super) fn source(&self) -> &Source {
        match self {
            Self::Plain(source) => source,
            Self::Gzip(gzip) => gzip.source(),
            Self::Zstd(zstd) => zstd.source(),
            Self::Lz4(lz4) => lz4.get_ref(),
        }
    }
}

/// Passes over bytes of a skippable frame.
pub(super) fn skip(input: &mut impl Read, len: u64) -> io::Result<()> {
    match io::copy(&mut input.take(len), &mut io::sink())? {
        skipped if skipped == len => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A file, and how far it was read. What decoders read from.
pub(super) struct Source(BufReader<Metered>);

impl Source {
    /// `head` was read off the front of `file`, and `passed_bytes` before that.
    fn new(head: Vec<u8>, file: Box<dyn Read + Send>, passed_bytes: u64) -> Self {
        let metered = Metered {
            file: Cursor::new(head).chain(file),
            bytes: passed_bytes,
            ended: false,
            failed: false,
        };
        Self(BufReader::with_capacity(SOURCE_BUFFER_BYTES, metered))
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.0.get_ref().bytes
    }

    /// Whether someone wanted more than the file has.
    pub(super) fn ended(&self) -> bool {
        self.0.get_ref().ended
    }

    /// Whether reading the file failed.
    fn failed(&self) -> bool {
        self.0.get_ref().failed
    }
}

impl Read for Source {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.read(space)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.0.consume(len);
    }
}

struct Metered {
    file: io::Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>,
    bytes: u64,
    ended: bool,
    failed: bool,
}

impl Read for Metered {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(space);
        match &read {
            Ok(len) => {
                self.bytes += *len as u64;
                self.ended |= *len == 0 && !space.is_empty();
            }
            Err(error) => self.failed |= error.kind() != io::ErrorKind::Interrupted,
        }
        read
    }
}

/// Up to four bytes: fewer if the file ends.
fn read_magic(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(4);
    file.take(4).read_to_end(&mut magic)?;
    Ok(magic)
}

/// Passes over a skippable frame that begins with `magic`; says how long it was.
fn skip_frame(magic: &[u8], file: &mut impl Read) -> Result<Option<u64>, InputFault> {
    if !matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18]) {
        return Ok(None);
    }
    let mut len = [0; 4];
    let skipped = file.read_exact(&mut len).and_then(|()| {
        let len = u64::from(u32::from_le_bytes(len));
        skip(file, len).map(|()| 8 + len)
    });
    match skipped {
        Ok(frame_bytes) => Ok(Some(frame_bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(InputFault::Cut(Compression::Zstd))
        }
        Err(error) => Err(InputFault::Io(error)),
    }
}

/// Reads on over the ends of frames, until there are bytes or the file ends.
fn read_lz4(lz4: &mut Lz4Decoder<Source>, space: &mut [u8]) -> io::Result<usize> {
    loop {
        match lz4.read(space) {
            // The decoder says the same at the end of a frame and where the file ends instead of
            // a block; only the latter has looked for more than there is.
            Ok(0) if lz4.get_ref().ended() => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(0) => {}
            Ok(len) => return Ok(len),
            Err(error) => match error.get_ref().and_then(|e| e.downcast_ref()) {
                Some(Lz4Error::SkippableFrame(len)) => {
                    let len = u64::from(*len);
                    skip(lz4.get_mut(), len)?;
                }
                _ => return Err(error),
            },
        }
        if lz4.get_mut().fill_buf()?.is_empty() {
            return Ok(0);
        }
    }
}
