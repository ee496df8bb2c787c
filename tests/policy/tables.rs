//! The compiled tables answer as a plain reading of the policy does.

use crate::model::{Answer, Segment, address, instant, judge, resolved, second};
use proptest::prelude::*;
use sekisho::policy::{Epoch, Path, PeerSetId, PlanId, Program, Question, RuleId};
use sekisho::wire::Family;
use std::net::IpAddr;
use std::sync::Arc;

fn number(address: IpAddr) -> (Family, u128) {
    match address {
        IpAddr::V4(a) => (Family::V4, u128::from(u32::from(a))),
        IpAddr::V6(a) => (Family::V6, u128::from(a)),
    }
}

/// What the tables say, in the model's words.
fn look_up(epoch: &Epoch, segment: Segment) -> Option<Answer> {
    let tables = &epoch.tables;
    let (family, subscriber) = number(segment.subscriber);
    let plan = tables.plan(family, subscriber);
    let peer_set = tables.peer_set(family, number(segment.peer).1);
    let rule = tables.rule(Question {
        family,
        path: segment.path,
        opening: segment.opening,
        plan,
        peer_set,
    });
    let legend = &tables.legend;
    if plan == PlanId::NONE {
        assert_eq!(rule, RuleId::NONE);
        return None;
    }
    Some(Answer {
        tenant: legend.tenant_of(plan).unwrap(),
        plan: legend.plan(plan).unwrap().1.name.clone(),
        class: legend.class_name(plan, peer_set).to_owned(),
        rule: legend.rule(rule).map(|(_, rule)| rule.name.clone()),
        action: tables.action(rule),
    })
}

fn segment() -> impl Strategy<Value = Segment> {
    let ends = any::<bool>().prop_flat_map(|v6| (address(v6), address(v6)));
    let path = proptest::sample::select(Path::ALL.to_vec());
    (ends, path, any::<bool>(), instant()).prop_map(|((subscriber, peer), path, opening, at)| {
        Segment {
            subscriber,
            peer,
            path,
            opening,
            at,
        }
    })
}

proptest! {
    #![proptest_config(crate::model::cases(120))]

    #[test]
    fn tables_answer_as_the_policy_reads(
        resolved in resolved(),
        mut segments in prop::collection::vec(segment(), 60),
    ) {
        let program = Program::compile(Arc::new(resolved.clone())).unwrap();
        // In the order of time, so that the tables of each stretch are built once (unoptimised,
        // that is what takes long); then once back to the beginning.
        segments.sort_by_key(|segment| segment.at);
        segments.extend(segments.first().copied());
        for segment in segments {
            let epoch = program.at(segment.at).unwrap();
            prop_assert!(epoch.holds(segment.at));
            prop_assert_eq!(look_up(&epoch, segment), judge(&resolved, segment), "{:?}", segment);
        }
    }

    #[test]
    fn epochs_lie_end_to_end(resolved in resolved()) {
        let program = Program::compile(Arc::new(resolved)).unwrap();
        let mut at = second(-100);
        let mut epochs = 0;
        loop {
            let epoch = program.at(at).unwrap();
            prop_assert!(epoch.since.is_none_or(|since| since == at));
            epochs += 1;
            let Some(until) = epoch.until else { break };
            prop_assert!(!epoch.holds(until) && epoch.holds(at));
            at = until;
        }
        let mut instants: Vec<_> = program.events().iter().map(|event| event.at).collect();
        instants.dedup();
        prop_assert!(instants.is_sorted());
        prop_assert_eq!(epochs, instants.len() + 1);
    }

    #[test]
    fn ids_that_are_not_in_use_match_no_rule(
        resolved in resolved(),
        plan in any::<u8>(),
        peer_set in any::<u8>(),
    ) {
        let program = Program::compile(Arc::new(resolved)).unwrap();
        let tables = program.at(second(0)).unwrap().tables;
        let plans = program.legend().plan_ids().count();
        let sets = program.legend().peer_set_ids().count();
        for path in Path::ALL {
            let rule = tables.rule(Question {
                family: Family::V6,
                path,
                opening: true,
                plan: PlanId(plan),
                peer_set: PeerSetId(peer_set),
            });
            if usize::from(plan) > plans || usize::from(peer_set) >= sets || plan == 0 {
                prop_assert_eq!(rule, RuleId::NONE);
            }
        }
    }

    #[test]
    fn a_span_is_where_the_answer_stays_the_same(
        resolved in resolved(),
        at in instant(),
        plan in 1..=4_u8,
        v6 in any::<bool>(),
        path in proptest::sample::select(Path::ALL.to_vec()),
    ) {
        let program = Program::compile(Arc::new(resolved)).unwrap();
        let tables: Vec<_> = (-5..=60).map(|t| program.at(second(t)).unwrap().tables).collect();
        for peer_set in program.legend().peer_set_ids() {
            let question = Question {
                family: if v6 { Family::V6 } else { Family::V4 },
                path,
                opening: true,
                plan: PlanId(plan),
                peer_set,
            };
            let action = |t: i64| {
                let tables = &tables[usize::try_from(t + 5).unwrap()];
                tables.action(tables.rule(question))
            };
            let now = at.as_second();
            let same = |t: &i64| action(*t) == action(now);
            let span = program.span(question, at);
            let since = (-5..=now).rev().take_while(same).last().unwrap();
            prop_assert_eq!(span.since, (since > -5).then(|| second(since)));
            let until = (now..=60).find(|t| !same(t)).map(second);
            prop_assert_eq!(span.until, until);
        }
    }
}
