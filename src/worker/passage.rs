use super::Post;
use super::answering::Answering;
use super::replies::{Replies, ReplyRate};
use super::trace::TraceRoom;
use crate::io::port::{Frames, Port};
use crate::limit::Moment;
use crate::stage::{Burst, Facing, Settings};
use crate::stats::{Count, Verdict};
use crate::wire::AsFrame;

/// One way through the box: what is received at one port, and what becomes of it.
#[derive(Debug)]
pub(super) struct Passage<F: AsFrame> {
    facing: Facing,
    burst: Burst,
    /// Empty between two bursts.
    frames: Frames<F>,
    rx: u64,
    discarded: u64,
    tx_full: Count,
    /// Where rejected frames are answered: toward the access side only.
    answering: Option<Answering>,
}

impl<F: AsFrame> Passage<F> {
    pub(super) fn new(facing: Facing, settings: Settings) -> Self {
        Self {
            facing,
            burst: Burst::new(facing, settings),
            frames: Frames::new(),
            rx: 0,
            discarded: 0,
            tx_full: Count::default(),
            answering: (facing == Facing::Out).then(|| Answering::share(ReplyRate::default(), 1)),
        }
    }

    /// Has rejected frames answered at another rate, where they are.
    pub(super) fn answer_at(&mut self, rate: ReplyRate, workers: usize) {
        if let Some(answering) = &mut self.answering {
            *answering = Answering::share(rate, workers);
        }
    }

    /// Frames that were received.
    pub(super) fn rx(&self) -> u64 {
        self.rx
    }

    /// Frames that were not to be forwarded: counted where they are taken out.
    pub(super) fn discarded(&self) -> u64 {
        self.discarded
    }

    /// What became of the frames that were to be answered.
    pub(super) fn replies(&self) -> Replies {
        let replies = self.answering.as_ref().map(Answering::replies);
        replies.unwrap_or_default()
    }

    /// Frames that were to be forwarded, and replies, for which there was no room.
    pub(super) fn tx_full(&self) -> Count {
        self.tx_full
    }

    /// Takes a burst from port to port; says how many frames came.
    #[inline]
    pub(super) fn take_burst(
        &mut self,
        from: &mut impl Port<Frame = F>,
        to: &mut impl Port<Frame = F>,
        post: &mut Post,
        trace: &mut Option<TraceRoom>,
        now: Moment,
    ) -> usize {
        let received = from.rx_burst(&mut self.frames);
        if received == 0 {
            to.reap();
            return 0;
        }
        self.rx += received as u64;
        self.burst.run(&self.frames, &post.tables, now);
        self.burst.count(&self.frames, &mut post.tally);
        if let Some(room) = trace {
            room.keep(&self.frames, &self.burst, self.facing);
        }
        let leaving = self.burst.which(|verdict| !goes_on(verdict));
        if leaving > 0 {
            self.answer_rejected(from, post, now);
            self.keep_forwarded(leaving);
        }
        to.tx_burst(&mut self.frames);
        if !self.frames.is_empty() {
            let refused = self.frames.take();
            self.refuse(refused);
        }
        received
    }

    /// Brings what goes on to the front, in its order, and gives back the rest. Nearly always that
    /// is nothing; where it is not, nobody can predict which frames it is, and no branch hangs on it.
    #[inline]
    fn keep_forwarded(&mut self, leaving: u64) {
        let frames = self.frames.as_mut_slice();
        let first = leaving.trailing_zeros() as usize;
        let mut kept = first;
        for index in first..frames.len() {
            frames.swap(kept, index);
            kept += usize::from(leaving >> index & 1 == 0);
        }
        self.discarded += (self.frames.len() - kept) as u64;
        self.frames.truncate(kept);
    }

    /// Has those answered whose senders are to be told.
    #[inline]
    fn answer_rejected(&mut self, from: &mut impl Port<Frame = F>, post: &Post, now: Moment) {
        let Some(answering) = &mut self.answering else {
            return;
        };
        if self.burst.which(|verdict| verdict == Verdict::Reject) > 0 {
            let compose = |octets: &[u8]| from.compose(octets);
            let mut replies =
                answering.answer(&self.frames, &self.burst, &post.tables, now, compose);
            from.tx_burst(&mut replies);
            self.refuse(replies);
        }
    }

    /// Counts what a transmit ring had no room for, and gives it back.
    #[cold]
    fn refuse(&mut self, frames: Frames<F>) {
        for frame in frames {
            self.tx_full += Count::of(frame.as_frame().original_len);
        }
    }
}

/// Whether a frame goes on. The one exhaustive match from a verdict to what a worker does.
#[inline(always)]
fn goes_on(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Forward => true,
        // A port receives whole frames, of which none is indeterminate.
        Verdict::Drop | Verdict::Reject | Verdict::Limit | Verdict::Indeterminate => false,
    }
}
