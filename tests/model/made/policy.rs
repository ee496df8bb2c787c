//! Policies: few prefixes that nest and meet, rules of every kind, dates around one week.

use super::Place;
use crate::policy::{
    Action, CLASSES, Hosts, Instant, KINDS, Limit, ON_NET, OTHER, Plan, Policy, Prefix, ROLES,
    Rule, RuleKind, Subscribers, Tenant, Then, To, Zone,
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
    let own = || prefix((!alone).then_some(number));
    let entry = (own(), 0..3_usize, option::weighted(0.2, 0..DAYS));
    let entry = entry.prop_map(|(prefix, plan, expires)| Subscribers {
        prefix,
        plan,
        expires,
    });
    let subscribers = vec(entry, 0..8);
    let destinations = vec((prefix(None), 0..=ON_NET), 0..8);
    let plan = (select(KINDS.to_vec()), select(vec![40, 48, 56, 64, 128]));
    let plan = plan.prop_map(|(kind, subscriber_length)| Plan {
        kind,
        subscriber_length,
    });
    let group = (select(ROLES.to_vec()), vec(own(), 1..3));
    let group = group.prop_map(|(role, prefixes)| Hosts { role, prefixes });
    let parts = (
        (zone(), prop::bool::weighted(0.8)),
        vec(plan, 1..=3),
        subscribers,
        vec(group, 0..3),
        destinations,
        vec(rule(), 0..8),
    );
    let tenant = |((zone, mirror), plans, subscribers, hosts, destinations, rules)| Tenant {
        zone,
        mirror,
        plans,
        subscribers,
        hosts,
        destinations,
        rules,
    };
    parts.prop_map(tenant).prop_map(sound).boxed()
}

/// Without what every policy is refused for.
fn sound(mut tenant: Tenant) -> Tenant {
    let (mut seen, mut listed) = (HashSet::new(), HashSet::new());
    let plans = &mut tenant.plans;
    tenant.subscribers.retain_mut(|entry| {
        entry.plan %= plans.len();
        seen.insert(entry.prefix)
    });
    for Subscribers { prefix, plan, .. } in &tenant.subscribers {
        if prefix.address.is_ipv6() {
            let length = &mut plans[*plan].subscriber_length;
            *length = prefix.length.max(*length);
        }
    }
    for group in &mut tenant.hosts {
        group.prefixes.retain(|prefix| seen.insert(*prefix));
    }
    tenant.hosts.retain(|group| !group.prefixes.is_empty());
    tenant
        .destinations
        .retain(|(prefix, _)| listed.insert(*prefix));
    for (number, rule) in tenant.rules.iter_mut().enumerate() {
        rule.name = format!("rule-{number}");
        for plan in rule.plans.iter_mut().flatten() {
            *plan %= tenant.plans.len();
        }
        let groups = tenant.hosts.len();
        rule.hosts = rule.hosts.take().filter(|_| groups > 0);
        for group in rule.hosts.iter_mut().flatten() {
            *group %= groups;
        }
        match rule.kind {
            RuleKind::Outbound | RuleKind::InboundToSubscriber => rule.hosts = None,
            RuleKind::InboundSubmission => (rule.plans, rule.kinds) = (None, None),
        }
        match &mut rule.action {
            Action::Limit(limit) => {
                rule.every_segment = false;
                if rule.kind != RuleKind::Outbound {
                    limit.then = Then::Drop;
                }
            }
            Action::Reject(_) if rule.kind != RuleKind::Outbound => rule.action = Action::Drop,
            _ => {}
        }
    }
    tenant
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
    let groups = subsequence(vec![0, 1], 1..=2);
    let kind = prop_oneof![
        4 => Just(RuleKind::Outbound),
        1 => Just(RuleKind::InboundSubmission),
        1 => Just(RuleKind::InboundToSubscriber),
    ];
    let parts = (
        (kind, option::weighted(0.3, select(vec![4_u8, 6]))),
        option::weighted(0.3, named),
        option::weighted(0.2, kinds),
        option::weighted(0.5, groups),
        to,
        option::weighted(0.3, instant()),
        option::weighted(0.3, instant()),
        action(),
        prop::bool::weighted(0.3),
    );
    parts.prop_map(
        |((kind, ip), plans, kinds, hosts, to, from, before, action, every_segment)| Rule {
            name: String::new(),
            kind,
            ip,
            plans,
            kinds,
            hosts,
            to,
            from,
            before: before.filter(|before| from.is_none_or(|from| is_after(*before, from))),
            action,
            every_segment,
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    let how = || select(vec!["icmp", "rst"]);
    let then = prop_oneof![
        Just(Then::Drop),
        Just(Then::Count),
        how().prop_map(Then::Reject),
    ];
    let limit = (select(vec![1_u32, 2, 6, 20, 30, 60]), 1..6_u32, then);
    let limit = limit.prop_map(|(rate, burst, then)| Limit { rate, burst, then });
    prop_oneof![
        3 => Just(Action::Drop),
        1 => Just(Action::Forward),
        1 => Just(Action::Count),
        2 => how().prop_map(Action::Reject),
        2 => limit.prop_map(Action::Limit),
    ]
}

fn is_after(later: Instant, sooner: Instant) -> bool {
    later.second(Zone::Utc) > sooner.second(Zone::Utc)
}
