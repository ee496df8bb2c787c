use super::Attach;
use super::bpf::{self, Instruction};
use super::fault;
use crate::io::netdev::Interface;
use crate::io::port::{DeviceError, DeviceFault};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Where a frame goes whose queue has no socket: to the kernel, as if there were no program.
const XDP_PASS: i32 = 2;
const REDIRECT_MAP: i32 = 51;

/// The program takes frames in several buffers.
const HAS_FRAGS: u32 = 1 << 5;

const SKB_MODE: u32 = 1 << 1;
const DRIVER_MODE: u32 = 1 << 2;

/// The XDP program of one device, and the map of its sockets: loaded, and not yet attached.
#[derive(Debug)]
pub(super) struct Program {
    map: OwnedFd,
    program: OwnedFd,
}

/// What keeps a program at its device. When it is dropped, or its process is gone, so is the
/// program.
#[derive(Debug)]
pub(super) struct Link {
    _link: OwnedFd,
    pub(super) mode: AttachMode,
    /// Why it is not the driver, if that was asked for first.
    pub(super) refused: Option<Errno>,
}

/// Where the program of a device runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachMode {
    /// In the driver, before the kernel makes anything of the frame.
    Driver,
    /// Behind the driver, on the kernel's own buffers.
    Skb,
}

impl Program {
    /// Loads a program with room for the sockets of so many queues, and for frames in several
    /// segments where they are needed.
    pub(super) fn load(
        interface: &Interface,
        queues: u32,
        segments: bool,
    ) -> Result<Self, DeviceError> {
        let refused = |what| move |cause| fault::refused(interface, what, cause);
        let map = bpf::create_xskmap(queues).map_err(refused("to make a map of sockets"))?;
        let flags = if segments { HAS_FRAGS } else { 0 };
        let program = bpf::load_xdp(&to_socket_of_queue(map.as_fd()), flags)
            .map_err(refused("to load an XDP program"))?;
        Ok(Self { map, program })
    }

    /// Gives a queue its socket.
    pub(super) fn assign(
        &self,
        interface: &Interface,
        queue: u32,
        socket: BorrowedFd<'_>,
    ) -> Result<(), DeviceError> {
        bpf::update(self.map.as_fd(), queue, socket)
            .map_err(|cause| fault::refused(interface, "a socket to its queue", cause))
    }

    /// Attaches it: from now on the sockets receive.
    pub(super) fn attach(
        &self,
        interface: &Interface,
        wanted: Attach,
    ) -> Result<Link, DeviceError> {
        let attach = |mode, flags, refused| {
            let link = bpf::link_xdp(self.program.as_fd(), interface.index, flags)?;
            Ok(Link {
                _link: link,
                mode,
                refused,
            })
        };
        let driver = || attach(AttachMode::Driver, DRIVER_MODE, None);
        let skb = |refused| attach(AttachMode::Skb, SKB_MODE, refused);
        let attached = match wanted {
            Attach::Driver => driver(),
            Attach::Skb => skb(None),
            Attach::Auto => driver().or_else(|cause| match fault::kind(cause) {
                DeviceFault::System | DeviceFault::Driver => skb(Some(cause)),
                _ => Err(cause),
            }),
        };
        attached.map_err(|cause| fault::attach(interface, wanted, cause))
    }
}

/// Sends a frame to the socket of the queue that it came by.
fn to_socket_of_queue(map: BorrowedFd<'_>) -> [Instruction; 6] {
    use std::os::fd::AsRawFd;
    let plain = |code, target: u8, source: u8, offset, immediate| Instruction {
        code,
        registers: if cfg!(target_endian = "little") {
            source << 4 | target
        } else {
            target << 4 | source
        },
        offset,
        immediate,
    };
    [
        // r2 = r1->rx_queue_index
        plain(0x61, 2, 1, 16, 0),
        // r1 = map, in the room of two
        plain(0x18, 1, 1, 0, map.as_raw_fd()),
        plain(0, 0, 0, 0, 0),
        // r3 = what to do without a socket
        plain(0xb7, 3, 0, 0, XDP_PASS),
        // r0 = redirect_map(r1, r2, r3)
        plain(0x85, 0, 0, 0, REDIRECT_MAP),
        // return r0
        plain(0x95, 0, 0, 0, 0),
    ]
}
