use super::completion::CompletionRing;
use super::fault;
use super::fill::FillRing;
use super::ring::{Consumer, Producer};
use super::rx::RxRing;
use super::tx::TxRing;
use super::umem::Umem;
use crate::io::netdev::Interface;
use crate::io::port::{DeviceError, DeviceFault};
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::xdp::{
    SocketAddrXdp, SocketAddrXdpFlags, SocketAddrXdpWithSharedUmem, XDP_PGOFF_RX_RING,
    XDP_PGOFF_TX_RING, XDP_UMEM_PGOFF_COMPLETION_RING, XDP_UMEM_PGOFF_FILL_RING, XdpOptionsFlags,
};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use rustix::thread::nanosleep;
use rustix::time::Timespec;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// The kernel clears up behind a socket that was closed a moment after it was: a queue that is busy
/// is tried again so often, with such a pause.
const BUSY_TRIES: u32 = 50;
const BUSY_PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 10_000_000,
};

/// The socket of one queue of one device, with its rings, bound.
#[derive(Debug)]
pub(super) struct Socket {
    /// Whoever reads its statistics has it too.
    pub(super) descriptor: Arc<OwnedFd>,
    pub(super) fill: FillRing,
    pub(super) completion: CompletionRing,
    pub(super) rx: RxRing,
    pub(super) tx: TxRing,
}

/// What a socket is bound with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bind<'s> {
    /// By itself, with these flags.
    First(SocketAddrXdpFlags),
    /// With the UMEM, and the mode, of the socket that has it.
    Sharing(&'s Socket),
}

impl Socket {
    /// Opens and binds the socket of a queue.
    pub(super) fn open(
        interface: &Interface,
        queue: u32,
        umem: &Umem,
        ring_frames: u32,
        how: Bind<'_>,
    ) -> Result<Self, DeviceError> {
        let refused = |what| move |cause| fault::refused(interface, what, cause);
        let kind = SocketType::RAW;
        let descriptor = socket_with(AddressFamily::XDP, kind, SocketFlags::CLOEXEC, None)
            .map_err(refused("an AF_XDP socket"))?;
        if let Bind::First(_) = how {
            sockopt::set_xdp_umem_reg(&descriptor, umem.registration())
                .map_err(refused("memory for frames (UMEM)"))?;
        }
        let (fill, completion, rx, tx) =
            rings(descriptor.as_fd(), ring_frames).map_err(refused("memory for rings"))?;
        let mut socket = Self {
            descriptor: Arc::new(descriptor),
            fill,
            completion,
            rx,
            tx,
        };
        socket.fill.refill(umem, socket.descriptor.as_fd());
        bind_patiently(socket.descriptor.as_fd(), interface, queue, how)
            .map_err(|cause| bind_refused(interface, queue, cause))?;
        Ok(socket)
    }

    /// Whether the driver receives into the UMEM and sends from it by itself.
    pub(super) fn is_zero_copy(&self) -> bool {
        sockopt::xdp_options(&self.descriptor)
            .is_ok_and(|options| options.contains(XdpOptionsFlags::XDP_OPTIONS_ZEROCOPY))
    }
}

fn rings(
    socket: BorrowedFd<'_>,
    entries: u32,
) -> Result<(FillRing, CompletionRing, RxRing, TxRing), Errno> {
    sockopt::set_xdp_umem_fill_ring_size(socket, entries)?;
    sockopt::set_xdp_umem_completion_ring_size(socket, entries)?;
    sockopt::set_xdp_rx_ring_size(socket, entries)?;
    sockopt::set_xdp_tx_ring_size(socket, entries)?;
    let offsets = sockopt::xdp_mmap_offsets(socket)?;
    let fill = Producer::map(socket, XDP_UMEM_PGOFF_FILL_RING, offsets.fr, entries)?;
    let completion = Consumer::map(socket, XDP_UMEM_PGOFF_COMPLETION_RING, offsets.cr, entries)?;
    let rx = Consumer::map(socket, XDP_PGOFF_RX_RING, offsets.rx, entries)?;
    let tx = Producer::map(socket, XDP_PGOFF_TX_RING, offsets.tx, entries)?;
    Ok((
        FillRing::new(fill),
        CompletionRing::new(completion),
        RxRing::new(rx),
        TxRing::new(tx),
    ))
}

fn bind_patiently(
    socket: BorrowedFd<'_>,
    interface: &Interface,
    queue: u32,
    how: Bind<'_>,
) -> Result<(), Errno> {
    let attempt = || match how {
        Bind::First(flags) => bind(socket, &SocketAddrXdp::new(flags, interface.index, queue)),
        Bind::Sharing(first) => {
            let flags = SocketAddrXdpFlags::XDP_SHARED_UMEM;
            let address = SocketAddrXdpWithSharedUmem {
                addr: SocketAddrXdp::new(flags, interface.index, queue),
                shared_umem_fd: first.descriptor.as_fd(),
            };
            bind(socket, &address)
        }
    };
    for _ in 1..BUSY_TRIES {
        let done = attempt();
        if done != Err(Errno::BUSY) {
            return done;
        }
        let _ = nanosleep(&BUSY_PAUSE);
    }
    attempt()
}

fn bind_refused(interface: &Interface, queue: u32, cause: Errno) -> DeviceError {
    let what = format!("to bind a socket to queue {queue}");
    let error = fault::refused(interface, &what, cause);
    match cause {
        Errno::NETDOWN => error.remedy(format!("`ip link set dev {} up`", interface.name)),
        // What the driver says to zero-copy; it has many words for it.
        Errno::OPNOTSUPP | Errno::INVAL | Errno::RANGE => DeviceError {
            fault: DeviceFault::Driver,
            ..error
        },
        _ => error,
    }
}
