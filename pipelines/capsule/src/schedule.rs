//! The tables of the present, for all cores.

use anyhow::Context as _;
use jiff::Timestamp;
use sekisho::policy::{Epoch, Legend, Program, Tables};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Policies, and the stretch of time between two of their events that is now.
#[derive(Debug)]
pub struct Schedule {
    program: Program,
    epoch: Mutex<Epoch>,
    /// How often it changed.
    changes: AtomicU64,
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
            epoch: Mutex::new(epoch),
            changes: AtomicU64::new(0),
        })
    }

    /// Has the rules of an instant in force, if others are.
    pub fn advance(&self, now: Timestamp) {
        let mut epoch = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        if epoch.holds(now) {
            return;
        }
        match self.program.at(now) {
            Ok(next) => {
                *epoch = next;
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
        let epoch = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        Present {
            schedule: Arc::clone(self),
            seen: self.changes.load(Ordering::Acquire),
            tables: Arc::clone(&epoch.tables),
        }
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
