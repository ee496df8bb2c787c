//! The one place that knows how the stages are called.

use super::pool::{Pool, whole};
use crate::policy::Tables;
use crate::stage::{Burst, Facing};
use crate::stats::Counters;
use std::hint::black_box;

/// How far a pass takes the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Through {
    /// To their verdict.
    Decide,
    /// To the counters: everything.
    Count,
}

impl Through {
    /// From the shortest way to the whole one, and what each adds to the one before.
    pub(super) const ALL: [(Self, &'static str); 2] =
        [(Self::Decide, "decide"), (Self::Count, "count")];
}

/// The stages, and what they work under.
pub(super) struct Stages<'t> {
    tables: &'t Tables,
    burst: Burst,
    counters: Counters,
}

impl<'t> Stages<'t> {
    pub(super) fn new(tables: &'t Tables, rules: usize, plans: usize) -> Self {
        Self {
            tables,
            burst: Burst::default(),
            counters: Counters::new(rules, plans),
        }
    }

    /// Takes every burst of a pool so far.
    pub(super) fn pass(&mut self, pool: &Pool, through: Through) {
        for frames in pool.bursts() {
            self.burst(frames, through);
        }
    }

    /// Takes one burst so far. Access ports face the subscribers: every frame goes out.
    #[inline(always)]
    pub(super) fn burst<'f>(
        &mut self,
        frames: impl Iterator<Item = &'f [u8]> + Clone,
        through: Through,
    ) {
        let frames = frames.map(whole);
        self.burst.run(frames.clone(), self.tables, Facing::Out);
        match through {
            Through::Decide => {
                black_box(&self.burst);
            }
            Through::Count => {
                for (trail, frame) in self.burst.trails().zip(frames) {
                    let decision = trail.decision;
                    let (rule, plan) = (decision.rule.0, decision.plan.0);
                    let (verdict, reason) = (decision.verdict, decision.reason);
                    let octets = frame.original_len;
                    self.counters.add(verdict, reason, rule, plan, octets);
                }
            }
        }
    }
}
