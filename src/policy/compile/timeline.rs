//! Which tables hold when.
//!
//! Between two [`Event`]s nothing changes. A rule that begins or ends changes the matrix alone:
//! the prefix tables are shared. An exemption that expires changes the prefix tables; they are
//! built when first asked for, and the last two are kept, so that time stamps that go back and
//! forth over an event cost nothing more.

use super::legend::Legend;
use super::matrix::evaluate;
use super::program::Program;
use super::tables::{PlanId, PrefixTables, Question, RuleId, Tables};
use crate::lpm::TooLarge;
use crate::policy::{Origin, Resolved};
use ipnet::IpNet;
use jiff::Timestamp;
use std::sync::{Arc, PoisonError};

/// How many prefix tables, and how many epochs, are kept for the next question.
const KEPT: usize = 2;

/// A stretch of time in which nothing changes, and its tables.
#[derive(Clone, Debug)]
pub struct Epoch {
    /// The first instant; `None` = since ever.
    pub since: Option<Timestamp>,
    /// The first instant that no longer belongs to it; `None` = for ever.
    pub until: Option<Timestamp>,
    /// The tables.
    pub tables: Arc<Tables>,
}

impl Epoch {
    /// Whether an instant belongs to it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.since <= Some(at) && self.until.is_none_or(|until| at < until)
    }
}

/// A change that an instant brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The first instant of the new state.
    pub at: Timestamp,
    /// Index of the tenant whose policy says so.
    pub tenant: usize,
    /// What changes.
    pub change: Change,
    /// Where it is written.
    pub origin: Origin,
}

/// What an event changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A rule holds from now on.
    RuleBegins {
        /// The rule.
        rule: RuleId,
        /// Its name.
        name: String,
    },
    /// A rule holds no longer.
    RuleEnds {
        /// The rule.
        rule: RuleId,
        /// Its name.
        name: String,
    },
    /// A prefix no longer gives its plan.
    ExemptionExpires {
        /// The prefix.
        prefix: IpNet,
        /// The plan that it gave.
        plan: PlanId,
        /// Its name.
        name: String,
        /// Why it was given.
        ticket: Option<String>,
    },
}

/// The stretch of time around an instant in which a question keeps its action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant; `None` = since ever.
    pub since: Option<Timestamp>,
    /// The first instant that no longer belongs to it; `None` = for ever.
    pub until: Option<Timestamp>,
}

/// What was built last, newest first.
#[derive(Debug, Default)]
pub(super) struct Built {
    epochs: Vec<Epoch>,
    /// Each with the last expiry before it.
    prefixes: Vec<(Option<Timestamp>, Arc<PrefixTables>)>,
}

impl Built {
    /// Begins with the tables before every event.
    pub(crate) fn new(first: PrefixTables) -> Self {
        Self {
            epochs: Vec::new(),
            prefixes: vec![(None, Arc::new(first))],
        }
    }
}

impl Program {
    /// The tables at an instant, and how long they hold. Instants may come in any order.
    ///
    /// # Errors
    /// [`TooLarge`] when the prefix tables would pass the memory limit after an exemption has
    /// expired, although they did not with it.
    pub fn at(&self, at: Timestamp) -> Result<Epoch, TooLarge> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = built.epochs.iter().position(|epoch| epoch.holds(at)) {
            let epoch = built.epochs.remove(index);
            built.epochs.insert(0, epoch.clone());
            return Ok(epoch);
        }
        let epoch = self.build(&mut built, at)?;
        built.epochs.insert(0, epoch.clone());
        built.epochs.truncate(KEPT);
        Ok(epoch)
    }

    /// Every change that is written, in the order of time.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How long, around an instant, a question keeps its action.
    pub fn span(&self, question: Question, at: Timestamp) -> Span {
        let action = |as_of| evaluate(self.legend(), question, as_of).1;
        let now = action(Some(at));
        let instants = self.rule_instants.as_slice();
        let passed = instants.partition_point(|instant| *instant <= at);
        let (before, after) = instants.split_at_checked(passed).unwrap_or_default();
        let starts = std::iter::once(None).chain(before.iter().copied().map(Some));
        let mut stretches: Vec<_> = starts.zip(before).collect();
        // Backwards: the nearest stretch that says otherwise ends where this one begins.
        stretches.reverse();
        let mut stretches = stretches.into_iter();
        let otherwise = stretches.find(|(start, _)| action(*start) != now);
        let until = after.iter().find(|start| action(Some(**start)) != now);
        Span {
            since: otherwise.map(|(_, end)| *end),
            until: until.copied(),
        }
    }

    fn build(&self, built: &mut Built, at: Timestamp) -> Result<Epoch, TooLarge> {
        let passed = self.events.partition_point(|event| event.at <= at);
        let (before, after) = self.events.split_at_checked(passed).unwrap_or_default();
        let expired = before.iter().rfind(|event| event.is_expiry());
        let prefixes = self.prefixes(built, expired.map(|event| event.at))?;
        let matrix = Arc::new(self.build_matrix(Some(at)));
        let legend = Arc::clone(self.legend());
        Ok(Epoch {
            since: before.last().map(|event| event.at),
            until: after.first().map(|event| event.at),
            tables: Arc::new(Tables {
                prefixes,
                matrix,
                legend,
            }),
        })
    }

    fn prefixes(
        &self,
        built: &mut Built,
        expired: Option<Timestamp>,
    ) -> Result<Arc<PrefixTables>, TooLarge> {
        let kept = built.prefixes.iter().position(|(at, _)| *at == expired);
        let entry = match kept {
            Some(index) => built.prefixes.remove(index),
            None => {
                // The oldest goes first: there are never more than are kept.
                built.prefixes.truncate(KEPT - 1);
                let stale = |epoch: &Epoch| {
                    let prefixes = &epoch.tables.prefixes;
                    !built
                        .prefixes
                        .iter()
                        .any(|(_, kept)| Arc::ptr_eq(kept, prefixes))
                };
                built.epochs.retain(|epoch| !stale(epoch));
                (expired, Arc::new(self.build_prefixes(expired)?))
            }
        };
        let prefixes = Arc::clone(&entry.1);
        built.prefixes.insert(0, entry);
        Ok(prefixes)
    }
}

impl Event {
    /// What changes, in a few words: `rule everyone-else begins`.
    pub fn text(&self) -> String {
        match &self.change {
            Change::RuleBegins { name, .. } => format!("rule {name} begins"),
            Change::RuleEnds { name, .. } => format!("rule {name} ends"),
            Change::ExemptionExpires {
                prefix,
                name,
                ticket,
                ..
            } => {
                let ticket = ticket.as_ref().map(|ticket| format!(" (ticket {ticket})"));
                format!(
                    "{prefix} no longer has plan {name}{}",
                    ticket.unwrap_or_default()
                )
            }
        }
    }

    pub(super) fn is_expiry(&self) -> bool {
        match self.change {
            Change::RuleBegins { .. } | Change::RuleEnds { .. } => false,
            Change::ExemptionExpires { .. } => true,
        }
    }
}

/// The distinct instants at which the matrix changes: found once, since a million exemptions may
/// be among the events, and every cell of a published table asks.
pub(super) fn rule_instants(events: &[Event]) -> Vec<Timestamp> {
    let rules = events.iter().filter(|event| !event.is_expiry());
    let mut instants: Vec<_> = rules.map(|event| event.at).collect();
    instants.dedup();
    instants
}

/// Every change that the policies write down, in the order of time, then of writing.
pub(super) fn events(resolved: &Resolved, legend: &Legend) -> Vec<Event> {
    let mut events = Vec::new();
    for id in legend.rule_ids() {
        let (Some(tenant), Some((_, rule))) = (legend.tenant_of_rule(id), legend.rule(id)) else {
            continue;
        };
        let mut push = |at: Option<Timestamp>, change| {
            events.extend(at.map(|at| Event {
                at,
                tenant,
                change,
                origin: rule.origin.clone(),
            }));
        };
        let name = || rule.name.clone();
        push(
            rule.from,
            Change::RuleBegins {
                rule: id,
                name: name(),
            },
        );
        push(
            rule.before,
            Change::RuleEnds {
                rule: id,
                name: name(),
            },
        );
    }
    for (tenant, of) in resolved.tenants.iter().enumerate() {
        for subscriber in &of.subscribers {
            let Some((at, plan)) = subscriber.until.zip(of.plans.get(subscriber.plan)) else {
                continue;
            };
            let change = Change::ExemptionExpires {
                prefix: subscriber.prefix,
                plan: legend.plan_at(tenant, subscriber.plan),
                name: plan.name.clone(),
                ticket: subscriber.ticket.clone(),
            };
            let origin = subscriber.origin.clone();
            events.push(Event {
                at,
                tenant,
                change,
                origin,
            });
        }
    }
    events.sort_by_key(|event| event.at);
    events
}
