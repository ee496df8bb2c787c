//! The workers, as control sees them.

use super::totals::Totals;
use crate::policy::{Legend, Live, Tables};
use crate::stats::Counters;
use crate::worker::{
    Assignment, Balance, Done, Lcore, Order, Orders, Post, Progress, Replies, Report, TraceRoom,
};
use std::mem;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long control sleeps between two looks whether workers have done what they were told: a
/// worker looks once a burst.
const LOOK: Duration = Duration::from_micros(20);

/// All workers of a run.
#[derive(Debug)]
pub struct Crew {
    members: Vec<Member>,
    /// What all have, or get as soon as they can.
    tables: Arc<Tables>,
    stall: Duration,
    /// Of earlier tallies.
    totals: Totals,
}

/// One worker.
#[derive(Debug)]
struct Member {
    orders: Orders,
    lcore: Lcore,
    /// The rules and plans that its tally counts by.
    legend: Arc<Legend>,
    /// The tables that it does not have yet.
    missing: Option<Missing>,
    /// The order that waits, by what it brings.
    waiting: Option<Waiting>,
    /// What it said last.
    report: Option<Box<Report>>,
    /// Whether it has said so since it was asked.
    fresh: bool,
    answered: Option<Duration>,
    trace: Vec<TraceRoom>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    /// Of the tables that it brings.
    legend: Option<Arc<Legend>>,
}

/// Tables for a worker that was not there to take them.
#[derive(Debug)]
struct Missing {
    tables: Arc<Tables>,
    renumbered: bool,
}

/// What all workers together have done, as of now.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// The law.
    pub balance: Balance,
    /// Of rejected frames.
    pub replies: Replies,
    /// What was decided.
    pub totals: Totals,
}

/// What one worker does.
#[derive(Clone, Copy, Debug)]
pub struct Doing {
    /// Where it runs.
    pub lcore: Lcore,
    /// How it passes its time.
    pub progress: Progress,
    /// How long its last answer took; `None` while it owes one for too long.
    pub answered: Option<Duration>,
}

impl Crew {
    /// A worker for each lcore, all beginning with the same tables, and a post for each. A worker
    /// that lets an order wait for longer than `stall` is stalled.
    pub fn new(lcores: &[Lcore], live: &Live, stall: Duration) -> (Self, Vec<Post>) {
        let (tables, readers) = (live.tables(), live.readers());
        let (posts, members) = lcores
            .iter()
            .map(|lcore| {
                let (post, orders) = Post::new(tables, readers);
                (post, Member::new(orders, *lcore, tables))
            })
            .unzip();
        let crew = Self {
            members,
            tables: Arc::clone(tables),
            stall,
            totals: Totals::default(),
        };
        (crew, posts)
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.members.len()
    }

    /// Gives every worker other tables; says how many have them when it returns. A stalled one gets
    /// them when it is back. `renumbered` says that rules and plans have other numbers, so that they
    /// are counted in another tally.
    pub fn assign(&mut self, tables: &Arc<Tables>, renumbered: bool) -> usize {
        self.tables = Arc::clone(tables);
        for member in &mut self.members {
            let renumbered = renumbered || member.missing.as_ref().is_some_and(|m| m.renumbered);
            let tables = Arc::clone(tables);
            member.missing = Some(Missing { tables, renumbered });
        }
        self.until(|member| member.missing.is_none() && member.waiting.is_none());
        let have = |member: &&Member| member.missing.is_none() && member.waiting.is_none();
        self.members.iter().filter(have).count()
    }

    /// Whether these are the tables that were given to the workers last.
    pub fn has(&self, tables: &Arc<Tables>) -> bool {
        Arc::ptr_eq(&self.tables, tables)
    }

    /// Asks every worker how it does.
    pub fn ask(&mut self) {
        self.until(|member| member.waiting.is_none());
        for member in &mut self.members {
            member.fresh = false;
        }
        self.until(|member| member.fresh);
    }

    /// Asks every worker how it does, without waiting; says which have let an order wait for too
    /// long.
    pub fn watch(&mut self) -> Vec<Lcore> {
        for member in &mut self.members {
            member.step(&mut self.totals);
            if member.waiting.is_none() {
                member.ask();
            }
        }
        let stalled = self.members.iter().filter(|m| m.is_stalled(self.stall));
        stalled.map(|member| member.lcore).collect()
    }

    /// What all have done, as far as they have said.
    pub fn sum(&self) -> Sum {
        let mut sum = Sum {
            balance: Balance::default(),
            replies: Replies::default(),
            totals: self.totals.clone(),
        };
        for member in &self.members {
            if let Some(report) = &member.report {
                sum.balance += report.balance;
                sum.replies += report.replies;
                sum.totals.add(&member.legend, &report.counters);
            }
        }
        sum
    }

    /// What each does, as far as it has said.
    pub fn doing(&self) -> Vec<Doing> {
        let doing = |member: &Member| Doing {
            lcore: member.lcore,
            progress: member
                .report
                .as_ref()
                .map(|r| r.progress)
                .unwrap_or_default(),
            answered: member.answered.filter(|_| !member.is_stalled(self.stall)),
        };
        self.members.iter().map(doing).collect()
    }

    /// Has every worker keep its next frames, `frames` of them each; what was kept until then is
    /// given back.
    pub fn trace(&mut self, frames: Option<usize>) -> Vec<TraceRoom> {
        self.until(|member| member.waiting.is_none());
        for member in &mut self.members {
            if member.waiting.is_none() {
                member.give(Order::Trace(frames.map(TraceRoom::new)), None);
            }
        }
        self.until(|member| member.waiting.is_none());
        let kept = self
            .members
            .iter_mut()
            .flat_map(|m| mem::take(&mut m.trace));
        kept.collect()
    }

    /// What all have done, when they are done.
    pub fn finish(mut self, done: &[Done]) -> Sum {
        // An order that was carried out last may have brought a tally back.
        for member in &mut self.members {
            member.step(&mut self.totals);
            member.report = None;
        }
        let mut sum = self.sum();
        for (member, done) in self.members.iter().zip(done) {
            sum.balance += done.balance;
            sum.replies += done.replies;
            sum.totals.add(&member.legend, &done.counters);
        }
        sum
    }

    /// Carries on with every worker until this holds for each, or those for which it does not are
    /// stalled.
    fn until(&mut self, is: impl Fn(&Member) -> bool) {
        let end = Instant::now() + self.stall;
        loop {
            for member in &mut self.members {
                member.step(&mut self.totals);
                if member.waiting.is_none() && !is(member) {
                    member.ask();
                }
            }
            if self.members.iter().all(&is) || Instant::now() >= end {
                return;
            }
            sleep(LOOK);
        }
    }
}

impl Member {
    fn new(orders: Orders, lcore: Lcore, tables: &Tables) -> Self {
        Self {
            orders,
            lcore,
            legend: Arc::clone(&tables.legend),
            missing: None,
            waiting: None,
            report: None,
            fresh: false,
            answered: None,
            trace: Vec::new(),
        }
    }

    fn is_stalled(&self, stall: Duration) -> bool {
        let waiting = self.waiting.as_ref();
        waiting.is_some_and(|waiting| waiting.since.elapsed() >= stall)
    }

    /// Takes back what was done, and gives the tables that are missing.
    fn step(&mut self, totals: &mut Totals) {
        let Some(Waiting { since, legend }) = self.waiting.take() else {
            return self.catch_up();
        };
        let Some(order) = self.orders.take_back() else {
            self.waiting = Some(Waiting { since, legend });
            return;
        };
        self.answered = Some(since.elapsed());
        self.legend = legend.unwrap_or_else(|| Arc::clone(&self.legend));
        match order {
            Order::Report(report) => {
                self.report = Some(report);
                self.fresh = true;
            }
            Order::Trace(room) => self.trace.extend(room),
            // The tables from before are freed here, and not by the worker.
            Order::Assign(mut assignment) => {
                if let Some(tally) = &mut assignment.tally {
                    totals.add(&assignment.tables.legend, tally.counters());
                    // It was of the tally from before.
                    if let Some(report) = &mut self.report {
                        report.counters = Report::room(&self.legend).counters;
                    }
                }
            }
        }
        self.catch_up();
    }

    fn catch_up(&mut self) {
        let Some(Missing { tables, renumbered }) = self.missing.take() else {
            return;
        };
        let mut assignment = Assignment::new(&tables);
        if !renumbered {
            assignment.tally = None;
        }
        self.give(Order::Assign(assignment), Some(Arc::clone(&tables.legend)));
    }

    /// Room for a report by the present tally: the last one, if it has that.
    fn room(&mut self) -> Box<Report> {
        let fits = |counters: &Counters| {
            counters.rules().len() == self.legend.rule_ids().len() + 1
                && counters.plans().len() == self.legend.plan_ids().len() + 1
        };
        match self.report.as_ref().filter(|report| fits(&report.counters)) {
            Some(report) => report.clone(),
            None => Report::room(&self.legend),
        }
    }

    fn ask(&mut self) {
        let room = self.room();
        self.give(Order::Report(room), None);
    }

    fn give(&mut self, order: Order, legend: Option<Arc<Legend>>) {
        // Whoever gives one has looked that none is waiting.
        if self.orders.give(order).is_ok() {
            let since = Instant::now();
            self.waiting = Some(Waiting { since, legend });
        }
    }
}
