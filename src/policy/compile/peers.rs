//! Peer sets: one id for each distinct combination of (tenant → destination class).
//!
//! The union of all tenants' class prefixes gets one value a prefix, the combination at that
//! prefix. That is right for every address, since the longest match in the union is at least as
//! long as the longest match of each tenant.

use super::partition::{Interval, sort_nested};
use crate::policy::{Origin, Resolved, Tenant};
use crate::wire::Family;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::HashMap;

/// A value that changes at instants.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    first: u8,
    /// Ascending; empty for nearly every prefix.
    later: Vec<(Timestamp, u8)>,
}

impl Timed {
    /// The value as of an instant; `None` is before every event.
    pub(crate) fn at(&self, as_of: Option<Timestamp>) -> u8 {
        let passed = self.later.partition_point(|(at, _)| Some(*at) <= as_of);
        let last = passed.checked_sub(1).and_then(|i| self.later.get(i));
        last.map_or(self.first, |(_, value)| *value)
    }
}

/// The peer prefixes of both families, each with its peer set, and what the sets stand for.
#[derive(Debug)]
pub(super) struct Peers {
    /// By family, ordered as [`sort_nested`] does, each prefix once.
    pub(crate) prefixes: [Vec<(Interval, Timed)>; 2],
    /// By id: by tenant, the class.
    pub(crate) sets: Vec<Box<[usize]>>,
}

/// More than 255 combinations: the place that asked for one more.
pub(super) struct TooMany<'a>(pub(super) &'a Origin);

/// What one tenant says of one prefix.
#[derive(Clone, Copy)]
struct Said<'a> {
    tenant: usize,
    class: usize,
    /// Listed in a class, not just a subscriber prefix.
    explicit: bool,
    until: Option<Timestamp>,
    origin: &'a Origin,
}

impl Peers {
    /// Finds every combination that ever occurs.
    pub(crate) fn new(resolved: &Resolved) -> Result<Self, TooMany<'_>> {
        let mut sets = Sets::new(resolved);
        let prefixes = [
            combine(&mut sets, said(resolved, Family::V4))?,
            combine(&mut sets, said(resolved, Family::V6))?,
        ];
        Ok(Self {
            prefixes,
            sets: sets.sets,
        })
    }
}

fn said(resolved: &Resolved, family: Family) -> Vec<(Interval, Said<'_>)> {
    let mut said = Vec::new();
    for (tenant, of) in resolved.tenants.iter().enumerate() {
        let on_net = of.on_net();
        let implied = of.subscribers.iter().filter(|s| of.says_on_net(s));
        let implied = implied.map(|s| {
            let (class, explicit, until) = (on_net, false, s.until);
            (s.prefix, class, explicit, until, &s.origin)
        });
        let listed = of.destinations.iter().map(|d| {
            let (class, explicit, until) = (d.class, true, None);
            (d.prefix, class, explicit, until, &d.origin)
        });
        for (prefix, class, explicit, until, origin) in implied.chain(listed) {
            let (is, interval) = Interval::of(prefix);
            if is == family {
                let what = Said {
                    tenant,
                    class,
                    explicit,
                    until,
                    origin,
                };
                said.push((interval, what));
            }
        }
    }
    said.sort_by_key(|(_, said)| said.explicit);
    sort_nested(&mut said);
    said
}

/// Walks the prefixes from the outside in, and interns what holds at each.
fn combine<'a>(
    sets: &mut Sets,
    said: Vec<(Interval, Said<'a>)>,
) -> Result<Vec<(Interval, Timed)>, TooMany<'a>> {
    let mut prefixes = Vec::new();
    let mut open: Vec<(u128, Said<'a>)> = Vec::new();
    for group in said.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((interval, first)) = group.first() else {
            continue;
        };
        while open.pop_if(|(end, _)| *end < interval.start).is_some() {}
        open.extend(group.iter().map(|(_, said)| (interval.end, *said)));
        let mut timed = Timed {
            first: sets.fold(&open, None).ok_or(TooMany(first.origin))?,
            later: Vec::new(),
        };
        let mut instants: Vec<_> = open.iter().filter_map(|(_, said)| said.until).collect();
        instants.sort_unstable();
        instants.dedup();
        for instant in instants {
            let set = sets.fold(&open, Some(instant));
            let set = set.ok_or(TooMany(first.origin))?;
            timed.later.push((instant, set));
        }
        prefixes.push((*interval, timed));
    }
    debug_assert!(prefixes.is_sorted_by_key(|(i, _)| (i.start, Reverse(i.end))));
    Ok(prefixes)
}

/// Hands out ids.
struct Sets {
    ids: HashMap<Box<[usize]>, u8>,
    sets: Vec<Box<[usize]>>,
    scratch: Vec<usize>,
}

impl Sets {
    fn new(resolved: &Resolved) -> Self {
        let others: Box<[usize]> = resolved.tenants.iter().map(Tenant::other).collect();
        Self {
            ids: HashMap::from([(others.clone(), 0)]),
            scratch: others.to_vec(),
            sets: vec![others],
        }
    }

    /// The id of what a chain of enclosing prefixes says as of an instant; `None` when the ids
    /// run out.
    fn fold(&mut self, chain: &[(u128, Said<'_>)], as_of: Option<Timestamp>) -> Option<u8> {
        if let Some(others) = self.sets.first() {
            self.scratch.clear();
            self.scratch.extend_from_slice(others);
        }
        for (_, said) in chain {
            let active = said.until.is_none_or(|until| as_of < Some(until));
            if let Some(class) = self.scratch.get_mut(said.tenant).filter(|_| active) {
                *class = said.class;
            }
        }
        if let Some(id) = self.ids.get(self.scratch.as_slice()) {
            return Some(*id);
        }
        let id = u8::try_from(self.sets.len()).ok()?;
        let set: Box<[usize]> = self.scratch.as_slice().into();
        self.ids.insert(set.clone(), id);
        self.sets.push(set);
        Some(id)
    }
}
