use crate::stage::{Burst, Decision, Facing};
use crate::wire::AsFrame;
use arrayvec::ArrayVec;

/// The octets that are kept of a frame: more than any chain of headers that is followed.
pub const TRACED_OCTETS: usize = 512;

/// Room for frames that are kept on their way through a worker, with what became of them.
#[derive(Debug)]
pub struct TraceRoom {
    frames: Vec<Traced>,
    wanted: usize,
}

/// A frame that was kept.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The side that it came from.
    pub facing: Facing,
    /// What was decided of it.
    pub decision: Decision,
    /// Its octets on the wire.
    pub original_len: u32,
    /// Its first octets.
    pub octets: ArrayVec<u8, TRACED_OCTETS>,
}

impl TraceRoom {
    /// Room for so many frames.
    pub fn new(frames: usize) -> Self {
        Self {
            frames: Vec::with_capacity(frames),
            wanted: frames,
        }
    }

    /// Those that were kept, in their order.
    pub fn frames(&self) -> &[Traced] {
        &self.frames
    }

    /// Whether there is room for another.
    pub fn is_full(&self) -> bool {
        self.frames.len() >= self.wanted
    }

    /// Keeps frames that were decided just now, as many as there is room for.
    #[cold]
    pub(super) fn keep(&mut self, frames: &[impl AsFrame], burst: &Burst, facing: Facing) {
        let room = self.wanted - self.frames.len();
        let kept = frames.iter().zip(burst.decisions()).take(room);
        self.frames.extend(kept.map(|(frame, decision)| {
            let frame = frame.as_frame();
            Traced {
                facing,
                decision,
                original_len: frame.original_len,
                octets: frame.bytes.iter().copied().take(TRACED_OCTETS).collect(),
            }
        }));
    }
}
