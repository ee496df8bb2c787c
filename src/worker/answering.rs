use super::replies::{Bucket, Replies};
use crate::io::port::{Frames, Port};
use crate::policy::{RuleId, Tables};
use crate::stage::Burst;
use crate::stats::{Count, Verdict};
use crate::wire::{AsFrame, reply};
use rustix::time::{ClockId, clock_gettime};

/// Answers rejected frames, at the port that they came from.
#[derive(Debug)]
pub(super) struct Answering<F: AsFrame> {
    bucket: Bucket,
    replies: Replies,
    /// Empty between two bursts.
    frames: Frames<F>,
}

impl<F: AsFrame> Answering<F> {
    pub(super) fn new(bucket: Bucket) -> Self {
        Self {
            bucket,
            replies: Replies::default(),
            frames: Frames::new(),
        }
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
    ) -> Count {
        let now_ns = monotonic_ns();
        let rejected = frames.iter().zip(burst.decisions());
        for (frame, decision) in rejected.filter(|(_, d)| d.verdict == Verdict::Reject) {
            self.compose(frame, decision.rule, tables, port, now_ns);
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
        now_ns: u64,
    ) {
        // First, as it is cheap: in a flood nothing else is done for most frames.
        if !self.bucket.has_one(now_ns) {
            self.replies.withheld += 1;
            return;
        }
        let answer = tables.answer(rule);
        let Some(octets) = answer.and_then(|answer| reply(frame.as_frame(), answer)) else {
            self.replies.impossible += 1;
            return;
        };
        let Some(composed) = port.compose(&octets) else {
            self.replies.withheld += 1;
            return;
        };
        self.bucket.take(now_ns);
        self.replies.generated += 1;
        self.frames.push(composed);
    }
}

fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // Neither is negative: the clock begins when the system does.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
