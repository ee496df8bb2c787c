//! The one thread that changes anything: it orders what clients ask, what signals say, what the clock
//! brings and what devices do, and carries it out, one after the other.
//!
//! ```text
//!  ctl ─▶ socket ─▶ inbox ─┐
//!  SIGHUP, SIGTERM ────────┤                 ┌─▶ journal (fsync) ─▶ answer
//!  clock ──────────────────┼─▶ supervisor ───┼─▶ tables, prefix by prefix
//!  links, workers ─────────┤                 └─▶ crew: orders ─▶ workers
//!  compiler (a thread) ────┘
//! ```
//! Only compiling a policy takes long, and runs beside; what is changed meanwhile is changed in the
//! tables that hold, and again in the new ones before they are given to the workers.

mod answers;
mod clock;
mod plans;
mod reload;
mod watch;

pub use reload::{Compiled, compile};
pub use watch::Watched;

use super::crew::Crew;
use super::journal::{Journal, Overrides};
use super::pipeline::LinkLoss;
use super::protocol::{Answer, Asked, Refusal, Request, Stats};
use crate::io::port::DeviceError;
use crate::policy::Live;
use crate::wire::Unwrap;
use crate::worker::Done;
use answers::Tracing;
use clock::Clock;
use plans::Task;
use reload::Compiling;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use watch::Watch;

/// How long the supervisor sleeps at most: what it looks at by itself is this old at most.
const TICK: Duration = Duration::from_millis(20);

/// Requests that are carried out together at most: their changes are one write to the journal.
const BATCH: usize = 4_096;

/// What a supervisor needs to know.
#[derive(Debug)]
pub struct Setup {
    /// The policies, to be read again.
    pub policies: Vec<PathBuf>,
    /// A worker that lets an order wait for longer is stalled.
    pub stall: Duration,
    /// What is done when one link is lost.
    pub link_loss: LinkLoss,
    /// Whether traces may name peers.
    pub names_peers: bool,
    /// The tunnels that traces look into, as the workers do.
    pub unwrap: Arc<Unwrap>,
}

/// What signals ask for.
#[derive(Debug, Default)]
pub struct Signals {
    /// To end.
    pub drain: AtomicBool,
    /// To read the policy anew.
    pub reload: AtomicBool,
}

/// Why a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Somebody asked for it.
    Drained,
    /// There is nothing more to receive.
    Over,
    /// A device is gone.
    Gone(DeviceError),
}

/// How much somebody should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// For the record.
    Note,
    /// Somebody should look.
    Warning,
}

/// Where what happens is said, a line each.
pub type Say<'s> = &'s dyn Fn(Weight, fmt::Arguments<'_>);

/// See the [module](self).
pub struct Supervisor<'s> {
    setup: Setup,
    crew: Crew,
    live: Live,
    generation: u64,
    journal: Journal,
    overrides: Overrides,
    inbox: Receiver<Asked>,
    signals: &'s Signals,
    /// Whether there is nothing more to receive.
    over: &'s dyn Fn() -> bool,
    say: Say<'s>,
    begun: Instant,
    compiling: Option<Compiling>,
    tracing: Option<Tracing>,
    watch: Watch,
    clock: Clock,
    ending: Option<Ending>,
}

/// What a supervisor is made of besides its setup.
pub struct Parts<'s> {
    /// The workers.
    pub crew: Crew,
    /// The tables that they began with.
    pub live: Live,
    /// Where changes are kept.
    pub journal: Journal,
    /// What the journal says to hold; the tables have it.
    pub overrides: Overrides,
    /// Where requests come from.
    pub inbox: Receiver<Asked>,
    /// What signals ask for.
    pub signals: &'s Signals,
    /// The devices, that of the access side first.
    pub devices: Vec<Watched>,
    /// Whether there is nothing more to receive.
    pub over: &'s dyn Fn() -> bool,
    /// Where what happens is said.
    pub say: Say<'s>,
}

impl<'s> Supervisor<'s> {
    /// Begins with the first generation.
    pub fn new(setup: Setup, parts: Parts<'s>) -> Self {
        Self {
            watch: Watch::new(parts.devices, setup.link_loss),
            setup,
            crew: parts.crew,
            live: parts.live,
            generation: 1,
            journal: parts.journal,
            overrides: parts.overrides,
            inbox: parts.inbox,
            signals: parts.signals,
            over: parts.over,
            say: parts.say,
            begun: Instant::now(),
            compiling: None,
            tracing: None,
            clock: Clock::default(),
            ending: None,
        }
    }

    /// Works until the run ends, and says why it does. The workers still run.
    pub fn run(&mut self) -> Ending {
        loop {
            self.carry_out_requests();
            self.heed_signals();
            self.take_compiled();
            self.follow_clock();
            self.go_on_tracing();
            self.look_after_workers();
            self.look_after_links();
            if (self.over)() {
                self.ending.get_or_insert(Ending::Over);
            }
            if let Some(ending) = self.ending.take() {
                return ending;
            }
        }
    }

    /// What was done, when the workers are done.
    pub fn finish(mut self, done: &[Done]) -> Stats {
        let devices = self.devices();
        let (generation, uptime_s) = (self.generation, self.begun.elapsed().as_secs_f64());
        answers::stats(self.crew.finish(done), generation, uptime_s, devices)
    }

    /// Waits for a request, a tick at most, and carries out all that are there: neighbouring changes
    /// together.
    fn carry_out_requests(&mut self) {
        let first = match self.inbox.recv_timeout(self.until_next()) {
            Ok(asked) => asked,
            Err(RecvTimeoutError::Timeout) => return,
            // Nobody can ask: there is no socket.
            Err(RecvTimeoutError::Disconnected) => return std::thread::sleep(self.until_next()),
        };
        let mut changes = Vec::new();
        let mut next = Some(first);
        while let Some(asked) = next {
            match Task::of(asked) {
                Task::Change(change) => changes.push(change),
                Task::Other(asked) => {
                    self.make_changes(std::mem::take(&mut changes));
                    self.carry_out(asked);
                }
            }
            let room = changes.len() < BATCH;
            next = room.then(|| self.inbox.try_recv().ok()).flatten();
        }
        self.make_changes(changes);
    }

    fn carry_out(&mut self, asked: Asked) {
        let answer = match asked.request {
            Request::Stats => Answer::Stats(self.stats()),
            Request::ShowRuntime => Answer::Runtime(self.runtime()),
            Request::Phases => Answer::Phases(self.phases()),
            Request::PlanList => Answer::Plans {
                overrides: self.overrides.iter().cloned().collect(),
            },
            Request::Reload => return self.begin_reload(Some(asked.answer)),
            Request::Trace { frames } => return self.begin_trace(frames, asked.answer),
            Request::Drain => {
                self.ending = Some(Ending::Drained);
                Answer::Draining
            }
            // Sorted out before.
            Request::PlanSet(_) | Request::PlanUnset { .. } => return,
        };
        // Whoever asked may be gone.
        let _ = asked.answer.send(answer);
    }

    fn heed_signals(&mut self) {
        if self.signals.drain.load(Ordering::Acquire) {
            self.ending.get_or_insert(Ending::Drained);
        }
        if self.signals.reload.swap(false, Ordering::AcqRel) {
            self.begin_reload(None);
        }
    }

    fn until_next(&self) -> Duration {
        let wait = self.clock.until(self.next_instant());
        wait.map_or(TICK, |wait| wait.min(TICK))
    }
}

impl fmt::Debug for Supervisor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// An answer that something was not done.
fn refused(code: &str, message: impl fmt::Display) -> Answer {
    Answer::Refused(Refusal {
        code: code.to_owned(),
        message: message.to_string(),
    })
}
