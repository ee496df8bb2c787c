//! The loop that takes frames from port to port, one on each core.
//!
//! ```text
//!  access port ─▶ rx_burst ─▶ parse ─▶ classify ─▶ decide ─▶ count ─▶ tx_burst ─▶ network port
//!       ▲                                            └ dropped: back to the pool      │
//!       └────────────────────────── the same, the other way ─────────────────────────┘
//! ```
//! A [`Worker`] owns its ports, its bursts and its counters, and shares nothing that is written to
//! with anybody: two workers are twice as fast as one. It takes no lock, allocates nothing, makes no
//! system call but its ports', and looks at what may have changed (the tables, whether it should
//! stop) once a burst. [`on_lcores`] starts several, each pinned.

mod balance;
mod current;
mod lcore;
mod passage;
mod threads;

pub use balance::Balance;
pub use current::Current;
pub use lcore::{Lcore, LcoreError};
pub use threads::{Stop, on_lcores};

use crate::io::port::Port;
use crate::stage::{Account, Facing};
use crate::stats::{Count, Counters, Tally};
use current::Latest;
use passage::Passage;

/// Takes frames between an access port, where subscribers are, and a network port.
#[derive(Debug)]
pub struct Worker<'t, A: Port, N: Port<Frame = A::Frame>> {
    tables: Latest<'t>,
    access: A,
    network: N,
    out: Passage<A::Frame>,
    inward: Passage<A::Frame>,
    tally: Tally,
}

/// What a worker did, when it is done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Whether every frame that was received is accounted for.
    pub balance: Balance,
    /// Frames that were to be forwarded, and that a transmit ring had no room for.
    pub tx_full: Count,
    /// What was decided.
    pub counters: Counters,
}

impl<'t, A: Port, N: Port<Frame = A::Frame>> Worker<'t, A, N> {
    /// A worker that decides by the current tables and counts by their rules and plans.
    pub fn new(current: &'t Current, account: Account, access: A, network: N) -> Self {
        Self {
            tables: current.latest(),
            access,
            network,
            out: Passage::new(Facing::Out, account),
            inward: Passage::new(Facing::In, account),
            tally: current.tally(),
        }
    }

    /// Takes one burst from each port, at most, to the other; says how many frames came.
    #[inline]
    pub fn poll_once(&mut self) -> usize {
        let Self {
            access,
            network,
            tally,
            ..
        } = self;
        let tables = self.tables.announce();
        let out = self.out.take_burst(access, network, tables, tally);
        let inward = self.inward.take_burst(network, access, tables, tally);
        out + inward
    }

    /// Polls until it is told to stop.
    pub fn run(&mut self, stop: &Stop) {
        while !stop.is_set() {
            self.poll_once();
        }
    }

    /// Lets frames leave that wait in transmit rings, as long as any does, and adds up.
    pub fn finish(mut self) -> Done {
        while self.access.reap() + self.network.reap() > 0 {}
        let mut tx_full = self.out.tx_full();
        tx_full += self.inward.tx_full();
        let counters = self.tally.counters().clone();
        Done {
            balance: Balance {
                rx: self.out.rx() + self.inward.rx(),
                decided: Balance::decided_in(&counters),
                discarded: Balance::discarded_in(&counters),
                tx_full: tx_full.frames,
                transmitted: self.access.transmitted() + self.network.transmitted(),
                held: self.access.held() + self.network.held(),
            },
            tx_full,
            counters,
        }
    }
}
