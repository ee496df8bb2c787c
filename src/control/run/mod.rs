//! A pipeline at work: from its devices' opening to the balance at its end.
//!
//! ```text
//!  policies, journal ─▶ Live ─┐
//!  driver ─▶ lanes, devices ──┼─▶ workers, each pinned    ─▶ Done ─┐
//!  socket ─▶ inbox ───────────┴─▶ supervisor, this thread ─▶ Ending ┴─▶ Outcome
//! ```
//! Whatever is opened is closed again when something later fails, in the reverse order.

mod drivers;
mod error;

pub use error::RunError;

use super::crew::Crew;
use super::journal::{Change, Entry, Journal, Overrides};
use super::pipeline::{self, Framing, Pipeline};
use super::protocol::{Asked, Stats};
use super::socket::Server;
use super::supervisor::{
    Compiled, Ending, Parts, Say, Setup, Signals, Supervisor, Weight, compile,
};
use crate::io::netdev::clock_is_synchronised;
use crate::io::port::{Lane, Port, Work};
use crate::lpm::Readers;
use crate::stage::Settings;
use crate::worker::{Done, Idle, Post, Stop, Worker, on_lcores};
use drivers::Station;
use ipnet::IpNet;
use jiff::Timestamp;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Why.
    pub ending: Ending,
    /// What was counted.
    pub stats: Stats,
    /// Whether every frame is accounted for, by each of the two counts.
    pub balances: bool,
    /// What a device could not do, as far as it is known at the end only.
    pub faults: Vec<String>,
}

/// Runs a pipeline until a signal or a client ends it, or until its captures are over. Before it
/// begins, the plans above the file that these prefixes have are taken back.
///
/// # Errors
/// It cannot begin. Nothing is left behind then.
pub fn run(
    pipeline: &Pipeline,
    unset: &[IpNet],
    signals: &Signals,
    say: Say<'_>,
) -> Result<Outcome, RunError> {
    let begin = Begin::new(pipeline, unset, signals, say)?;
    drivers::with(pipeline, begin)
}

/// Looks whether a pipeline could begin, and changes nothing.
///
/// # Errors
/// As [`run`].
pub fn check(pipeline: &Pipeline) -> Result<(), RunError> {
    let overrides = match &pipeline.control.journal {
        Some(path) if path.exists() => Journal::peek(path)?,
        _ => Overrides::default(),
    };
    compile(&pipeline.policies, &overrides, &Readers::new()).map_err(RunError::Policy)?;
    drivers::check(pipeline)
}

/// What a run begins with, whatever its driver.
struct Begin<'r> {
    pipeline: &'r Pipeline,
    signals: &'r Signals,
    say: Say<'r>,
    compiled: Compiled,
    journal: Journal,
    overrides: Overrides,
    server: Option<Server>,
    inbox: Receiver<Asked>,
}

impl<'r> Begin<'r> {
    fn new(
        pipeline: &'r Pipeline,
        unset: &[IpNet],
        signals: &'r Signals,
        say: Say<'r>,
    ) -> Result<Self, RunError> {
        if clock_is_synchronised() == Some(false) {
            say(
                Weight::Warning,
                format_args!("the clock is not synchronised: rules begin and end by it"),
            );
        }
        if pipeline.frames == Framing::QinqPppoe && pipeline.lcores.len() > 1 {
            say(
                Weight::Warning,
                format_args!(
                    "most network cards do not spread PPPoE or double tags over their queues: \
                     all frames may come to one lcore (see docs/hardware.md)"
                ),
            );
        }
        let control = &pipeline.control;
        let (sender, inbox) = channel();
        // First: it tells whether this pipeline runs already.
        let server = match &control.socket {
            Some(path) => Some(Server::bind(path, control.group.as_deref(), sender)?),
            None => None,
        };
        let (mut journal, mut overrides) = match &control.journal {
            Some(path) => {
                let (journal, overrides, notes) = Journal::open(path)?;
                for note in notes {
                    say(Weight::Warning, format_args!("{note}"));
                }
                (journal, overrides)
            }
            None => (Journal::none(), Overrides::default()),
        };
        for prefix in unset {
            take_back(*prefix, &mut journal, &mut overrides)?;
        }
        let compiled = compile(&pipeline.policies, &overrides, &Readers::new());
        Ok(Self {
            pipeline,
            signals,
            say,
            compiled: compiled.map_err(RunError::Policy)?,
            journal,
            overrides,
            server,
            inbox,
        })
    }

    /// Takes frames through a station that is open.
    fn serve<L: Lane>(self, station: Station<'_, L>) -> Result<Outcome, RunError> {
        let Self { pipeline, say, .. } = self;
        // One table of buckets: for all workers, and over reloads.
        let settings = pipeline.settings();
        let setup = setup(pipeline, &settings);
        let Compiled { live, warnings, .. } = self.compiled;
        if warnings > 0 {
            say(
                Weight::Note,
                format_args!("{warnings} warnings about the policies: see `sekisho check`"),
            );
        }
        let (crew, posts) = Crew::new(&pipeline.lcores, &live, setup.stall);
        let parts = Parts {
            crew,
            live,
            journal: self.journal,
            overrides: self.overrides,
            inbox: self.inbox,
            signals: self.signals,
            devices: station.devices,
            over: &*station.over,
            say,
        };
        let work = |(lane, post): (L, Post), stop: &Stop| {
            lane.serve(Serve {
                pipeline,
                settings: &settings,
                post,
                stop,
            })
        };
        let given = station.lanes.into_iter().zip(posts);
        let mut supervisor = Supervisor::new(setup, parts);
        let control = || {
            say(Weight::Note, format_args!("{}: running", pipeline.name));
            let _ = sd_notify::notify(&[NotifyState::Ready]);
            let ending = supervisor.run();
            let _ = sd_notify::notify(&[NotifyState::Stopping]);
            (station.close)();
            ending
        };
        let begun = Instant::now();
        let (done, ending) = on_lcores(&pipeline.lcores, given, work, control)?;
        // Nobody is answered any more.
        drop(self.server);
        if station.links_down {
            supervisor.take_links_down();
        }
        let mut stats = supervisor.finish(&done);
        stats.uptime_s = begun.elapsed().as_secs_f64();
        Ok(Outcome {
            ending,
            balances: stats.is_accounted_for(),
            stats,
            faults: (station.leave)(),
        })
    }
}

/// What the supervisor needs to know.
fn setup(pipeline: &Pipeline, settings: &Settings) -> Setup {
    Setup {
        policies: pipeline.policies.clone(),
        stall: Duration::from_millis(pipeline.stall_ms.into()),
        link_loss: pipeline.link_loss,
        names_peers: pipeline.record_destinations.is_some(),
        unwrap: Arc::clone(&settings.unwrap),
    }
}

/// Takes back a plan above the file, as a client would.
fn take_back(
    prefix: IpNet,
    journal: &mut Journal,
    overrides: &mut Overrides,
) -> Result<(), RunError> {
    if overrides.get(&prefix).is_none() {
        return Err(RunError::NotSet(prefix));
    }
    let entry = Entry {
        at: Timestamp::now(),
        who: "sekisho run".to_owned(),
        change: Change::Unset { prefix },
    };
    journal.append(std::slice::from_ref(&entry))?;
    overrides.apply(&entry);
    Ok(())
}

/// What a worker's thread does with its ports.
struct Serve<'r> {
    pipeline: &'r Pipeline,
    settings: &'r Settings,
    post: Post,
    stop: &'r Stop,
}

impl Work for Serve<'_> {
    type Output = Done;

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, access: A, network: N) -> Done {
        let Pipeline {
            idle,
            replies,
            lcores,
            ..
        } = self.pipeline;
        let idle = match idle {
            pipeline::Idle::Spin => Idle::Spin,
            pipeline::Idle::Sleep => Idle::Sleep,
        };
        let worker = Worker::new(self.post, self.settings, access, network);
        let mut worker = worker.with_replies(*replies, lcores.len());
        worker.run(self.stop, idle);
        worker.finish()
    }
}
