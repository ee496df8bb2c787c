use crate::control::journal::JournalError;
use crate::control::socket::SocketError;
use crate::io::port::DeviceError;
use crate::worker::LcoreError;

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A policy cannot be used, or plans above it: whole lines, for people.
    #[error("{0}")]
    Policy(String),
    /// A device cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// An lcore cannot be used.
    #[error(transparent)]
    Lcore(#[from] LcoreError),
    /// The control socket cannot be opened.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
