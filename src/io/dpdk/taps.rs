//! What the kernel dropped because net_af_packet had no room for it, which that driver does not ask.

use rustix::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use rustix::io::fcntl_dupfd_cloexec;
use std::collections::BTreeSet;
use std::ffi::{c_int, c_void};
use std::fs;
use std::mem;
use std::sync::{Mutex, PoisonError};

/// The driver's sockets at one interface, beside the driver.
#[derive(Debug)]
pub(super) struct Taps {
    sockets: Vec<OwnedFd>,
    /// The kernel counts from zero again after each question.
    dropped: Mutex<u64>,
}

/// The descriptors of this process, before a driver opens some.
pub(super) struct Before(BTreeSet<RawFd>);

impl Before {
    pub(super) fn now() -> Self {
        Self(descriptors())
    }

    /// The sockets at this interface that have come since.
    pub(super) fn taps_at(&self, index: u32) -> Taps {
        let come = descriptors();
        let sockets = come.difference(&self.0).filter_map(|fd| {
            let at_interface = packet_interface(*fd)? == index.cast_signed();
            // SAFETY: it was open just now. Were it closed meanwhile, the system would refuse to
            // duplicate it; nothing is done to it.
            let socket = at_interface.then(|| unsafe { BorrowedFd::borrow_raw(*fd) })?;
            fcntl_dupfd_cloexec(socket, 3).ok()
        });
        Taps {
            sockets: sockets.collect(),
            dropped: Mutex::new(0),
        }
    }
}

impl Taps {
    /// Frames, since the device was opened.
    pub(super) fn dropped(&self) -> u64 {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        *dropped += self.sockets.iter().map(dropped_lately).sum::<u64>();
        *dropped
    }
}

fn descriptors() -> BTreeSet<RawFd> {
    let open = fs::read_dir("/proc/self/fd").into_iter().flatten();
    open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// The interface of a packet socket; none where the descriptor is something else.
fn packet_interface(fd: RawFd) -> Option<c_int> {
    // SAFETY: a struct of numbers, for which zeros are values.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    let mut len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the system writes so many octets at most; a descriptor that is no socket is refused.
    let failed = unsafe { libc::getsockname(fd, (&raw mut address).cast(), &raw mut len) };
    let is_packet = failed == 0 && c_int::from(address.sll_family) == libc::AF_PACKET;
    is_packet.then_some(address.sll_ifindex)
}

fn dropped_lately(socket: &OwnedFd) -> u64 {
    let mut counted = libc::tpacket_stats {
        tp_packets: 0,
        tp_drops: 0,
    };
    let mut len = size_of::<libc::tpacket_stats>() as libc::socklen_t;
    // SAFETY: the system writes so many octets at most.
    let failed = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut counted).cast::<c_void>(),
            &raw mut len,
        )
    };
    match failed {
        0 => u64::from(counted.tp_drops),
        _ => 0,
    }
}
