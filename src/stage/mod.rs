//! parse → classify → decide, over bursts of up to 64 frames.
//!
//! ```text
//!  frames ─▶ parse ─▶ classify ─▶ decide ─▶ decisions
//!              │          │          └ one look into the matrix: rule → verdict, reason
//!              │          └ plan of the subscriber, set of the peer
//!              └ wire::parse, and whether the capture cut what decides
//! ```
//! Everything that gives a verdict runs this: `replay`, `explain`, `check --cases`. Nothing here
//! allocates, fails or panics; [`Trail`] is what the stages found, for those who explain.

mod classify;
mod decide;
mod parse;

pub use classify::{Ends, Facing, Way};
pub use decide::Decision;

use crate::policy::Tables;
use crate::wire::{BURST, Frame, Packet};
use arrayvec::ArrayVec;

/// Up to 64 frames on their way through the stages; reused from burst to burst.
#[derive(Debug, Default)]
pub struct Burst {
    packets: ArrayVec<Packet, BURST>,
    ends: ArrayVec<Ends, BURST>,
    decisions: ArrayVec<Decision, BURST>,
}

/// What each stage found about one frame.
#[derive(Clone, Copy, Debug)]
pub struct Trail<'a> {
    /// From `parse`.
    pub packet: &'a Packet,
    /// From `classify`.
    pub ends: &'a Ends,
    /// From `decide`.
    pub decision: &'a Decision,
}

impl Burst {
    /// Takes frames through all stages; those beyond the 64th are left to the next burst.
    pub fn run<'f>(
        &mut self,
        frames: impl IntoIterator<Item = Frame<'f>>,
        tables: &Tables,
        facing: Facing,
    ) {
        self.packets = frames
            .into_iter()
            .take(BURST)
            .map(|frame| parse::parse(&frame))
            .collect();
        self.ends = self
            .packets
            .iter()
            .map(|p| classify::classify(p, tables, facing))
            .collect();
        self.decisions = self
            .packets
            .iter()
            .zip(&self.ends)
            .map(|(packet, ends)| decide::decide(packet, ends, tables))
            .collect();
    }

    /// What was found about each frame, in their order.
    pub fn trails(&self) -> impl Iterator<Item = Trail<'_>> {
        self.packets
            .iter()
            .zip(&self.ends)
            .zip(&self.decisions)
            .map(|((packet, ends), decision)| Trail {
                packet,
                ends,
                decision,
            })
    }
}
