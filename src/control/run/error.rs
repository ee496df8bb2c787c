use crate::control::journal::JournalError;
use crate::control::socket::SocketError;
use crate::io::port::DeviceError;
use crate::worker::LcoreError;
use ipnet::IpNet;

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A policy cannot be used, or plans above it: whole lines, for people.
    #[error("{0}")]
    Policy(String),
    /// There is nothing to be taken back.
    #[error("no plan is given to {0} above the file: `sekisho ctl plan list` shows those that are")]
    NotSet(IpNet),
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
