//! parse → classify → decide → count, over bursts of up to 64 frames.
//!
//! ```text
//!  frames ─▶ parse ─▶ classify ─▶ decide ─▶ count
//!              │          │          │        └ the frames that nothing is said of in one sum
//!              │          │          └ one look into the matrix: rule → verdict, reason
//!              │          └ plan of the subscriber, set of the peer; of candidates, or of all
//!              └ the fast lanes, field by field; what they leave to the full lane, packet by packet
//! ```
//! A burst is a structure of arrays: each stage is a loop over columns, and what sets of frames
//! have in common is a mask of 64 bits. Frames that a fast lane read (the [wire](crate::wire)
//! contract says which these are) never become a [`Packet`]; the others do, and are classified and
//! decided one by one, by the same matrix.
//!
//! Everything that gives a verdict runs this: `replay`, `explain`, `check --cases`, the workers.
//! Nothing here allocates, fails or panics. [`Trail`] is what the stages found, for those who
//! explain.

mod bits;
mod classify;
mod decide;
mod ends;
mod limit;
mod parse;
mod settings;
mod width;

pub use classify::{Ends, Passage, Way};
pub use decide::Decision;
pub use settings::{Account, Facing, Settings, Source, Unparsed};

use crate::limit::Moment;
use crate::policy::Tables;
use crate::stats::{Counted, Tally, Verdict};
use crate::wire::{AsFrame, Packet, Unwrap};
use classify::Classified;
use decide::Decided;
use parse::Parsed;
use width::Width;

/// Up to 64 frames on their way through the stages; reused from burst to burst.
#[derive(Debug)]
pub struct Burst {
    facing: Facing,
    settings: Settings,
    width: Width,
    parsed: Parsed,
    classified: Classified,
    decided: Decided,
}

/// What the stages found about one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trail {
    /// From `parse`.
    pub packet: Packet,
    /// From `classify`; both ends, also where the decision needed none.
    pub ends: Ends,
    /// From `decide`.
    pub decision: Decision,
}

impl Burst {
    /// For frames that are seen from this side, and looked at so.
    pub fn new(facing: Facing, settings: Settings) -> Self {
        Self {
            facing,
            settings,
            width: Width::detect(),
            parsed: Parsed::default(),
            classified: Classified::default(),
            decided: Decided::default(),
        }
    }

    /// Takes the first 64 frames through parse, classify and decide; those behind them are left to
    /// the next burst. They came at this moment, unless they say otherwise.
    pub fn run(&mut self, frames: &[impl AsFrame], tables: &Tables, now: Moment) {
        self.parse(frames);
        self.classify(tables);
        self.decide(tables);
        if tables.matrix.needs_time() {
            self.limit(frames, tables, now);
        }
    }

    /// The first stage alone, of the first 64 frames.
    pub fn parse(&mut self, frames: &[impl AsFrame]) {
        let unwrap = &self.settings.unwrap;
        self.width
            .parse(&mut self.parsed, frames, self.facing, unwrap);
    }

    /// The second stage alone, of what was parsed last.
    pub fn classify(&mut self, tables: &Tables) {
        let Self {
            classified, parsed, ..
        } = self;
        self.width
            .classify(classified, parsed, tables, self.facing, &self.settings);
    }

    /// The third stage alone, of what was classified last.
    pub fn decide(&mut self, tables: &Tables) {
        let Self {
            parsed, classified, ..
        } = self;
        self.decided
            .decide(parsed, classified, tables, self.facing, &self.settings);
    }

    /// The stage behind them: takes from its subscriber's bucket for each frame that a rate is to
    /// let pass. Until then its verdict is [`Verdict::Limit`].
    #[cold]
    #[inline(never)]
    pub fn limit(&mut self, frames: &[impl AsFrame], tables: &Tables, now: Moment) {
        let moment = |index: usize| {
            let own = frames.get(index).and_then(AsFrame::at_ns);
            own.map_or(now, Moment)
        };
        self.decided.limit(
            &self.parsed,
            &self.classified,
            tables,
            &self.settings.buckets,
            moment,
        );
    }

    /// Counts the frames that were decided last; they are the ones that it was run with.
    pub fn count(&self, frames: &[impl AsFrame], tally: &mut Tally) {
        let Classified {
            candidates,
            inbound,
            strangers,
            ..
        } = self.classified;
        let judged = candidates.or(inbound).or(strangers);
        let spoken_of = judged.or(self.parsed.others);
        let quiet = self.parsed.all.without(spoken_of);
        let plan = |index: usize| self.classified.plan.get(index).map_or(0, |plan| plan.0);
        let bytes = |index: usize| {
            let frame = frames.get(index).map(AsFrame::as_frame);
            frame.map_or(0, |frame| frame.original_len)
        };
        match self.settings.account {
            Account::EveryFrame => tally.add_quiet(quiet.map(|i| (plan(i), bytes(i)))),
            Account::Candidates => tally.add_quiet_unplanned(quiet.map(bytes)),
        }
        tally.add(spoken_of.filter_map(|index| {
            let Decision {
                verdict,
                reason,
                rule,
                plan,
                ..
            } = self.decision(index)?;
            Some(Counted {
                verdict,
                reason,
                rule: rule.0,
                plan: plan.0,
                bytes: bytes(index),
            })
        }));
    }

    /// The tunnels that are opened.
    pub fn unwrap(&self) -> &Unwrap {
        &self.settings.unwrap
    }

    /// Which of the frames that were decided last have such a verdict: a bit each, the lowest is of
    /// the first.
    #[inline]
    pub fn which(&self, is: impl Fn(Verdict) -> bool) -> u64 {
        self.decided.which(is).and(self.parsed.all).0
    }

    /// What was decided of each frame, in their order.
    ///
    /// Plan and peer's set are known where the decision, or the count, needed them.
    pub fn decisions(&self) -> impl Iterator<Item = Decision> + '_ {
        self.parsed.all.filter_map(|index| self.decision(index))
    }

    /// What was found about each of the frames that were decided last, in their order; plan and
    /// peer's set are looked up for every frame.
    pub fn trails<'a>(
        &'a self,
        frames: &'a [impl AsFrame],
        tables: &'a Tables,
    ) -> impl Iterator<Item = Trail> + 'a {
        frames
            .iter()
            .zip(self.decisions())
            .map(|(frame, decision)| {
                let frame = frame.as_frame();
                let packet = parse::packet(&frame, &self.settings.unwrap);
                let route = parse::route(&frame, &packet);
                let ends = ends::ends_of(&packet, &route, tables, self.facing, &self.settings);
                let decision = decision.between(&ends);
                let again = decide::decide(&packet, &ends, tables, self.facing, &self.settings);
                debug_assert_eq!(decision, again.settled_as(&decision), "{packet:?}");
                Trail {
                    packet,
                    ends,
                    decision,
                }
            })
    }

    #[inline(always)]
    fn decision(&self, index: usize) -> Option<Decision> {
        let Decided {
            verdict,
            reason,
            rule,
            path,
        } = &self.decided;
        let Classified { plan, peer_set, .. } = &self.classified;
        Some(Decision {
            verdict: *verdict.get(index)?,
            reason: *reason.get(index)?,
            rule: *rule.get(index)?,
            plan: *plan.get(index)?,
            peer_set: *peer_set.get(index)?,
            path: *path.get(index)?,
        })
    }
}
