use super::replies::{Bucket, Replies, ReplyRate};
use crate::io::port::Frames;
use crate::limit::Moment;
use crate::policy::Tables;
use crate::stage::Burst;
use crate::stats::Verdict;
use crate::wire::{AsFrame, Reply, reply};

/// Answers the senders of rejected frames, up to a share of a rate.
#[derive(Debug)]
pub struct Answering {
    bucket: Bucket,
    replies: Replies,
}

impl Answering {
    /// With the share of a rate that each of so many has.
    pub fn share(rate: ReplyRate, workers: usize) -> Self {
        Self {
            bucket: Bucket::share(rate, workers),
            replies: Replies::default(),
        }
    }

    /// What became of the frames that were to be answered.
    pub fn replies(&self) -> Replies {
        self.replies
    }

    /// The replies to those of the burst's frames that are rejected. `compose` makes a frame of the
    /// octets of each, if it has one to fill.
    #[cold]
    pub fn answer<F>(
        &mut self,
        frames: &[impl AsFrame],
        burst: &Burst,
        tables: &Tables,
        now: Moment,
        mut compose: impl FnMut(&[u8]) -> Option<F>,
    ) -> Frames<F> {
        let rejected = frames.iter().zip(burst.decisions());
        let rejected = rejected.filter(|(_, d)| d.verdict == Verdict::Reject);
        let composed = rejected.filter_map(|(frame, decision)| {
            let make = || {
                let answer = tables.answer(decision.rule)?;
                reply(frame.as_frame(), burst.unwrap(), answer)
            };
            self.compose(make, &mut compose, now)
        });
        composed.collect()
    }

    fn compose<F>(
        &mut self,
        make: impl FnOnce() -> Option<Reply>,
        compose: impl FnOnce(&[u8]) -> Option<F>,
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
        let Some(composed) = compose(&octets) else {
            self.replies.withheld += 1;
            return None;
        };
        self.bucket.take(now);
        self.replies.generated += 1;
        Some(composed)
    }
}
