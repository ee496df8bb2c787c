//! What was counted, by pipelines and by capsule, and whether it agrees.

use metrics_core::{Key, Observe as _, Observer};
use sekisho::control::Totals;
use sekisho::policy::Legend;
use sekisho::stats::Counters;
use sekisho::worker::Replies;
use std::fmt;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What all pipelines counted, as far as they have ended.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Sums>);

#[derive(Debug, Default)]
struct Sums {
    rx: u64,
    totals: Totals,
    replies: Replies,
}

/// What one pipeline counted.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Frames received, counted where they come in.
    pub rx: u64,
    /// What became of them, counted where it is decided.
    pub counters: &'a Counters,
    /// What became of the rejected frames.
    pub replies: Replies,
    /// What the numbers of rules and plans stand for.
    pub legend: &'a Legend,
}

/// What capsule's ports sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// Frames that a port took.
    pub transmitted: u64,
    /// Frames that capsule gave up, as a transmit queue was full.
    pub tx_full: u64,
}

/// All of it.
#[derive(Debug)]
pub struct Account {
    sums: Sums,
    sent: Sent,
}

impl Ledger {
    /// Adds what a pipeline counted.
    pub fn enter(&self, entry: Entry<'_>) {
        let mut sums = self.sums();
        sums.rx += entry.rx;
        sums.totals.add(entry.legend, entry.counters);
        sums.replies += entry.replies;
    }

    /// All, when every pipeline has ended; then it is empty.
    pub fn close(&self, sent: Sent) -> Account {
        Account {
            sums: mem::take(&mut *self.sums()),
            sent,
        }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sent {
    /// As capsule counted it until now. A runtime has been built.
    pub fn by_capsule() -> Self {
        let mut sent = Self::default();
        capsule::metrics::global().controller().observe(&mut sent);
        sent
    }
}

impl Observer for Sent {
    fn observe_counter(&mut self, key: Key, value: u64) {
        let is_tx = key
            .labels()
            .any(|label| (label.key(), label.value()) == ("dir", "tx"));
        match key.name().as_ref() {
            "capsule.port.packets" if is_tx => self.transmitted += value,
            "capsule.port.dropped" if is_tx => self.tx_full += value,
            _ => {}
        }
    }

    fn observe_gauge(&mut self, _key: Key, _value: i64) {}

    fn observe_histogram(&mut self, _key: Key, _values: &[u64]) {}
}

impl Account {
    /// Whether every frame that was received has a verdict, and every one that was to leave has left
    /// or was counted; where nothing but such pipelines sends in this process.
    pub fn balances(&self) -> bool {
        let Sums {
            rx,
            totals,
            replies,
        } = &self.sums;
        let leaving = totals.decided() - totals.discarded() + replies.generated;
        *rx == totals.decided() && leaving == self.sent.transmitted + self.sent.tx_full
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sums {
            rx,
            totals,
            replies,
        } = &self.sums;
        let Sent {
            transmitted,
            tx_full,
        } = self.sent;
        for counted in totals.reasons() {
            writeln!(f, "{:<40} {:>12}", counted.name, counted.frames)?;
        }
        writeln!(f, "replies   {replies}")?;
        writeln!(
            f,
            "balance   rx {rx} + generated {} = discarded {} + transmitted {transmitted} + tx-full {tx_full}",
            replies.generated,
            totals.discarded(),
        )
    }
}
