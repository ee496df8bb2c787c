//! What a policy means once it is read: indices, instants, prefixes, and who an address is.

use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use sekisho::policy::{self, Action, ClassMatch, Kind, Loaded, Mode, ReturnPath, Tenant};
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::IpAddr;

const POLICY: &str = "
isp: example
label: Example
time_zone: Asia/Tokyo
return-path: forward
memory-limit-mib: 64
plans:
  home: { kind: dynamic, label: 家庭 }
  office: { kind: fixed }
  shared: { kind: shared }
subscribers:
  - { plan: home, prefixes: [198.51.100.0/24, 2001:db8::/40] }
  - { plan: office, prefixes: [198.51.100.9], ticket: 1042, expires: 2026-03-31 }
  - { plan: office, file: lists/offices.txt, ticket: T-0 }
destinations:
  own: { prefixes: [192.0.2.0/28, 198.51.100.128/25] }
  on-net: { prefixes: [203.0.113.0/24] }
  partner: { file: lists/partner.gz }
rules:
  - name: first
    kinds: [shared]
    plans: [home]
    to-other-than: [own]
    from: 2006-11-01
    before: 2006-12-01T09:30:00
    action: count
    mode: any
  - { name: second, ip: 6, to: [other, own], from: 2006-12-01T00:00:00Z, action: drop }
  - { name: third, port: 25, action: forward }
";

const OFFICES: &str = "\
# prefix, plan, ticket, expires
203.0.113.64/26
203.0.113.0/28\tshared T-1
2001:db8:0:1::/64, -, -, 2026-12-31 # until the end of the year\r
";

fn load(files: &HashMap<&str, Vec<u8>>) -> Loaded {
    let now = at("2026-01-01T00:00:00Z");
    policy::load_with(&["dir/policy.yaml".to_owned()], now, &|path| {
        let found = files.get(path.to_str().unwrap()).cloned();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    })
}

fn example() -> Tenant {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all("192.0.2.64/26 whatever\n192.0.2.8\n".as_bytes())
        .unwrap();
    let files = HashMap::from([
        ("dir/policy.yaml", POLICY.as_bytes().to_vec()),
        ("dir/lists/offices.txt", OFFICES.as_bytes().to_vec()),
        ("dir/lists/partner.gz", gzip.finish().unwrap()),
    ]);
    let loaded = load(&files);
    let codes: Vec<_> = loaded.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["expired"], "the rule `first` ended in 2006");
    let mut resolved = loaded.resolved.unwrap();
    assert_eq!(resolved.memory_limit_bytes, 64 << 20);
    resolved.tenants.remove(0)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn names_become_indices_and_dates_instants() {
    let tenant = example();
    assert_eq!(tenant.name, "example");
    assert_eq!(tenant.label.as_deref(), Some("Example"));
    assert_eq!(tenant.return_path, ReturnPath::Forward);
    let plans: Vec<_> = tenant
        .plans
        .iter()
        .map(|plan| (plan.name.as_str(), plan.kind))
        .collect();
    let kinds = [
        ("home", Kind::Dynamic),
        ("office", Kind::Fixed),
        ("shared", Kind::Shared),
    ];
    assert_eq!(plans, kinds);
    assert_eq!(tenant.plans[0].label.as_deref(), Some("家庭"));
    let classes: Vec<_> = tenant
        .classes
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(classes, ["own", "partner", "on-net", "other"]);

    let [first, second, third] = &tenant.rules[..] else {
        panic!()
    };
    assert_eq!(
        (first.families, &first.plans[..]),
        ([true, true], &[0, 2][..])
    );
    assert_eq!(first.to, ClassMatch::NotIn(vec![0]));
    // Tokyo is nine hours ahead of UTC.
    assert_eq!(first.from, Some(at("2006-10-31T15:00:00Z")));
    assert_eq!(first.before, Some(at("2006-12-01T00:30:00Z")));
    assert_eq!((first.action, first.mode), (Action::Count, Mode::Any));
    assert_eq!(
        (second.families, &second.plans[..]),
        ([false, true], &[0, 1, 2][..])
    );
    assert_eq!(second.to, ClassMatch::In(vec![0, 3]));
    assert_eq!(second.from, Some(at("2006-12-01T00:00:00Z")));
    assert_eq!((second.action, second.mode), (Action::Drop, Mode::Syn));
    assert_eq!(
        (&third.to, third.action),
        (&ClassMatch::Any, Action::Forward)
    );
    assert_eq!(third.origin.line, 29);
}

#[test]
fn prefixes_carry_plan_ticket_expiry_and_place() {
    let tenant = example();
    let mut found: Vec<String> = tenant
        .subscribers
        .iter()
        .map(|entry| {
            let plan = &tenant.plans[entry.plan].name;
            let ticket = entry.ticket.as_deref().unwrap_or("-");
            let until = entry
                .until
                .map_or("-".to_owned(), |until| until.to_string());
            let place = (entry.origin.source.0, entry.origin.line);
            format!("{} {plan} {ticket} {until} {place:?}", entry.prefix)
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "198.51.100.0/24 home - - (0, 12)",
            "198.51.100.9/32 office 1042 2026-03-31T15:00:00Z (0, 13)",
            "2001:db8:0:1::/64 office T-0 2026-12-31T15:00:00Z (1, 4)",
            "2001:db8::/40 home - - (0, 12)",
            "203.0.113.0/28 shared T-1 - (1, 3)",
            "203.0.113.64/26 office T-0 - (1, 2)",
        ]
    );
    let partner: Vec<String> = tenant
        .destinations
        .iter()
        .filter(|entry| entry.class == 1)
        .map(|entry| entry.prefix.to_string())
        .collect();
    assert_eq!(partner, ["192.0.2.8/32", "192.0.2.64/26"]);
}

#[test]
fn an_exemption_ends_with_its_day_and_the_covering_prefix_counts() {
    let tenant = example();
    let plan = |address: &str, when: &str| {
        tenant
            .longest_subscriber(ip(address), at(when))
            .map(|entry| entry.plan)
    };
    let (before, after) = ("2026-03-31T23:59:59+09:00", "2026-04-01T00:00:00+09:00");
    assert_eq!(plan("198.51.100.9", before), Some(1));
    assert_eq!(plan("198.51.100.9", after), Some(0));
    assert_eq!(plan("198.51.100.10", before), Some(0));
    assert_eq!(plan("203.0.113.64", before), Some(1));
    assert_eq!(plan("203.0.113.128", before), None);
    assert_eq!(plan("2001:db8:0:1::1", before), Some(1));
    assert_eq!(plan("2001:db8:1::1", before), Some(0));
}

#[test]
fn the_longest_prefix_gives_the_class_and_a_listed_one_goes_before_a_subscribers() {
    let tenant = example();
    let class = |address: &str, when: &str| {
        let (class, prefix) = tenant.class_of(ip(address), at(when));
        let prefix = prefix.map_or("-".to_owned(), |(prefix, _)| prefix.to_string());
        format!("{} {prefix}", tenant.classes[class].name)
    };
    let now = "2026-01-01T00:00:00Z";
    assert_eq!(class("192.0.2.1", now), "own 192.0.2.0/28");
    assert_eq!(class("192.0.2.8", now), "partner 192.0.2.8/32");
    assert_eq!(class("192.0.2.20", now), "other -");
    assert_eq!(class("203.0.113.200", now), "on-net 203.0.113.0/24");
    assert_eq!(class("203.0.113.70", now), "on-net 203.0.113.64/26");
    assert_eq!(class("198.51.100.1", now), "on-net 198.51.100.0/24");
    assert_eq!(class("198.51.100.200", now), "own 198.51.100.128/25");
    assert_eq!(class("198.51.100.9", now), "on-net 198.51.100.9/32");
    assert_eq!(
        class("198.51.100.9", "2026-06-01T00:00:00Z"),
        "on-net 198.51.100.0/24"
    );
    assert_eq!(class("2001:db8::1", now), "on-net 2001:db8::/40");
    assert_eq!(class("2001:db9::1", now), "other -");
}

/// Of two entries that say the same, the one that lasts longer is kept.
#[test]
fn a_prefix_listed_twice_is_kept_once() {
    let policy = "
isp: twice
time_zone: UTC
plans: { home: { kind: dynamic } }
subscribers:
  - { plan: home, prefixes: [192.0.2.0/24], expires: 2030-01-01 }
  - { plan: home, prefixes: [192.0.2.0/24], expires: 2031-01-01 }
  - { plan: home, prefixes: [192.0.2.0/24], expires: 2029-01-01 }
";
    let loaded = load(&HashMap::from([(
        "dir/policy.yaml",
        policy.as_bytes().to_vec(),
    )]));
    let codes: Vec<_> = loaded.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["prefix-twice", "prefix-twice"]);
    let tenant = &loaded.resolved.unwrap().tenants[0];
    assert_eq!(tenant.subscribers.len(), 1);
    assert_eq!(
        tenant.subscribers[0].until,
        Some(at("2031-01-02T00:00:00Z"))
    );
}

#[test]
fn a_prefix_file_of_a_hundred_thousand_lines() {
    let policy = "
isp: many
time_zone: UTC
plans: { home: { kind: dynamic } }
subscribers: [{ plan: home, file: many.txt }]
";
    let mut lines = String::new();
    for number in 0..100_000_u32 {
        let [_, high, middle, low] = (number * 4).to_be_bytes();
        lines.push_str(&format!("10.{high}.{middle}.{low}/30\n"));
    }
    let files = HashMap::from([
        ("dir/policy.yaml", policy.as_bytes().to_vec()),
        ("dir/many.txt", lines.into_bytes()),
    ]);
    let loaded = load(&files);
    assert_eq!(loaded.diagnostics, []);
    let tenant = &loaded.resolved.unwrap().tenants[0];
    assert_eq!(tenant.subscribers.len(), 100_000);
    assert_eq!(tenant.subscribers[99_999].origin.line, 100_000);
}

/// A long list inside the policy is allowed too.
#[test]
fn an_inline_list_of_three_hundred_thousand_prefixes() {
    let mut policy =
        "isp: many\ntime_zone: UTC\nplans: { home: { kind: dynamic } }\nsubscribers:\n  - plan: home\n    prefixes:\n"
            .to_owned();
    for number in 0..300_000_u32 {
        let [_, high, middle, low] = number.to_be_bytes();
        policy.push_str(&format!("      - 10.{high}.{middle}.{low}\n"));
    }
    let loaded = load(&HashMap::from([("dir/policy.yaml", policy.into_bytes())]));
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(
        loaded.resolved.unwrap().tenants[0].subscribers.len(),
        300_000
    );
}
