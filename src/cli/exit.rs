use crate::io::port::DeviceFault;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// How a command ends; where several apply, the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All is well.
    Ok = 0,
    /// It ran, and the answer is no: a failed case, an imbalance, warnings under `--strict`.
    No = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A device, or a capture that stands for one, is not there (`EX_NOINPUT`).
    NoDevice = 66,
    /// A device has vanished (`EX_UNAVAILABLE`).
    Gone = 69,
    /// There is too little memory of the kind that a driver needs (`EX_OSERR`).
    Memory = 71,
    /// A driver, or a plugin for it, is not installed (`EX_OSFILE`).
    NoDriver = 72,
    /// A file could not be read or written (`EX_IOERR`).
    Io = 74,
    /// Somebody else has the device, the socket or the journal (`EX_TEMPFAIL`).
    Busy = 75,
    /// Queues, MTU or offloads of a device are not what the pipeline needs.
    Shape = 76,
    /// The program may not (`EX_NOPERM`).
    Permission = 77,
    /// A policy cannot be used (`EX_CONFIG`).
    Config = 78,
}

impl Exit {
    /// Of a device that cannot be used.
    pub(super) fn of_device(fault: DeviceFault) -> Self {
        match fault {
            DeviceFault::Missing => Self::NoDevice,
            DeviceFault::Gone => Self::Gone,
            DeviceFault::Memory => Self::Memory,
            DeviceFault::Driver => Self::NoDriver,
            DeviceFault::System => Self::Io,
            DeviceFault::Busy => Self::Busy,
            DeviceFault::Shape => Self::Shape,
            DeviceFault::Permission => Self::Permission,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ends early.
#[derive(Debug)]
pub(super) enum Failure {
    /// With a message.
    Said(Exit, String),
    /// What had to be said is on stderr already.
    Reported(Exit),
    /// Whoever read our output has closed it: no reason to complain.
    ClosedPipe,
}

impl Failure {
    pub(super) fn usage(message: impl Display) -> Self {
        Self::Said(Exit::Usage, message.to_string())
    }

    pub(super) fn io(message: impl Display) -> Self {
        Self::Said(Exit::Io, message.to_string())
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Said(exit, _) | Self::Reported(exit) => *exit,
            Self::ClosedPipe => Exit::Ok,
        }
    }

    pub(super) fn report(&self) {
        if let Self::Said(_, message) = self {
            super::out::complain("error", message);
        }
    }
}

/// Of standard output; files have errors of their own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::io(format_args!("standard output: {error}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::from(io::Error::from(error))
    }
}
