use super::{Change, Entry};
use crate::control::protocol::Override;
use ipnet::IpNet;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The plans that hold above the policy's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    by_prefix: BTreeMap<IpNet, Override>,
    /// Those that end, by when.
    ends: BTreeSet<(Timestamp, IpNet)>,
}

impl Overrides {
    /// Does what a change says; gives what its prefix had before.
    pub fn apply(&mut self, entry: &Entry) -> Option<Override> {
        match &entry.change {
            Change::Set(set) => {
                let before = self.remove(&set.prefix);
                self.ends.extend(set.expires.map(|end| (end, set.prefix)));
                let given = Override {
                    set: set.clone(),
                    at: entry.at,
                    who: entry.who.clone(),
                };
                self.by_prefix.insert(set.prefix, given);
                before
            }
            Change::Unset { prefix } | Change::Expired { prefix } => self.remove(prefix),
        }
    }

    fn remove(&mut self, prefix: &IpNet) -> Option<Override> {
        let removed = self.by_prefix.remove(prefix)?;
        if let Some(end) = removed.set.expires {
            self.ends.remove(&(end, *prefix));
        }
        Some(removed)
    }

    /// What was given to this very prefix.
    pub fn get(&self, prefix: &IpNet) -> Option<&Override> {
        self.by_prefix.get(prefix)
    }

    /// All of them, in the order of their prefixes.
    pub fn iter(&self) -> impl Iterator<Item = &Override> {
        self.by_prefix.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_prefix.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_prefix.is_empty()
    }

    /// Those whose time is over, the earliest first.
    pub fn expired(&self, now: Timestamp) -> impl Iterator<Item = &Override> {
        let over = self.ends.iter().take_while(move |(end, _)| *end <= now);
        over.filter_map(|(_, prefix)| self.by_prefix.get(prefix))
    }

    /// When the next one ends.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// The changes that lead here from nothing.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.iter().map(|given| Entry {
            at: given.at,
            who: given.who.clone(),
            change: Change::Set(given.set.clone()),
        })
    }
}
