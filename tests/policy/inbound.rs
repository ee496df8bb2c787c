//! Hosts, connections that come in, and actions with particulars: what the words mean.

use sekisho::limit::Rate;
use sekisho::policy::{
    self, Action, ClassMatch, Kind, Limit, Loaded, Mode, Path, PeerSetId, PlanId, Program,
    Question, Reply, Role, RuleKind, Tenant, Then,
};
use sekisho::wire::Family;
use std::net::IpAddr;
use std::sync::Arc;

const POLICY: &str = "\
isp: example
time_zone: Asia/Tokyo
reply-source: { ipv4: 192.0.2.254, ipv6: 2001:db8:ff::1 }
plans:
  home: { kind: dynamic, subscriber-length: 56 }
  office: { kind: fixed }
subscribers:
  - { plan: home, prefixes: [198.51.100.0/25, 2001:db8::/40] }
  - { plan: office, prefixes: [198.51.100.128/25] }
hosts:
  smtp: { role: submission, label: smtp.example.jp, prefixes: [192.0.2.1] }
  relay: { role: submission, prefixes: [198.51.100.200] }
  mx: { role: mx, file: mx.txt }
  other: { role: other, prefixes: [203.0.113.1] }
destinations:
  own: { prefixes: [192.0.2.0/28] }
  partners: { prefixes: [203.0.113.0/24] }
rules:
  - { name: drop-all, action: drop }
  - { name: every-submission-host, kind: inbound-submission, peers-other-than: [own, on-net], from: 2027-01-01, action: drop }
  - { name: named, kind: inbound-submission, hosts: [other, smtp], peers: [partners], from: 2027-01-01, mode: any, action: count }
  - { name: undated, kind: inbound-to-subscriber, ip: 4, kinds: [dynamic], action: drop }
  - { name: every-subscriber, kind: inbound-to-subscriber, from: 2027-01-01, action: { limit: { rate: 60000, burst: 1000000 } } }
";

/// Only the first column is read.
const MX: &str = "192.0.2.2 nobody T-1 never\n2001:db8:ff::25\n";

fn load(text: &str) -> Loaded {
    let now = "2026-11-22T00:00:00Z".parse().unwrap();
    policy::load_with(&["a.yaml".to_owned()], now, &|path| match path.to_str() {
        Some("a.yaml") => Ok(text.to_owned().into_bytes()),
        Some("mx.txt") => Ok(MX.to_owned().into_bytes()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    })
}

fn tenant(text: &str) -> Tenant {
    let loaded = load(text);
    let said = policy::render(&loaded.sources, &loaded.diagnostics, false);
    let mut resolved = loaded.resolved.unwrap_or_else(|| panic!("{said}"));
    resolved.tenants.remove(0)
}

/// What the one rule of a policy does.
fn action(written: &str) -> Action {
    let rules = format!("rules:\n  - {{ name: it, action: {written} }}\n");
    let text = POLICY.split("rules:").next().unwrap().to_owned() + &rules;
    tenant(&text).rules[0].action
}

#[test]
fn actions_have_their_particulars() {
    for (written, meant) in [
        ("forward", Action::Forward),
        ("drop", Action::Drop),
        ("count", Action::Count),
        ("{ reject: icmp }", Action::Reject(Reply::Icmp)),
        ("{ reject: rst }", Action::Reject(Reply::Rst)),
    ] {
        assert_eq!(action(written), meant, "{written}");
    }
    for (then, meant) in [
        ("", Then::Drop),
        (", then: drop", Then::Drop),
        (", then: count", Then::Count),
        (", then: { reject: icmp }", Then::Reject(Reply::Icmp)),
        (", then: { reject: rst }", Then::Reject(Reply::Rst)),
    ] {
        let limit = Limit {
            per_minute: 30,
            burst: 10,
            then: meant,
        };
        let written = format!("{{ limit: {{ rate: 30, burst: 10{then} }} }}");
        assert_eq!(action(&written), Action::Limit(limit), "{written}");
    }
}

/// What a policy lets through is a rate that can be kept, to the ends of what it lets through.
#[test]
fn the_bounds_are_those_of_rates() {
    for (per_minute, burst) in [(60_000, 1_000_000), (60_000, 1), (1, 1_440), (694, 999_360)] {
        assert!(Rate { per_minute, burst }.check().is_ok());
        action(&format!(
            "{{ limit: {{ rate: {per_minute}, burst: {burst} }} }}"
        ));
    }
    for (per_minute, burst) in [(60_001, 1), (0, 1), (1, 0), (1, 1_441)] {
        assert!(Rate { per_minute, burst }.check().is_err());
    }
}

#[test]
fn hosts_are_numbered_behind_the_plans() {
    let tenant = tenant(POLICY);
    let plans: Vec<_> = tenant
        .plans
        .iter()
        .map(|plan| (plan.name.as_str(), plan.kind, plan.role))
        .collect();
    assert_eq!(
        plans,
        [
            ("home", Kind::Dynamic, None),
            ("office", Kind::Fixed, None),
            ("smtp", Kind::Server, Some(Role::Submission)),
            ("relay", Kind::Server, Some(Role::Submission)),
            ("mx", Kind::Server, Some(Role::Mx)),
            ("other", Kind::Server, Some(Role::Other)),
        ]
    );
    let lengths: Vec<_> = tenant.plans.iter().map(|p| p.subscriber_length).collect();
    // Each host is one.
    let host = Some(128);
    assert_eq!(lengths, [Some(56), None, host, host, host, host]);
    let prefixes = |plan: usize| -> Vec<String> {
        let of = tenant.subscribers.iter().filter(|e| e.plan == plan);
        of.map(|entry| entry.prefix.to_string()).collect()
    };
    assert_eq!(prefixes(4), ["192.0.2.2/32", "2001:db8:ff::25/128"]);
    let sources = tenant
        .reply_source
        .map(|source| source.unwrap().to_string());
    assert_eq!(sources, ["192.0.2.254", "2001:db8:ff::1"]);
}

#[test]
fn a_rule_speaks_of_its_own_side() {
    let rules = tenant(POLICY).rules;
    let spoken_of: Vec<_> = rules
        .iter()
        .map(|rule| (rule.kind, rule.plans.as_slice(), rule.action))
        .collect();
    let limit = Action::Limit(Limit {
        per_minute: 60_000,
        burst: 1_000_000,
        then: Then::Drop,
    });
    assert_eq!(
        spoken_of,
        [
            // Never of hosts, whatever it leaves out.
            (RuleKind::Outbound, &[0, 1][..], Action::Drop),
            // Of the role `submission`.
            (RuleKind::InboundSubmission, &[2, 3][..], Action::Drop),
            (RuleKind::InboundSubmission, &[2, 5][..], Action::Count),
            // Without a date it counts.
            (RuleKind::InboundToSubscriber, &[0][..], Action::Count),
            (RuleKind::InboundToSubscriber, &[0, 1][..], limit),
        ]
    );
    assert_eq!(rules[1].to, ClassMatch::NotIn(vec![0, 2]));
    assert_eq!(
        (&rules[2].to, rules[2].mode),
        (&ClassMatch::In(vec![1]), Mode::Any)
    );
}

#[test]
fn an_undated_rule_drops_nothing_and_says_so() {
    let found = load(POLICY).diagnostics;
    let said: Vec<_> = found
        .iter()
        .map(|found| (found.code, &found.message))
        .collect();
    let undated =
        "the rule `undated` only counts, until `from` says since when it holds".to_owned();
    assert!(
        said.contains(&("inbound-without-from", &undated)),
        "{said:?}"
    );
}

/// Naming hosts takes nothing from the class that lists them, and makes the others `on-net`.
#[test]
fn hosts_are_of_the_class_that_lists_them() {
    let program = Program::compile(Arc::new(load(POLICY).resolved.unwrap())).unwrap();
    let at = "2027-06-01T00:00:00Z".parse().unwrap();
    let tables = program.at(at).unwrap().tables;
    let tenant = &program.resolved().tenants[0];
    for (address, class) in [
        ("192.0.2.1", "own"),
        ("192.0.2.3", "own"),
        ("203.0.113.1", "partners"),
        ("198.51.100.200", "on-net"),
        ("2001:db8:ff::25", "on-net"),
        ("198.51.100.1", "on-net"),
        ("8.8.8.8", "other"),
    ] {
        let address: IpAddr = address.parse().unwrap();
        let (family, number) = match address {
            IpAddr::V4(a) => (Family::V4, u128::from(u32::from(a))),
            IpAddr::V6(a) => (Family::V6, u128::from(a)),
        };
        let set = tables.peer_set(family, number);
        assert_eq!(tables.legend.class_name(PlanId(1), set), class, "{address}");
        let (index, _) = tenant.class_of(address, at);
        assert_eq!(tenant.classes[index].name, class, "{address}");
    }
}

#[test]
fn no_outbound_rule_hits_a_host_and_no_inbound_rule_a_call() {
    let program = Program::compile(Arc::new(load(POLICY).resolved.unwrap())).unwrap();
    let tables = program
        .at("2027-06-01T00:00:00Z".parse().unwrap())
        .unwrap()
        .tables;
    let rule = |plan: &str, path| {
        let id = tables.rule(Question {
            family: Family::V4,
            path,
            opening: true,
            plan: tables.legend.plan_named(0, plan).unwrap(),
            peer_set: PeerSetId::OTHER,
        });
        tables.legend.rule(id).map(|(_, rule)| rule.name.as_str())
    };
    for hosts in ["smtp", "relay", "mx", "other"] {
        assert_eq!(rule(hosts, Path::Outbound), None);
        assert_eq!(rule(hosts, Path::Return), None);
    }
    assert_eq!(rule("home", Path::Outbound), Some("drop-all"));
    assert_eq!(rule("smtp", Path::Inbound), Some("every-submission-host"));
    assert_eq!(rule("mx", Path::Inbound), None);
    assert_eq!(rule("home", Path::Inbound), Some("undated"));
    assert_eq!(rule("office", Path::Inbound), Some("every-subscriber"));
}

/// The longest prefix decides who is called: only hosts inside an exchanger's prefix take from it.
#[test]
fn an_exchanger_with_the_longer_match_is_not_covered() {
    for (submission, mx, covered) in [
        ("192.0.2.0/24", "192.0.2.25", false),
        ("192.0.2.25", "192.0.2.0/24", true),
        ("192.0.2.24", "192.0.2.25", false),
    ] {
        let text = format!(
            "isp: example\ntime_zone: UTC\nhosts:\n  \
             smtp: {{ role: submission, prefixes: [{submission}] }}\n  \
             mx: {{ role: mx, prefixes: [{mx}] }}\n\
             rules: [{{ name: it, kind: inbound-submission, from: 2027-01-01, action: drop }}]\n"
        );
        let codes: Vec<_> = load(&text).diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes.contains(&"mx-covered"), covered, "{codes:?}");
    }
}

/// What is printed as in force is a policy that means the same.
#[test]
fn what_is_in_force_reads_back_the_same() {
    let printed = |loaded: &Loaded| policy::effective_yaml(loaded.resolved.as_ref().unwrap());
    let example = std::fs::read_to_string("config/ip25b.yaml").unwrap();
    for text in [POLICY, &example] {
        let first = printed(&load(text));
        assert_eq!(printed(&load(first.trim_start_matches("---\n"))), first);
    }
}
