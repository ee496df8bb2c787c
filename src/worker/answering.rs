use super::replies::{Bucket, Replies, ReplyRate};
use crate::io::port::{Frames, Port};
use crate::limit::Moment;
use crate::policy::{RuleId, Tables};
use crate::stage::Burst;
use crate::stats::{Count, Verdict};
use crate::wire::{AsFrame, Unwrap, reply};
use std::sync::Arc;

/// Answers rejected frames, at the port that they came from.
#[derive(Debug)]
pub(super) struct Answering<F: AsFrame> {
    bucket: Bucket,
    replies: Replies,
    /// Empty between two bursts.
    frames: Frames<F>,
    unwrap: Arc<Unwrap>,
}

impl<F: AsFrame> Answering<F> {
    /// At the rate that one worker alone has by default, where these tunnels are opened.
    pub(super) fn new(unwrap: Arc<Unwrap>) -> Self {
        Self {
            bucket: Bucket::share(ReplyRate::default(), 1),
            replies: Replies::default(),
            frames: Frames::new(),
            unwrap,
        }
    }

    /// Answers at another rate.
    pub(super) fn fill(&mut self, bucket: Bucket) {
        self.bucket = bucket;
    }

    /// What became of the frames that were to be answered.
    pub(super) fn replies(&self) -> Replies {
        self.replies
    }

    /// Answers those of the burst's frames that are rejected; gives the replies that the port had no
    /// room for.
    #[cold]
    pub(super) fn answer(
        &mut self,
        frames: &[F],
        burst: &Burst,
        tables: &Tables,
        port: &mut impl Port<Frame = F>,
        now: Moment,
    ) -> Count {
        let rejected = frames.iter().zip(burst.decisions());
        for (frame, decision) in rejected.filter(|(_, d)| d.verdict == Verdict::Reject) {
            self.compose(frame, decision.rule, tables, port, now);
        }
        port.tx_burst(&mut self.frames);
        let mut refused = Count::default();
        for frame in self.frames.drain(..) {
            refused += Count::of(frame.as_frame().original_len);
        }
        refused
    }

    fn compose(
        &mut self,
        frame: &F,
        rule: RuleId,
        tables: &Tables,
        port: &mut impl Port<Frame = F>,
        now: Moment,
    ) {
        // First, as it is cheap: in a flood nothing else is done for most frames.
        if !self.bucket.has_one(now) {
            self.replies.withheld += 1;
            return;
        }
        let answer = tables.answer(rule);
        let Some(octets) = answer.and_then(|answer| reply(frame.as_frame(), &self.unwrap, answer))
        else {
            self.replies.impossible += 1;
            return;
        };
        let Some(composed) = port.compose(&octets) else {
            self.replies.withheld += 1;
            return;
        };
        self.bucket.take(now);
        self.replies.generated += 1;
        self.frames.push(composed);
    }
}
