//! A diff says exactly whose verdict changes; a representative address is what it stands for.

use crate::model::{address, class_of, instant, judge, resolved, second};
use ipnet::IpNet;
use proptest::prelude::*;
use sekisho::policy::diff::{Change, Diff, Segment, diff};
use sekisho::policy::{Action, Limit, Path, Program, Reply, Resolved, Then};
use sekisho::wire::Family;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

fn compile(resolved: &Resolved) -> Program {
    Program::compile(Arc::new(resolved.clone())).unwrap()
}

/// What the model does with a segment between two addresses.
fn action(
    resolved: &Resolved,
    subscriber: IpAddr,
    peer: IpAddr,
    segment: Segment,
    at: jiff::Timestamp,
) -> (Action, Effect) {
    let (path, opening) = segment.parts();
    let asked = crate::model::Segment {
        subscriber,
        peer,
        path,
        opening,
        at,
    };
    let answer = judge(resolved, asked);
    let action = answer.as_ref().map_or(Action::Forward, |a| a.action);
    let source = answer.and_then(|answer| {
        let sources = resolved.tenants[answer.tenant].reply_source;
        sources[usize::from(subscriber.is_ipv6())]
    });
    (action, effect(action, path, source))
}

/// What is seen of an action from outside, in words that say whether anything is held back.
type Effect = (bool, String);

fn effect(action: Action, path: Path, source: Option<IpAddr>) -> Effect {
    let told = |reply: Reply| match (path, reply) {
        (Path::Outbound, Reply::Icmp) => format!("discarded, ICMP from {source:?}"),
        (Path::Outbound, Reply::Rst) => "discarded, reset".to_owned(),
        _ => "discarded".to_owned(),
    };
    match action {
        Action::Forward => (false, "passes".to_owned()),
        Action::Count => (false, "passes, counted".to_owned()),
        Action::Drop => (true, "discarded".to_owned()),
        Action::Reject(reply) => (true, told(reply)),
        Action::Limit(limit) => {
            let then = match limit.then {
                Then::Drop => "discarded".to_owned(),
                Then::Count => "counted".to_owned(),
                Then::Reject(reply) => told(reply),
            };
            let Limit {
                per_minute, burst, ..
            } = limit;
            (
                true,
                format!("{per_minute} a minute, {burst} at once, then {then}"),
            )
        }
    }
}

fn listed(changes: &[Change], from: IpAddr, to: IpAddr, segment: Segment) -> Vec<&Change> {
    let holds = |nets: &[IpNet], address: IpAddr| nets.iter().any(|net| net.contains(&address));
    let about = |change: &&Change| {
        change.segments.contains(&segment)
            && holds(&change.subscribers.prefixes, from)
            && holds(&change.peers.prefixes, to)
    };
    changes.iter().filter(about).collect()
}

/// Every change of one pair of addresses is listed once, with its actions; nothing else is.
fn check_pair(
    (old, new): (&Resolved, &Resolved),
    diff: &Diff,
    (from, to): (IpAddr, IpAddr),
    at: jiff::Timestamp,
) -> Result<(), TestCaseError> {
    for segment in Segment::ALL {
        let (was, seen_before) = action(old, from, to, segment, at);
        let (is, seen_after) = action(new, from, to, segment, at);
        let differs = seen_before != seen_after;
        let noticed = differs && (seen_before.0 || seen_after.0);
        let verdicts = listed(&diff.changes, from, to, segment);
        let counting = listed(&diff.counting, from, to, segment);
        prop_assert_eq!(verdicts.len(), usize::from(noticed));
        prop_assert_eq!(counting.len(), usize::from(differs && !noticed));
        for change in verdicts.into_iter().chain(counting) {
            prop_assert_eq!((change.old.action, change.new.action), (was, is));
        }
    }
    Ok(())
}

/// The addresses of the tests' IPv4 universe, and one outside it.
fn universe() -> impl Iterator<Item = IpAddr> {
    (0..=u8::MAX)
        .map(|host| IpAddr::from([192, 0, 2, host]))
        .chain(["10.0.0.1".parse().unwrap()])
}

fn pairs() -> impl Strategy<Value = Vec<(IpAddr, IpAddr)>> {
    let pair = any::<bool>().prop_flat_map(|v6| (address(v6), address(v6)));
    prop::collection::vec(pair, 40)
}

proptest! {
    #![proptest_config(crate::model::cases(300))]

    #[test]
    fn listed_is_what_changes(
        old in resolved(),
        new in resolved(),
        at in instant(),
        pairs in pairs(),
    ) {
        let diff = diff(&compile(&old), &compile(&new), at).unwrap();
        for pair in pairs {
            check_pair((&old, &new), &diff, pair, at)?;
        }
    }

    #[test]
    fn the_same_policy_has_no_difference(resolved in resolved(), at in instant()) {
        let program = compile(&resolved);
        prop_assert_eq!(diff(&program, &program, at).unwrap(), Diff::default());
    }

    #[test]
    fn a_representative_is_what_it_stands_for(resolved in resolved(), at in instant()) {
        let program = compile(&resolved);
        for family in [Family::V4, Family::V6] {
            for plan in program.legend().plan_ids() {
                let (tenant, name) = program.legend().plan(plan).unwrap();
                let found = program.subscriber_in(plan, family, at);
                let seen = found.map(|a| (tenant_plan(&resolved, a, at), a));
                let sought = Some((tenant.name.clone(), name.name.clone()));
                prop_assert!(seen.is_none_or(|(seen, _)| seen == sought));
                let reachable = candidates(family).any(|a| tenant_plan(&resolved, a, at) == sought);
                prop_assert_eq!(found.is_some(), reachable);
            }
        }
    }

    #[test]
    fn a_representative_peer_is_in_its_class(resolved in resolved(), at in instant()) {
        let program = compile(&resolved);
        let tables = program.at(at).unwrap().tables;
        for family in [Family::V4, Family::V6] {
            for tenant in 0..resolved.tenants.len() {
                for class in 0..4 {
                    let found = program.peer_in(tenant, class, family, at);
                    let class_of = |address| {
                        let set = tables.peer_set(family, number(address));
                        program.legend().class(tenant, set).unwrap()
                    };
                    prop_assert!(found.is_none_or(|address| class_of(address) == class));
                    let reachable = candidates(family).any(|a| class_of(a) == class);
                    prop_assert_eq!(found.is_some(), reachable);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(crate::model::cases(80))]

    #[test]
    fn counts_are_those_of_brute_force(old in resolved(), new in resolved(), at in instant()) {
        let diff = diff(&compile(&old), &compile(&new), at).unwrap();
        let seen_of = |resolved: &Resolved, from, to, segment| {
            action(resolved, from, to, segment, at).1
        };
        // Peers that no tenant of either policy tells apart are asked once.
        let seen = |peer: IpAddr| -> Vec<usize> {
            let tenants = old.tenants.iter().chain(&new.tenants);
            tenants.map(|tenant| class_of(tenant, peer, at)).collect()
        };
        let peers: BTreeMap<_, _> = universe().map(|peer| (seen(peer), peer)).collect();
        let changes = |from: &IpAddr| {
            peers.values().any(|to| {
                let differs = |s| {
                    let was = seen_of(&old, *from, *to, s);
                    let is = seen_of(&new, *from, *to, s);
                    was != is && (was.0 || is.0)
                };
                Segment::ALL.into_iter().any(differs)
            })
        };
        let inside = universe().take(256).filter(|from| changes(from)).count();
        let outside = universe().skip(256).any(|from| changes(&from));
        let mut v4 = diff.subscribers.iter().filter(|a| a.family == Family::V4);
        let expected = inside as u128 + if outside { (1 << 32) - 256 } else { 0 };
        prop_assert_eq!(v4.next().map_or(0, |addresses| addresses.count), expected);
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => u128::from(u32::from(a)),
        IpAddr::V6(a) => u128::from(a),
    }
}

/// Every address of a universe, and one outside it.
fn candidates(family: Family) -> Box<dyn Iterator<Item = IpAddr>> {
    match family {
        Family::V4 => Box::new(universe()),
        Family::V6 => {
            let inside = (0..=0xff_u16).map(|host| format!("2001:db8::{host:x}"));
            let all = inside.chain(["2001:db8:1::".to_owned()]);
            Box::new(all.map(|text| text.parse().unwrap()))
        }
    }
}

fn tenant_plan(
    resolved: &Resolved,
    address: IpAddr,
    at: jiff::Timestamp,
) -> Option<(String, String)> {
    let segment = crate::model::Segment {
        subscriber: address,
        peer: address,
        path: Path::Outbound,
        opening: true,
        at,
    };
    let answer = judge(resolved, segment)?;
    Some((resolved.tenants[answer.tenant].name.clone(), answer.plan))
}

#[test]
fn a_hundred_thousand_prefixes_are_compared_quickly() {
    let policy = |count: u32, action: Action| {
        let mut tenant = crate::model::simple_tenant(action);
        tenant.subscribers = (0..count)
            .map(|n| {
                let net = ipnet::Ipv4Net::new((n << 12).into(), 20).unwrap();
                crate::model::subscriber(net.into(), (n % 3) as usize)
            })
            .collect();
        Resolved {
            tenants: vec![tenant],
            memory_limit_bytes: 1 << 32,
        }
    };
    let (old, new) = (
        policy(100_000, Action::Forward),
        policy(99_999, Action::Drop),
    );
    let (old, new) = (compile(&old), compile(&new));
    let begun = std::time::Instant::now();
    let diff = diff(&old, &new, second(0)).unwrap();
    let took = begun.elapsed();
    assert_eq!(diff.subscribers[0].count, 99_999 * 4096);
    assert!(took.as_secs() < 10, "{took:?}");
}
