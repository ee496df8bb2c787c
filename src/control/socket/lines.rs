use super::Limits;
use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const READ_BYTES: usize = 16 * 1_024;

/// The lines of a client that may write anything.
pub(super) struct Lines<'a> {
    stream: &'a UnixStream,
    limits: Limits,
    /// What was read; all before `taken` has been given out.
    buffer: Vec<u8>,
    taken: usize,
    /// In the middle of a line that was too long.
    skipping: bool,
}

/// What comes next.
pub(super) enum Next<'a> {
    /// A line, without its end.
    Line(&'a [u8]),
    /// A line that is too long; what follows of it is skipped.
    TooLong,
    /// The beginning of a line, whose end did not come.
    Half,
    /// Nothing more.
    End,
}

impl<'a> Lines<'a> {
    pub(super) fn new(stream: &'a UnixStream, limits: Limits) -> Self {
        Self {
            stream,
            limits,
            buffer: Vec::new(),
            taken: 0,
            skipping: false,
        }
    }

    pub(super) fn next(&mut self) -> Next<'_> {
        // A line has its time from when it is waited for: the client cannot help that it waited.
        let began = Instant::now();
        let mut searched = self.taken;
        loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            if let Some(found) = unsearched.iter().position(|octet| *octet == b'\n') {
                let line = self.taken..searched + found;
                self.taken = line.end + 1;
                if std::mem::take(&mut self.skipping) {
                    searched = self.taken;
                    continue;
                }
                if line.len() > self.limits.line_bytes {
                    return Next::TooLong;
                }
                return Next::Line(self.buffer.get(line).unwrap_or_default());
            }
            self.buffer.drain(..self.taken);
            self.taken = 0;
            if self.skipping {
                self.buffer.clear();
            } else if self.buffer.len() > self.limits.line_bytes {
                self.buffer.clear();
                self.skipping = true;
                return Next::TooLong;
            }
            searched = self.buffer.len();
            match self.read(began) {
                Ok(0) | Err(_) if self.buffer.is_empty() => return Next::End,
                Ok(0) | Err(_) => return Next::Half,
                Ok(_) => {}
            }
        }
    }

    fn read(&mut self, began: Instant) -> io::Result<usize> {
        let in_a_line = self.skipping || !self.buffer.is_empty();
        let time = match in_a_line {
            true => self.limits.line_time.saturating_sub(began.elapsed()),
            false => self.limits.idle,
        };
        // 0 would be for ever.
        let time = time.max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(time))?;
        let before = self.buffer.len();
        self.buffer.resize(before + READ_BYTES, 0);
        let read = loop {
            let room = self.buffer.get_mut(before..).unwrap_or_default();
            match self.stream.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer
            .truncate(before + read.as_ref().map_or(0, |read| *read));
        read
    }
}
