use super::replies::{Bucket, Replies, ReplyRate};
use crate::io::port::{Frames, Port};
use crate::limit::Moment;
use crate::policy::Tables;
use crate::stage::Burst;
use crate::stats::{Count, Verdict};
use crate::wire::{AsFrame, Reply, reply};

/// Answers rejected frames, at the port that they came from.
#[derive(Debug)]
pub(super) struct Answering<F: AsFrame> {
    bucket: Bucket,
    replies: Replies,
    /// Empty between two bursts.
    frames: Frames<F>,
}

impl<F: AsFrame> Answering<F> {
    /// At the rate that one worker alone has by default.
    pub(super) fn new() -> Self {
        Self {
            bucket: Bucket::share(ReplyRate::default(), 1),
            replies: Replies::default(),
            frames: Frames::new(),
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
            let make = || {
                let answer = tables.answer(decision.rule)?;
                reply(frame.as_frame(), burst.unwrap(), answer)
            };
            let composed = self.compose(make, port, now);
            self.frames.extend(composed);
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
        make: impl FnOnce() -> Option<Reply>,
        port: &mut impl Port<Frame = F>,
        now: Moment,
    ) -> Option<F> {
        // First, as it is cheap: in a flood nothing else is done for most frames.
        if !self.bucket.has_one(now) {
            self.replies.withheld += 1;
            return None;
        }
        let Some(octets) = make() else {
            self.replies.impossible += 1;
            return None;
        };
        let Some(composed) = port.compose(&octets) else {
            self.replies.withheld += 1;
            return None;
        };
        self.bucket.take(now);
        self.replies.generated += 1;
        Some(composed)
    }
}
