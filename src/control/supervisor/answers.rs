//! What clients are told.

use super::{Supervisor, refused};
use crate::control::crew::Sum;
use crate::control::protocol::{
    Answer, Balance, DeviceStats, Phase, Phases, Replies, Runtime, Stats, WorkerRuntime,
};
use crate::control::trace::tell;
use crate::worker::{self, Traced};
use jiff::Timestamp;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// How long a trace waits for frames.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it looks for those that workers have kept.
const PACE: Duration = Duration::from_millis(100);

/// A trace that is under way.
pub(super) struct Tracing {
    wanted: usize,
    kept: Vec<Traced>,
    begun: Instant,
    looked: Instant,
    answer: Sender<Answer>,
}

impl Supervisor<'_> {
    /// Counters since the start.
    pub(super) fn stats(&mut self) -> Stats {
        self.crew.ask();
        let uptime_s = self.begun.elapsed().as_secs_f64();
        stats(self.crew.sum(), self.generation, uptime_s, self.devices())
    }

    /// The devices, as they are now.
    pub(super) fn devices(&mut self) -> Vec<DeviceStats> {
        self.watch.stats()
    }

    pub(super) fn runtime(&mut self) -> Runtime {
        self.crew.ask();
        let workers = self.crew.doing().into_iter().enumerate();
        let workers = workers.map(|(worker, doing)| WorkerRuntime {
            worker,
            lcore: doing.lcore.0,
            polls: doing.progress.polls,
            empty_polls: doing.progress.empty_polls,
            bursts: doing.progress.bursts,
            frames: doing.progress.frames,
            answered_ms: doing.answered.map(|taken| taken.as_secs_f64() * 1e3),
        });
        Runtime {
            generation: self.generation,
            workers: workers.collect(),
        }
    }

    pub(super) fn phases(&self) -> Phases {
        let program = self.live.program();
        let tenants = program.legend().tenants();
        let events = program.events().iter().map(|event| Phase {
            at: event.at,
            isp: tenants
                .get(event.tenant)
                .map_or_else(String::new, |t| t.name.clone()),
            change: event.text(),
            past: event.at <= self.live.as_of(),
        });
        Phases {
            now: Timestamp::now(),
            events: events.collect(),
        }
    }

    pub(super) fn begin_trace(&mut self, frames: u32, answer: Sender<Answer>) {
        if self.tracing.is_some() {
            let _ = answer.send(refused("busy", "another trace is under way"));
            return;
        }
        let wanted = frames as usize;
        self.crew.trace(Some(wanted));
        let now = Instant::now();
        self.tracing = Some(Tracing {
            wanted,
            kept: Vec::new(),
            begun: now,
            looked: now,
            answer,
        });
    }

    /// Gathers what workers have kept, and answers when it is enough, or time is up.
    pub(super) fn go_on_tracing(&mut self) {
        let due = |tracing: &mut Tracing| tracing.looked.elapsed() >= PACE;
        let Some(mut tracing) = self.tracing.take_if(due) else {
            return;
        };
        let missing = tracing.wanted.saturating_sub(tracing.kept.len());
        let rooms = self.crew.trace(Some(missing));
        tracing
            .kept
            .extend(rooms.iter().flat_map(|room| room.frames().iter().cloned()));
        tracing.looked = Instant::now();
        if tracing.kept.len() < tracing.wanted && tracing.begun.elapsed() < PATIENCE {
            self.tracing = Some(tracing);
            return;
        }
        self.crew.trace(None);
        tracing.kept.truncate(tracing.wanted);
        let (tables, setup) = (self.live.tables(), &self.setup);
        let numbered = (1..).zip(&tracing.kept);
        let frames = numbered.map(|(number, kept)| tell(number, kept, tables, setup));
        let frames = frames.collect();
        let _ = tracing.answer.send(Answer::Trace { frames });
    }
}

/// What was counted, and where.
pub(super) fn stats(
    Sum {
        balance,
        replies,
        totals,
    }: Sum,
    generation: u64,
    uptime_s: f64,
    devices: Vec<DeviceStats>,
) -> Stats {
    Stats {
        generation,
        uptime_s,
        balance: balance.into(),
        reasons: totals.reasons(),
        rules: totals.rules(),
        plans: totals.plans(),
        replies: replies.into(),
        devices,
    }
}

impl From<worker::Balance> for Balance {
    fn from(balance: worker::Balance) -> Self {
        let worker::Balance {
            rx,
            generated,
            discarded,
            tx_full,
            transmitted,
            held,
        } = balance;
        Self {
            rx,
            generated,
            transmitted,
            discarded,
            tx_full,
            held,
        }
    }
}

impl From<worker::Replies> for Replies {
    fn from(replies: worker::Replies) -> Self {
        let worker::Replies {
            generated,
            withheld,
            impossible,
        } = replies;
        Self {
            generated,
            withheld,
            impossible,
        }
    }
}
