use super::ffi::{sekisho_compose, sekisho_rx_burst, sekisho_tx_burst};
use super::held;
use super::interface::Gate;
use super::mbuf::{DpdkFrame, Mbuf};
use super::pool::Pool;
use crate::io::port::{Frames, Port};
use crate::wire::BURST;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

/// A receive queue and a transmit queue of a device of DPDK.
///
/// *Transmitted* are the frames that the device's driver took. It gives their mbufs back to the pool
/// by itself, some of them only when it needs their descriptors; the pool is large enough for all.
/// Frames that it took and could not send are a loss of the device, `oerrors`.
#[derive(Debug)]
pub struct DpdkPort<'l> {
    port: u16,
    queue: u16,
    /// Frames go to the driver only while it is open.
    gate: Option<&'l Gate>,
    transmitted: u64,
    /// Where frames are received into, and composed.
    pool: &'l Pool,
    /// It stays on its thread.
    thread: PhantomData<*const ()>,
}

impl<'l> DpdkPort<'l> {
    /// # Safety
    /// The queue is set up on a device that is open as long as `'l`, receives into this pool, and
    /// nobody else has it.
    pub(super) unsafe fn new(
        port: u16,
        queue: u16,
        pool: &'l Pool,
        gate: Option<&'l Gate>,
    ) -> Self {
        Self {
            port,
            queue,
            gate,
            transmitted: 0,
            pool,
            thread: PhantomData,
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
        for frame in frames.iter_mut().skip(before) {
            frame.received_from(self.port);
        }
        held::received(self.port, received);
        received
    }

    #[inline]
    fn tx_burst(&mut self, frames: &mut Frames<DpdkFrame<'l>>) -> usize {
        let offered = frames.len();
        if offered == 0 || self.gate.is_some_and(|gate| !gate.is_open()) {
            return 0;
        }
        // Afterwards the drivers have them.
        let mut from_here = 0_u64;
        for (index, frame) in frames.iter().enumerate() {
            from_here |= u64::from(frame.port() == self.port) << index;
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
        let returned = (from_here & first_bits(taken)).count_ones();
        held::sent(self.port, returned, taken as u32 - returned);
        self.transmitted += taken as u64;
        taken
    }

    fn compose(&mut self, octets: &[u8]) -> Option<DpdkFrame<'l>> {
        let len = u16::try_from(octets.len()).ok()?;
        // SAFETY: so many octets are read. The mbuf is new: from then on it is ours alone, and this is
        // the thread that serves the lane.
        let frame = unsafe {
            let mbuf = sekisho_compose(self.pool.as_ptr(), octets.as_ptr(), len);
            DpdkFrame::of(NonNull::new(mbuf)?, self.port)
        };
        held::received(self.port, 1);
        Some(frame)
    }

    /// The driver does so by itself.
    fn reap(&mut self) -> usize {
        0
    }

    fn transmitted(&self) -> u64 {
        self.transmitted
    }

    fn held(&self) -> u64 {
        held::count(self.port)
    }
}

/// The lowest bits, 64 at most.
fn first_bits(count: usize) -> u64 {
    match count {
        0 => 0,
        count => u64::MAX >> (BURST - count),
    }
}
