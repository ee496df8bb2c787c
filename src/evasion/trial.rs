//! The catalogue, taken through the real stages.

use super::scene::{Party, Scene, Side};
use super::wrap::Wrap;
use super::{Fate, Setting, Trick, catalogue};
use crate::limit::Moment;
use crate::policy::{self, Program, Tables};
use crate::stage::{Burst, Decision, Facing, Settings};
use crate::stats::{Reason, Verdict};
use crate::wire::{BURST, Frame, LinkType};
use jiff::Timestamp;
use std::sync::Arc;

/// The frames of the catalogue, and the tables that decide them.
#[derive(Debug)]
pub struct Trial {
    frames: Vec<Tried>,
    settings: Vec<(Setting, Settings)>,
    tables: Arc<Tables>,
}

/// One frame, and all that is known of it beforehand.
#[derive(Debug)]
struct Tried {
    trick: &'static Trick,
    scene: Scene,
    wrap: Wrap,
    setting: Setting,
    fate: Fate,
    bytes: Vec<u8>,
    original_len: u32,
}

/// How frames are handed to the stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manner {
    /// 64 of them together, as a port does.
    Bursts,
    /// One at a time.
    Alone,
    /// Together, and the addresses tell which way they go, as in a capture.
    FacingAuto,
}

impl Manner {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bursts, Self::Alone, Self::FacingAuto];

    /// The words in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Bursts => "in a burst",
            Self::Alone => "alone",
            Self::FacingAuto => "in a burst, facing auto",
        }
    }
}

/// What a wrong decision does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// A connection to port 25 gets past a plan that is blocked.
    Leaked,
    /// Something that may pass does not.
    Harmed,
    /// It is turned back, and told or counted otherwise than it must be.
    Misnamed,
}

impl Fault {
    /// The word in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Leaked => "leaked",
            Self::Harmed => "harmed",
            Self::Misnamed => "misnamed",
        }
    }
}

/// A decision that is not what it must be.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Which trick.
    pub trick: &'static Trick,
    /// What it does.
    pub fault: Fault,
    /// Whose frame, and where: party, family, side, wrap, manner.
    pub place: String,
    /// What it must be.
    pub expected: Outcome,
    /// What it is.
    pub found: Outcome,
}

/// A verdict, and its reason where there is only one that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of the frame.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<Reason>,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.reason {
            Some(reason) => write!(f, "{} {reason}", self.verdict),
            None => write!(f, "{}", self.verdict),
        }
    }
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Report {
    /// The tricks that were tried, with the number of their frames.
    pub tricks: Vec<(&'static Trick, usize)>,
    /// Frames, each decided in every manner.
    pub frames: usize,
    /// What is wrong.
    pub faults: Vec<Judged>,
}

impl Report {
    /// How many faults are of a kind.
    pub fn count(&self, fault: Fault) -> usize {
        self.faults
            .iter()
            .filter(|judged| judged.fault == fault)
            .count()
    }
}

impl Trial {
    /// Builds every frame, and compiles the policy that is kept for it.
    ///
    /// # Errors
    /// What is wrong with that policy, which would be a fault of this program.
    pub fn new() -> Result<Self, String> {
        let mut frames = Vec::new();
        for trick in catalogue() {
            for scene in Scene::all() {
                for attempt in (trick.frames)(&scene) {
                    for wrap in Wrap::ALL {
                        let Some((bytes, original_len)) = wrap.frame(&attempt) else {
                            continue;
                        };
                        let (setting, fate) = (attempt.setting, attempt.fate);
                        frames.push(Tried {
                            trick,
                            scene,
                            wrap,
                            setting,
                            fate,
                            bytes,
                            original_len,
                        });
                    }
                }
            }
        }
        let settings = Setting::ALL.map(|setting| Ok((setting, setting.settings()?)));
        Ok(Self {
            frames,
            settings: settings.into_iter().collect::<Result<_, String>>()?,
            tables: tables()?,
        })
    }

    /// Decides every frame in every manner.
    pub fn run(&self) -> Report {
        let mut faults = Vec::new();
        for manner in Manner::ALL {
            for (setting, settings) in &self.settings {
                // Only a port has an access side.
                if (*setting, manner) == (Setting::KnownSources, Manner::FacingAuto) {
                    continue;
                }
                for side in Side::ALL {
                    let some = self
                        .frames
                        .iter()
                        .filter(|tried| tried.setting == *setting && tried.scene.side == side);
                    let some: Vec<_> = some.collect();
                    faults.extend(self.judge(&some, manner, side, settings));
                }
            }
        }
        let of = |trick: &Trick| {
            let frames = self.frames.iter();
            frames
                .filter(|tried| tried.trick.number == trick.number)
                .count()
        };
        Report {
            tricks: catalogue()
                .into_iter()
                .map(|trick| (trick, of(trick)))
                .collect(),
            frames: self.frames.len(),
            faults,
        }
    }

    fn judge(
        &self,
        some: &[&Tried],
        manner: Manner,
        side: Side,
        settings: &Settings,
    ) -> Vec<Judged> {
        let facing = match (manner, side) {
            (Manner::FacingAuto, _) => Facing::Auto,
            (_, Side::Access) => Facing::Out,
            (_, Side::Network) => Facing::In,
        };
        let together = match manner {
            Manner::Alone => 1,
            Manner::Bursts | Manner::FacingAuto => BURST,
        };
        let mut burst = Burst::new(facing, settings.clone());
        let mut faults = Vec::new();
        for group in some.chunks(together) {
            let frames: Vec<_> = group.iter().map(|tried| tried.frame()).collect();
            burst.run(&frames, &self.tables, Moment::default());
            for (tried, decision) in group.iter().zip(burst.decisions()) {
                faults.extend(tried.judge(decision, manner));
            }
        }
        faults
    }
}

impl Tried {
    fn frame(&self) -> Frame<'_> {
        Frame {
            bytes: &self.bytes,
            original_len: self.original_len,
            link_type: LinkType::ETHERNET,
        }
    }

    fn judge(&self, decision: Decision, manner: Manner) -> Option<Judged> {
        let expected = self.fate.outcome(self.scene);
        let found = Outcome {
            verdict: decision.verdict,
            reason: expected.reason.map(|_| decision.reason),
        };
        let fault = match (expected.verdict, found.verdict) {
            _ if expected == found => return None,
            (Verdict::Forward, Verdict::Forward) => Fault::Misnamed,
            (Verdict::Forward, _) => Fault::Harmed,
            (_, Verdict::Forward) => Fault::Leaked,
            (_, _) => Fault::Misnamed,
        };
        let Scene {
            family,
            side,
            party,
        } = self.scene;
        let place = [
            party.label(),
            family.label(),
            side.label(),
            self.wrap.label(),
            manner.label(),
        ]
        .join(", ");
        let trick = self.trick;
        Some(Judged {
            trick,
            fault,
            place,
            expected,
            found,
        })
    }
}

impl Fate {
    /// What must become of a frame between these two.
    fn outcome(self, scene: Scene) -> Outcome {
        let at_port_25 = match scene.side {
            Side::Access => Reason::Port25Syn,
            Side::Network => Reason::Port25Return,
        };
        // What the rule says of a SYN, and what is silent in its place.
        let (by_rule, silent) = match (scene.party, scene.side) {
            (Party::Blocked, _) | (Party::Rejected, Side::Network) => {
                (Verdict::Drop, Verdict::Drop)
            }
            (Party::Rejected, Side::Access) => (Verdict::Reject, Verdict::Drop),
            (Party::Counted | Party::Exempt | Party::OwnServer, _) => {
                (Verdict::Forward, Verdict::Forward)
            }
        };
        // The same where it may go to anybody.
        let to_anybody = match scene.party {
            Party::Blocked | Party::Rejected | Party::OwnServer => Verdict::Drop,
            Party::Counted | Party::Exempt => Verdict::Forward,
        };
        let decides = |verdict, reason| match verdict {
            Verdict::Forward => (verdict, None),
            _ => (verdict, Some(reason)),
        };
        let (verdict, reason) = match self {
            Self::Seen => decides(by_rule, at_port_25),
            Self::Diverted if by_rule == Verdict::Reject => decides(by_rule, at_port_25),
            Self::Diverted => decides(to_anybody, at_port_25),
            Self::Evasive(reason) => decides(silent, reason),
            Self::Hidden(reason) => decides(to_anybody, reason),
            Self::Refused(reason) => (Verdict::Drop, Some(reason)),
            Self::Undecided if by_rule == Verdict::Forward => (Verdict::Forward, None),
            Self::Undecided | Self::Unreadable => (Verdict::Indeterminate, Some(Reason::Truncated)),
            Self::Harmless | Self::Unopened => (Verdict::Forward, None),
        };
        Outcome { verdict, reason }
    }
}

/// The tables of the policy beside this file.
fn tables() -> Result<Arc<Tables>, String> {
    let name = "the policy of the selftest".to_owned();
    let text = include_bytes!("policy.yaml");
    let at = Timestamp::UNIX_EPOCH;
    let loaded = policy::load_with(&[name], at, &|_| Ok(text.to_vec()));
    let faulty = |found: &[policy::Diagnostic]| policy::render(&loaded.sources, found, false);
    let resolved = loaded
        .resolved
        .clone()
        .ok_or_else(|| faulty(&loaded.diagnostics))?;
    let program = Program::compile(Arc::new(resolved)).map_err(|found| faulty(&found))?;
    let epoch = program.at(at).map_err(|error| error.to_string())?;
    Ok(epoch.tables)
}
