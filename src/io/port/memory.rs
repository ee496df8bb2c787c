use super::arena::Arena;
use super::{Frames, Port};
use crate::wire::{AsFrame, Frame};
use std::cell::Cell;
use std::collections::VecDeque;

/// The buffers that one port receives frames in: one for each frame of an [`Arena`], with one owner
/// at a time.
///
/// A pool belongs to one thread, as its frames do. The octets are never written to: several pools
/// may be of one arena.
#[derive(Debug, Default)]
pub struct Pool<'a>(Box<[Buffer<'a>]>);

#[derive(Debug)]
struct Buffer<'a> {
    octets: &'a [u8],
    /// Whether somebody has it.
    out: Cell<bool>,
}

/// A frame of a [`Pool`], which it goes back to when it is dropped.
///
/// As large as a reference: a burst of them is eight cache lines.
#[derive(Debug)]
pub struct MemoryFrame<'p>(&'p Buffer<'p>);

/// How often a port receives what is in its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// Each frame once.
    Once,
    /// From the first again after the last.
    Endless,
}

/// A port without a device: it receives the frames of its pool in their order, and what it sends is
/// gone.
///
/// A frame whose buffer is still out is not received again: the port waits for it. What the link
/// does not take at once stands in a ring of descriptors until [`Port::reap`] finds it taken.
#[derive(Debug)]
pub struct MemoryPort<'p> {
    pool: &'p Pool<'p>,
    next: usize,
    rounds: Rounds,
    ring: VecDeque<MemoryFrame<'p>>,
    ring_frames: usize,
    /// How many the link takes between two bursts.
    link_frames: usize,
    transmitted: u64,
}

impl<'a> Pool<'a> {
    /// All frames are at home.
    pub fn new(arena: &'a Arena) -> Self {
        let buffers = arena.frames().map(|octets| Buffer {
            octets,
            out: Cell::new(false),
        });
        Self(buffers.collect())
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.0.len()
    }

    /// How many of them are out; by looking at each.
    pub fn held(&self) -> u64 {
        self.0
            .iter()
            .map(|buffer| u64::from(buffer.out.get()))
            .sum()
    }
}

impl AsFrame for MemoryFrame<'_> {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        self.0.octets.as_frame()
    }
}

impl Drop for MemoryFrame<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.out.set(false);
    }
}

impl<'p> MemoryPort<'p> {
    /// A port with a transmit ring of so many frames, at a link that takes whatever is in it.
    pub fn new(pool: &'p Pool<'p>, rounds: Rounds, ring_frames: usize) -> Self {
        Self {
            pool,
            next: 0,
            rounds,
            ring: VecDeque::with_capacity(ring_frames),
            ring_frames,
            link_frames: usize::MAX,
            transmitted: 0,
        }
    }

    /// The same at a link that takes so many frames between two bursts; at 0 it is down.
    pub fn with_link(self, link_frames: usize) -> Self {
        Self {
            link_frames,
            ..self
        }
    }
}

impl<'p> Port for MemoryPort<'p> {
    type Frame = MemoryFrame<'p>;

    #[inline]
    fn rx_burst(&mut self, frames: &mut Frames<MemoryFrame<'p>>) -> usize {
        if self.next == self.pool.frames() && self.rounds == Rounds::Endless {
            self.next = 0;
        }
        let (before, room) = (frames.len(), frames.remaining_capacity());
        let coming = self.pool.0.get(self.next..).unwrap_or_default();
        let home = coming
            .iter()
            .take(room)
            .take_while(|buffer| !buffer.out.replace(true));
        frames.extend(home.map(MemoryFrame));
        let received = frames.len() - before;
        self.next += received;
        received
    }

    #[inline]
    fn tx_burst(&mut self, frames: &mut Frames<MemoryFrame<'p>>) -> usize {
        let reaped = self.reap();
        let offered = frames.len();
        if self.ring.is_empty() && offered <= self.link_frames - reaped {
            frames.clear();
            self.transmitted += offered as u64;
            return offered;
        }
        let room = self.ring_frames - self.ring.len();
        let taken = room.min(offered);
        self.ring.extend(frames.drain(..taken));
        taken
    }

    #[inline]
    fn reap(&mut self) -> usize {
        let gone = self.ring.len().min(self.link_frames);
        if gone > 0 {
            self.ring.drain(..gone);
            self.transmitted += gone as u64;
        }
        gone
    }

    fn transmitted(&self) -> u64 {
        self.transmitted
    }

    fn held(&self) -> u64 {
        self.pool.held()
    }
}
