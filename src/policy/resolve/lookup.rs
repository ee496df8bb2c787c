//! Who an address is, by looking at every prefix: the plain answer that `explain` shows and that
//! the compiled tables are tested against.

use crate::policy::{ClassPrefix, Kind, Origin, Resolved, SubscriberPrefix, Tenant};
use ipnet::IpNet;
use jiff::Timestamp;
use std::net::IpAddr;

impl Resolved {
    /// The longest subscriber prefix that holds an address at an instant, of one tenant or of any.
    pub fn longest_subscriber(
        &self,
        tenant: Option<usize>,
        address: IpAddr,
        at: Timestamp,
    ) -> Option<(usize, &SubscriberPrefix)> {
        self.tenants
            .iter()
            .enumerate()
            .filter(|(index, _)| tenant.is_none_or(|wanted| wanted == *index))
            .filter_map(|(index, found)| Some((index, found.longest_subscriber(address, at)?)))
            .max_by_key(|(_, found)| found.prefix.prefix_len())
    }

    /// The destination class of an address, as one tenant sees it at an instant.
    pub fn class_of(
        &self,
        tenant: usize,
        address: IpAddr,
        at: Timestamp,
    ) -> Option<(usize, Option<(IpNet, &Origin)>)> {
        Some(self.tenants.get(tenant)?.class_of(address, at))
    }
}

impl Tenant {
    /// The index of a plan.
    pub fn plan_index(&self, name: &str) -> Option<usize> {
        self.plans.iter().position(|plan| plan.name == name)
    }

    /// The index of a destination class.
    pub fn class_index(&self, name: &str) -> Option<usize> {
        self.classes.iter().position(|class| class.name == name)
    }

    /// The index of `on-net`: the last but one.
    pub fn on_net(&self) -> usize {
        self.classes.len().saturating_sub(2)
    }

    /// The index of `other`: the last.
    pub fn other(&self) -> usize {
        self.classes.len().saturating_sub(1)
    }

    /// The longest subscriber prefix that holds an address and has not expired at an instant.
    pub fn longest_subscriber(&self, address: IpAddr, at: Timestamp) -> Option<&SubscriberPrefix> {
        self.subscribers
            .iter()
            .filter(|entry| entry.until.is_none_or(|until| at < until))
            .filter(|entry| entry.prefix.contains(&address))
            .max_by_key(|entry| entry.prefix.prefix_len())
    }

    /// Whether an entry says that its addresses are `on-net`. Hosts inside a listed class are of
    /// that class, however short its prefix is: naming the submission hosts among the `own` servers
    /// takes nothing from `own`.
    pub fn says_on_net(&self, entry: &SubscriberPrefix) -> bool {
        let listed = |class: &ClassPrefix| class.prefix.contains(&entry.prefix);
        is_sold(self, entry) || !self.destinations.iter().any(listed)
    }

    /// The class of an address, and the prefix that says so (`None` for `other`). A subscriber
    /// prefix says `on-net`; a class that is listed at the same length goes before it.
    pub fn class_of(&self, address: IpAddr, at: Timestamp) -> (usize, Option<(IpNet, &Origin)>) {
        let listed = self
            .destinations
            .iter()
            .filter(|entry| entry.prefix.contains(&address))
            .max_by_key(|entry| entry.prefix.prefix_len());
        let subscriber = self
            .subscribers
            .iter()
            .filter(|entry| entry.until.is_none_or(|until| at < until))
            .filter(|entry| entry.prefix.contains(&address) && self.says_on_net(entry))
            .max_by_key(|entry| entry.prefix.prefix_len());
        let of_listed = |entry: &ClassPrefix| entry.prefix.prefix_len();
        match (listed, subscriber) {
            (Some(listed), found)
                if found.is_none_or(|found| found.prefix.prefix_len() <= of_listed(listed)) =>
            {
                (listed.class, Some((listed.prefix, &listed.origin)))
            }
            (_, Some(found)) => (self.on_net(), Some((found.prefix, &found.origin))),
            (_, None) => (self.other(), None),
        }
    }
}

/// Whether an entry is of a plan that customers buy, and not of a group of hosts.
pub(super) fn is_sold(tenant: &Tenant, entry: &SubscriberPrefix) -> bool {
    let plan = tenant.plans.get(entry.plan);
    plan.is_none_or(|plan| plan.kind != Kind::Server)
}
