//! The loop that takes frames from port to port, one on each core.
//!
//! ```text
//!  access port ─▶ rx_burst ─▶ parse ─▶ classify ─▶ decide ─▶ count ─▶ tx_burst ─▶ network port
//!       ▲                                            ├ dropped: back to the pool      │
//!       ├─────────────────────── its answer ◀────────┘ rejected                       │
//!       └────────────────────────── the same, the other way ─────────────────────────┘
//! ```
//! A [`Worker`] owns its ports, its bursts and its counters, and shares nothing that is written to
//! with anybody: two workers are twice as fast as one. It takes no lock, allocates nothing, makes no
//! system call but its ports', and looks at what may have changed (an order, whether it should
//! stop) once a burst. [`on_lcores`] starts several, each pinned.

mod answering;
mod balance;
mod clock;
mod lcore;
mod orders;
mod passage;
mod progress;
mod replies;
mod threads;
mod trace;

pub use answering::Answering;
pub use balance::Balance;
pub use lcore::{Lcore, LcoreError};
pub use orders::{Assignment, Order, Orders, Post, Report};
pub use progress::{Idle, Progress};
pub use replies::{Replies, ReplyRate};
pub use threads::{Stop, on_lcores};
pub use trace::{TRACED_OCTETS, TraceRoom, Traced};

use crate::io::port::Port;
use crate::limit::Moment;
use crate::stage::{Facing, Settings};
use crate::stats::{Count, Counters};
use passage::Passage;
use std::mem;

/// How many polls a worker that is told to stop makes at most, while there still come frames: what
/// the largest receive ring holds, in bursts.
const LAST_POLLS: usize = 1_024;

/// Takes frames between an access port, where subscribers are, and a network port.
#[derive(Debug)]
pub struct Worker<A: Port, N: Port<Frame = A::Frame>> {
    post: Post,
    access: A,
    network: N,
    out: Passage<A::Frame>,
    inward: Passage<A::Frame>,
    progress: Progress,
    trace: Option<TraceRoom>,
}

/// What a worker did, when it is done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Whether every frame that was received is accounted for.
    pub balance: Balance,
    /// What became of the frames that were to be answered.
    pub replies: Replies,
    /// Frames that were to be forwarded, and replies, that a transmit ring had no room for.
    pub tx_full: Count,
    /// How the worker passed its time.
    pub progress: Progress,
    /// What was decided, as counted in the last tally.
    pub counters: Counters,
}

impl<A: Port, N: Port<Frame = A::Frame>> Worker<A, N> {
    /// A worker that decides, and counts, by what its post says, and looks at frames so.
    pub fn new(post: Post, settings: &Settings, access: A, network: N) -> Self {
        Self {
            post,
            access,
            network,
            out: Passage::new(Facing::Out, settings.clone()),
            inward: Passage::new(Facing::In, settings.clone()),
            progress: Progress::default(),
            trace: None,
        }
    }

    /// The same as one of so many that share a rate of replies; without this, it has the default rate
    /// for itself.
    #[must_use]
    pub fn with_replies(mut self, rate: ReplyRate, workers: usize) -> Self {
        self.out.answer_at(rate, workers);
        self
    }

    /// Takes one burst from each port, at most, to the other; says how many frames came.
    #[inline]
    pub fn poll_once(&mut self) -> usize {
        if self.post.announce() {
            self.carry_out();
        }
        let Self {
            post,
            access,
            network,
            out,
            inward,
            ..
        } = self;
        let trace = &mut self.trace;
        let now = if post.tables.matrix.needs_time() {
            clock::now()
        } else {
            Moment::default()
        };
        let came_out = out.take_burst(access, network, post, trace, now);
        let came_in = inward.take_burst(network, access, post, trace, now);
        self.progress.count(came_out, came_in);
        came_out + came_in
    }

    /// Polls until it is told to stop, then takes on what stands in the receive rings.
    pub fn run(&mut self, stop: &Stop, idle: Idle) {
        let mut empty = 0;
        while !stop.is_set() {
            let came = self.poll_once();
            idle.after(came, &mut empty);
        }
        for _ in 0..LAST_POLLS {
            if self.poll_once() == 0 {
                break;
            }
        }
    }

    /// Lets frames leave that wait in transmit rings, as long as any does, and adds up.
    pub fn finish(mut self) -> Done {
        self.access.drain();
        self.network.drain();
        let mut tx_full = self.out.tx_full();
        tx_full += self.inward.tx_full();
        let counters = self.post.tally.counters().clone();
        Done {
            balance: self.balance(),
            replies: self.out.replies(),
            tx_full,
            progress: self.progress,
            counters,
        }
    }

    #[cold]
    fn carry_out(&mut self) {
        let Some(mut order) = self.post.take() else {
            return;
        };
        match &mut *order {
            Order::Assign(assignment) => self.post.exchange(assignment),
            Order::Trace(room) => mem::swap(&mut self.trace, room),
            Order::Report(report) => {
                // What stands in the completion rings has left.
                self.access.reap();
                self.network.reap();
                report.balance = self.balance();
                report.replies = self.out.replies();
                report.progress = self.progress;
                report.counters.copy(self.post.tally.counters());
            }
        }
        self.post.give_back(order);
    }

    fn balance(&self) -> Balance {
        Balance {
            rx: self.out.rx() + self.inward.rx(),
            generated: self.out.replies().generated,
            discarded: self.out.discarded() + self.inward.discarded(),
            tx_full: self.out.tx_full().frames + self.inward.tx_full().frames,
            transmitted: self.access.transmitted() + self.network.transmitted(),
            held: self.access.held() + self.network.held(),
        }
    }
}
