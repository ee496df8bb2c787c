use super::ring::Producer;
use super::umem::Umem;
use rustix::net::{RecvFlags, recv};
use std::os::fd::BorrowedFd;

/// Where the kernel finds chunks to receive into.
#[derive(Debug)]
pub(super) struct FillRing {
    ring: Producer<u64>,
    /// Chunks that the kernel has: in this ring, in the driver, or in the rx ring. Never more than
    /// the ring holds, so that neither ring is ever too small for them.
    lent: u32,
}

impl FillRing {
    pub(super) fn new(ring: Producer<u64>) -> Self {
        Self { ring, lent: 0 }
    }

    /// Notes that so many chunks came back through the rx ring.
    #[inline(always)]
    pub(super) fn returned(&mut self, chunks: u32) {
        self.lent = self.lent.saturating_sub(chunks);
    }

    /// Fills the ring up from the pool.
    #[inline(always)]
    pub(super) fn refill(&mut self, umem: &Umem, socket: BorrowedFd<'_>) {
        let room = self.ring.size() - self.lent;
        let mut lent = 0;
        while lent < room
            && let Some(chunk) = umem.lend()
        {
            self.ring.write(chunk);
            lent += 1;
        }
        if lent > 0 {
            self.lent += lent;
            self.ring.publish();
        }
        if self.ring.needs_wakeup() {
            wake(socket);
        }
    }
}

/// The driver found no chunk, and sleeps until it is called.
#[cold]
fn wake(socket: BorrowedFd<'_>) {
    // What is wrong, if anything is, shows in what comes: nothing.
    let nothing: &mut [u8] = &mut [];
    let _ = recv(socket, nothing, RecvFlags::DONTWAIT);
}
