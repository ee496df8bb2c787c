//! What `sekisho ctl` asks a running sekisho, and what that answers: one JSON object a line, each
//! way, over a unix socket.
//!
//! A line of a client is a [`Request`] beside `"version": 1` and, where it likes, an `"id"` that is
//! given back. Answers come in the order of the requests; a client need not wait for one before it
//! sends the next.

use crate::io::port::Loss;
use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::mpsc::Sender;

/// The version of everything here.
pub const VERSION: u32 = 1;

/// The most frames that one request traces.
pub const MAX_TRACED_FRAMES: u32 = 1_000;

/// The most characters of a plan's name, and of a ticket.
pub const MAX_WORD_CHARS: usize = 255;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Counters and the balance.
    Stats,
    /// What each worker does.
    ShowRuntime,
    /// The events of the policy, past and to come.
    Phases,
    /// Read the policy anew.
    Reload,
    /// Let frames leave that are on their way, and end.
    Drain,
    /// Give a prefix a plan above the file.
    PlanSet(PlanSet),
    /// Take such a plan back.
    PlanUnset {
        /// The prefix.
        prefix: IpNet,
    },
    /// Which plans were given above the file.
    PlanList,
    /// What becomes of the next frames, step by step.
    Trace {
        /// How many frames.
        frames: u32,
    },
}

/// A plan that goes above the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSet {
    /// Whose plan it becomes; it lies in a subscriber prefix of the policy.
    pub prefix: IpNet,
    /// Its name in the policy.
    pub plan: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Until when; at this very instant it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Request::Stats`].
    Stats(Stats),
    /// To [`Request::ShowRuntime`].
    Runtime(Runtime),
    /// To [`Request::Phases`].
    Phases(Phases),
    /// To [`Request::Reload`].
    Reloaded(Reloaded),
    /// To [`Request::Drain`]: it ends now.
    Draining,
    /// To [`Request::PlanSet`] and [`Request::PlanUnset`]: it is kept, and decided by.
    Changed(Changed),
    /// To [`Request::PlanList`].
    Plans {
        /// In the order of their prefixes.
        overrides: Vec<Override>,
    },
    /// To [`Request::Trace`].
    Trace {
        /// What became of each frame, for people.
        frames: Vec<String>,
    },
    /// The request was not carried out, and nothing was changed.
    Refused(Refusal),
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A stable name in kebab case: `unknown-plan`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// A refusal of a kind.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// A plan above the file, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// What was set.
    #[serde(flatten)]
    pub set: PlanSet,
    /// When.
    pub at: Timestamp,
    /// By whom: the user at the other end of the socket, as the kernel says.
    pub who: String,
}

/// What a change of one prefix did. It is kept; workers that are stalled decide by it as soon as they
/// are back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The prefix.
    pub prefix: IpNet,
    /// The plan of its first address before.
    pub before: Option<String>,
    /// The plan of its first address now.
    pub now: Option<String>,
    /// How many workers decide by it.
    pub workers: usize,
    /// How many there are.
    pub of_workers: usize,
}

/// How a reload went: `generation 41 → 42 in 3.1 ms, all workers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The generation from before.
    pub from: u64,
    /// The one that holds now.
    pub to: u64,
    /// Reading and compiling.
    pub compile_ms: f64,
    /// From the first worker's new tables to the last one's.
    pub swap_ms: f64,
    /// How many workers have it.
    pub workers: usize,
    /// How many there are: one that is stalled gets it when it is back.
    pub of_workers: usize,
    /// Overrides that hold above the new file.
    pub overrides: usize,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            to,
            compile_ms,
            swap_ms,
            workers,
            of_workers,
            overrides,
        } = self;
        write!(f, "generation {from} → {to} in {swap_ms:.1} ms, ")?;
        match workers == of_workers {
            true => f.write_str("all workers")?,
            false => write!(
                f,
                "{workers} of {of_workers} workers: the others are stalled"
            )?,
        }
        write!(f, " (read and compiled in {compile_ms:.1} ms")?;
        match overrides {
            0 => f.write_str(")"),
            1 => f.write_str("; 1 plan above the file)"),
            many => write!(f, "; {many} plans above the file)"),
        }
    }
}

/// Counters since the start, over all generations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The generation that holds.
    pub generation: u64,
    /// Seconds since the start.
    pub uptime_s: f64,
    /// Bounds while frames move, the law at rest.
    pub balance: Balance,
    /// By `<verdict>-<reason>`.
    pub reasons: Vec<Counted>,
    /// By rule: `isp/rule`, each with its verdict.
    pub rules: Vec<Counted>,
    /// By plan: `isp/plan`, each with its verdict.
    pub plans: Vec<Counted>,
    /// What became of the frames that are to be answered.
    pub replies: Replies,
    /// Of each device.
    pub devices: Vec<DeviceStats>,
}

impl Stats {
    /// Whether both counts hold at rest: every frame received or generated was found again, and every one has a
    /// verdict, of which those that are not to be forwarded are the ones that were discarded.
    pub fn is_accounted_for(&self) -> bool {
        let Balance {
            rx,
            generated,
            transmitted,
            discarded,
            tx_full,
            held,
        } = self.balance;
        let frames = |reasons: &mut dyn Iterator<Item = &Counted>| -> u64 {
            reasons.map(|counted| counted.frames).sum()
        };
        let mut kept = self
            .reasons
            .iter()
            .filter(|counted| counted.verdict != "forward");
        rx + generated == transmitted + discarded + tx_full + held
            && frames(&mut self.reasons.iter()) == rx
            && frames(&mut kept) == discarded
    }
}

/// The law: `rx + generated = transmitted + discarded + tx_full + held`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Frames received.
    pub rx: u64,
    /// Replies to frames that were received.
    pub generated: u64,
    /// Frames that left.
    pub transmitted: u64,
    /// Frames with a verdict other than forward.
    pub discarded: u64,
    /// Frames that a transmit ring had no room for.
    pub tx_full: u64,
    /// Frames that are on their way.
    pub held: u64,
}

/// What became of the frames that are to be answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replies {
    /// Frames that were answered; where a transmit ring had no room, in vain.
    pub generated: u64,
    /// Frames that were not, because the rate of replies was used up or no buffer was free.
    pub withheld: u64,
    /// Frames that may not be answered, or cannot be.
    pub impossible: u64,
}

/// A counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Its name.
    pub name: String,
    /// What became of these frames.
    pub verdict: String,
    /// How many.
    pub frames: u64,
    /// Their octets on the wire.
    pub bytes: u64,
}

/// What is said of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStats {
    /// `access` or `network`.
    pub side: String,
    /// Its name.
    pub name: String,
    /// `up`, `down` or `gone`.
    pub link: String,
    /// What the system or the device lost by itself.
    pub losses: Vec<Loss>,
}

/// What the workers do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Runtime {
    /// The generation that holds.
    pub generation: u64,
    /// Each worker.
    pub workers: Vec<WorkerRuntime>,
}

/// What one worker does, since the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerRuntime {
    /// Which, from 0 on.
    pub worker: usize,
    /// The processor that it is pinned to.
    pub lcore: u32,
    /// Looks at both ports.
    pub polls: u64,
    /// Looks that found nothing.
    pub empty_polls: u64,
    /// Bursts.
    pub bursts: u64,
    /// Frames received.
    pub frames: u64,
    /// How long its last answer took to come, in milliseconds; a stalled worker has none.
    pub answered_ms: Option<f64>,
}

/// What the clock brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// As of when.
    pub now: Timestamp,
    /// Of all policies, in the order of time.
    pub events: Vec<Phase>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// The first instant of the new state.
    pub at: Timestamp,
    /// Whose.
    pub isp: String,
    /// `rule everyone-else begins`.
    pub change: String,
    /// Whether it holds already.
    pub past: bool,
}

/// A request on its way to whoever carries requests out, one after the other.
#[derive(Debug)]
pub struct Asked {
    /// What is asked for.
    pub request: Request,
    /// By whom: `uid 0 (root)`.
    pub who: String,
    /// Where the answer goes; nobody may be there any more.
    pub answer: Sender<Answer>,
}
