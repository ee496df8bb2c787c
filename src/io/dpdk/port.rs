use super::ffi::{sekisho_rx_burst, sekisho_tx_burst};
use super::mbuf::{DpdkFrame, Mark, Mbuf};
use super::pool::Pool;
use crate::io::port::{Frames, Port};
use std::marker::PhantomData;
use std::ptr;

/// A receive queue and a transmit queue of a device of DPDK.
///
/// *Transmitted* are the frames that the device's driver took. It gives their mbufs back to the pool
/// by itself, some of them only when it needs their descriptors; the pool is large enough for all.
/// Frames that it took and could not send are a loss of the device, `oerrors`.
#[derive(Debug)]
pub struct DpdkPort<'l> {
    port: u16,
    queue: u16,
    mark: Mark,
    /// What the receive queue fills.
    pool: &'l Pool,
    transmitted: u64,
    /// It stays on its thread.
    here: PhantomData<*const ()>,
}

impl<'l> DpdkPort<'l> {
    /// # Safety
    /// The queue is set up on a device that is open as long as `'l`, receives into this pool, and
    /// nobody else has it. The thread that has the port is the only one with frames of the pool.
    pub(super) unsafe fn new(port: u16, queue: u16, mark: Mark, pool: &'l Pool) -> Self {
        Self {
            port,
            queue,
            mark,
            pool,
            transmitted: 0,
            here: PhantomData,
        }
    }
}

impl<'l> Port for DpdkPort<'l> {
    type Frame = DpdkFrame<'l>;

    #[inline]
    fn rx_burst(&mut self, frames: &mut Frames<DpdkFrame<'l>>) -> usize {
        let (before, room) = (frames.len(), frames.remaining_capacity());
        // A burst has 64 places.
        let room = room as u16;
        // SAFETY: behind the frames that are there, the burst has room for so many pointers, which
        // is what frames are (`repr(transparent)`). DPDK fills the first ones with mbufs that are
        // ours from then on, says how many, and the burst is as long as that.
        let received = unsafe {
            let free = frames.as_mut_ptr().add(before).cast::<*mut Mbuf>();
            let received = sekisho_rx_burst(self.port, self.queue, free, room);
            frames.set_len(before + usize::from(received));
            usize::from(received)
        };
        let mark = self.mark;
        for frame in frames.iter_mut().skip(before) {
            frame.mark(mark);
        }
        received
    }

    #[inline]
    fn tx_burst(&mut self, frames: &mut Frames<DpdkFrame<'l>>) -> usize {
        let offered = frames.len();
        if offered == 0 {
            return 0;
        }
        let mut from_network = 0_u64;
        for (index, frame) in frames.iter_mut().enumerate() {
            from_network |= u64::from(frame.unmark()) << index;
        }
        let first = frames.as_mut_ptr().cast::<*mut Mbuf>();
        // SAFETY: so many pointers to mbufs stand there, and are ours. Those that DPDK takes, from
        // the front, are no longer: they leave the burst without being dropped, the others move to
        // the front.
        let taken = unsafe {
            let taken = sekisho_tx_burst(self.port, self.queue, first, offered as u16);
            let taken = usize::from(taken);
            frames.set_len(offered - taken);
            if taken < offered {
                ptr::copy(first.add(taken), first, offered - taken);
            }
            taken
        };
        for (index, frame) in (taken..).zip(frames.iter_mut()) {
            frame.mark(match from_network >> index & 1 {
                0 => Mark::ACCESS,
                _ => Mark::NETWORK,
            });
        }
        self.transmitted += taken as u64;
        taken
    }

    /// The driver does so by itself.
    fn reap(&mut self) -> usize {
        0
    }

    fn transmitted(&self) -> u64 {
        self.transmitted
    }

    /// Looks at each mbuf of the pool whether somebody here has it.
    fn held(&self) -> u64 {
        self.mark.held_in(self.pool.raw())
    }
}
