//! The tables of the present, for all cores.

use anyhow::Context as _;
use jiff::Timestamp;
use sekisho::policy::{Epoch, Legend, Program, Tables};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Policies, and the stretch of time between two of their events that is now.
#[derive(Debug)]
pub struct Schedule {
    program: Program,
    epochs: Mutex<Epochs>,
    /// How often it changed.
    changes: AtomicU64,
}

#[derive(Debug)]
struct Epochs {
    now: Epoch,
    /// Tables from before that a pipeline may yet hold: they are not to be freed by one, which has
    /// frames to forward.
    retired: Vec<Arc<Tables>>,
}

/// One pipeline's view of it.
#[derive(Debug)]
pub struct Present {
    schedule: Arc<Schedule>,
    seen: u64,
    tables: Arc<Tables>,
}

impl Schedule {
    /// As of an instant, or as of now.
    ///
    /// # Errors
    /// The tables are too large.
    pub fn new(program: Program, at: Option<Timestamp>) -> anyhow::Result<Self> {
        let at = at.unwrap_or_else(Timestamp::now);
        let epoch = program.at(at).context("the policies cannot be compiled")?;
        Ok(Self {
            program,
            epochs: Mutex::new(Epochs {
                now: epoch,
                retired: Vec::new(),
            }),
            changes: AtomicU64::new(0),
        })
    }

    /// Has the rules of an instant in force, if others are.
    pub fn advance(&self, now: Timestamp) {
        let Epochs {
            now: epoch,
            retired,
        } = &mut *self.epochs();
        retired.retain(|tables| Arc::strong_count(tables) > 1);
        if epoch.holds(now) {
            return;
        }
        match self.program.at(now) {
            Ok(next) => {
                retired.push(mem::replace(epoch, next).tables);
                self.changes.fetch_add(1, Ordering::Release);
            }
            Err(error) => tracing::error!("the rules from before stay in force: {error}"),
        }
    }

    /// What the numbers of rules and plans stand for; they are the same at all times.
    pub fn legend(&self) -> &Arc<Legend> {
        self.program.legend()
    }

    /// A view for one pipeline.
    pub fn present(self: &Arc<Self>) -> Present {
        let epochs = self.epochs();
        Present {
            schedule: Arc::clone(self),
            seen: self.changes.load(Ordering::Acquire),
            tables: Arc::clone(&epochs.now.tables),
        }
    }

    fn epochs(&self) -> MutexGuard<'_, Epochs> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Present {
    /// The tables in force: one load, but after a change.
    #[inline]
    pub fn tables(&mut self) -> &Tables {
        if self.schedule.changes.load(Ordering::Acquire) != self.seen {
            *self = self.schedule.present();
        }
        &self.tables
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho::policy::{Path, Question, load_with};
    use sekisho::wire::Family;

    const POLICY: &str = "
isp: example-net
time_zone: Asia/Tokyo
plans: { home: { kind: dynamic } }
subscribers: [{ plan: home, prefixes: [198.51.100.0/25] }]
destinations: {}
rules: [{ name: op25b, kinds: [dynamic], from: 2026-12-01, action: drop }]
";

    /// Whether any rule speaks of a SYN to port 25.
    fn is_ruled(present: &mut Present) -> bool {
        let tables = present.tables();
        let home = u32::from_be_bytes([198, 51, 100, 1]).into();
        let question = Question {
            family: Family::V4,
            path: Path::Outbound,
            opening: true,
            plan: tables.plan(Family::V4, home),
            peer_set: tables.peer_set(Family::V4, 0),
        };
        tables.rule(question).0 > 0
    }

    #[test]
    fn a_dated_rule_begins_at_its_second_for_whoever_looks() {
        let last = "2026-11-30T23:59:59+09:00".parse().unwrap();
        let first = "2026-12-01T00:00:00+09:00".parse().unwrap();
        let read = |_: &std::path::Path| Ok(POLICY.into());
        let loaded = load_with(&["policy.yaml".to_owned()], last, &read);
        let program = Program::compile(Arc::new(loaded.resolved.unwrap())).unwrap();
        let schedule = Arc::new(Schedule::new(program, Some(last)).unwrap());

        let mut early = schedule.present();
        schedule.advance(last);
        assert!(!is_ruled(&mut early));
        schedule.advance(first);
        assert!(is_ruled(&mut early));
        assert!(is_ruled(&mut schedule.present()));
    }
}
