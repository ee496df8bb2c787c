//! Whose an address is, and of which class: prefix by prefix.

use crate::policy::{ON_NET, OTHER, Policy, Prefix, Tenant};
use std::net::IpAddr;

/// What the longest prefix gives: a plan, or a group of hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Plan(usize),
    Hosts(usize),
}

impl Policy {
    /// The tenant, and what the address is to it.
    pub fn owner_of(&self, address: IpAddr, at: i64) -> Option<(usize, Owner)> {
        let mut longest: Option<(u32, usize, Owner)> = None;
        for (number, tenant) in self.tenants.iter().enumerate() {
            for (prefix, owner) in tenant.owned(at) {
                let longer = longest.is_none_or(|(length, ..)| prefix.length > length);
                if prefix.holds(address) && longer {
                    longest = Some((prefix.length, number, owner));
                }
            }
        }
        longest.map(|(_, number, owner)| (number, owner))
    }
}

impl Tenant {
    /// Every prefix that gives a plan or is of hosts at a second.
    fn owned(&self, at: i64) -> impl Iterator<Item = (Prefix, Owner)> {
        let holds = move |last_day: &Option<i64>| {
            last_day.is_none_or(|last_day| at < self.zone.begin_of(last_day + 1))
        };
        let subscribers = self
            .subscribers
            .iter()
            .filter(move |entry| holds(&entry.expires));
        let subscribers = subscribers.map(|entry| (entry.prefix, Owner::Plan(entry.plan)));
        let hosts = self.hosts.iter().enumerate().flat_map(|(group, hosts)| {
            hosts
                .prefixes
                .iter()
                .map(move |prefix| (*prefix, Owner::Hosts(group)))
        });
        subscribers.chain(hosts)
    }

    /// The class of a peer. Listed prefixes and those of subscribers: the longest, and of two of
    /// one length the listed one. Hosts are on-net where nothing else is said.
    pub fn class_of(&self, address: IpAddr, at: i64) -> usize {
        // Twice the length, and one more for what is listed.
        let mut best: Option<(u32, usize)> = None;
        let mut say = |rank: u32, class: usize| {
            if best.is_none_or(|(known, _)| rank > known) {
                best = Some((rank, class));
            }
        };
        let mut is_host = false;
        for (prefix, owner) in self.owned(at).filter(|(prefix, _)| prefix.holds(address)) {
            match owner {
                Owner::Plan(_) => say(prefix.length * 2, ON_NET),
                Owner::Hosts(_) => is_host = true,
            }
        }
        for (prefix, class) in self.destinations.iter().filter(|(p, _)| p.holds(address)) {
            say(prefix.length * 2 + 1, *class);
        }
        match best {
            Some((_, class)) => class,
            None if is_host => ON_NET,
            None => OTHER,
        }
    }
}
