//! Plans above the file: what clients set and unset.

use super::{Supervisor, Weight, refused};
use crate::control::journal::{Change, Entry};
use crate::control::protocol::{Answer, Asked, Changed, Override, Refusal, Request};
use crate::policy::{Live, LiveError, PlanId};
use ipnet::IpNet;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long it sleeps until workers have begun another burst.
const LOOK: Duration = Duration::from_micros(50);

/// The code of what the tables have no room for.
const NO_ROOM: &str = "no-room";

/// A change that somebody asks for.
pub(super) struct Pending {
    who: String,
    change: Change,
    answer: Sender<Answer>,
}

/// A change that was made in the tables, and is not in the journal yet.
struct Made {
    entry: Entry,
    /// What was there before it.
    before: Option<Override>,
    changed: Changed,
    answer: Sender<Answer>,
}

/// What a request takes.
pub(super) enum Task {
    /// A change of a plan.
    Change(Pending),
    /// Something else.
    Other(Asked),
}

impl Task {
    pub(super) fn of(asked: Asked) -> Self {
        let change = match asked.request {
            Request::PlanSet(set) => Change::Set(set),
            Request::PlanUnset { prefix } => Change::Unset { prefix },
            _ => return Self::Other(asked),
        };
        Self::Change(Pending {
            who: asked.who,
            change,
            answer: asked.answer,
        })
    }
}

impl Supervisor<'_> {
    /// Makes changes: first in the tables, then in the journal, all with one write. An answer says
    /// that a change is in both, and that every worker decides by it.
    pub(super) fn make_changes(&mut self, changes: Vec<Pending>) {
        if changes.is_empty() {
            return;
        }
        let now = Timestamp::now();
        let mut made = Vec::with_capacity(changes.len());
        let mut stuck: Option<Refusal> = None;
        for pending in changes {
            let entry = Entry {
                at: now,
                who: pending.who,
                change: pending.change,
            };
            // Where workers did not make room for one, they do not for the next.
            let done = stuck.clone().map_or_else(|| self.make(&entry), Err);
            match done {
                Ok((changed, before)) => made.push(Made {
                    entry,
                    before,
                    changed,
                    answer: pending.answer,
                }),
                Err(refusal) => {
                    if refusal.code == NO_ROOM {
                        stuck = Some(refusal.clone());
                    }
                    let _ = pending.answer.send(Answer::Refused(refusal));
                }
            }
        }
        let (entries, rest): (Vec<_>, Vec<_>) = made
            .into_iter()
            .map(|made| (made.entry, (made.before, made.changed, made.answer)))
            .unzip();
        if let Err(why) = self.journal.append(&entries) {
            (self.say)(Weight::Warning, format_args!("{why}"));
            let undone = entries.iter().zip(rest).rev();
            for (entry, (before, _, answer)) in undone {
                self.undo(entry, before);
                let _ = answer.send(refused("journal", &why));
            }
            self.settle();
            // Where it is in doubt, this is what mends it.
            self.tidy_journal();
            return;
        }
        let workers = self.settle();
        let all = self.crew.workers();
        for (_, changed, answer) in rest {
            let _ = answer.send(Answer::Changed(Changed {
                workers,
                of_workers: all,
                ..changed
            }));
        }
        self.tidy_journal();
    }

    /// Makes one change in the tables, and says what it did.
    fn make(&mut self, entry: &Entry) -> Result<(Changed, Option<Override>), Refusal> {
        let prefix = match &entry.change {
            Change::Set(set) => set.prefix,
            Change::Unset { prefix } | Change::Expired { prefix } => *prefix,
        };
        if prefix != prefix.trunc() {
            let message = format!("{prefix} has host bits: {} is meant?", prefix.trunc());
            return Err(Refusal::new("host-bits-set", message));
        }
        let before = self.plan_name(prefix);
        let plan = self.check(&entry.change)?;
        let done = match plan {
            Some(plan) => self.patiently(|live| live.set(prefix, plan)),
            None => self.patiently(|live| live.unset(prefix)),
        };
        done.map_err(|why| Refusal::new(NO_ROOM, why))?;
        let replaced = self.overrides.apply(entry);
        self.remember_for_compiling(prefix, self.overrides.get(&prefix).cloned());
        let now = self.plan_name(prefix);
        let changed = Changed {
            prefix,
            before,
            now,
            workers: 0,
            of_workers: 0,
        };
        Ok((changed, replaced))
    }

    /// The plan that a change gives; `None` where it takes one back.
    fn check(&self, change: &Change) -> Result<Option<PlanId>, Refusal> {
        match change {
            Change::Set(set) => {
                if set.expires.is_some_and(|end| end <= Timestamp::now()) {
                    return Err(Refusal::new(
                        "expired",
                        "the time that it expires has passed",
                    ));
                }
                let found = self.live.program().plan_for(set.prefix, &set.plan);
                let plan = found.map_err(|why| Refusal::new("no-such-plan", why.to_string()))?;
                Ok(Some(plan))
            }
            Change::Unset { prefix } | Change::Expired { prefix } => {
                let message = || format!("nothing is set for {prefix} above the file");
                let set = self.overrides.get(prefix);
                set.ok_or_else(|| Refusal::new("not-set", message()))?;
                Ok(None)
            }
        }
    }

    /// Makes a change undone that the journal does not keep.
    fn undo(&mut self, entry: &Entry, before: Option<Override>) {
        let (prefix, change) = match (&entry.change, &before) {
            (Change::Set(set), None) => (set.prefix, Change::Unset { prefix: set.prefix }),
            (Change::Set(set), Some(before)) => (set.prefix, Change::Set(before.set.clone())),
            (Change::Unset { prefix } | Change::Expired { prefix }, Some(before)) => {
                (*prefix, Change::Set(before.set.clone()))
            }
            (Change::Unset { .. } | Change::Expired { .. }, None) => return,
        };
        let plan = match &change {
            Change::Set(set) => self.live.program().plan_for(set.prefix, &set.plan).ok(),
            Change::Unset { .. } | Change::Expired { .. } => None,
        };
        let done = match plan {
            Some(plan) => self.patiently(|live| live.set(prefix, plan)),
            None => self.patiently(|live| live.unset(prefix)),
        };
        if let Err(why) = done {
            (self.say)(
                Weight::Warning,
                format_args!(
                    "{prefix}: a change that could not be kept could not be undone: {why}"
                ),
            );
            return;
        }
        let (at, who) = before.map_or_else(
            || (entry.at, entry.who.clone()),
            |before| (before.at, before.who),
        );
        self.overrides.apply(&Entry { at, who, change });
        self.remember_for_compiling(prefix, self.overrides.get(&prefix).cloned());
    }

    /// Does something to the tables, waiting for workers to begin bursts where that makes room.
    pub(super) fn patiently(
        &mut self,
        change: impl Fn(&mut Live) -> Result<(), LiveError>,
    ) -> Result<(), String> {
        let end = Instant::now() + self.setup.stall;
        loop {
            match change(&mut self.live) {
                Ok(()) => return Ok(()),
                Err(LiveError::Waiting(_)) if Instant::now() < end => {
                    // Nobody may have told the workers of tables that were built anew.
                    self.settle();
                    sleep(LOOK);
                }
                Err(why) => return Err(why.to_string()),
            }
        }
    }

    /// Sees to it that every worker decides by all changes up to now; says how many do.
    pub(super) fn settle(&mut self) -> usize {
        if !self.crew.has(self.live.tables()) {
            return self.assign(false);
        }
        let readers = Arc::clone(self.live.readers());
        let epoch = readers.advance();
        let end = Instant::now() + self.setup.stall;
        while !readers.have_passed(epoch) && Instant::now() < end {
            sleep(LOOK);
        }
        self.crew.workers() - readers.behind(epoch).min(self.crew.workers())
    }

    fn tidy_journal(&mut self) {
        if let Err(why) = self.journal.tidy(&self.overrides) {
            (self.say)(Weight::Warning, format_args!("{why}"));
        }
    }

    /// The plan of a prefix's first address.
    fn plan_name(&self, prefix: IpNet) -> Option<String> {
        let plan = self.live.plan_of(prefix.network());
        let legend = &self.live.tables().legend;
        legend.plan(plan).map(|(_, plan)| plan.name.clone())
    }
}
