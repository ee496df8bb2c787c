use super::input::Source;
use flate2::{Decompress, FlushDecompress, Status};
use std::io::{self, BufRead, Read};

/// The largest window that deflate has, as a power of two.
const WINDOW_BITS: u8 = 15;

/// Gzip members one after the other, as one stream of bytes.
///
/// flate2's own reader gives up what it decoded in the call that meets damage; here the bytes
/// before it come first.
pub(super) struct GzipMembers {
    source: Source,
    inflate: Decompress,
    /// Whether a member has begun and not ended.
    in_member: bool,
    /// What stopped a member, after the bytes that were handed out.
    fault: Option<io::Error>,
}

impl GzipMembers {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            inflate: Decompress::new_gzip(WINDOW_BITS),
            in_member: false,
            fault: None,
        }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Decodes once; says how many bytes went in and came out.
    fn decode(&mut self, space: &mut [u8]) -> io::Result<(usize, usize)> {
        let (total_in, total_out) = (self.inflate.total_in(), self.inflate.total_out());
        let input = self.source.fill_buf()?;
        let status = self.inflate.decompress(input, space, FlushDecompress::None);
        let taken = (self.inflate.total_in() - total_in) as usize;
        let given = (self.inflate.total_out() - total_out) as usize;
        self.source.consume(taken);
        self.in_member |= taken > 0;
        match status {
            Ok(Status::StreamEnd) => {
                self.inflate = Decompress::new_gzip(WINDOW_BITS);
                self.in_member = false;
            }
            Ok(Status::Ok | Status::BufError) => {}
            // The decoder's own words depend on how its input was cut up.
            Err(_) => self.fault = Some(io::Error::other("invalid data or checksum")),
        }
        Ok((taken, given))
    }
}

impl Read for GzipMembers {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            match self.decode(space)? {
                (0, 0) if self.fault.is_some() => {}
                (0, 0) if self.in_member => return Err(io::ErrorKind::UnexpectedEof.into()),
                (0, 0) => return Ok(0),
                (_, 0) => {}
                (_, given) => return Ok(given),
            }
        }
    }
}
