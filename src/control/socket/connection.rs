use super::Limits;
use super::lines::{Lines, Next};
use crate::control::accounts;
use crate::control::line::{Id, read_request, write_answer};
use crate::control::protocol::{Answer, Asked, Refusal};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError};
use std::thread;
use std::time::Duration;

/// Answers are written together up to so many octets.
const WRITTEN_BYTES: usize = 64 * 1_024;

/// How often a thread that waits for an answer looks whether the server ends.
const LOOK: Duration = Duration::from_millis(50);

/// One client.
pub(super) struct Connection<M> {
    pub(super) limits: Limits,
    pub(super) stream: UnixStream,
    pub(super) inbox: Sender<M>,
    pub(super) ending: Arc<AtomicBool>,
}

/// A line that has its turn to be answered.
struct Turn {
    id: Option<Id>,
    answer: Outcome,
}

enum Outcome {
    Known(Answer),
    Awaited(Receiver<Answer>),
}

impl<M: From<Asked>> Connection<M> {
    pub(super) fn serve(self) {
        let Ok(who) = who(&self.stream) else {
            return;
        };
        let (turns, to_write) = mpsc::sync_channel(self.limits.waiting);
        thread::scope(|scope| {
            let answers = Answers {
                stream: &self.stream,
                limits: self.limits,
                ending: &self.ending,
                unwritten: Vec::new(),
            };
            let writing = thread::Builder::new()
                .name("control answers".to_owned())
                .spawn_scoped(scope, move || answers.write(&to_write));
            if writing.is_ok() {
                self.read(&who, turns);
            }
        });
        // The server keeps a copy of the stream; the client is to see the end now.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Passes on what is asked, until there is no more, or nobody to write answers.
    fn read(&self, who: &str, turns: SyncSender<Turn>) {
        let mut lines = Lines::new(&self.stream, self.limits);
        loop {
            let (turn, more) = match lines.next() {
                Next::Line(line) => (self.pass_on(line, who), true),
                Next::TooLong => {
                    let most = self.limits.line_bytes;
                    let message = format!("the line has more than {most} octets");
                    (Turn::refused(None, Refusal::new("too-long", message)), true)
                }
                Next::Half => {
                    let message = "the line has no end; nothing of it was carried out";
                    (
                        Turn::refused(None, Refusal::new("half-a-line", message)),
                        false,
                    )
                }
                Next::End => return,
            };
            if turns.send(turn).is_err() || !more {
                return;
            }
        }
    }

    fn pass_on(&self, line: &[u8], who: &str) -> Turn {
        let call = match read_request(line) {
            Ok(call) => call,
            Err(misread) => return Turn::refused(misread.id, misread.refusal),
        };
        let (answer, awaited) = mpsc::channel();
        let asked = Asked {
            request: call.request,
            who: who.to_owned(),
            answer,
        };
        // Where nobody takes it, the sender of the answer is dropped with it.
        let _ = self.inbox.send(asked.into());
        Turn {
            id: call.id,
            answer: Outcome::Awaited(awaited),
        }
    }
}

impl Turn {
    fn refused(id: Option<Id>, refusal: Refusal) -> Self {
        Self {
            id,
            answer: Outcome::Known(Answer::Refused(refusal)),
        }
    }
}

/// Writes answers in their turn.
struct Answers<'a> {
    stream: &'a UnixStream,
    limits: Limits,
    ending: &'a AtomicBool,
    unwritten: Vec<u8>,
}

impl Answers<'_> {
    fn write(mut self, turns: &Receiver<Turn>) {
        let timed = self.stream.set_write_timeout(Some(self.limits.unread));
        if timed.and_then(|()| self.write_all(turns)).is_err() {
            // The client does not read, or has gone: whoever reads from it need not go on.
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }

    fn write_all(&mut self, turns: &Receiver<Turn>) -> io::Result<()> {
        loop {
            let turn = match turns.try_recv() {
                Ok(turn) => turn,
                Err(_) => {
                    self.flush()?;
                    match turns.recv() {
                        Ok(turn) => turn,
                        Err(_) => return Ok(()),
                    }
                }
            };
            let answer = match turn.answer {
                Outcome::Known(answer) => answer,
                Outcome::Awaited(answer) => match self.wait(&answer)? {
                    Some(answer) => answer,
                    None => return Ok(()),
                },
            };
            write_answer(&mut self.unwritten, turn.id.as_ref(), &answer)?;
            if self.unwritten.len() > WRITTEN_BYTES {
                self.flush()?;
            }
        }
    }

    /// Waits for an answer, with all before it written; `None` when the server ends first.
    fn wait(&mut self, answer: &Receiver<Answer>) -> io::Result<Option<Answer>> {
        match answer.try_recv() {
            Ok(answer) => return Ok(Some(answer)),
            Err(TryRecvError::Disconnected) => return Ok(Some(nobody())),
            Err(TryRecvError::Empty) => self.flush()?,
        }
        loop {
            match answer.recv_timeout(LOOK) {
                Ok(answer) => return Ok(Some(answer)),
                Err(RecvTimeoutError::Disconnected) => return Ok(Some(nobody())),
                // Whether it was carried out is not known, so nothing is said.
                Err(RecvTimeoutError::Timeout) if self.ending.load(Ordering::Acquire) => {
                    return Ok(None);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut stream = self.stream;
        stream.write_all(&self.unwritten)?;
        self.unwritten.clear();
        Ok(())
    }
}

/// The answer of a sekisho that ends.
fn nobody() -> Answer {
    let message = "sekisho is ending and takes no more requests";
    Answer::Refused(Refusal::new("ending", message))
}

/// Tells a client that there are too many of them.
pub(super) fn refuse(stream: &UnixStream, most: usize) {
    let message = format!("{most} clients are connected already");
    let answer = Answer::Refused(Refusal::new("busy", message));
    let mut line = Vec::new();
    let written = write_answer(&mut line, None, &answer);
    // A fresh connection has room for a line; one that has not is not waited for.
    if written.is_ok() && stream.set_nonblocking(true).is_ok() {
        let mut stream = stream;
        let _ = stream.write_all(&line);
    }
}

/// The user at the other end, as the kernel says: `uid 0 (root)`.
fn who(stream: &UnixStream) -> io::Result<String> {
    let uid = getsockopt(stream, PeerCredentials)?.uid();
    Ok(match accounts::user_name(uid) {
        Some(name) => format!("uid {uid} ({name})"),
        None => format!("uid {uid}"),
    })
}
