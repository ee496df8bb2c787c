use super::arena::{Arena, Place};
use super::{Frames, Port};
use crate::wire::{AsFrame, Frame, LinkType};
use std::cell::Cell;
use std::collections::VecDeque;

/// The frames that one port receives, each a buffer of its own that has one owner at a time.
///
/// A pool belongs to one thread, as its frames do; nothing in it is shared.
#[derive(Debug)]
pub struct Pool {
    arena: Arena,
    /// By the first line of each frame: whether it is out.
    out: Box<[Cell<bool>]>,
}

/// A frame of a [`Pool`], which it goes back to when it is dropped.
#[derive(Debug)]
pub struct MemoryFrame<'p> {
    pool: &'p Pool,
    place: Place,
}

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
/// Frames that are sent stand in a ring, as descriptors do, until [`Port::reap`] finds that the link
/// has taken them. A frame whose buffer is still out is not received again: the port waits for it.
#[derive(Debug)]
pub struct MemoryPort<'p> {
    pool: &'p Pool,
    next: usize,
    rounds: Rounds,
    ring: VecDeque<MemoryFrame<'p>>,
    ring_frames: usize,
    /// How many the link takes between two bursts.
    link_frames: usize,
    transmitted: u64,
}

impl Pool {
    /// All frames are at home.
    pub fn new(arena: Arena) -> Self {
        Self {
            out: (0..arena.lines()).map(|_| Cell::new(false)).collect(),
            arena,
        }
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.arena.frames()
    }

    /// How many of them are out; by looking at each.
    pub fn held(&self) -> u64 {
        self.out.iter().map(|out| u64::from(out.get())).sum()
    }

    /// Whether the frame could be taken.
    #[inline(always)]
    fn take(&self, place: Place) -> bool {
        let out = self.out.get(place.line as usize);
        out.is_some_and(|out| !out.replace(true))
    }

    #[inline(always)]
    fn give_back(&self, place: Place) {
        if let Some(out) = self.out.get(place.line as usize) {
            out.set(false);
        }
    }
}

impl AsFrame for MemoryFrame<'_> {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        Frame {
            bytes: self.pool.arena.octets(self.place),
            original_len: self.place.len_bytes,
            link_type: LinkType::ETHERNET,
        }
    }
}

impl Drop for MemoryFrame<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.pool.give_back(self.place);
    }
}

impl<'p> MemoryPort<'p> {
    /// A port with a transmit ring of so many frames, at a link that takes whatever is in it.
    pub fn new(pool: &'p Pool, rounds: Rounds, ring_frames: usize) -> Self {
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
        let pool = self.pool;
        let places = pool.arena.places();
        if self.next == places.len() && self.rounds == Rounds::Endless {
            self.next = 0;
        }
        let room = frames.remaining_capacity();
        let coming = places.get(self.next..).unwrap_or_default();
        let before = frames.len();
        let home = coming
            .iter()
            .take(room)
            .take_while(|place| pool.take(**place));
        frames.extend(home.map(|place| MemoryFrame {
            pool,
            place: *place,
        }));
        let received = frames.len() - before;
        self.next += received;
        received
    }

    #[inline]
    fn tx_burst(&mut self, frames: &mut Frames<MemoryFrame<'p>>) -> usize {
        self.reap();
        let room = self.ring_frames - self.ring.len();
        let taken = room.min(frames.len());
        self.ring.extend(frames.drain(..taken));
        taken
    }

    #[inline]
    fn reap(&mut self) -> usize {
        let gone = self.ring.len().min(self.link_frames);
        self.ring.drain(..gone);
        self.transmitted += gone as u64;
        gone
    }

    fn transmitted(&self) -> u64 {
        self.transmitted
    }

    fn held(&self) -> u64 {
        self.pool.held()
    }
}
