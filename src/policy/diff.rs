//! Whom a change of policy hits: exactly, over the partition that both policies' prefixes make.
//!
//! The addresses of subscribers collapse to the distinct pairs of (old plan, new plan), those of
//! peers to the distinct pairs of (old peer set, new peer set); only the product of the pairs is
//! judged, so that the number of prefixes counts once.

use super::compile::partition::{Interval, Partition, join, overlay};
use super::compile::program::Program;
use super::compile::tables::{Path, PeerSetId, PlanId, Question, RuleId, Tables};
use super::sentence::Lang;
use super::{Action, Limit, Reply, Then};
use crate::lpm::TooLarge;
use crate::wire::Family;
use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What differs between two programs at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Subscribers for whom some verdict changes.
    pub subscribers: Vec<Addresses>,
    /// Changes of verdict.
    pub changes: Vec<Change>,
    /// Changes between forwarding, and forwarding and counting: nobody notices.
    pub counting: Vec<Change>,
}

/// Addresses of one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// IP version.
    #[serde(rename = "ip_version", serialize_with = "version")]
    pub family: Family,
    /// The fewest prefixes that hold them, in order.
    #[serde(serialize_with = "texts")]
    pub prefixes: Vec<IpNet>,
    /// How many; a string in JSON, since few readers keep more than 53 bits.
    #[serde(serialize_with = "text")]
    pub count: u128,
}

/// Some segments between some addresses get another action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which segments, of those with port 25.
    pub segments: Vec<Segment>,
    /// Under the old policy.
    pub old: Side,
    /// Under the new policy.
    pub new: Side,
    /// Of whom.
    pub subscribers: Addresses,
    /// Toward whom.
    pub peers: Addresses,
}

/// The segments that policies tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Segment {
    /// To a peer's port 25, SYN set, ACK clear.
    OutOpening,
    /// To a peer's port 25, all others.
    OutLater,
    /// From a peer's port 25, SYN set.
    InOpening,
    /// From a peer's port 25, all others.
    InLater,
    /// To port 25 of the subscriber or host, SYN set, ACK clear.
    CalledOpening,
    /// To port 25 of the subscriber or host, all others.
    CalledLater,
}

impl Segment {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::OutOpening,
        Self::OutLater,
        Self::InOpening,
        Self::InLater,
        Self::CalledOpening,
        Self::CalledLater,
    ];

    /// On which path, and whether it opens a connection: two fields of a [`Question`].
    pub const fn parts(self) -> (Path, bool) {
        match self {
            Self::OutOpening => (Path::Outbound, true),
            Self::OutLater => (Path::Outbound, false),
            Self::InOpening => (Path::Return, true),
            Self::InLater => (Path::Return, false),
            Self::CalledOpening => (Path::Inbound, true),
            Self::CalledLater => (Path::Inbound, false),
        }
    }
}

/// How one of two policies sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Whose subscribers; `None` without a plan.
    pub tenant: Option<String>,
    /// Their plan.
    pub plan: Option<String>,
    /// The class of the peers, as the tenant sees them.
    pub class: Option<String>,
    /// The rule that matches.
    pub rule: Option<String>,
    /// What happens.
    #[serde(serialize_with = "label")]
    pub action: Action,
    /// The same with its particulars.
    pub text: String,
}

/// Compares two programs at an instant.
///
/// # Errors
/// [`TooLarge`] as [`Program::at`] has it.
pub fn diff(old: &Program, new: &Program, at: Timestamp) -> Result<Diff, TooLarge> {
    let tables = Both {
        old: old.at(at)?.tables,
        new: new.at(at)?.tables,
    };
    let mut diff = Diff::default();
    for family in [Family::V4, Family::V6] {
        let plans = |program: &Program| program.subscriber_partition(family, at);
        let peer_sets = |program: &Program| program.peer_partition(family, at);
        let subscribers = collapse(overlay(&plans(old), &plans(new)));
        let peers = collapse(overlay(&peer_sets(old), &peer_sets(new)));
        let groups = judge(&tables, family, &subscribers, &peers);
        report(&tables, family, (&subscribers, &peers), groups, &mut diff);
    }
    Ok(diff)
}

type Pair<T> = (T, T);
type Places<T> = BTreeMap<Pair<T>, Vec<Interval>>;

struct Both {
    old: std::sync::Arc<Tables>,
    new: std::sync::Arc<Tables>,
}

/// What people see as one change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    plans: Pair<PlanId>,
    classes: Pair<Option<usize>>,
    rules: Pair<RuleId>,
    segments: Vec<Segment>,
}

fn collapse<T: Ord + Copy>(parts: Partition<Pair<T>>) -> Places<T> {
    let mut places: Places<T> = BTreeMap::new();
    for (interval, pair) in parts {
        places.entry(pair).or_default().push(interval);
    }
    places
}

/// Judges every pair of plans against every pair of peer sets; gives the groups whose action
/// changes, each with its pairs of peer sets.
fn judge(
    tables: &Both,
    family: Family,
    subscribers: &Places<PlanId>,
    peers: &Places<PeerSetId>,
) -> BTreeMap<Group, Vec<Pair<PeerSetId>>> {
    let mut groups: BTreeMap<Group, Vec<Pair<PeerSetId>>> = BTreeMap::new();
    let both = |plans: Pair<PlanId>, sets: Pair<PeerSetId>, segment: Segment| {
        let rule = |tables: &Tables, plan, peer_set| {
            let (path, opening) = segment.parts();
            tables.rule(Question {
                family,
                path,
                opening,
                plan,
                peer_set,
            })
        };
        (
            rule(&tables.old, plans.0, sets.0),
            rule(&tables.new, plans.1, sets.1),
        )
    };
    for plans in subscribers.keys() {
        for sets in peers.keys() {
            let mut outcomes: BTreeMap<Pair<RuleId>, Vec<Segment>> = BTreeMap::new();
            for segment in Segment::ALL {
                let rules = both(*plans, *sets, segment);
                let path = segment.parts().0;
                let old = effect(&tables.old, rules.0, (family, path));
                if old != effect(&tables.new, rules.1, (family, path)) {
                    outcomes.entry(rules).or_default().push(segment);
                }
            }
            let class = |tables: &Tables, plan, set| {
                tables.legend.class(tables.legend.tenant_of(plan)?, set)
            };
            for (rules, segments) in outcomes {
                let group = Group {
                    plans: *plans,
                    classes: (
                        class(&tables.old, plans.0, sets.0),
                        class(&tables.new, plans.1, sets.1),
                    ),
                    rules,
                    segments,
                };
                groups.entry(group).or_default().push(*sets);
            }
        }
    }
    groups
}

/// Puts names and prefixes to the groups.
fn report(
    tables: &Both,
    family: Family,
    (subscribers, peers): (&Places<PlanId>, &Places<PeerSetId>),
    groups: BTreeMap<Group, Vec<Pair<PeerSetId>>>,
    diff: &mut Diff,
) {
    let of_plans = |plans: Pair<PlanId>| subscribers.get(&plans).into_iter().flatten().copied();
    let mut affected: Vec<Interval> = Vec::new();
    let mut last_plans = None;
    for (group, sets) in groups {
        let toward = sets.iter().flat_map(|sets| peers.get(sets)).flatten();
        let change = Change {
            old: side(
                &tables.old,
                (group.plans.0, group.classes.0, group.rules.0),
                family,
            ),
            new: side(
                &tables.new,
                (group.plans.1, group.classes.1, group.rules.1),
                family,
            ),
            subscribers: addresses(family, of_plans(group.plans).collect()),
            peers: addresses(family, toward.copied().collect()),
            segments: group.segments,
        };
        if passes(change.old.action) && passes(change.new.action) {
            diff.counting.push(change);
            continue;
        }
        diff.changes.push(change);
        // Groups come ordered by their plans.
        if last_plans.replace(group.plans) != Some(group.plans) {
            affected.extend(of_plans(group.plans));
        }
    }
    if !affected.is_empty() {
        diff.subscribers.push(addresses(family, affected));
    }
}

/// What a rule does to segments of one path, and in whose name: callers of the other paths than
/// outbound are told nothing.
fn effect(
    tables: &Tables,
    rule: RuleId,
    (family, path): (Family, Path),
) -> (Action, Option<IpAddr>) {
    let action = tables.action(rule);
    match (path, action) {
        (Path::Outbound, _) => (action, source(tables, rule, family)),
        (Path::Return | Path::Inbound, Action::Reject(_)) => (Action::Drop, None),
        (Path::Return | Path::Inbound, Action::Limit(limit)) => {
            let then = match limit.then {
                Then::Reject(_) => Then::Drop,
                then @ (Then::Drop | Then::Count) => then,
            };
            (Action::Limit(Limit { then, ..limit }), None)
        }
        (Path::Return | Path::Inbound, _) => (action, None),
    }
}

/// Whom the ICMP errors of a rule are from.
fn source(tables: &Tables, rule: RuleId, family: Family) -> Option<IpAddr> {
    match tables.reply(rule, family)? {
        (Reply::Icmp, source) => source,
        (Reply::Rst, _) => None,
    }
}

/// Whether everything passes, counted or not.
fn passes(action: Action) -> bool {
    match action {
        Action::Forward | Action::Count => true,
        Action::Drop | Action::Reject(_) | Action::Limit(_) => false,
    }
}

fn side(
    tables: &Tables,
    (plan, class, rule): (PlanId, Option<usize>, RuleId),
    family: Family,
) -> Side {
    let seen = tables.legend.plan(plan);
    let class = class.and_then(|class| seen?.0.classes.get(class));
    let named = tables.legend.rule(rule);
    let action = tables.action(rule);
    let from = source(tables, rule, family).map(|source| format!(" from {source}"));
    Side {
        tenant: seen.map(|(tenant, _)| tenant.name.clone()),
        plan: seen.map(|(_, plan)| plan.name.clone()),
        class: class.map(|class| class.name.clone()),
        rule: named.map(|(_, rule)| rule.name.clone()),
        action,
        text: action.text(Lang::En) + &from.unwrap_or_default(),
    }
}

fn addresses(family: Family, intervals: Vec<Interval>) -> Addresses {
    let intervals = join(intervals);
    let counts = intervals.iter().map(|interval| interval.addresses());
    Addresses {
        family,
        count: counts.fold(0, u128::saturating_add),
        prefixes: intervals.iter().flat_map(|i| i.prefixes(family)).collect(),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde wants"
)]
fn version<S: Serializer>(family: &Family, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u8(match family {
        Family::V4 => 4,
        Family::V6 => 6,
    })
}

fn texts<S: Serializer>(prefixes: &[IpNet], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(prefixes.iter().map(ToString::to_string))
}

fn text<S: Serializer>(count: &u128, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(count)
}

fn label<S: Serializer>(action: &Action, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(action.label())
}
