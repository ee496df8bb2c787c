//! Ports over DPDK, of Debian's libdpdk (feature `dpdk`).
//!
//! ```text
//!   Opened ─┬─ lanes ── DpdkLane ── serve ──▶ DpdkPort  DpdkPort     one worker's queues
//!           ├─ devices ── DpdkDevice                                 link, losses
//!           └─ owner ── close                                        stops, and counts
//!                └──────── all hold ────────▶ Shared ─▶ devices, then pools
//! ```
//! A device is a PCI address, or a virtual device of DPDK with its arguments. Each lane has queue
//! *i* of both devices, and a pool that both receive into where they are on one NUMA node; a frame
//! is forwarded without a copy. Whoever comes last, of what [`open`] gives, stops the devices,
//! closes them, and frees the pools.
//!
//! This is a wall: the only module that calls DPDK. It owes the compiler that
//! - an mbuf has one owner at a time: its pool, a driver, or one [`DpdkFrame`];
//! - a queue is polled by one thread at a time: it belongs to a lane, which is served once;
//! - a frame lives no longer than its lane is served, and devices and pools live longer: the type
//!   of a frame says so, and the lane holds them.
#![expect(
    unsafe_code,
    reason = "a wall: calls into DPDK, and reads of its mbufs"
)]

mod device;
mod eal;
mod ffi;
mod held;
mod interface;
mod lane;
mod log;
mod mbuf;
mod name;
mod pool;
mod port;
mod refusal;
mod setup;
mod taps;

pub use device::DpdkDevice;
pub use lane::DpdkLane;
pub use mbuf::DpdkFrame;
pub use port::DpdkPort;

use crate::io::port::{DeviceError, DeviceFault};
use lane::Shared;
use std::sync::Arc;

/// What is opened, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The device where subscribers are: `0000:03:00.0`, or `net_af_packet0,iface=eth0`.
    pub access: String,
    /// The other one.
    pub network: String,
    /// Receive and transmit queues of each, one of each for a worker.
    pub queues: u32,
    /// Descriptors of a ring; a driver that has other limits takes its nearest.
    pub ring_frames: u32,
    /// Mbufs of a lane, at least; it has never fewer than its rings can hold at once.
    pub pool_frames: u32,
    /// The longest IP packet, as interfaces count it: 1500, up to 9216.
    pub mtu_bytes: u32,
    /// Arguments for EAL beside ours: `--no-huge`, `-m`, `256`; on processors with AVX-512
    /// `--force-max-simd-bitwidth=512` lets drivers use it.
    pub eal: Vec<String>,
}

impl Options {
    /// One queue of each device, of frames with up to 1,500 octets of IP.
    pub fn new(access: impl Into<String>, network: impl Into<String>) -> Self {
        Self {
            access: access.into(),
            network: network.into(),
            queues: 1,
            ring_frames: 4_096,
            pool_frames: 0,
            mtu_bytes: 1_500,
            eal: Vec::new(),
        }
    }
}

/// Two devices that run.
#[derive(Debug)]
pub struct Opened {
    /// The access side and the network side.
    pub devices: [DpdkDevice; 2],
    /// One for each worker, in the order of the queues.
    pub lanes: Vec<DpdkLane>,
    /// Closes the devices.
    pub owner: Owner,
}

/// Closes the devices, and says what did not come back.
#[derive(Debug)]
pub struct Owner(Arc<Shared>);

/// Opens both devices and starts them. EAL is started with the first ones of a process.
///
/// # Errors
/// Each says what mends it; nothing is left open.
pub fn open(options: &Options) -> Result<Opened, DeviceError> {
    let shared = Arc::new(setup::run(options)?);
    Ok(Opened {
        devices: DpdkDevice::both(&shared),
        lanes: DpdkLane::all(&shared),
        owner: Owner(shared),
    })
}

impl Owner {
    /// Stops and closes the devices, when nobody has a lane or a device any more.
    ///
    /// # Errors
    /// Somebody has one: then they are closed when the last of those is dropped. Or mbufs have not
    /// come back to their pools, though no device has any: frames were lost in this program.
    pub fn close(self) -> Result<(), DeviceError> {
        let Some(shared) = Arc::into_inner(self.0) else {
            let message = "the devices of DPDK are still served";
            return Err(DeviceError::new(DeviceFault::Busy, message));
        };
        match shared.close() {
            0 => Ok(()),
            out => {
                let message = format!("{out} mbufs of DPDK did not come back to their pools");
                Err(DeviceError::new(DeviceFault::System, message))
            }
        }
    }
}
