use super::arena::Arena;
use super::{Frames, Port};
use crate::wire::{AsFrame, BURST, Frame, LinkType, Reply};
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;

/// The buffers that one port receives frames in: one for each frame of an [`Arena`], with one owner
/// at a time; and some more, for frames that it composes.
///
/// A pool belongs to one thread, as its frames do. The arena's octets are never written to: several
/// pools may be of one arena.
#[derive(Debug, Default)]
pub struct Pool<'a> {
    buffers: Box<[Buffer<'a>]>,
    spares: Box<[Spare]>,
}

#[derive(Debug)]
struct Buffer<'a> {
    octets: &'a [u8],
    /// Whether somebody has it.
    out: Cell<bool>,
}

/// A buffer that is written to: empty when somebody has it.
#[derive(Default)]
struct Spare(Cell<Option<Box<Reply>>>);

/// A frame of a [`Pool`], which it goes back to when it is dropped.
#[derive(Debug)]
pub struct MemoryFrame<'p>(Place<'p>);

/// As large as two references: a burst of them is sixteen cache lines.
#[derive(Debug)]
enum Place<'p> {
    Arena(&'p Buffer<'p>),
    Spare {
        home: &'p Spare,
        /// There until it goes home.
        octets: Option<Box<Reply>>,
    },
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
    /// All frames are at home, and buffers for a burst more.
    pub fn new(arena: &'a Arena) -> Self {
        Self::with_spares(arena, BURST)
    }

    /// With buffers for so many frames to be composed at once.
    pub fn with_spares(arena: &'a Arena, spares: usize) -> Self {
        let buffers = arena.frames().map(|octets| Buffer {
            octets,
            out: Cell::new(false),
        });
        let spare = || Spare(Cell::new(Some(Box::default())));
        Self {
            buffers: buffers.collect(),
            spares: (0..spares).map(|_| spare()).collect(),
        }
    }

    /// How many frames of the arena there are.
    pub fn frames(&self) -> usize {
        self.buffers.len()
    }

    /// How many buffers are out; by looking at each.
    pub fn held(&self) -> u64 {
        let out = self.buffers.iter().filter(|buffer| buffer.out.get());
        let spares_out = self.spares.iter().filter(|spare| !spare.is_home());
        (out.count() + spares_out.count()) as u64
    }

    /// A frame of these octets in a spare buffer.
    #[cold]
    fn compose(&'a self, octets: &[u8]) -> Option<MemoryFrame<'a>> {
        let home = self.spares.iter().find(|spare| spare.is_home())?;
        let mut buffer = home.0.take()?;
        buffer.clear();
        if buffer.try_extend_from_slice(octets).is_err() {
            home.0.set(Some(buffer));
            return None;
        }
        let octets = Some(buffer);
        Some(MemoryFrame(Place::Spare { home, octets }))
    }
}

impl Spare {
    fn is_home(&self) -> bool {
        let octets = self.0.take();
        let is_home = octets.is_some();
        self.0.set(octets);
        is_home
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spare")
            .field("is_home", &self.is_home())
            .finish()
    }
}

impl AsFrame for MemoryFrame<'_> {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        match &self.0 {
            Place::Arena(buffer) => buffer.octets.as_frame(),
            Place::Spare { octets, .. } => {
                let octets: &[u8] = octets.as_deref().map_or(&[], |octets| octets);
                Frame {
                    bytes: octets,
                    original_len: octets.len() as u32,
                    link_type: LinkType::ETHERNET,
                }
            }
        }
    }
}

impl Drop for MemoryFrame<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        match &mut self.0 {
            Place::Arena(buffer) => buffer.out.set(false),
            Place::Spare { home, octets } => home.0.set(octets.take()),
        }
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
        let coming = self.pool.buffers.get(self.next..).unwrap_or_default();
        let home = coming
            .iter()
            .take(room)
            .take_while(|buffer| !buffer.out.replace(true));
        frames.extend(home.map(|buffer| MemoryFrame(Place::Arena(buffer))));
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

    fn compose(&mut self, octets: &[u8]) -> Option<MemoryFrame<'p>> {
        self.pool.compose(octets)
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
