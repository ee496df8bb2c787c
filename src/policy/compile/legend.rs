//! Numbers and what they stand for.

use super::tables::{PeerSetId, PlanId, RuleId};
use crate::policy::{Action, Class, Kind, Plan, Resolved, Rule, Tenant};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The length of one address.
const WHOLE: u8 = 128;

/// What the ids stand for.
#[derive(Debug)]
pub struct Legend {
    resolved: Arc<Resolved>,
    /// By `PlanId` − 1: indices of tenant and plan, ascending.
    pub(super) plans: Vec<(usize, usize)>,
    /// By `RuleId` − 1: indices of tenant and rule, ascending.
    rules: Vec<(usize, usize)>,
    /// By `PeerSetId`: by tenant, the class.
    pub(super) peer_sets: Vec<Box<[usize]>>,
    /// By rule; the first is that of [`RuleId::NONE`].
    actions: Box<[Action]>,
    /// By rule, likewise: what names it also after a reload.
    keys: Box<[u64]>,
    /// By plan; the first is that of [`PlanId::NONE`].
    subscriber_lengths: Box<[u8]>,
}

impl Legend {
    /// Numbers what was resolved; the caller has checked that the numbers suffice.
    pub(crate) fn new(resolved: Arc<Resolved>, peer_sets: Vec<Box<[usize]>>) -> Self {
        let tenants = || resolved.tenants.iter().enumerate();
        let plans = tenants().flat_map(|(t, of)| (0..of.plans.len()).map(move |p| (t, p)));
        let rules = tenants().flat_map(|(t, of)| (0..of.rules.len()).map(move |r| (t, r)));
        let written = tenants().flat_map(|(_, of)| of.rules.iter().map(|rule| rule.action));
        let keys = tenants().flat_map(|(_, of)| of.rules.iter().map(|rule| key_of(of, rule)));
        let bought = tenants().flat_map(|(_, of)| &of.plans);
        let lengths = bought.map(|plan| plan.subscriber_length.unwrap_or(WHOLE));
        Self {
            plans: plans.collect(),
            rules: rules.collect(),
            peer_sets,
            actions: std::iter::once(Action::Forward).chain(written).collect(),
            keys: std::iter::once(0).chain(keys).collect(),
            subscriber_lengths: std::iter::once(WHOLE).chain(lengths).collect(),
            resolved,
        }
    }

    pub(super) fn action(&self, rule: RuleId) -> Action {
        let action = self.actions.get(usize::from(rule.0));
        action.copied().unwrap_or(Action::Forward)
    }

    /// A number that stands for a rule by its name: the same after a reload.
    pub fn rule_key(&self, rule: RuleId) -> u64 {
        self.keys
            .get(usize::from(rule.0))
            .copied()
            .unwrap_or_default()
    }

    /// The length of the IPv6 prefix that one subscriber of a plan has.
    pub fn subscriber_length(&self, plan: PlanId) -> u8 {
        let length = self.subscriber_lengths.get(usize::from(plan.0));
        length.copied().unwrap_or(WHOLE)
    }

    /// Whether an id stands for protected hosts and not for a plan.
    pub fn is_server(&self, id: PlanId) -> bool {
        self.plan(id)
            .is_some_and(|(_, plan)| plan.kind == Kind::Server)
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

fn key_of(tenant: &Tenant, rule: &Rule) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&tenant.name, &rule.name).hash(&mut hasher);
    hasher.finish()
}
