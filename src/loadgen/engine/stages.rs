//! The one place that knows how the stages are called.

use crate::limit::Moment;
use crate::policy::Tables;
use crate::stage::{Burst, Facing, Settings};
use crate::stats::{Balance, Tally};
use crate::wire::BURST;
use std::hint::black_box;

/// What passes between two bursts: 64 frames of 64 octets at 100 Gbit/s.
const BURST_NS: u64 = 430;

/// How far a pass takes the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Through {
    Parse,
    Classify,
    Decide,
    /// Everything.
    Count,
}

impl Through {
    /// From the shortest way to the whole one, and what each adds to the one before.
    pub(super) const ALL: [(Self, &'static str); 4] = [
        (Self::Parse, "parse"),
        (Self::Classify, "classify"),
        (Self::Decide, "decide"),
        (Self::Count, "count"),
    ];
}

/// The stages, and what they work under. They sit at an access port: every frame comes from a
/// subscriber.
pub(super) struct Stages<'t> {
    tables: &'t Tables,
    burst: Burst,
    tally: Tally,
    now_ns: u64,
    /// Frames that were to be counted.
    rx: u64,
}

impl<'t> Stages<'t> {
    pub(super) fn new(tables: &'t Tables, tally: Tally, settings: Settings) -> Self {
        Self {
            tables,
            burst: Burst::new(Facing::Out, settings),
            tally,
            now_ns: 0,
            rx: 0,
        }
    }

    /// Takes all frames so far, burst by burst.
    #[inline(never)]
    pub(super) fn pass(&mut self, frames: &[&[u8]], through: Through) {
        let bursts = frames.chunks(BURST);
        match through {
            Through::Parse => bursts.for_each(|frames| {
                self.burst.parse(frames);
                black_box(&self.burst);
            }),
            Through::Classify => bursts.for_each(|frames| {
                self.burst.parse(frames);
                self.burst.classify(self.tables);
                black_box(&self.burst);
            }),
            Through::Decide => bursts.for_each(|frames| {
                self.decide(frames);
                black_box(&self.burst);
            }),
            Through::Count => bursts.for_each(|frames| self.burst(frames)),
        }
    }

    /// Takes one burst through everything.
    #[inline]
    pub(super) fn burst(&mut self, frames: &[&[u8]]) {
        self.decide(frames);
        self.burst.count(frames, &mut self.tally);
        self.rx += frames.len() as u64;
    }

    #[inline]
    fn decide(&mut self, frames: &[&[u8]]) {
        self.now_ns += BURST_NS;
        let now = Moment(self.now_ns);
        self.burst.run(frames, self.tables, now);
    }

    /// Whether every frame that was to be counted was.
    pub(super) fn balance(&mut self) -> Balance {
        Balance::new(self.rx, self.tally.counters())
    }
}
