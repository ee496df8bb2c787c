use super::Port;
use std::fmt;

/// A device as whoever watches it sees it, while workers have its queues.
pub trait Device: Send {
    /// Its name, as the system or the pipeline gives it.
    fn name(&self) -> &str;

    /// Whether frames can pass.
    fn link(&mut self) -> Link;

    /// Takes the link down for the other side too, or lets it come up again.
    ///
    /// # Errors
    /// The system refuses, or the device is gone.
    fn set_link(&mut self, up: bool) -> Result<(), DeviceError>;

    /// What the system or the device says that it lost by itself since it was opened, by the name
    /// of its own counter.
    fn losses(&mut self) -> Vec<Loss>;
}

/// The state of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Frames can pass.
    Up,
    /// It is there, and no frame passes.
    Down,
    /// It is no longer there.
    Gone,
}

/// Frames that the system or a device lost before or behind a port.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Loss {
    /// The counter, as the system names it: `rx_dropped`, `imissed`.
    pub counter: String,
    /// How many frames.
    pub frames: u64,
}

/// One worker's receive and transmit queues of both devices: opened, and not yet anybody's.
pub trait Lane: Send {
    /// Makes the ports, on the thread that they belong to from then on, and hands them to the work.
    fn serve<W: Work>(self, work: W) -> W::Output;
}

/// What is done with the two ports of a [`Lane`].
pub trait Work {
    /// What it gives.
    type Output;

    /// Takes frames between the side where subscribers are and the other one, until it is over.
    fn work<A: Port, N: Port<Frame = A::Frame>>(self, access: A, network: N) -> Self::Output;
}

/// Why a device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceError {
    /// Of which kind; it gives the exit code.
    pub fault: DeviceFault,
    /// What was tried, and what the system said.
    pub message: String,
    /// What mends it.
    pub remedy: Option<String>,
}

/// The kinds of [`DeviceError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceFault {
    /// There is no such device.
    Missing,
    /// It was there, and is no longer.
    Gone,
    /// The program may not.
    Permission,
    /// Somebody else has it.
    Busy,
    /// There is not enough memory of the kind that is needed.
    Memory,
    /// A driver or a plugin for it is not installed.
    Driver,
    /// Its queues, its MTU or its offloads are not what the pipeline needs.
    Shape,
    /// The system refuses for another reason.
    System,
}

impl DeviceError {
    /// An error without a remedy.
    pub fn new(fault: DeviceFault, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
            remedy: None,
        }
    }

    /// The same with what mends it.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.remedy {
            None => Ok(()),
            Some(remedy) => write!(f, "; {remedy}"),
        }
    }
}

impl std::error::Error for DeviceError {}
