//! Policies: few prefixes that nest and meet, rules of every kind, dates around one week.

use super::Place;
use crate::policy::{
    Action, CLASSES, Instant, KINDS, ON_NET, OTHER, Policy, Prefix, Rule, Subscribers, Tenant, To,
    Zone,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::HashSet;

const DAYS: i64 = 6;

pub fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![3 => Just(1_usize), 2 => Just(2), 2 => Just(3)].prop_flat_map(|count| {
        let tenants = (0..count).map(|number| tenant(number as u8, count == 1));
        tenants
            .collect::<Vec<_>>()
            .prop_map(|tenants| Policy { tenants })
    })
}

/// A second: often the first of a day, or beside it.
pub fn at() -> impl Strategy<Value = i64> {
    let edge = (zone(), 0..DAYS, -1..=1_i64).prop_map(|(zone, day, off)| zone.begin_of(day) + off);
    let hour = (0..DAYS * 24, -1..=1_i64)
        .prop_map(|(hour, off)| Zone::Utc.begin_of(0) + hour * 3600 + off);
    prop_oneof![edge, hour]
}

fn zone() -> impl Strategy<Value = Zone> {
    prop_oneof![Just(Zone::Utc), Just(Zone::Tokyo)]
}

fn prefix(of: Option<u8>) -> impl Strategy<Value = Prefix> {
    // A tenant's own hold the bits that say whose they are.
    const V4: [u32; 14] = [16, 17, 20, 22, 23, 24, 25, 27, 28, 29, 31, 32, 8, 0];
    const V6: [u32; 14] = [40, 42, 46, 48, 50, 56, 60, 64, 65, 80, 127, 128, 32, 0];
    let lengths: usize = if of.is_some() { 12 } else { 14 };
    let tenant = of.map_or((0..4_u8).boxed(), |of| Just(of).boxed());
    (any::<bool>(), tenant, 0..64_u8, 0..lengths).prop_map(|(v6, tenant, bits, length)| {
        let lengths = if v6 { V6 } else { V4 };
        Prefix::around(Place { v6, tenant, bits }.address(), lengths[length])
    })
}

fn tenant(number: u8, alone: bool) -> BoxedStrategy<Tenant> {
    let own = prefix((!alone).then_some(number));
    let entry = (own, 0..3_usize, option::weighted(0.2, 0..DAYS));
    let entry = entry.prop_map(|(prefix, plan, expires)| Subscribers {
        prefix,
        plan,
        expires,
    });
    let subscribers = vec(entry, 0..8);
    let destinations = vec((prefix(None), 0..=ON_NET), 0..8);
    let plans = vec(select(KINDS.to_vec()), 1..=3);
    let parts = (
        zone(),
        prop::bool::weighted(0.8),
        plans,
        subscribers,
        destinations,
        vec(rule(), 0..6),
    );
    let sound = |(zone, mirror, plans, mut subscribers, mut destinations, mut rules): (
        Zone,
        bool,
        Vec<&'static str>,
        Vec<Subscribers>,
        Vec<(Prefix, usize)>,
        Vec<Rule>,
    )| {
        let (mut seen, mut listed) = (HashSet::new(), HashSet::new());
        subscribers.retain_mut(|entry| {
            entry.plan %= plans.len();
            seen.insert(entry.prefix)
        });
        destinations.retain(|(prefix, _)| listed.insert(*prefix));
        for (number, rule) in rules.iter_mut().enumerate() {
            rule.name = format!("rule-{number}");
            for plan in rule.plans.iter_mut().flatten() {
                *plan %= plans.len();
            }
        }
        Tenant {
            zone,
            mirror,
            plans,
            subscribers,
            destinations,
            rules,
        }
    };
    parts.prop_map(sound).boxed()
}

fn instant() -> impl Strategy<Value = Instant> {
    let second = option::weighted(0.3, (0..24_i64).prop_map(|hour| hour * 3600));
    (0..DAYS, second).prop_map(|(day, second)| Instant { day, second })
}

fn rule() -> impl Strategy<Value = Rule> {
    let named = subsequence(vec![0, 1, 2], 1..=2);
    let kinds = subsequence(KINDS.to_vec(), 1..=2);
    let classes = || subsequence((0..CLASSES.len()).collect::<Vec<_>>(), 1..=OTHER);
    let to = prop_oneof![
        Just(To::Everybody),
        classes().prop_map(To::Only),
        classes().prop_map(To::OtherThan),
    ];
    let action = prop_oneof![
        3 => Just(Action::Drop),
        1 => Just(Action::Forward),
        1 => Just(Action::Count),
    ];
    let parts = (
        option::weighted(0.3, select(vec![4_u8, 6])),
        option::weighted(0.3, named),
        option::weighted(0.2, kinds),
        to,
        option::weighted(0.3, instant()),
        option::weighted(0.3, instant()),
        action,
        prop::bool::weighted(0.3),
    );
    parts.prop_map(
        |(ip, plans, kinds, to, from, before, action, every_segment)| Rule {
            name: String::new(),
            ip,
            plans,
            kinds,
            to,
            from,
            before: before.filter(|before| from.is_none_or(|from| is_after(*before, from))),
            action,
            every_segment,
        },
    )
}

fn is_after(later: Instant, sooner: Instant) -> bool {
    later.second(Zone::Utc) > sooner.second(Zone::Utc)
}
