use super::frame::XdpFrame;
use super::socket::Socket;
use super::umem::{Owner, Umem};
use crate::io::port::{Frames, Port};
use rustix::thread::nanosleep;
use rustix::time::Timespec;
use std::os::fd::AsFd;

/// For how long nothing may leave before [`Port::drain`] gives up: so many pauses.
const DRAIN_PAUSES: u32 = 100;
const DRAIN_PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 1_000_000,
};

/// One queue of a device, both ways.
#[derive(Debug)]
pub struct XdpPort<'u> {
    umem: &'u Umem,
    socket: Socket,
    owner: Owner,
    transmitted: u64,
}

impl<'u> XdpPort<'u> {
    pub(super) fn new(umem: &'u Umem, socket: Socket, owner: Owner) -> Self {
        Self {
            umem,
            socket,
            owner,
            transmitted: 0,
        }
    }

    #[inline(always)]
    fn take_completed(&mut self) -> usize {
        let completed = self.socket.completion.reap(self.umem);
        self.socket.tx.completed(completed.chunks);
        self.transmitted += u64::from(completed.frames);
        completed.frames as usize
    }
}

impl<'u> Port for XdpPort<'u> {
    type Frame = XdpFrame<'u>;

    #[inline]
    fn rx_burst(&mut self, frames: &mut Frames<XdpFrame<'u>>) -> usize {
        let before = frames.len();
        let Socket {
            descriptor,
            fill,
            rx,
            ..
        } = &mut self.socket;
        let chunks = rx.receive(self.umem, self.owner, frames);
        fill.returned(chunks);
        fill.refill(self.umem, descriptor.as_fd());
        frames.len() - before
    }

    #[inline]
    fn tx_burst(&mut self, frames: &mut Frames<XdpFrame<'u>>) -> usize {
        self.take_completed();
        let sent = self.socket.tx.send(frames);
        self.socket.tx.kick(self.socket.descriptor.as_fd());
        sent
    }

    fn compose(&mut self, octets: &[u8]) -> Option<XdpFrame<'u>> {
        self.umem.compose(octets, self.owner)
    }

    #[inline]
    fn reap(&mut self) -> usize {
        self.socket.tx.kick(self.socket.descriptor.as_fd());
        self.take_completed()
    }

    /// Frames that the kernel has given back through the completion ring. It gives back, too, what
    /// it dropped behind it: because the link has no carrier, or its queue was full. The device
    /// counts those itself (`tx_dropped`).
    fn transmitted(&self) -> u64 {
        self.transmitted
    }

    fn held(&self) -> u64 {
        self.umem.held(self.owner)
    }

    /// Gives up when nothing has left for a tenth of a second, as over a link that is down, or a
    /// device that is gone.
    fn drain(&mut self) {
        let mut pauses = 0;
        while self.socket.tx.leaving() > 0 && pauses < DRAIN_PAUSES {
            if self.reap() > 0 {
                pauses = 0;
            } else {
                pauses += 1;
                let _ = nanosleep(&DRAIN_PAUSE);
            }
        }
    }
}
