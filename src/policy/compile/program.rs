//! Resolved policies become a [`Program`]: ids are numbered, prefixes ordered, limits checked.

use super::legend::Legend;
use super::matrix::Matrix;
use super::partition::{Interval, Partition, flatten, reduce, sort_nested};
use super::peers::{Peers, Timed, TooMany};
use super::tables::{PeerSetId, PlanId, PrefixTables};
use super::timeline::{Built, Event, events, rule_instants};
use crate::lpm::{Ipv4Table, Ipv6Table, TooLarge};
use crate::policy::diagnostic::{Code, Diagnostic, Label};
use crate::policy::{Origin, Resolved, Tenant};
use crate::wire::Family;
use ipnet::{Ipv4Net, Ipv6Net};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::sync::{Arc, Mutex};

/// The most plans, and the most peer sets besides the one that is `other` to everybody.
const MOST_IDS: usize = u8::MAX as usize;
/// The most rules.
const MOST_RULES: usize = u16::MAX as usize;

/// Compiled policies: [`crate::policy::Tables`] for any instant.
///
/// Compile once, share by reference: [`Program::at`] takes `&self` from any thread.
#[derive(Debug)]
pub struct Program {
    resolved: Arc<Resolved>,
    legend: Arc<Legend>,
    /// By family, ordered as [`sort_nested`] does.
    subscribers: [Vec<(Interval, Lease)>; 2],
    /// By family, ordered likewise.
    peers: [Vec<(Interval, Timed)>; 2],
    memory: Memory,
    pub(super) events: Vec<Event>,
    /// The distinct instants at which the matrix changes.
    pub(super) rule_instants: Vec<Timestamp>,
    pub(super) built: Mutex<Built>,
}

/// A plan that a prefix gives, until it expires.
#[derive(Clone, Copy, Debug)]
struct Lease {
    plan: PlanId,
    until: Option<Timestamp>,
}

/// What the tables take, in bytes, with every exemption still in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Memory {
    /// IPv4 address → plan.
    pub v4_subscribers_bytes: u64,
    /// IPv6 address → plan.
    pub v6_subscribers_bytes: u64,
    /// IPv4 address → peer set.
    pub v4_peers_bytes: u64,
    /// IPv6 address → peer set.
    pub v6_peers_bytes: u64,
    /// Question → rule.
    pub matrix_bytes: u64,
}

impl Memory {
    /// The sum.
    pub fn total_bytes(&self) -> u64 {
        self.v4_subscribers_bytes
            + self.v6_subscribers_bytes
            + self.v4_peers_bytes
            + self.v6_peers_bytes
            + self.matrix_bytes
    }
}

impl Program {
    /// Compiles policies that were resolved without error.
    ///
    /// # Errors
    /// More ids than there are (`too-many-ids`), or prefix tables over the memory limit
    /// (`tables-too-large`); the limit is checked before the memory is taken.
    pub fn compile(resolved: Arc<Resolved>) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = count_ids(&resolved);
        let peers = match Peers::new(&resolved) {
            Ok(peers) => peers,
            Err(TooMany(origin)) => {
                diagnostics.push(too_many_peer_sets(origin));
                return Err(diagnostics);
            }
        };
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        let legend = Arc::new(Legend::new(Arc::clone(&resolved), peers.sets));
        let events = events(&resolved, &legend);
        let mut program = Self {
            subscribers: [leases(&resolved, Family::V4), leases(&resolved, Family::V6)],
            peers: peers.prefixes,
            memory: Memory {
                v4_subscribers_bytes: 0,
                v6_subscribers_bytes: 0,
                v4_peers_bytes: 0,
                v6_peers_bytes: 0,
                matrix_bytes: 0,
            },
            rule_instants: rule_instants(&events),
            events,
            built: Mutex::default(),
            legend,
            resolved,
        };
        program.build_first()?;
        Ok(program)
    }

    /// What was compiled.
    pub fn resolved(&self) -> &Arc<Resolved> {
        &self.resolved
    }

    /// What the ids stand for, at every instant.
    pub fn legend(&self) -> &Arc<Legend> {
        &self.legend
    }

    /// What the tables take.
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// The plan of every address of a family at an instant.
    pub fn subscriber_partition(&self, family: Family, at: Timestamp) -> Partition<PlanId> {
        let active: Vec<_> = self.subscribers_as_of(family, Some(at)).collect();
        plans_of(flatten(&active, family, 0))
    }

    /// The peer set of every address of a family at an instant.
    pub fn peer_partition(&self, family: Family, at: Timestamp) -> Partition<PeerSetId> {
        let active: Vec<_> = self.peers_as_of(family, Some(at)).collect();
        let parts = flatten(&active, family, 0);
        parts
            .into_iter()
            .map(|(i, id)| (i, PeerSetId(id)))
            .collect()
    }

    fn build_first(&mut self) -> Result<(), Vec<Diagnostic>> {
        let prefixes = self.build_prefixes(None);
        let prefixes = prefixes.map_err(|too_large| vec![self.too_large(too_large)])?;
        let matrix = self.build_matrix(None);
        self.memory = Memory {
            v4_subscribers_bytes: prefixes.v4_subscribers.memory_bytes(),
            v6_subscribers_bytes: prefixes.v6_subscribers.memory_bytes(),
            v4_peers_bytes: prefixes.v4_peers.memory_bytes(),
            v6_peers_bytes: prefixes.v6_peers.memory_bytes(),
            matrix_bytes: matrix.memory_bytes(),
        };
        self.built = Mutex::new(Built::new(prefixes));
        Ok(())
    }

    /// The plan that the file gives to exactly these addresses, and until when.
    pub(super) fn leased(
        &self,
        family: Family,
        interval: Interval,
    ) -> Option<(PlanId, Option<Timestamp>)> {
        let leases = match family {
            Family::V4 => &self.subscribers[0],
            Family::V6 => &self.subscribers[1],
        };
        let order = |of: &Interval| (of.start, Reverse(of.end));
        let place = leases.binary_search_by_key(&order(&interval), |(of, _)| order(of));
        let (_, lease) = leases.get(place.ok()?)?;
        Some((lease.plan, lease.until))
    }

    /// Builds the four prefix tables as of an instant; `None` is before every event.
    pub(super) fn build_prefixes(
        &self,
        as_of: Option<Timestamp>,
    ) -> Result<PrefixTables, TooLarge> {
        let limit_bytes = self.resolved.memory_limit_bytes;
        let subscribers = |family| reduce(self.subscribers_as_of(family, as_of));
        let v4_subscribers = Ipv4Table::build(&v4_nets(&subscribers(Family::V4)), limit_bytes)?;
        let mut used_bytes = v4_subscribers.memory_bytes();
        let v6_subscribers = within(limit_bytes, used_bytes, |left| {
            Ipv6Table::build(&v6_nets(&subscribers(Family::V6)), left)
        })?;
        used_bytes += v6_subscribers.memory_bytes();
        let (v4_peers, v6_peers) = within(limit_bytes, used_bytes, |left| {
            self.build_peers(as_of, left)
        })?;
        Ok(PrefixTables {
            v4_subscribers: Arc::new(v4_subscribers),
            v6_subscribers: Arc::new(v6_subscribers),
            v4_peers,
            v6_peers,
        })
    }

    /// Builds the tables of peers as of an instant; `None` is before every event.
    pub(super) fn build_peers(
        &self,
        as_of: Option<Timestamp>,
        limit_bytes: u64,
    ) -> Result<(Arc<Ipv4Table>, Arc<Ipv6Table>), TooLarge> {
        let peers = |family| reduce(self.peers_as_of(family, as_of));
        let v4 = Ipv4Table::build(&v4_nets(&peers(Family::V4)), limit_bytes)?;
        let v6 = within(limit_bytes, v4.memory_bytes(), |left| {
            Ipv6Table::build(&v6_nets(&peers(Family::V6)), left)
        })?;
        Ok((Arc::new(v4), Arc::new(v6)))
    }

    /// Builds the matrix as of an instant; `None` is before every event.
    pub(super) fn build_matrix(&self, as_of: Option<Timestamp>) -> Matrix {
        Matrix::build(&self.legend, as_of)
    }

    pub(super) fn subscribers_as_of(
        &self,
        family: Family,
        as_of: Option<Timestamp>,
    ) -> impl Iterator<Item = (Interval, u8)> {
        let leases = match family {
            Family::V4 => &self.subscribers[0],
            Family::V6 => &self.subscribers[1],
        };
        let active = move |lease: &Lease| lease.until.is_none_or(|until| as_of < Some(until));
        leases
            .iter()
            .filter(move |(_, lease)| active(lease))
            .map(|(interval, lease)| (*interval, lease.plan.0))
    }

    fn peers_as_of(
        &self,
        family: Family,
        as_of: Option<Timestamp>,
    ) -> impl Iterator<Item = (Interval, u8)> {
        let peers = match family {
            Family::V4 => &self.peers[0],
            Family::V6 => &self.peers[1],
        };
        peers.iter().map(move |(i, timed)| (*i, timed.at(as_of)))
    }

    fn too_large(&self, too_large: TooLarge) -> Diagnostic {
        let label = |tenant: &Tenant| Label {
            origin: tenant.origin.clone(),
            text: format!("the prefixes of `{}` are among them", tenant.name),
        };
        // The build stops at the first table that does not fit: "at least".
        Diagnostic {
            severity: Code::TABLES_TOO_LARGE.severity,
            code: Code::TABLES_TOO_LARGE.name,
            message: format!(
                "the prefix tables need at least {} MiB; the memory limit is {} MiB",
                too_large.needed_bytes.div_ceil(1 << 20),
                too_large.limit_bytes >> 20
            ),
            labels: self.resolved.tenants.iter().map(label).collect(),
            help: Some("raise `memory-limit-mib`, or list fewer prefixes and, for IPv6, fewer different lengths between /41 and /64".to_owned()),
        }
    }
}

/// Builds a table in what earlier ones left; sizes in the error are those of all together.
fn within<T>(
    limit_bytes: u64,
    used_bytes: u64,
    build: impl FnOnce(u64) -> Result<T, TooLarge>,
) -> Result<T, TooLarge> {
    build(limit_bytes.saturating_sub(used_bytes)).map_err(|too_large| TooLarge {
        needed_bytes: too_large.needed_bytes.saturating_add(used_bytes),
        limit_bytes,
    })
}

fn plans_of(parts: Partition<u8>) -> Partition<PlanId> {
    parts.into_iter().map(|(i, id)| (i, PlanId(id))).collect()
}

pub(super) fn v4_nets(prefixes: &[(Interval, u8)]) -> Vec<(Ipv4Net, u8)> {
    let net = |interval: Interval| {
        let host_bits = (interval.end - interval.start).count_ones();
        let length = u8::try_from(32_u32.checked_sub(host_bits)?).ok()?;
        Ipv4Net::new((interval.start as u32).into(), length).ok()
    };
    let nets = prefixes.iter().map(|(i, value)| Some((net(*i)?, *value)));
    nets.flatten().collect()
}

pub(super) fn v6_nets(prefixes: &[(Interval, u8)]) -> Vec<(Ipv6Net, u8)> {
    let net = |interval: Interval| {
        let host_bits = (interval.end - interval.start).count_ones();
        let length = u8::try_from(128_u32.checked_sub(host_bits)?).ok()?;
        Ipv6Net::new(interval.start.into(), length).ok()
    };
    let nets = prefixes.iter().map(|(i, value)| Some((net(*i)?, *value)));
    nets.flatten().collect()
}

/// The subscriber prefixes of a family over all tenants, with numbered plans.
fn leases(resolved: &Resolved, family: Family) -> Vec<(Interval, Lease)> {
    let mut leases = Vec::new();
    let mut before = 0;
    for tenant in &resolved.tenants {
        for subscriber in &tenant.subscribers {
            let (is, interval) = Interval::of(subscriber.prefix);
            let id = u8::try_from(before + subscriber.plan + 1);
            if let (true, Ok(id)) = (is == family, id) {
                let (plan, until) = (PlanId(id), subscriber.until);
                leases.push((interval, Lease { plan, until }));
            }
        }
        before += tenant.plans.len();
    }
    sort_nested(&mut leases);
    leases
}

fn count_ids(resolved: &Resolved) -> Vec<Diagnostic> {
    let tenants = || resolved.tenants.iter();
    let plans = tenants().flat_map(|t| t.plans.iter().map(|plan| &plan.origin));
    let rules = tenants().flat_map(|t| t.rules.iter().map(|rule| &rule.origin));
    let plans = too_many("plans", MOST_IDS, plans);
    plans
        .into_iter()
        .chain(too_many("rules", MOST_RULES, rules))
        .collect()
}

fn too_many<'a>(
    what: &str,
    most: usize,
    mut origins: impl Iterator<Item = &'a Origin>,
) -> Option<Diagnostic> {
    let first_over = origins.nth(most)?;
    let found = most + 1 + origins.count();
    Some(
        Diagnostic::new(
            Code::TOO_MANY_IDS,
            format!("{found} {what} over all policies, at most {most} are possible"),
            first_over,
            format!("this is number {}", most + 1),
        )
        .help("spread the policies over several boxes"),
    )
}

fn too_many_peer_sets(origin: &Origin) -> Diagnostic {
    Diagnostic::new(
        Code::TOO_MANY_IDS,
        format!(
            "more than {MOST_IDS} distinct combinations of destination classes over all policies"
        ),
        origin,
        "this prefix makes one more",
    )
    .help(
        "an address counts once for the classes that all tenants together give it: declare \
         fewer classes, or spread the policies over several boxes",
    )
}
