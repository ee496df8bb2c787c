//! What is said of rules beside each other is exact: a rule is reported if and only if it decides
//! nothing at any point where it could, or lets begin what another one breaks.

use proptest::prelude::*;
use sekisho::policy;
use std::collections::BTreeSet;

const PLANS: [&str; 3] = ["a", "b", "c"];
const HOSTS: [&str; 3] = ["x", "y", "z"];
const CLASSES: [&str; 3] = ["own", "on-net", "other"];

/// Sets are bit masks; `None` is a key left out.
#[derive(Clone, Debug)]
struct Written {
    kind: Kind,
    ip: Option<u8>,
    plans: Option<u8>,
    to: Option<(bool, u8)>,
    from: Option<u8>,
    before: Option<u8>,
    any: bool,
    /// Index in [`ACTIONS`].
    action: usize,
}

/// Rules of one kind never stand in the way of those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Outbound,
    Submission,
    ToSubscriber,
}

/// What is written, and whether it lets nothing pass.
const ACTIONS: [(&str, bool); 5] = [
    ("forward", false),
    ("count", false),
    ("drop", true),
    ("{ reject: rst }", true),
    ("{ limit: { rate: 9, burst: 9 } }", false),
];

impl Written {
    fn blocks(&self) -> bool {
        // An inbound rule without a date only counts.
        ACTIONS[self.action].1 && (self.kind == Kind::Outbound || self.from.is_some())
    }
}

fn written() -> impl Strategy<Value = Written> {
    let set = || proptest::option::of(1..8_u8);
    (
        proptest::option::of(prop_oneof![Just(4_u8), Just(6)]),
        set(),
        proptest::option::of((any::<bool>(), 1..8_u8)),
        proptest::option::of(1..4_u8),
        proptest::option::of(5..8_u8),
        any::<bool>(),
        0..ACTIONS.len(),
        prop_oneof![
            3 => Just(Kind::Outbound),
            1 => Just(Kind::Submission),
            1 => Just(Kind::ToSubscriber),
        ],
    )
        .prop_map(|(ip, plans, to, from, before, any, action, kind)| {
            let limit = action == ACTIONS.len() - 1;
            Written {
                kind,
                ip,
                // The groups of hosts have other names: a rule without any speaks of all three.
                plans,
                to,
                from,
                before,
                // Only connections that begin are limited.
                any: any && !limit,
                // An inbound rule cannot reject.
                action: if action == 3 && kind != Kind::Outbound {
                    2
                } else {
                    action
                },
            }
        })
}

fn names(all: [&str; 3], set: u8) -> String {
    let chosen = |index: &usize| set >> index & 1 == 1;
    let chosen: Vec<&str> = (0..3).filter(chosen).map(|index| all[index]).collect();
    chosen.join(", ")
}

fn yaml(rules: &[Written]) -> String {
    let mut text = "isp: model\ntime_zone: UTC\ndestinations: { own: { prefixes: [192.0.2.1] } }\n\
        plans: { a: { kind: dynamic }, b: { kind: fixed }, c: { kind: shared } }\n\
        hosts: { x: { role: submission, prefixes: [192.0.2.2] }, y: { role: submission, \
        prefixes: [192.0.2.3] }, z: { role: submission, prefixes: [192.0.2.4] } }\nrules:\n"
        .to_owned();
    for (index, rule) in rules.iter().enumerate() {
        let (action, _) = ACTIONS[rule.action];
        let (kind, plans_key, plans_named, to_key) = match rule.kind {
            Kind::Outbound => ("outbound", "plans", PLANS, "to"),
            Kind::Submission => ("inbound-submission", "hosts", HOSTS, "peers"),
            Kind::ToSubscriber => ("inbound-to-subscriber", "plans", PLANS, "peers"),
        };
        text.push_str(&format!(
            "  - {{ name: r{index}, kind: {kind}, action: {action}"
        ));
        if let Some(ip) = rule.ip {
            text.push_str(&format!(", ip: {ip}"));
        }
        if let Some(plans) = rule.plans {
            text.push_str(&format!(", {plans_key}: [{}]", names(plans_named, plans)));
        }
        if let Some((other_than, to)) = rule.to {
            let other_than = if other_than { "-other-than" } else { "" };
            text.push_str(&format!(", {to_key}{other_than}: [{}]", names(CLASSES, to)));
        }
        if let Some(from) = rule.from {
            text.push_str(&format!(", from: 2030-01-0{from}"));
        }
        if let Some(before) = rule.before {
            text.push_str(&format!(", before: 2030-01-0{before}"));
        }
        text.push_str(if rule.any { ", mode: any }\n" } else { " }\n" });
    }
    text
}

fn matches(
    rule: &Written,
    kind: Kind,
    (ip, plan, class, day, opening): (u8, u8, u8, u8, bool),
) -> bool {
    rule.kind == kind
        && rule.ip.is_none_or(|wanted| wanted == ip)
        && rule.plans.is_none_or(|plans| plans >> plan & 1 == 1)
        && rule
            .to
            .is_none_or(|(other_than, to)| (to >> class & 1 == 1) != other_than)
        && rule.from.is_none_or(|from| from <= day)
        && rule.before.is_none_or(|before| day < before)
        && (opening || rule.any)
}

/// At every point: the rule that decides a first segment, and the one that decides the others.
fn deciding(rules: &[Written]) -> BTreeSet<[Option<usize>; 2]> {
    let mut found = BTreeSet::new();
    let kinds = [Kind::Outbound, Kind::Submission, Kind::ToSubscriber];
    for (kind, ip) in kinds.into_iter().flat_map(|kind| [(kind, 4), (kind, 6)]) {
        for plan in 0..3 {
            for class in 0..3 {
                for day in 0..=8 {
                    found.insert([true, false].map(|opening| {
                        let point = (ip, plan, class, day, opening);
                        rules.iter().position(|rule| matches(rule, kind, point))
                    }));
                }
            }
        }
    }
    found
}

/// The rules that a code was reported of.
fn reported(rules: &[Written], codes: &[&str]) -> BTreeSet<usize> {
    let text = yaml(rules);
    let now = "2026-11-22T00:00:00Z".parse().unwrap();
    let loaded = policy::load_with(&["model.yaml".to_owned()], now, &|_| {
        Ok(text.clone().into_bytes())
    });
    let found = loaded.diagnostics.iter();
    found
        .filter(|found| codes.contains(&found.code))
        .map(|found| usize::try_from(found.labels[0].origin.line).unwrap() - 7)
        .collect()
}

proptest! {
    #![proptest_config(crate::model::cases(512))]

    #[test]
    fn a_rule_is_reported_if_and_only_if_it_decides_nothing(
        rules in proptest::collection::vec(written(), 1..7),
    ) {
        let deciding: BTreeSet<usize> = deciding(&rules).into_iter().flatten().flatten().collect();
        let silent: BTreeSet<usize> =
            (0..rules.len()).filter(|index| !deciding.contains(index)).collect();
        let reported = reported(&rules, &["rule-never-matches", "dated-rule-hidden"]);
        prop_assert_eq!(reported, silent, "{}", yaml(&rules));
    }

    #[test]
    fn a_forward_rule_is_reported_if_and_only_if_a_later_one_drops_what_follows(
        mut rules in proptest::collection::vec(written(), 1..7),
    ) {
        // A rule that decides nothing is an error, and warnings come only without errors.
        let decides: BTreeSet<usize> = deciding(&rules).into_iter().flatten().flatten().collect();
        let mut index = 0..;
        rules.retain(|_| decides.contains(&index.next().unwrap()));
        let broken: BTreeSet<usize> = deciding(&rules)
            .into_iter()
            .filter_map(|[first, others]| Some((first?, others?)))
            .filter(|(first, others)| !rules[*first].blocks() && rules[*others].blocks())
            .map(|(first, _)| first)
            .collect();
        let reported = reported(&rules, &["forward-rule-skipped-by-any"]);
        prop_assert_eq!(reported, broken, "{}", yaml(&rules));
    }
}
