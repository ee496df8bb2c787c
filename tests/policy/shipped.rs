//! The policies in `config/` load, each alone and the five ISPs as one box, and their rules say
//! what the acceptance cases say.

use ipnet::IpNet;
use jiff::{Timestamp, civil::DateTime};
use sekisho::policy::{
    self, Action, Kind, Loaded, Mode, Resolved, ReturnPath, RuleKind, Severity, Tenant,
};
use std::path::{Path, PathBuf};

const ISPS: [&str; 5] = [
    "web-shizuoka",
    "ipc-tokai",
    "bb-east",
    "nmtnet",
    "alpha-web",
];

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config")
        .join(name)
}

fn load(names: &[&str]) -> Loaded {
    let paths: Vec<PathBuf> = names
        .iter()
        .map(|isp| config(&format!("{isp}.yaml")))
        .collect();
    let loaded = policy::load(&paths, "2026-11-22T00:00:00+09:00".parse().unwrap());
    let errors = loaded
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let text = policy::render(&loaded.sources, &loaded.diagnostics, false);
    assert_eq!(errors.count(), 0, "{text}");
    loaded
}

fn warnings(loaded: &Loaded) -> Vec<String> {
    let text = |found: &policy::Diagnostic| format!("{}: {}", found.code, found.message);
    loaded.diagnostics.iter().map(text).collect()
}

/// The warnings are meant: the pages of two ISPs say that their own servers are blocked, and one
/// announces IP25B without a date.
#[test]
fn the_five_isps_load_as_one_box_with_the_warnings_that_are_meant() {
    let loaded = load(&ISPS);
    let tenants = &loaded.resolved.as_ref().unwrap().tenants;
    assert_eq!(
        tenants
            .iter()
            .map(|tenant| tenant.name.as_str())
            .collect::<Vec<_>>(),
        ISPS
    );
    let blocks = |rule| {
        format!(
            "own-servers-blocked: the rule `{rule}` blocks port 25 to the provider's own mail servers"
        )
    };
    assert_eq!(
        warnings(&loaded),
        [
            blocks("op25b"),
            "inbound-without-from: the rule `ip25b` only counts, until `from` says since when it holds"
                .to_owned(),
            blocks("ipv6"),
            blocks("v6plus")
        ]
    );
}

#[test]
fn the_examples_load_without_a_warning() {
    assert_eq!(warnings(&load(&["strict"])), [""; 0]);
    assert_eq!(warnings(&load(&["ip25b"])), [""; 0]);
}

/// Subscribers and servers are from documentation ranges, and what the demonstrations use as
/// `other` is in nobody's.
#[test]
fn the_addresses_are_for_documentation() {
    let nets = |texts: &[&str]| {
        texts
            .iter()
            .map(|net| net.parse().unwrap())
            .collect::<Vec<IpNet>>()
    };
    let subscribers = nets(&["198.51.100.0/24", "203.0.113.0/25", "2001:db8::/32"]);
    let servers = nets(&["192.0.2.0/24", "2001:db8:ff00::/40"]);
    let demonstration = nets(&["203.0.113.128/25", "2001:db8:ffff::/48"]);
    let example = load(&["ip25b"]).resolved.unwrap().tenants;
    for tenant in load(&ISPS).resolved.unwrap().tenants.iter().chain(&example) {
        let mobile = tenant.class_index("mobile");
        for entry in &tenant.subscribers {
            let documented = match tenant.plans[entry.plan].kind {
                Kind::Server => &servers,
                _ => &subscribers,
            };
            assert!(
                documented.iter().any(|net| net.contains(&entry.prefix)),
                "{entry:?}"
            );
            assert!(
                demonstration.iter().all(|net| disjoint(net, &entry.prefix)),
                "{entry:?}"
            );
        }
        for entry in &tenant.destinations {
            let documented = servers.iter().any(|net| net.contains(&entry.prefix));
            assert_eq!(documented, Some(entry.class) != mobile, "{entry:?}");
            assert!(
                demonstration.iter().all(|net| disjoint(net, &entry.prefix)),
                "{entry:?}"
            );
        }
    }
}

fn disjoint(one: &IpNet, other: &IpNet) -> bool {
    !one.contains(other) && !other.contains(one)
}

/// Every acceptance case, decided by reading the resolved rules one after the other. (That the
/// tables and stages decide the same is shown where they are tested.)
#[test]
fn the_rules_say_what_the_acceptance_cases_say() {
    let isps = load(&ISPS).resolved.unwrap();
    let example = load(&["ip25b"]).resolved.unwrap();
    let mut rows = [0; 2];
    for row in shipped_cases() {
        let of_example = &row[1] == "ip25b-example";
        let resolved = if of_example { &example } else { &isps };
        assert_eq!(verdict(resolved, &row), &row[9], "{row:?}");
        rows[usize::from(of_example)] += 1;
    }
    assert_eq!(rows, [81, 23]);
}

fn shipped_cases() -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(config("cases.csv")).unwrap();
    reader.records().map(Result::unwrap).collect()
}

fn verdict(resolved: &Resolved, row: &csv::StringRecord) -> &'static str {
    let index = resolved
        .tenants
        .iter()
        .position(|tenant| tenant.name == row[1])
        .unwrap();
    let tenant = &resolved.tenants[index];
    let at = at(&row[2]);
    let (plan, class) = (
        tenant.plan_index(&row[3]).unwrap(),
        tenant.class_index(&row[6]).unwrap(),
    );
    let family = usize::from(&row[4] == "6");
    assert!(
        has_addresses(resolved, index, plan, class, family, at),
        "{row:?}"
    );
    let new = row[8].contains('S') && !row[8].contains('A');
    let mut verdict = "forward";
    for (inbound, port, opening) in [
        (
            false,
            &row[7],
            if &row[5] == "out" {
                new
            } else {
                row[8].contains('S')
            },
        ),
        (true, if &row[5] == "in" { &row[11] } else { "" }, new),
    ] {
        let mirrored = tenant.return_path == ReturnPath::Mirror;
        if port != "25" || (&row[5] == "in" && !inbound && !mirrored) {
            continue;
        }
        let rule = tenant.rules.iter().find(|rule| {
            (rule.kind != RuleKind::Outbound) == inbound
                && rule.families[family]
                && rule.plans.contains(&plan)
                && rule.to.holds(class)
                && rule.from.is_none_or(|from| from <= at)
                && rule.before.is_none_or(|before| at < before)
                && (opening || rule.mode == Mode::Any)
        });
        match rule.map(|rule| rule.action) {
            Some(Action::Reject(_)) if &row[5] == "out" => verdict = "reject",
            Some(Action::Drop | Action::Reject(_)) => verdict = "drop",
            // The first connection is within any limit.
            Some(Action::Forward | Action::Count | Action::Limit(_)) | None => {}
        }
    }
    verdict
}

fn at(jst: &str) -> Timestamp {
    let civil: DateTime = jst.parse().unwrap();
    civil.in_tz("Asia/Tokyo").unwrap().timestamp()
}

/// A case can be run: some address is of the plan, and another of the class.
fn has_addresses(
    resolved: &Resolved,
    index: usize,
    plan: usize,
    class: usize,
    family: usize,
    at: Timestamp,
) -> bool {
    let tenant: &Tenant = &resolved.tenants[index];
    let of_family = |prefix: &IpNet| usize::from(prefix.addr().is_ipv6()) == family;
    let candidates = tenant
        .subscribers
        .iter()
        .map(|entry| entry.prefix)
        .chain(tenant.destinations.iter().map(|entry| entry.prefix))
        .chain([
            "203.0.113.200/32".parse().unwrap(),
            "2001:db8:ffff::1/128".parse().unwrap(),
        ])
        .filter(of_family);
    let (mut subscriber, mut peer) = (false, false);
    for prefix in candidates {
        let address = prefix.addr();
        let found = resolved.longest_subscriber(Some(index), address, at);
        subscriber |= found.is_some_and(|(_, entry)| entry.plan == plan);
        peer |= resolved.class_of(index, address, at).unwrap().0 == class;
    }
    subscriber && peer
}

/// The shared folder is outside the project: its path is in `SEKISHO_SHARED`, if it is there.
#[test]
fn the_shared_acceptance_cases_are_among_the_shipped_ones() {
    let Some(shared) = std::env::var_os("SEKISHO_SHARED") else {
        println!("SEKISHO_SHARED is not set: config/cases.csv was compared with nothing");
        return;
    };
    let shared = std::fs::read(Path::new(&shared).join("policy/cases.csv")).unwrap();
    let mut shared = csv::Reader::from_reader(shared.as_slice());
    let shipped = shipped_cases();
    for row in shared.records().map(Result::unwrap) {
        let found = shipped.iter().find(|shipped| shipped[0] == row[0]);
        let found: Vec<&str> = found.unwrap().iter().take(row.len()).collect();
        assert_eq!(found, row.iter().collect::<Vec<_>>());
    }
}
