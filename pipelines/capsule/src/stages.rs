//! sekisho's stages as a batch of capsule's: what a port received comes out with a disposition.

use crate::deployment::Deployment;
use crate::frame::Received;
use crate::ledger::{Entry, Ledger};
use crate::schedule::{Present, Schedule};
use capsule::Mbuf;
use capsule::batch::{Batch, Disposition, PacketRx, PacketTx};
use sekisho::limit::Moment;
use sekisho::stage::{Burst, Facing};
use sekisho::stats::{Tally, Verdict};
use sekisho::wire::BURST;
use sekisho::worker::Answering;
use std::sync::Arc;
use std::time::Instant;
use std::vec;

/// What the pipelines of all cores have in common.
#[derive(Debug)]
pub struct Checkpoint {
    /// How frames are looked at, and answered.
    pub deployment: Deployment,
    /// By what they are decided.
    pub schedule: Arc<Schedule>,
    /// Where pipelines leave what they counted when they end.
    pub ledger: Ledger,
    /// How many share the rate of replies.
    pub cores: usize,
    /// Moments are counted from here.
    pub began: Instant,
}

/// The beginning of a pipeline: a port, and the stages behind it.
///
/// A frame is never an error: its disposition is to go on, or to be dropped.
pub struct Stages<P: PacketRx + PacketTx> {
    port: P,
    checkpoint: Arc<Checkpoint>,
    burst: Burst,
    present: Present,
    /// What was decided last.
    frames: vec::IntoIter<Received>,
    /// A bit for each of them, 64 by 64, the lowest first: those that do not go on.
    leaving: Vec<u64>,
    /// How many of them were given on.
    given: usize,
    rx: u64,
    tally: Tally,
    /// Where rejected frames are answered: toward the access side only.
    answering: Option<Answering>,
}

impl<P: PacketRx + PacketTx> Stages<P> {
    /// Behind a port that is on this side.
    pub fn behind(port: P, facing: Facing, checkpoint: &Arc<Checkpoint>) -> Self {
        let Deployment {
            settings, replies, ..
        } = &checkpoint.deployment;
        let legend = checkpoint.schedule.legend();
        Self {
            port,
            burst: Burst::new(facing, settings.clone()),
            present: checkpoint.schedule.present(),
            frames: Vec::new().into_iter(),
            leaving: Vec::new(),
            given: 0,
            rx: 0,
            tally: Tally::new(legend.rule_ids().len(), legend.plan_ids().len()),
            answering: (facing == Facing::Out)
                .then(|| Answering::share(*replies, checkpoint.cores)),
            checkpoint: Arc::clone(checkpoint),
        }
    }

    /// Decides up to 64 frames; says which do not go on.
    fn decide(&mut self, frames: &[Received]) -> u64 {
        let tables = self.present.tables();
        let now = match tables.matrix.needs_time() {
            true => self.checkpoint.now(),
            false => Moment::default(),
        };
        self.burst.run(frames, tables, now);
        self.burst.count(frames, &mut self.tally);
        if let Some(answering) = &mut self.answering
            && self.burst.which(|verdict| verdict == Verdict::Reject) > 0
        {
            // capsule tells of an empty pool by an error that it makes anew each time: once a burst
            // is enough.
            let mut is_empty = false;
            let compose = |octets: &[u8]| {
                let mbuf = (!is_empty).then(|| Mbuf::from_bytes(octets).ok());
                is_empty |= matches!(mbuf, Some(None));
                mbuf.flatten()
            };
            let replies = answering.answer(frames, &self.burst, tables, now, compose);
            if !replies.is_empty() {
                self.port.transmit(replies.into_iter().collect());
            }
        }
        self.burst.which(|verdict| verdict != Verdict::Forward)
    }
}

impl Checkpoint {
    fn now(&self) -> Moment {
        // Nanoseconds last for 584 years.
        Moment(self.began.elapsed().as_nanos() as u64)
    }
}

impl<P: PacketRx + PacketTx> Batch for Stages<P> {
    type Item = Mbuf;

    fn replenish(&mut self) {
        // In place: a received frame is an mbuf by another name.
        let frames: Vec<_> = self.port.receive().into_iter().map(Received).collect();
        self.rx += frames.len() as u64;
        self.leaving.clear();
        self.given = 0;
        for burst in frames.chunks(BURST) {
            let leaving = self.decide(burst);
            self.leaving.push(leaving);
        }
        self.frames = frames.into_iter();
    }

    fn next(&mut self) -> Option<Disposition<Mbuf>> {
        let Received(mbuf) = self.frames.next()?;
        let leaving = self.leaving.get(self.given / BURST);
        let leaves = leaving.is_none_or(|burst| burst >> (self.given % BURST) & 1 == 1);
        self.given += 1;
        Some(match leaves {
            true => Disposition::Drop(mbuf),
            false => Disposition::Act(mbuf),
        })
    }
}

/// A pipeline ends with its core: what it counted is left in the ledger.
impl<P: PacketRx + PacketTx> Drop for Stages<P> {
    fn drop(&mut self) {
        let replies = self.answering.as_ref().map(Answering::replies);
        self.checkpoint.ledger.enter(Entry {
            rx: self.rx,
            counters: self.tally.counters(),
            replies: replies.unwrap_or_default(),
            legend: self.checkpoint.schedule.legend(),
        });
    }
}
