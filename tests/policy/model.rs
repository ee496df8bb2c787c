//! An independent answer: scans what was resolved, prefix by prefix and rule by rule.

use ipnet::IpNet;
use jiff::Timestamp;
use proptest::prelude::*;
use sekisho::policy::{
    Action, Class, ClassMatch, ClassPrefix, Kind, Limit, Mode, Origin, Path, Plan, Reply, Resolved,
    ReturnPath, Role, Rule, RuleKind, SourceId, SubscriberPrefix, Tenant, Then,
};
use std::net::IpAddr;

/// So many cases, or as many as `PROPTEST_CASES` asks for.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(usual),
    }
}

pub(crate) fn origin(line: u32) -> Origin {
    Origin {
        source: SourceId(0),
        line,
        span: 0..0,
    }
}

/// Seconds since the epoch; the tests' instants are few, so that boundaries are hit.
pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// What the model says of one segment between a subscriber and a peer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) tenant: usize,
    pub(crate) plan: String,
    pub(crate) class: String,
    pub(crate) rule: Option<String>,
    pub(crate) action: Action,
}

/// One segment, seen from the subscriber.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) subscriber: IpAddr,
    pub(crate) peer: IpAddr,
    pub(crate) path: Path,
    pub(crate) opening: bool,
    pub(crate) at: Timestamp,
}

/// `None`: no plan.
pub(crate) fn judge(resolved: &Resolved, segment: Segment) -> Option<Answer> {
    let (tenant, plan) = plan_of(resolved, segment.subscriber, segment.at)?;
    let of = &resolved.tenants[tenant];
    let class = class_of(of, segment.peer, segment.at);
    let mut answer = Answer {
        tenant,
        plan: of.plans[plan].name.clone(),
        class: of.classes[class].name.clone(),
        rule: None,
        action: Action::Forward,
    };
    if segment.path == Path::Return && of.return_path == ReturnPath::Forward {
        return Some(answer);
    }
    for rule in &of.rules {
        let of_path = match rule.kind {
            RuleKind::Outbound => segment.path != Path::Inbound,
            RuleKind::InboundSubmission | RuleKind::InboundToSubscriber => {
                segment.path == Path::Inbound
            }
        };
        if !of_path {
            continue;
        }
        let begun = rule.from.is_none_or(|from| segment.at >= from);
        let over = rule.before.is_some_and(|before| segment.at >= before);
        let named = match &rule.to {
            ClassMatch::Any => true,
            ClassMatch::In(list) => list.contains(&class),
            ClassMatch::NotIn(list) => !list.contains(&class),
        };
        let family = rule.families[usize::from(segment.subscriber.is_ipv6())];
        let kind = rule.mode == Mode::Any || segment.opening;
        if begun && !over && named && family && kind && rule.plans.contains(&plan) {
            answer.rule = Some(rule.name.clone());
            answer.action = rule.action;
            break;
        }
    }
    Some(answer)
}

fn plan_of(resolved: &Resolved, address: IpAddr, at: Timestamp) -> Option<(usize, usize)> {
    let mut best: Option<(u8, usize, usize)> = None;
    for (number, tenant) in resolved.tenants.iter().enumerate() {
        for s in &tenant.subscribers {
            let active = s.until.is_none_or(|until| at < until);
            let longer = best.is_none_or(|(length, _, _)| s.prefix.prefix_len() >= length);
            if active && s.prefix.contains(&address) && longer {
                best = Some((s.prefix.prefix_len(), number, s.plan));
            }
        }
    }
    best.map(|(_, tenant, plan)| (tenant, plan))
}

pub(crate) fn class_of(tenant: &Tenant, address: IpAddr, at: Timestamp) -> usize {
    let on_net = tenant.classes.len() - 2;
    // Twice the length, plus one for a listed class: it wins at the same length.
    let mut best: Option<(u16, usize)> = None;
    let mut consider = |prefix: IpNet, rank: u16, class: usize| {
        let rank = u16::from(prefix.prefix_len()) * 2 + rank;
        if prefix.contains(&address) && best.is_none_or(|(known, _)| rank >= known) {
            best = Some((rank, class));
        }
    };
    for s in &tenant.subscribers {
        let host = tenant.plans[s.plan].kind == Kind::Server;
        let listed = tenant
            .destinations
            .iter()
            .any(|d| d.prefix.contains(&s.prefix));
        if s.until.is_none_or(|until| at < until) && !(host && listed) {
            consider(s.prefix, 0, on_net);
        }
    }
    for d in &tenant.destinations {
        consider(d.prefix, 1, d.class);
    }
    best.map_or(tenant.classes.len() - 1, |(_, class)| class)
}

/// A universe of 256 addresses in each family, so that random prefixes nest and meet.
pub(crate) fn prefix() -> impl Strategy<Value = IpNet> {
    (any::<bool>(), any::<u8>(), 0..=9_u8).prop_map(|(v6, host, length)| universe(v6, host, length))
}

/// The prefix of `length` − 1 bits in the universe; 0 is the whole family.
fn universe(v6: bool, host: u8, length: u8) -> IpNet {
    let net = if v6 {
        let address = format!("2001:db8::{host:x}");
        let length = if length == 0 { 0 } else { 119 + length };
        format!("{address}/{length}")
    } else {
        let length = if length == 0 { 0 } else { 23 + length };
        format!("192.0.2.{host}/{length}")
    };
    net.parse::<IpNet>().unwrap().trunc()
}

/// An address of the universe, or just outside it.
pub(crate) fn address(v6: bool) -> impl Strategy<Value = IpAddr> {
    let inside = any::<u8>().prop_map(move |host| {
        let text = if v6 {
            format!("2001:db8::{host:x}")
        } else {
            format!("192.0.2.{host}")
        };
        text.parse().unwrap()
    });
    let edges = if v6 {
        [
            "::",
            "2001:db8::100",
            "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        ]
    } else {
        ["0.0.0.0", "192.0.3.0", "192.0.1.255"]
    };
    let edges = edges.map(|text| text.parse::<IpAddr>().unwrap());
    prop_oneof![8 => inside, 1 => proptest::sample::select(edges.to_vec())]
}

pub(crate) fn instant() -> impl Strategy<Value = Timestamp> {
    (0..6_i64, -1..=1_i64).prop_map(|(ten, off)| second(ten * 10 + off))
}

fn maybe_instant() -> impl Strategy<Value = Option<Timestamp>> {
    prop_oneof![
        2 => Just(None),
        1 => (0..6_i64).prop_map(|ten| Some(second(ten * 10))),
    ]
}

/// Plans that are sold, and one group of hosts behind them.
const PLANS: usize = 3;
const HOSTS: usize = PLANS;
const DECLARED: usize = 2;

fn rule(number: usize) -> impl Strategy<Value = Rule> {
    let families = prop_oneof![Just([true, true]), Just([true, false]), Just([false, true])];
    let classes = || proptest::sample::subsequence((0..DECLARED + 2).collect::<Vec<_>>(), 1..=3);
    let to = prop_oneof![
        Just(ClassMatch::Any),
        classes().prop_map(ClassMatch::In),
        classes().prop_map(ClassMatch::NotIn),
    ];
    let mode = prop_oneof![2 => Just(Mode::Syn), 1 => Just(Mode::Any)];
    let plans = proptest::sample::subsequence((0..PLANS).collect::<Vec<_>>(), 1..=PLANS);
    let kind = prop_oneof![
        3 => Just(RuleKind::Outbound),
        1 => Just(RuleKind::InboundSubmission),
        1 => Just(RuleKind::InboundToSubscriber),
    ];
    let dates = (maybe_instant(), maybe_instant());
    (families, plans, to, dates, action(), mode, kind).prop_map(
        move |(families, plans, to, (from, before), action, mode, kind)| Rule {
            name: format!("rule-{number}"),
            kind,
            families,
            plans: match kind {
                RuleKind::Outbound | RuleKind::InboundToSubscriber => plans,
                RuleKind::InboundSubmission => vec![HOSTS],
            },
            to,
            from,
            before,
            action,
            mode,
            origin: origin(1),
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    let then = prop_oneof![
        Just(Then::Drop),
        Just(Then::Count),
        Just(Then::Reject(Reply::Icmp)),
    ];
    let limit = (1..4_u32, 1..4_u32, then).prop_map(|(per_minute, burst, then)| {
        Action::Limit(Limit {
            per_minute,
            burst,
            then,
        })
    });
    prop_oneof![
        2 => Just(Action::Forward),
        3 => Just(Action::Drop),
        1 => Just(Action::Count),
        1 => Just(Action::Reject(Reply::Icmp)),
        1 => Just(Action::Reject(Reply::Rst)),
        2 => limit,
    ]
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    (0..6_usize).prop_flat_map(|count| (0..count).map(rule).collect::<Vec<_>>())
}

fn tenant(number: usize) -> impl Strategy<Value = Tenant> {
    let subscribers = prop::collection::vec((prefix(), 0..=HOSTS, maybe_instant()), 0..8);
    let destinations = prop::collection::vec((prefix(), 0..=DECLARED), 0..6);
    let return_path = prop_oneof![3 => Just(ReturnPath::Mirror), 1 => Just(ReturnPath::Forward)];
    let gateway = |text: &str| proptest::option::of(Just(text.parse::<IpAddr>().unwrap()));
    let reply_source = (gateway("198.51.100.1"), gateway("2001:db8:f::1"));
    (
        subscribers,
        destinations,
        rules(),
        return_path,
        reply_source,
    )
        .prop_map(
            move |(subscribers, destinations, rules, return_path, reply_source)| Tenant {
                name: format!("isp-{number}"),
                subscribers: subscribers
                    .into_iter()
                    .map(|(prefix, plan, until)| SubscriberPrefix {
                        prefix,
                        plan,
                        ticket: None,
                        until: until.filter(|_| plan != HOSTS),
                        origin: origin(1),
                    })
                    .collect(),
                destinations: destinations
                    .into_iter()
                    .map(|(prefix, class)| ClassPrefix {
                        prefix,
                        class,
                        origin: origin(1),
                    })
                    .collect(),
                rules,
                return_path,
                reply_source: reply_source.into(),
                plans: (0..PLANS).map(plan).chain([hosts()]).collect(),
                ..simple_tenant(Action::Drop)
            },
        )
}

pub(crate) fn plan(number: usize) -> Plan {
    Plan {
        name: format!("plan-{number}"),
        kind: Kind::Dynamic,
        label: None,
        subscriber_length: None,
        role: None,
        origin: origin(1),
    }
}

pub(crate) fn hosts() -> Plan {
    Plan {
        name: "hosts".to_owned(),
        kind: Kind::Server,
        role: Some(Role::Submission),
        ..plan(HOSTS)
    }
}

pub(crate) fn class(name: &str) -> Class {
    Class {
        name: name.to_owned(),
        label: None,
        origin: None,
    }
}

/// One to three tenants, as the front would let them through: a prefix is in one plan of one
/// tenant, and in one class of a tenant.
pub(crate) fn resolved() -> impl Strategy<Value = Resolved> {
    (1..=3_usize)
        .prop_flat_map(|count| (0..count).map(tenant).collect::<Vec<_>>())
        .prop_map(|mut tenants| {
            let mut taken = std::collections::HashSet::new();
            for tenant in &mut tenants {
                tenant.subscribers.retain(|s| taken.insert(s.prefix));
                let mut listed = std::collections::HashSet::new();
                tenant.destinations.retain(|d| listed.insert(d.prefix));
            }
            Resolved {
                tenants,
                memory_limit_bytes: 1 << 30,
            }
        })
}

/// Three plans, one undated rule for all of them and everybody.
pub(crate) fn simple_tenant(action: Action) -> Tenant {
    Tenant {
        name: "isp".to_owned(),
        label: None,
        origin: origin(1),
        zone: jiff::tz::TimeZone::UTC,
        plans: (0..PLANS).map(plan).collect(),
        classes: ["own", "mobile", "on-net", "other"].map(class).to_vec(),
        subscribers: Vec::new(),
        destinations: Vec::new(),
        rules: vec![Rule {
            name: "rule".to_owned(),
            kind: RuleKind::Outbound,
            families: [true, true],
            plans: (0..PLANS).collect(),
            to: ClassMatch::Any,
            from: None,
            before: None,
            action,
            mode: Mode::Syn,
            origin: origin(1),
        }],
        return_path: ReturnPath::Mirror,
        reply_source: [None, None],
    }
}

pub(crate) fn subscriber(prefix: IpNet, plan: usize) -> SubscriberPrefix {
    SubscriberPrefix {
        prefix,
        plan,
        ticket: None,
        until: None,
        origin: origin(1),
    }
}
