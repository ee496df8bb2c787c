//! The unix socket that a running sekisho is asked through.
//!
//! A connection has two threads: one reads lines and passes requests on in their order, the other
//! writes the answers in the same order. Neither carries anything out, so a client that writes
//! nonsense, sleeps in the middle of a line or never reads costs its own connection and nothing
//! else.

mod connection;
mod endpoint;
mod lines;

use super::protocol::Asked;
use connection::Connection;
use endpoint::Endpoint;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long answers that are there already may take to leave when the server ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long a client waits for another to end, where there are too many.
const MOMENT: Duration = Duration::from_millis(50);

/// What clients may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at one time.
    pub connections: usize,
    /// Requests of one connection that have no answer yet; after that, no more is read of it.
    pub waiting: usize,
    /// Octets of a line.
    pub line_bytes: usize,
    /// How long a line may take from its first octet to its last.
    pub line_time: Duration,
    /// How long a connection may say nothing.
    pub idle: Duration,
    /// How long a client may not read what it is answered.
    pub unread: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            waiting: 1_024,
            line_bytes: 64 * 1_024,
            line_time: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            unread: Duration::from_secs(10),
        }
    }
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum SocketError {
    #[error("another sekisho (pid {pid}) answers at {}", .path.display())]
    Answered { path: PathBuf, pid: i32 },

    #[error("another sekisho has {}", .path.display())]
    Taken { path: PathBuf },

    #[error("{}: is there, and is no socket: remove it, or name another path", .path.display())]
    NotASocket { path: PathBuf },

    #[error("{}: there is no group {group} in /etc/group, and it is no number", .path.display())]
    NoSuchGroup { path: PathBuf, group: String },

    #[error("{}: may not be given to the group {group}: {cause}", .path.display())]
    Group {
        path: PathBuf,
        group: String,
        cause: io::Error,
    },

    #[error("{}: {what}: {cause}", .path.display())]
    System {
        path: PathBuf,
        what: &'static str,
        cause: io::Error,
    },
}

impl SocketError {
    /// Whether somebody else has it.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Answered { .. } | Self::Taken { .. })
    }
}

/// A socket that answers, until it is dropped.
#[derive(Debug)]
pub struct Server {
    endpoint: Endpoint,
    ending: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Opens the socket for the user that runs this process, and for a group where one is given
    /// (by name or number), and passes what is asked to the inbox.
    ///
    /// The folder is made where it is missing. A socket that a killed process left is replaced.
    ///
    /// # Errors
    /// Somebody answers there, or the system refuses.
    pub fn bind<M: From<Asked> + Send + 'static>(
        path: &Path,
        group: Option<&str>,
        inbox: Sender<M>,
    ) -> Result<Self, SocketError> {
        Self::bind_within(Limits::default(), path, group, inbox)
    }

    /// The same with other limits.
    ///
    /// # Errors
    /// Those of [`Server::bind`].
    pub fn bind_within<M: From<Asked> + Send + 'static>(
        limits: Limits,
        path: &Path,
        group: Option<&str>,
        inbox: Sender<M>,
    ) -> Result<Self, SocketError> {
        let (endpoint, listener) = Endpoint::open(path, group)?;
        let ending = Arc::new(AtomicBool::new(false));
        let accept = Accept {
            limits,
            listener,
            inbox,
            ending: Arc::clone(&ending),
        };
        let accepting = thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || accept.run())
            .map_err(|cause| endpoint.fault("a thread for it", cause))?;
        Ok(Self {
            endpoint,
            ending,
            accepting: Some(accepting),
        })
    }

    /// Where it answers.
    pub fn path(&self) -> &Path {
        self.endpoint.path()
    }
}

impl Drop for Server {
    /// Writes the answers that are there, closes every connection, and removes the socket.
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
        self.endpoint.close();
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Takes connections, until the listener is shut down.
struct Accept<M> {
    limits: Limits,
    listener: UnixListener,
    inbox: Sender<M>,
    ending: Arc<AtomicBool>,
}

/// A connection as whoever ends it sees it.
struct Open {
    stream: UnixStream,
    serving: JoinHandle<()>,
}

impl<M: From<Asked> + Send + 'static> Accept<M> {
    fn run(self) {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let accepted = self.listener.accept();
            if self.ending.load(Ordering::Acquire) {
                break;
            }
            match accepted {
                Ok((stream, _)) if !self.has_room(&mut open) => {
                    connection::refuse(&stream, self.limits.connections);
                }
                // Where there is no thread or descriptor for it, the client sees it closed.
                Ok((stream, _)) => open.extend(self.serve(stream)),
                // Out of descriptors, or the client has gone: neither is cured by haste.
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        }
        farewell(open);
    }

    /// Forgets connections that have ended, and leaves those a moment that are about to.
    fn has_room(&self, open: &mut Vec<Open>) -> bool {
        let latest = Instant::now() + MOMENT;
        loop {
            open.retain(|connection| !connection.serving.is_finished());
            if open.len() < self.limits.connections || Instant::now() > latest {
                return open.len() < self.limits.connections;
            }
            thread::sleep(MOMENT / 10);
        }
    }

    fn serve(&self, stream: UnixStream) -> Option<Open> {
        let kept = stream.try_clone().ok()?;
        let connection = Connection {
            limits: self.limits,
            stream,
            inbox: self.inbox.clone(),
            ending: Arc::clone(&self.ending),
        };
        let serving = thread::Builder::new()
            .name("control client".to_owned())
            .spawn(move || connection.serve())
            .ok()?;
        Some(Open {
            stream: kept,
            serving,
        })
    }
}

/// Reads nothing more, lets answers leave that are there, and ends.
fn farewell(open: Vec<Open>) {
    for connection in &open {
        let _ = connection.stream.shutdown(Shutdown::Read);
    }
    let latest = Instant::now() + FAREWELL;
    for Open { stream, serving } in open {
        while !serving.is_finished() && Instant::now() < latest {
            thread::sleep(Duration::from_millis(2));
        }
        let _ = stream.shutdown(Shutdown::Both);
        let _ = serving.join();
    }
}
