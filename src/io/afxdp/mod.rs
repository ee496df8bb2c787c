//! Ports over AF_XDP: the interfaces of any Linux machine, without any package.
//!
//! ```text
//!            device: XDP program ─▶ map: queue → socket
//!                                              │
//!      fill ring ─▶ kernel receives ─▶ rx ring ┘   lane: one worker's queue of both devices
//!          ▲                              │
//!   ┌──────┴───────── UMEM ───────────────▼──────┐
//!   │ chunks, each with one owner    XdpFrame    │
//!   └──────▲──────────────────────────────┬──────┘
//!          │                              ▼
//!  completion ring ◀─ kernel sends ◀─ tx ring      of the other device, from where the frame lies
//! ```
//! - A chunk of the UMEM has one owner: the pool, the kernel, an [`XdpFrame`], or a tx ring. Nobody
//!   else touches it.
//! - The two sockets of a lane share its UMEM: a frame is forwarded without a copy, and goes back to
//!   the one pool wherever it was received.
//!
//! [`open()`] does all that can fail, in one place, and leaves nothing behind when it does. The program
//! is held by a link, which the kernel takes away when the process is gone, however it goes.
//!
//! `unsafe` is in `mapping`, `ring` and `umem` (memory that is shared with the kernel), and in `bpf`
//! (system calls that take pointers).

mod bpf;
mod completion;
mod device;
mod fault;
mod fill;
mod frame;
mod lane;
mod mapping;
mod open;
mod port;
mod program;
mod ring;
mod rx;
mod shape;
mod socket;
mod tx;
mod umem;

pub use device::{XdpDevice, XdpMode};
pub use frame::XdpFrame;
pub use lane::XdpLane;
pub use open::{Opened, open};
pub use port::XdpPort;
pub use program::AttachMode;

/// What is to be opened, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The interface on the side where subscribers are.
    pub access: String,
    /// The interface on the other side.
    pub network: String,
    /// How many queues each has: one for each worker.
    pub queues: u32,
    /// How many frames each ring holds, a power of two.
    pub ring_frames: u32,
    /// How many chunks a lane has: four times as many as a ring has entries, or more.
    pub umem_frames: u32,
    /// Where the XDP program runs.
    pub attach: Attach,
    /// Whether the driver shares the UMEM.
    pub zero_copy: ZeroCopy,
}

/// Where the XDP program is to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attach {
    /// In the driver; behind it where the driver cannot.
    #[default]
    Auto,
    /// In the driver, or not at all.
    Driver,
    /// Behind the driver, which every driver can; slower.
    Skb,
}

/// Whether frames are to be received into the UMEM, and sent from it, by the driver itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZeroCopy {
    /// Where both drivers can; otherwise the kernel copies.
    #[default]
    Auto,
    /// The kernel copies.
    Never,
    /// Or not at all.
    Require,
}

impl Options {
    /// Between these interfaces, with rings that outlast a worker that is kept from running for a
    /// tenth of a second at 300,000 frames a second.
    pub fn new(access: impl Into<String>, network: impl Into<String>, queues: u32) -> Self {
        Self {
            access: access.into(),
            network: network.into(),
            queues,
            ring_frames: 32_768,
            umem_frames: 131_072,
            attach: Attach::default(),
            zero_copy: ZeroCopy::default(),
        }
    }
}
