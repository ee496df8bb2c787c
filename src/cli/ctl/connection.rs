use super::place;
use crate::cli::Failure;
use crate::control::line::{Id, read_answer, write_request};
use crate::control::protocol::{Answer, Request};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an answer may take. A reload reads and compiles first.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running sekisho, as whoever asks it sees it.
pub(super) struct Connection {
    path: PathBuf,
    requests: BufWriter<UnixStream>,
    answers: BufReader<UnixStream>,
}

impl Connection {
    /// Connects to the socket that was named, or to the only one there is.
    pub(super) fn open(named: Option<&Path>) -> Result<Self, Failure> {
        let path = place::socket(named)?;
        let opened = || -> io::Result<_> {
            let stream = UnixStream::connect(&path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok((BufReader::new(stream.try_clone()?), BufWriter::new(stream)))
        };
        let (answers, requests) = opened().map_err(|error| place::unreachable(&path, &error))?;
        Ok(Self {
            path,
            requests,
            answers,
        })
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask(&mut self, request: &Request) -> Result<Answer, Failure> {
        // Where it cannot be sent, the other end may have said why before it closed.
        let sent = self.send(None, request).and_then(|()| self.flush());
        let (_, answer) = self.receive().map_err(|lost| sent.err().unwrap_or(lost))?;
        Ok(answer)
    }

    /// Sends a request, sooner or later.
    pub(super) fn send(&mut self, id: Option<&Id>, request: &Request) -> Result<(), Failure> {
        write_request(&mut self.requests, id, request).map_err(|error| self.lost(&error))
    }

    /// Sends what is not sent yet.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.requests.flush().map_err(|error| self.lost(&error))
    }

    /// Waits for the next answer.
    pub(super) fn receive(&mut self) -> Result<(Option<Id>, Answer), Failure> {
        let mut line = Vec::new();
        self.answers
            .read_until(b'\n', &mut line)
            .map_err(|error| self.lost(&error))?;
        if line.last() != Some(&b'\n') {
            return Err(self.lost(&io::ErrorKind::ConnectionReset.into()));
        }
        read_answer(&line).map_err(|error| {
            let path = self.path.display();
            Failure::io(format_args!("{path}: the answer cannot be read: {error}"))
        })
    }

    fn lost(&self, error: &io::Error) -> Failure {
        let path = self.path.display();
        Failure::io(match error.kind() {
            io::ErrorKind::WouldBlock => {
                format!("{path}: no answer within {} s", PATIENCE.as_secs())
            }
            // It was killed, or ended in good order: either way, what was asked is in doubt.
            io::ErrorKind::ConnectionReset => {
                format!("{path}: sekisho closed the connection before it answered")
            }
            _ => format!("{path}: the connection was lost: {error}"),
        })
    }
}
