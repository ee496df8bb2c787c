//! Where frames come from and go to.
//!
//! ```text
//!  pool ─▶ rx_burst ─▶ frames, owned ─▶ tx_burst ─▶ tx ring ─▶ link
//!    ▲    compose ─────────▶│ dropped                            │ sent
//!    └──────────────────────┴────────────────────────────────────┘
//! ```
//! A [`Port`] is one receive queue and one transmit queue of a driver, and belongs to one worker. A
//! frame has one owner: the pool, whoever received it, or a transmit ring. It moves, and its octets
//! stay where they are; dropped, it goes back to its pool.
//!
//! [`MemoryPort`] is the driver without a device; [`CapturePort`] has captures for one; [`Recorded`] wraps a port and keeps what it was
//! given to send.

mod arena;
mod capture;
mod device;
mod memory;
mod recorded;

pub use arena::{Arena, ArenaError};
pub use capture::{
    CaptureDevice, CaptureFiles, CaptureFrame, CaptureLane, CapturePort, Captures, Senders,
};
pub use device::{Device, DeviceError, DeviceFault, Lane, Link, Loss, Work};
pub use memory::{MemoryFrame, MemoryPort, Pool, Rounds};
pub use recorded::Recorded;

use crate::wire::{AsFrame, BURST};
use arrayvec::ArrayVec;

/// Frames that are handled together.
pub type Frames<F> = ArrayVec<F, BURST>;

/// A receive queue and a transmit queue.
///
/// Order is kept: of what is received, of what is sent, and of what is left of a burst. What leaves
/// is octet for octet what came.
pub trait Port {
    /// A whole Ethernet frame, as long as it has an owner. Ports of one driver share this type: what
    /// one received, another sends, without a copy.
    type Frame: AsFrame;

    /// Receives frames behind those that are in the burst, as many as there are and as it has room
    /// for; says how many.
    fn rx_burst(&mut self, frames: &mut Frames<Self::Frame>) -> usize;

    /// Takes frames from the front of the burst, as many as the transmit ring has room for; says how
    /// many. The others stay where they are, and whose they were.
    fn tx_burst(&mut self, frames: &mut Frames<Self::Frame>) -> usize;

    /// A frame of this program's own: takes one from the pool and fills it with these octets, a whole
    /// Ethernet frame of up to [`REPLY_OCTETS`](crate::wire::REPLY_OCTETS). From then on it is like one that was received here.
    /// `None` where the pool has none, or none that holds so many.
    fn compose(&mut self, octets: &[u8]) -> Option<Self::Frame>;

    /// Gives frames that have left back to their pool; says how many. `tx_burst` does so first; a
    /// port that has nothing to send is asked now and then, or its frames stay away.
    fn reap(&mut self) -> usize;

    /// How many frames have left by this port.
    fn transmitted(&self) -> u64;

    /// How many of the frames that were received or composed here are neither gone nor back in the pool: found
    /// by looking, not by subtracting. It may take long, and is asked when the port is at rest.
    fn held(&self) -> u64;

    /// Lets frames leave that stand in the transmit ring, when no more are to come: until none does,
    /// or none has for a while.
    fn drain(&mut self) {
        while self.reap() > 0 {}
    }
}

/// A port that is lent, to be looked at afterwards.
impl<P: Port> Port for &mut P {
    type Frame = P::Frame;

    fn rx_burst(&mut self, frames: &mut Frames<P::Frame>) -> usize {
        (**self).rx_burst(frames)
    }

    fn tx_burst(&mut self, frames: &mut Frames<P::Frame>) -> usize {
        (**self).tx_burst(frames)
    }

    fn compose(&mut self, octets: &[u8]) -> Option<P::Frame> {
        (**self).compose(octets)
    }

    fn reap(&mut self) -> usize {
        (**self).reap()
    }

    fn transmitted(&self) -> u64 {
        (**self).transmitted()
    }

    fn held(&self) -> u64 {
        (**self).held()
    }

    fn drain(&mut self) {
        (**self).drain();
    }
}
