//! What control asks of a worker, between two bursts, without either waiting for the other.
//!
//! ```text
//! control   put an order ─▶ "order 7" ─────────────▶ … ─────▶ take it back: what was exchanged
//! worker    … burst ─▶ 7 is new: carry it out, put it back ─▶ "7 done" ─▶ burst …
//! ```
//! An order is an exchange in place: what the worker needs is made by control beforehand, and what
//! it no longer needs goes back, so that a worker neither allocates nor frees. Looking whether there
//! is an order is one load of a cache line that is written to once an order.

use super::trace::TraceRoom;
use super::{Balance, Progress, Replies};
use crate::lpm::{Reader, Readers};
use crate::policy::{Legend, Tables};
use crate::stats::{Counters, Tally};
use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a worker decides by, and what it counts in.
#[derive(Debug)]
pub struct Assignment {
    /// The tables.
    pub tables: Arc<Tables>,
    /// A tally with a place for each of their rules and plans. `None` where the rules and plans
    /// keep their numbers: the worker goes on counting in the one that it has.
    pub tally: Option<Tally>,
}

impl Assignment {
    /// Tables, and a new tally of their shape.
    pub fn new(tables: &Arc<Tables>) -> Box<Self> {
        Box::new(Self {
            tables: Arc::clone(tables),
            tally: Some(tally(tables)),
        })
    }
}

/// What is asked of a worker. It is given back when it is done.
#[derive(Debug)]
pub enum Order {
    /// Decide by these tables from the next burst on. Given back: the ones from before, with the
    /// tally that was counted in, if a new one came.
    Assign(Box<Assignment>),
    /// Say what was done up to now.
    Report(Box<Report>),
    /// Keep the next frames, with what became of them. Given back: the room from before.
    Trace(Option<TraceRoom>),
}

/// What a worker has done, as of a moment between two bursts.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whether every frame that was received is accounted for.
    pub balance: Balance,
    /// What became of the frames that are to be answered.
    pub replies: Replies,
    /// How the worker passes its time.
    pub progress: Progress,
    /// What was counted in the present tally.
    pub counters: Counters,
}

impl Report {
    /// Nothing yet, with room for what is counted by these rules and plans.
    pub fn room(legend: &Legend) -> Box<Self> {
        Box::new(Self {
            balance: Balance::default(),
            replies: Replies::default(),
            progress: Progress::default(),
            counters: Counters::new(legend.rule_ids().len(), legend.plan_ids().len()),
        })
    }
}

/// Control's end: where it leaves orders for one worker, one after the other.
#[derive(Debug)]
pub struct Orders {
    desk: Arc<Desk>,
    given: u64,
}

/// A worker's end: what it begins with, and where it finds orders.
#[derive(Debug)]
pub struct Post {
    pub(super) tables: Arc<Tables>,
    pub(super) tally: Tally,
    reader: Reader,
    desk: Arc<Desk>,
    done: u64,
}

/// What the two ends share.
#[derive(Default)]
struct Desk {
    given: CachePadded<AtomicU64>,
    done: CachePadded<AtomicU64>,
    /// Control's, but between `given` and `done`.
    order: AtomicCell<Option<Box<Order>>>,
}

impl Post {
    /// Where a worker begins that decides by these tables. Whoever writes to them waits for these
    /// readers: the worker becomes one.
    pub fn new(tables: &Arc<Tables>, readers: &Arc<Readers>) -> (Self, Orders) {
        let desk = Arc::new(Desk::default());
        let post = Self {
            tables: Arc::clone(tables),
            tally: tally(tables),
            reader: readers.register(),
            desk: Arc::clone(&desk),
            done: 0,
        };
        (post, Orders { desk, given: 0 })
    }

    /// Announces a burst; says whether there is an order. Every poll does so, also one that finds no
    /// frames.
    #[inline]
    pub(super) fn announce(&mut self) -> bool {
        self.reader.announce();
        self.desk.given.load(Ordering::Acquire) != self.done
    }

    /// The order that is there, to be given back when it is carried out.
    pub(super) fn take(&mut self) -> Option<Box<Order>> {
        self.desk.order.take()
    }

    /// Gives back an order that was carried out.
    pub(super) fn give_back(&mut self, order: Box<Order>) {
        // There is none: control leaves none before it has this one back.
        self.desk.order.store(Some(order));
        self.done += 1;
        self.desk.done.store(self.done, Ordering::Release);
    }

    /// Takes other tables; gives back the ones from before.
    pub(super) fn exchange(&mut self, assignment: &mut Assignment) {
        std::mem::swap(&mut self.tables, &mut assignment.tables);
        if let Some(tally) = &mut assignment.tally {
            std::mem::swap(&mut self.tally, tally);
        }
    }
}

impl Orders {
    /// Leaves an order, if the worker has done the one before.
    ///
    /// # Errors
    /// It has not, and the order comes back.
    pub fn give(&mut self, order: Order) -> Result<(), Order> {
        if !self.is_done() {
            return Err(order);
        }
        self.desk.order.store(Some(Box::new(order)));
        self.given += 1;
        self.desk.given.store(self.given, Ordering::Release);
        Ok(())
    }

    /// Whether the worker has done all that it was told.
    pub fn is_done(&self) -> bool {
        self.desk.done.load(Ordering::Acquire) == self.given
    }

    /// The order that was done last, with what was exchanged; once.
    pub fn take_back(&mut self) -> Option<Order> {
        if !self.is_done() {
            return None;
        }
        self.desk.order.take().map(|order| *order)
    }
}

fn tally(tables: &Tables) -> Tally {
    let legend = &tables.legend;
    Tally::new(legend.rule_ids().len(), legend.plan_ids().len())
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("given", &self.given)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}
