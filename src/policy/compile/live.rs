//! The tables of now, changed prefix by prefix while workers look up.

use super::partition::{Interval, number};
use super::program::{Program, v4_nets, v6_nets};
use super::tables::{PlanId, PrefixTables, Tables};
use super::timeline::Change;
use crate::lpm::{Headroom, Ipv4Writer, Ipv6Writer, Readers, Refused, TooLarge};
use crate::wire::Family;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use jiff::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// How many prefixes are changed one by one at most; more are cheaper in a table that is built
/// anew.
const ONE_BY_ONE: usize = 4_096;

/// A [`Program`] at work: its tables as of now, with plans above the file.
///
/// One thread owns it and changes it; workers hold its [tables](Self::tables), and see most changes
/// at once. Where a change took other tables (`Arc::ptr_eq` says so), they must be given to the
/// workers, and the ones from before kept until none has them.
#[derive(Debug)]
pub struct Live {
    program: Arc<Program>,
    readers: Arc<Readers>,
    as_of: Timestamp,
    tables: Arc<Tables>,
    v4: Ipv4Writer,
    v6: Ipv6Writer,
    above: HashMap<IpNet, PlanId>,
}

/// Why a change was not made; nothing, or only a part of it, has changed, and it can be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// The table has no room until workers have begun another burst.
    #[error("{0}")]
    Waiting(Refused),
    /// The memory limit of the policy.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Why a plan cannot be given to a prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchPlan {
    /// It is nobody's.
    #[error("{0} lies in no subscriber prefix of the policy")]
    NotASubscriber(IpNet),
    /// The provider whose subscriber it is has no such plan.
    #[error("`{isp}`, whose subscriber {prefix} is, has no plan `{plan}`")]
    Unknown {
        /// The prefix.
        prefix: IpNet,
        /// Whose.
        isp: String,
        /// The name that was given.
        plan: String,
    },
}

impl Live {
    /// The tables as of an instant, with plans above the file.
    ///
    /// # Errors
    /// With room for changes they would pass the memory limit.
    pub fn new(
        program: Arc<Program>,
        as_of: Timestamp,
        above: HashMap<IpNet, PlanId>,
        readers: &Arc<Readers>,
    ) -> Result<Self, TooLarge> {
        let epoch = program.at(as_of)?;
        let PrefixTables {
            v4_peers, v6_peers, ..
        } = &*epoch.tables.prefixes;
        let limit = program.resolved().memory_limit_bytes;
        let left = limit.saturating_sub(v4_peers.memory_bytes() + v6_peers.memory_bytes());
        let nets = v4_nets(
            &program
                .subscribers_as_of(Family::V4, Some(as_of))
                .collect::<Vec<_>>(),
        );
        let nets = with(nets, above.iter().filter_map(|(net, plan)| v4(*net, *plan)));
        let v4 = Ipv4Writer::build(&nets, headroom(nets.len()), readers, left)?;
        let left = left.saturating_sub(v4.table().memory_bytes());
        let nets = v6_nets(
            &program
                .subscribers_as_of(Family::V6, Some(as_of))
                .collect::<Vec<_>>(),
        );
        let nets = with(nets, above.iter().filter_map(|(net, plan)| v6(*net, *plan)));
        let v6 = Ipv6Writer::build(&nets, headroom(nets.len()), readers, left)?;
        let tables = Tables {
            prefixes: Arc::new(PrefixTables {
                v4_subscribers: Arc::clone(v4.table()),
                v6_subscribers: Arc::clone(v6.table()),
                v4_peers: Arc::clone(v4_peers),
                v6_peers: Arc::clone(v6_peers),
            }),
            matrix: Arc::clone(&epoch.tables.matrix),
            legend: Arc::clone(&epoch.tables.legend),
        };
        Ok(Self {
            readers: Arc::clone(readers),
            tables: Arc::new(tables),
            program,
            as_of,
            v4,
            v6,
            above,
        })
    }

    /// What was compiled.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// What workers decide by.
    pub fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }

    /// The instant that the tables are of.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// When the clock changes them next.
    pub fn next_event(&self) -> Option<Timestamp> {
        let events = self.program.events();
        let passed = events.partition_point(|event| event.at <= self.as_of);
        events.get(passed).map(|event| event.at)
    }

    /// The plan of an address, by what holds now.
    pub fn plan_of(&self, address: IpAddr) -> PlanId {
        let family = match address {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        };
        self.tables.plan(family, number(address))
    }

    /// Gives a prefix a plan above the file.
    ///
    /// # Errors
    /// See [`LiveError`].
    pub fn set(&mut self, prefix: IpNet, plan: PlanId) -> Result<(), LiveError> {
        let prefix = prefix.trunc();
        self.change(&[(prefix, Some(plan.0))])?;
        self.above.insert(prefix, plan);
        Ok(())
    }

    /// Takes such a plan back: what the file says holds again.
    ///
    /// # Errors
    /// See [`LiveError`].
    pub fn unset(&mut self, prefix: IpNet) -> Result<(), LiveError> {
        let prefix = prefix.trunc();
        self.change(&[(prefix, self.program.lease(prefix, self.as_of))])?;
        self.above.remove(&prefix);
        Ok(())
    }

    /// Moves on to a later instant; to an earlier one, it does nothing.
    ///
    /// # Errors
    /// See [`LiveError`].
    pub fn advance(&mut self, to: Timestamp) -> Result<(), LiveError> {
        let program = Arc::clone(&self.program);
        let events = program.events();
        let begin = events.partition_point(|event| event.at <= self.as_of);
        let end = events.partition_point(|event| event.at <= to);
        let passed = events.get(begin..end).unwrap_or_default();
        if passed.is_empty() {
            self.as_of = self.as_of.max(to);
            return Ok(());
        }
        let mut expired = Vec::new();
        for event in passed {
            if let Change::ExemptionExpires { prefix, .. } = event.change
                && !self.above.contains_key(&prefix)
            {
                expired.push((prefix, program.lease(prefix, to)));
            }
        }
        self.change(&expired)?;
        let mut tables = (*self.tables).clone();
        if passed.iter().any(super::timeline::Event::is_expiry) {
            // A prefix that is nobody's any more is no longer on-net either.
            let mut prefixes = (*tables.prefixes).clone();
            (prefixes.v4_peers, prefixes.v6_peers) =
                program.build_peers(Some(to), self.left_bytes())?;
            tables.prefixes = Arc::new(prefixes);
        }
        tables.matrix = Arc::new(program.build_matrix(Some(to)));
        self.tables = Arc::new(tables);
        self.as_of = to;
        Ok(())
    }

    /// What the memory limit leaves for others than the tables of subscribers.
    fn left_bytes(&self) -> u64 {
        let used = self.v4.table().memory_bytes() + self.v6.table().memory_bytes();
        self.program
            .resolved()
            .memory_limit_bytes
            .saturating_sub(used)
    }

    fn change(&mut self, changes: &[(IpNet, Option<u8>)]) -> Result<(), LiveError> {
        if changes.len() > ONE_BY_ONE {
            return self.rebuild(changes);
        }
        for change in changes {
            let done = match *change {
                (IpNet::V4(net), Some(value)) => self.v4.insert(net, value).map(drop),
                (IpNet::V4(net), None) => {
                    self.v4.remove(net);
                    Ok(())
                }
                (IpNet::V6(net), Some(value)) => self.v6.insert(net, value).map(drop),
                (IpNet::V6(net), None) => self.v6.remove(net).map(drop),
            };
            match done {
                Ok(()) => {}
                Err(Refused::Rebuild(_)) => self.rebuild(&[*change])?,
                Err(waiting @ Refused::Waiting { .. }) => return Err(LiveError::Waiting(waiting)),
            }
        }
        Ok(())
    }

    /// Makes changes in tables that are built anew.
    fn rebuild(&mut self, changes: &[(IpNet, Option<u8>)]) -> Result<(), LiveError> {
        let limit = self.program.resolved().memory_limit_bytes;
        let mut prefixes = (*self.tables.prefixes).clone();
        let peers = prefixes.v4_peers.memory_bytes() + prefixes.v6_peers.memory_bytes();
        let left = limit.saturating_sub(peers);
        let v4: Vec<_> = changes.iter().filter_map(v4_change).collect();
        if !v4.is_empty() {
            let room = headroom(self.v4.prefixes().len());
            let left = left.saturating_sub(prefixes.v6_subscribers.memory_bytes());
            self.v4.rebuild(&v4, room, left)?;
            prefixes.v4_subscribers = Arc::clone(self.v4.table());
        }
        let v6: Vec<_> = changes.iter().filter_map(v6_change).collect();
        if !v6.is_empty() {
            let room = headroom(self.v6.prefixes().len());
            let left = left.saturating_sub(prefixes.v4_subscribers.memory_bytes());
            self.v6.rebuild(&v6, room, left)?;
            prefixes.v6_subscribers = Arc::clone(self.v6.table());
        }
        self.tables = Arc::new(Tables {
            prefixes: Arc::new(prefixes),
            ..(*self.tables).clone()
        });
        Ok(())
    }

    /// The readers that a writer to these tables waits for.
    pub fn readers(&self) -> &Arc<Readers> {
        &self.readers
    }
}

/// Room for an eighth more prefixes, each in a page of its own, and for a few thousand at least.
fn headroom(prefixes: usize) -> Headroom {
    let pages = u32::try_from(prefixes / 8).unwrap_or(u32::MAX).max(4_096);
    Headroom {
        inner_pages: 256,
        leaf_pages: pages,
        keys: pages,
    }
}

/// Prefixes with others above them.
fn with<Net: Copy + Eq + std::hash::Hash>(
    nets: Vec<(Net, u8)>,
    above: impl Iterator<Item = (Net, u8)>,
) -> Vec<(Net, u8)> {
    let above: HashMap<_, _> = above.collect();
    let below = nets.into_iter().filter(|(net, _)| !above.contains_key(net));
    let below: Vec<_> = below.collect();
    below
        .into_iter()
        .chain(above.iter().map(|(net, value)| (*net, *value)))
        .collect()
}

fn v4(net: IpNet, plan: PlanId) -> Option<(Ipv4Net, u8)> {
    match net {
        IpNet::V4(net) => Some((net, plan.0)),
        IpNet::V6(_) => None,
    }
}

fn v6(net: IpNet, plan: PlanId) -> Option<(Ipv6Net, u8)> {
    match net {
        IpNet::V4(_) => None,
        IpNet::V6(net) => Some((net, plan.0)),
    }
}

fn v4_change((net, value): &(IpNet, Option<u8>)) -> Option<(Ipv4Net, Option<u8>)> {
    match net {
        IpNet::V4(net) => Some((*net, *value)),
        IpNet::V6(_) => None,
    }
}

fn v6_change((net, value): &(IpNet, Option<u8>)) -> Option<(Ipv6Net, Option<u8>)> {
    match net {
        IpNet::V4(_) => None,
        IpNet::V6(net) => Some((*net, *value)),
    }
}

impl Program {
    /// The plan that the file gives to exactly this prefix, as of an instant.
    fn lease(&self, prefix: IpNet, as_of: Timestamp) -> Option<u8> {
        let (family, interval) = Interval::of(prefix);
        let (plan, until) = self.leased(family, interval)?;
        until.is_none_or(|until| as_of < until).then_some(plan.0)
    }

    /// The plan of a name, of the provider whose subscriber a prefix is.
    ///
    /// # Errors
    /// See [`NoSuchPlan`].
    pub fn plan_for(&self, prefix: IpNet, plan: &str) -> Result<PlanId, NoSuchPlan> {
        let widths = (0..=prefix.prefix_len()).rev();
        let around = widths.filter_map(|length| IpNet::new(prefix.addr(), length).ok());
        let mut around = around.map(|net| Interval::of(net.trunc()));
        let covering = around.find_map(|(family, interval)| self.leased(family, interval));
        let tenant = covering.and_then(|(plan, _)| self.legend().tenant_of(plan));
        let tenant = tenant.ok_or(NoSuchPlan::NotASubscriber(prefix))?;
        let name = |tenant: usize| {
            let tenant = self.legend().tenants().get(tenant);
            tenant.map_or_else(String::new, |tenant| tenant.name.clone())
        };
        let found = self.legend().plan_named(tenant, plan);
        found.ok_or_else(|| NoSuchPlan::Unknown {
            prefix,
            isp: name(tenant),
            plan: plan.to_owned(),
        })
    }
}
