//! What the data plane looks verdicts up in.

use crate::lpm::{Ipv4Table, Ipv6Table};
use crate::policy::{Action, Class, Mode, Plan, Resolved, ReturnPath, Rule, Tenant};
use crate::wire::Family;
use jiff::Timestamp;
use std::sync::Arc;

/// A plan of a tenant, numbered over all tenants; 0 means no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PlanId(pub u8);

impl PlanId {
    /// No subscriber prefix matches.
    pub const NONE: Self = Self(0);
}

/// One distinct combination of (tenant → destination class); 0 is `other` to every tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PeerSetId(pub u8);

impl PeerSetId {
    /// `other` to every tenant.
    pub const OTHER: Self = Self(0);
}

/// A rule of a tenant, numbered over all tenants; 0 means that no rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RuleId(pub u16);

impl RuleId {
    /// No rule matches: forward.
    pub const NONE: Self = Self(0);
}

/// Which way a frame goes, seen from the subscriber of whom a rule speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Direction {
    /// From the subscriber: the peer's port is the destination port.
    Out = 0,
    /// To the subscriber: the peer's port is the source port.
    In = 1,
}

/// What the matrix is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// IP version of the header that carries TCP.
    pub family: Family,
    /// Which way.
    pub direction: Direction,
    /// Out: SYN set and ACK clear. In: SYN set (the mirror takes SYN-ACK and bare SYN).
    pub opening: bool,
    /// The subscriber's plan.
    pub plan: PlanId,
    /// Who the peer is.
    pub peer_set: PeerSetId,
}

/// All that a verdict needs, as of one stretch of time.
///
/// Cloning is three reference counts: phases share what did not change.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Address → plan, address → peer set.
    pub prefixes: Arc<PrefixTables>,
    /// Question → rule.
    pub matrix: Arc<Matrix>,
    /// Ids → names, for people.
    pub legend: Arc<Legend>,
}

impl Tables {
    /// The plan of an address; IPv4 addresses stand in the low 32 bits.
    pub fn plan(&self, family: Family, address: u128) -> PlanId {
        PlanId(match family {
            Family::V4 => self.prefixes.v4_subscribers.lookup(address as u32),
            Family::V6 => self.prefixes.v6_subscribers.lookup(address),
        })
    }

    /// The peer set of an address; IPv4 addresses stand in the low 32 bits.
    pub fn peer_set(&self, family: Family, address: u128) -> PeerSetId {
        PeerSetId(match family {
            Family::V4 => self.prefixes.v4_peers.lookup(address as u32),
            Family::V6 => self.prefixes.v6_peers.lookup(address),
        })
    }

    /// The rule that matches; [`RuleId::NONE`] when none does.
    pub fn rule(&self, question: Question) -> RuleId {
        self.matrix.judge(question).0
    }

    /// What a rule does; [`RuleId::NONE`] forwards.
    pub fn action(&self, rule: RuleId) -> Action {
        self.legend.action(rule)
    }
}

/// The four prefix tables, each shared with whoever writes to it.
#[derive(Clone, Debug)]
pub struct PrefixTables {
    /// IPv4 address → plan.
    pub v4_subscribers: Arc<Ipv4Table>,
    /// IPv6 address → plan.
    pub v6_subscribers: Arc<Ipv6Table>,
    /// IPv4 address → peer set.
    pub v4_peers: Arc<Ipv4Table>,
    /// IPv6 address → peer set.
    pub v6_peers: Arc<Ipv6Table>,
}

/// Question → rule, dense over the ids in use, so that it stays in the nearest caches.
#[derive(Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Ids in use, 0 included.
    plans: usize,
    /// Ids in use, 0 included.
    peer_sets: usize,
    /// family × direction × not-opening/opening × plan × peer set.
    cells: Box<[Cell]>,
    /// By direction: whether any rule matches segments that open nothing.
    judges_running: [bool; 2],
}

/// The rule that matches, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    rule: RuleId,
    action: Action,
}

impl Matrix {
    /// The rule that matches, and what it does; [`RuleId::NONE`], which forwards, for ids that are
    /// not in use.
    #[inline]
    pub fn judge(&self, question: Question) -> (RuleId, Action) {
        let plan = usize::from(question.plan.0);
        let peer_set = usize::from(question.peer_set.0);
        if plan >= self.plans || peer_set >= self.peer_sets {
            return (RuleId::NONE, Action::Forward);
        }
        let block = (question.family as usize * 2 + question.direction as usize) * 2
            + usize::from(question.opening);
        let index = (block * self.plans + plan) * self.peer_sets + peer_set;
        let cell = self.cells.get(index);
        cell.map_or((RuleId::NONE, Action::Forward), |cell| {
            (cell.rule, cell.action)
        })
    }

    /// Whether any rule matches segments of a direction that open no connection.
    pub fn judges_running(&self, direction: Direction) -> bool {
        let [out, inward] = self.judges_running;
        match direction {
            Direction::Out => out,
            Direction::In => inward,
        }
    }

    /// What the matrix takes.
    pub fn memory_bytes(&self) -> u64 {
        size_of_val::<[Cell]>(&self.cells) as u64
    }

    /// Evaluates the rules, as of an instant; `None` is before every event.
    pub(super) fn build(legend: &Legend, as_of: Option<Timestamp>) -> Self {
        let plans = legend.plans.len() + 1;
        let peer_sets = legend.peer_sets.len();
        let mut cells = Vec::with_capacity(8 * plans * peer_sets);
        for family in [Family::V4, Family::V6] {
            let halves = [false, true].map(|opening| first_matches(legend, family, opening, as_of));
            for direction in [Direction::Out, Direction::In] {
                for half in &halves {
                    cells.resize(cells.len() + peer_sets, RuleId::NONE);
                    for (by_class, &(tenant, _)) in half.iter().zip(&legend.plans) {
                        let asked = judges(legend, tenant, direction);
                        cells.extend(legend.peer_sets.iter().map(|set| {
                            let class = set.get(tenant).filter(|_| asked);
                            let rule = class.and_then(|class| by_class.get(*class));
                            rule.copied().unwrap_or_default()
                        }));
                    }
                }
            }
        }
        let blocks: Vec<_> = cells.chunks(plans * peer_sets).collect();
        // In the order of the cells: of each family, out and in, not opening and opening.
        let judges_running = [0, 2].map(|not_opening| {
            let mut of_both = blocks.iter().skip(not_opening).step_by(4);
            of_both.any(|block| block.iter().any(|rule| *rule != RuleId::NONE))
        });
        Self {
            plans,
            peer_sets,
            judges_running,
            cells: cells
                .into_iter()
                .map(|rule| Cell {
                    rule,
                    action: legend.action(rule),
                })
                .collect(),
        }
    }
}

/// By plan, by class: the first rule that matches outbound.
fn first_matches(
    legend: &Legend,
    family: Family,
    opening: bool,
    as_of: Option<Timestamp>,
) -> Vec<Vec<RuleId>> {
    let mut rows = Vec::with_capacity(legend.plans.len());
    for (number, tenant) in legend.tenants().iter().enumerate() {
        let mut of_tenant: Vec<_> =
            vec![vec![RuleId::NONE; tenant.classes.len()]; tenant.plans.len()];
        // How many classes of a row no rule has matched yet: most rows are full after a few rules.
        let mut open = vec![tenant.classes.len(); tenant.plans.len()];
        for (id, rule) in legend.rules_of(number) {
            if !speaks_of(rule, family, opening, as_of) {
                continue;
            }
            for plan in &rule.plans {
                let (Some(row), Some(open)) = (of_tenant.get_mut(*plan), open.get_mut(*plan))
                else {
                    continue;
                };
                if *open > 0 {
                    *open -= fill(row, id, rule);
                }
            }
        }
        rows.extend(of_tenant);
    }
    rows
}

/// Gives a rule the classes that no earlier rule has; says how many.
fn fill(row: &mut [RuleId], id: RuleId, rule: &Rule) -> usize {
    let mut filled = 0;
    for (class, cell) in row.iter_mut().enumerate() {
        if *cell == RuleId::NONE && rule.to.holds(class) {
            *cell = id;
            filled += 1;
        }
    }
    filled
}

/// What the rules say to one question as of an instant, without tables: for people who ask how
/// long an answer holds, not for frames.
pub(super) fn evaluate(
    legend: &Legend,
    question: Question,
    as_of: Option<Timestamp>,
) -> (RuleId, Action) {
    let index = usize::from(question.plan.0).checked_sub(1);
    let place = index.and_then(|index| legend.plans.get(index));
    let class = place.and_then(|(tenant, _)| legend.class(*tenant, question.peer_set));
    let (Some(&(tenant, plan)), Some(class)) = (place, class) else {
        return (RuleId::NONE, Action::Forward);
    };
    let mut rules = legend
        .rules_of(tenant)
        .filter(|_| judges(legend, tenant, question.direction))
        .filter(|(_, rule)| speaks_of(rule, question.family, question.opening, as_of));
    let first = rules.find(|(_, rule)| rule.plans.contains(&plan) && rule.to.holds(class));
    first.map_or((RuleId::NONE, Action::Forward), |(id, rule)| {
        (id, rule.action)
    })
}

/// Whether a tenant's rules are asked about a direction.
fn judges(legend: &Legend, tenant: usize, direction: Direction) -> bool {
    match direction {
        Direction::Out => true,
        Direction::In => legend.tenants().get(tenant).is_some_and(is_mirrored),
    }
}

fn is_mirrored(tenant: &Tenant) -> bool {
    match tenant.return_path {
        ReturnPath::Mirror => true,
        ReturnPath::Forward => false,
    }
}

/// Whether a rule holds as of an instant, for these segments.
fn speaks_of(rule: &Rule, family: Family, opening: bool, as_of: Option<Timestamp>) -> bool {
    let segments = match rule.mode {
        Mode::Syn => opening,
        Mode::Any => true,
    };
    let [v4, v6] = rule.families;
    let of_family = match family {
        Family::V4 => v4,
        Family::V6 => v6,
    };
    segments && of_family && holds(rule, as_of)
}

/// Whether a rule holds: from `from` on, no longer at `before`. `None` is before every event.
fn holds(rule: &Rule, as_of: Option<Timestamp>) -> bool {
    rule.from <= as_of && rule.before.is_none_or(|before| as_of < Some(before))
}

/// What the ids stand for.
#[derive(Debug)]
pub struct Legend {
    resolved: Arc<Resolved>,
    /// By `PlanId` − 1: indices of tenant and plan, ascending.
    plans: Vec<(usize, usize)>,
    /// By `RuleId` − 1: indices of tenant and rule, ascending.
    rules: Vec<(usize, usize)>,
    /// By `PeerSetId`: by tenant, the class.
    peer_sets: Vec<Box<[usize]>>,
    /// By rule; the first is that of [`RuleId::NONE`].
    actions: Box<[Action]>,
}

impl Legend {
    /// Numbers what was resolved; the caller has checked that the numbers suffice.
    pub(crate) fn new(resolved: Arc<Resolved>, peer_sets: Vec<Box<[usize]>>) -> Self {
        let tenants = || resolved.tenants.iter().enumerate();
        let plans = tenants().flat_map(|(t, of)| (0..of.plans.len()).map(move |p| (t, p)));
        let rules = tenants().flat_map(|(t, of)| (0..of.rules.len()).map(move |r| (t, r)));
        let written = tenants().flat_map(|(_, of)| of.rules.iter().map(|rule| rule.action));
        Self {
            plans: plans.collect(),
            rules: rules.collect(),
            peer_sets,
            actions: std::iter::once(Action::Forward).chain(written).collect(),
            resolved,
        }
    }

    fn action(&self, rule: RuleId) -> Action {
        let action = self.actions.get(usize::from(rule.0));
        action.copied().unwrap_or(Action::Forward)
    }

    /// The tenants, in the order given.
    pub fn tenants(&self) -> &[Tenant] {
        &self.resolved.tenants
    }

    /// The index of the tenant of that name.
    pub fn tenant_named(&self, name: &str) -> Option<usize> {
        self.tenants().iter().position(|tenant| tenant.name == name)
    }

    /// Every plan id in use, in order.
    pub fn plan_ids(&self) -> impl ExactSizeIterator<Item = PlanId> + use<> {
        let last = u8::try_from(self.plans.len()).unwrap_or(u8::MAX);
        (1..=last).map(PlanId)
    }

    /// Every rule id in use, in order.
    pub fn rule_ids(&self) -> impl ExactSizeIterator<Item = RuleId> + use<> {
        let last = u16::try_from(self.rules.len()).unwrap_or(u16::MAX);
        (1..=last).map(RuleId)
    }

    /// Every peer set id in use, in order; 0 is one of them.
    pub fn peer_set_ids(&self) -> impl ExactSizeIterator<Item = PeerSetId> + use<> {
        let last = u8::try_from(self.peer_sets.len().saturating_sub(1)).unwrap_or(u8::MAX);
        (0..=last).map(PeerSetId)
    }

    /// The index of the tenant whose plan it is.
    pub fn tenant_of(&self, plan: PlanId) -> Option<usize> {
        let index = usize::from(plan.0).checked_sub(1)?;
        self.plans.get(index).map(|(tenant, _)| *tenant)
    }

    /// A plan and its tenant.
    pub fn plan(&self, id: PlanId) -> Option<(&Tenant, &Plan)> {
        let index = usize::from(id.0).checked_sub(1)?;
        let &(tenant, plan) = self.plans.get(index)?;
        let tenant = self.resolved.tenants.get(tenant)?;
        Some((tenant, tenant.plans.get(plan)?))
    }

    /// The plan of that name of a tenant.
    pub fn plan_named(&self, tenant: usize, name: &str) -> Option<PlanId> {
        let of = self.resolved.tenants.get(tenant)?;
        let index = of.plans.iter().position(|plan| plan.name == name)?;
        Some(self.plan_at(tenant, index))
    }

    /// The id of a plan by its place: index of the tenant, index in [`Tenant::plans`].
    pub fn plan_at(&self, tenant: usize, plan: usize) -> PlanId {
        let index = self.plans.binary_search(&(tenant, plan));
        let number = index.ok().and_then(|index| u8::try_from(index + 1).ok());
        number.map_or(PlanId::NONE, PlanId)
    }

    /// A rule and its tenant.
    pub fn rule(&self, id: RuleId) -> Option<(&Tenant, &Rule)> {
        let index = usize::from(id.0).checked_sub(1)?;
        let &(tenant, rule) = self.rules.get(index)?;
        let tenant = self.resolved.tenants.get(tenant)?;
        Some((tenant, tenant.rules.get(rule)?))
    }

    /// The index of the tenant whose rule it is.
    pub fn tenant_of_rule(&self, id: RuleId) -> Option<usize> {
        let index = usize::from(id.0).checked_sub(1)?;
        self.rules.get(index).map(|(tenant, _)| *tenant)
    }

    /// The rule of that name of a tenant.
    pub fn rule_named(&self, tenant: usize, name: &str) -> Option<RuleId> {
        let of = self.resolved.tenants.get(tenant)?;
        let index = of.rules.iter().position(|rule| rule.name == name)?;
        let number = self.rules.binary_search(&(tenant, index)).ok()?;
        u16::try_from(number + 1).ok().map(RuleId)
    }

    /// The rules of a tenant, in order, with their ids.
    pub fn rules_of(&self, tenant: usize) -> impl Iterator<Item = (RuleId, &Rule)> {
        let before = self.rules.partition_point(|(of, _)| *of < tenant);
        let ids = self.rule_ids().skip(before);
        let of = self.resolved.tenants.get(tenant);
        ids.zip(of.into_iter().flat_map(|of| &of.rules))
    }

    /// The class of a peer as a tenant sees it: its index in [`Tenant::classes`].
    pub fn class(&self, tenant: usize, peer_set: PeerSetId) -> Option<usize> {
        let set = self.peer_sets.get(usize::from(peer_set.0))?;
        set.get(tenant).copied()
    }

    /// The class of a peer as the tenant of a plan sees it; `None` without a plan.
    pub fn class_seen(&self, plan: PlanId, peer_set: PeerSetId) -> Option<&Class> {
        let tenant = self.tenant_of(plan)?;
        let class = self.class(tenant, peer_set)?;
        self.resolved.tenants.get(tenant)?.classes.get(class)
    }

    /// The name of [`Self::class_seen`]; empty without a plan.
    pub fn class_name(&self, plan: PlanId, peer_set: PeerSetId) -> &str {
        self.class_seen(plan, peer_set)
            .map_or("", |class| class.name.as_str())
    }

    /// A peer set of which a tenant sees that class; `None` if no address ever is in it.
    pub fn peer_set_with(&self, tenant: usize, class: usize) -> Option<PeerSetId> {
        self.peer_set_ids()
            .find(|id| self.class(tenant, *id) == Some(class))
    }
}
