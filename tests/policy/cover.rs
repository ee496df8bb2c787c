//! "This rule can never match" is exact: a rule is reported if and only if it decides nothing
//! at any of the points where it could.

use proptest::prelude::*;
use sekisho::policy;
use std::collections::BTreeSet;

const PLANS: [&str; 3] = ["a", "b", "c"];
const CLASSES: [&str; 3] = ["own", "on-net", "other"];

/// Sets are bit masks; `None` is a key left out.
#[derive(Clone, Debug)]
struct Written {
    ip: Option<u8>,
    plans: Option<u8>,
    to: Option<(bool, u8)>,
    from: Option<u8>,
    before: Option<u8>,
    any: bool,
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
    )
        .prop_map(|(ip, plans, to, from, before, any)| Written {
            ip,
            plans,
            to,
            from,
            before,
            any,
        })
}

fn names(all: [&str; 3], set: u8) -> String {
    let chosen = |index: &usize| set >> index & 1 == 1;
    let chosen: Vec<&str> = (0..3).filter(chosen).map(|index| all[index]).collect();
    chosen.join(", ")
}

fn yaml(rules: &[Written]) -> String {
    let mut text = "isp: model\ntime_zone: UTC\ndestinations: { own: { prefixes: [192.0.2.1] } }\n\
        plans: { a: { kind: dynamic }, b: { kind: fixed }, c: { kind: shared } }\nrules:\n"
        .to_owned();
    for (index, rule) in rules.iter().enumerate() {
        text.push_str(&format!("  - {{ name: r{index}, action: drop"));
        if let Some(ip) = rule.ip {
            text.push_str(&format!(", ip: {ip}"));
        }
        if let Some(plans) = rule.plans {
            text.push_str(&format!(", plans: [{}]", names(PLANS, plans)));
        }
        if let Some((other_than, to)) = rule.to {
            let key = if other_than { "to-other-than" } else { "to" };
            text.push_str(&format!(", {key}: [{}]", names(CLASSES, to)));
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

fn matches(rule: &Written, (ip, plan, class, day, opening): (u8, u8, u8, u8, bool)) -> bool {
    rule.ip.is_none_or(|wanted| wanted == ip)
        && rule.plans.is_none_or(|plans| plans >> plan & 1 == 1)
        && rule
            .to
            .is_none_or(|(other_than, to)| (to >> class & 1 == 1) != other_than)
        && rule.from.is_none_or(|from| from <= day)
        && rule.before.is_none_or(|before| day < before)
        && (opening || rule.any)
}

/// The rules that decide at some point, by asking at every point.
fn deciding(rules: &[Written]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for ip in [4, 6] {
        for plan in 0..3 {
            for class in 0..3 {
                for day in 0..=8 {
                    for opening in [true, false] {
                        let point = (ip, plan, class, day, opening);
                        found.extend(rules.iter().position(|rule| matches(rule, point)));
                    }
                }
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(crate::model::cases(512))]

    #[test]
    fn a_rule_is_reported_if_and_only_if_it_decides_nothing(
        rules in proptest::collection::vec(written(), 1..7),
    ) {
        let text = yaml(&rules);
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        let loaded = policy::load_with(&["model.yaml".to_owned()], now, &|_| {
            Ok(text.clone().into_bytes())
        });
        let reported: BTreeSet<usize> = loaded
            .diagnostics
            .iter()
            .filter(|found| ["rule-never-matches", "dated-rule-hidden"].contains(&found.code))
            .map(|found| usize::try_from(found.labels[0].origin.line).unwrap() - 6)
            .collect();
        let deciding = deciding(&rules);
        let silent: BTreeSet<usize> =
            (0..rules.len()).filter(|index| !deciding.contains(index)).collect();
        prop_assert_eq!(reported, silent, "{}", text);
    }
}
