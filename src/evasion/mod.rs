//! The catalogue of tricks: every way that is known to get a connection to port 25 past a filter,
//! as frames, with what must become of each.
//!
//! The frames are built here, from octets, by code that the parser does not share; nothing is read
//! back from the program to say what is right. [`Trial`] takes them all through the real stages,
//! for a subscriber who is blocked, for one who is not, and toward a server that everybody may
//! reach; bare, and inside what access networks put around a packet.
//!
//! `docs/evasion.md` is made from this, `sekisho selftest` runs it where the program runs.

mod build;
mod scene;
mod settings;
mod trial;
mod tricks;
mod wrap;

pub use scene::{Party, Side};
pub use trial::{Fault, Judged, Manner, Outcome, Report, Trial};
pub use tricks::catalogue;
pub use wrap::Wrap;

use crate::stats::Reason;
use crate::wire::Family;
use scene::Scene;

/// One way to get past a filter.
#[derive(Clone, Copy, Debug)]
pub struct Trick {
    /// E1 to E31 are the field's list, the others are further ones; stable.
    pub number: u8,
    /// What it is called; stable.
    pub name: &'static str,
    /// What it tries, in one line.
    pub tries: &'static str,
    /// Where it is described.
    pub source: &'static str,
    /// The golden case that shows it, a folder in `pcaps/`.
    pub case: &'static str,
    frames: fn(&Scene) -> Vec<Attempt>,
}

/// What the stages are told before a frame is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Setting {
    /// Nothing: every setting is as it is without a pipeline.
    Plain,
    /// Tunnels of every kind are opened, toward endpoints of the provider's.
    Tunnels,
    /// Only subscribers' sources may come from the access side.
    KnownSources,
    /// What cannot be read is dropped.
    UnparsedDropped,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Plain,
        Self::Tunnels,
        Self::KnownSources,
        Self::UnparsedDropped,
    ];
}

/// What must become of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// It is a segment that opens a connection at port 25, whatever it is dressed in: the rule decides.
    Seen,
    /// It shows too little to tell: it takes the rule's verdict, for this reason, and no answer.
    Evasive(Reason),
    /// The same, and it does not even show to whom it goes: that may be anybody.
    Hidden(Reason),
    /// It is seen for that segment, and a detour leads past the destination that its header
    /// names: that the own server is open helps nobody.
    Diverted,
    /// It opens no connection to port 25, or none that a receiver would take: everybody's is
    /// forwarded.
    Harmless,
    /// What it carries is for somebody else to open: everybody's is forwarded.
    Unopened,
    /// The capture cut what decides.
    Undecided,
    /// The capture cut the addresses too.
    Unreadable,
    /// Nobody may send it.
    Refused(Reason),
}

impl Trick {
    /// What must become of its frames, each once, in the order in which they come.
    pub fn fates(&self) -> Vec<Fate> {
        let mut fates = Vec::new();
        for scene in Scene::all() {
            for attempt in (self.frames)(&scene) {
                if !fates.contains(&attempt.fate) {
                    fates.push(attempt.fate);
                }
            }
        }
        fates
    }

    /// The families that it exists in.
    pub fn families(&self) -> Vec<Family> {
        let tries = |family: &Family| {
            let mut scenes = Scene::all().into_iter();
            scenes.any(|scene| scene.family == *family && !(self.frames)(&scene).is_empty())
        };
        [Family::V4, Family::V6].into_iter().filter(tries).collect()
    }
}

/// One frame of a trick.
#[derive(Clone, Debug)]
struct Attempt {
    /// What the link announces: an ethertype.
    announced: u16,
    /// What it carries.
    octets: Vec<u8>,
    /// Zeros behind that, as Ethernet fills short frames up.
    padding_bytes: usize,
    /// Octets that a capture left out.
    missing_bytes: usize,
    /// What must be set for it.
    setting: Setting,
    /// Whether it may stand inside tags, PPPoE and labels too.
    wraps: bool,
    fate: Fate,
}
