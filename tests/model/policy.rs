//! A policy as a plain value: the product gets its YAML, the evaluator the value itself.

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use std::fmt::Write as _;
use std::net::IpAddr;

/// Every file of one box.
#[derive(Clone, Debug)]
pub struct Policy {
    pub tenants: Vec<Tenant>,
}

#[derive(Clone, Debug)]
pub struct Tenant {
    pub zone: Zone,
    pub mirror: bool,
    pub plans: Vec<Plan>,
    pub subscribers: Vec<Subscribers>,
    pub hosts: Vec<Hosts>,
    /// Prefixes of the classes of [`CLASSES`], by index.
    pub destinations: Vec<(Prefix, usize)>,
    pub rules: Vec<Rule>,
}

/// Both have had one offset since 1951.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Zone {
    Utc,
    Tokyo,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub kind: &'static str,
    /// Of one subscriber's IPv6 prefix.
    pub subscriber_length: u32,
}

/// A group of the provider's own hosts.
#[derive(Clone, Debug)]
pub struct Hosts {
    pub role: &'static str,
    pub prefixes: Vec<Prefix>,
}

#[derive(Clone, Debug)]
pub struct Subscribers {
    pub prefix: Prefix,
    pub plan: usize,
    /// The last day.
    pub expires: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    pub kind: RuleKind,
    pub ip: Option<u8>,
    pub plans: Option<Vec<usize>>,
    pub kinds: Option<Vec<&'static str>>,
    /// Of [`RuleKind::InboundSubmission`].
    pub hosts: Option<Vec<usize>>,
    /// Of an inbound rule: from whom.
    pub to: To,
    pub from: Option<Instant>,
    pub before: Option<Instant>,
    pub action: Action,
    pub every_segment: bool,
}

#[derive(Clone, Debug)]
pub enum To {
    Everybody,
    Only(Vec<usize>),
    OtherThan(Vec<usize>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleKind {
    Outbound,
    InboundSubmission,
    InboundToSubscriber,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    Forward,
    Drop,
    Count,
    Reject(&'static str),
    Limit(Limit),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    pub rate: u32,
    pub burst: u32,
    pub then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Then {
    Drop,
    Count,
    Reject(&'static str),
}

/// A day, or a second of one, on the zone's clocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instant {
    pub day: i64,
    pub second: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    pub address: IpAddr,
    pub length: u32,
}

/// The last two need no declaration; `on-net` may have prefixes all the same.
pub const CLASSES: [&str; 5] = ["own", "own-hosting", "mobile", "on-net", "other"];
pub const ON_NET: usize = 3;
pub const OTHER: usize = 4;
pub const ROLES: [&str; 3] = ["submission", "mx", "other"];
pub const KINDS: [&str; 5] = ["dynamic", "fixed", "dialup", "ipv6", "shared"];

const FIRST_DAY: Date = date(2026, 11, 1);

impl Zone {
    fn offset_seconds(self) -> i64 {
        match self {
            Self::Utc => 0,
            Self::Tokyo => 9 * 3600,
        }
    }

    /// The second at which a day begins, counted from 1970.
    pub fn begin_of(self, day: i64) -> i64 {
        let midnight = FIRST_DAY.at(0, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
        midnight.as_second() + day * 86_400 - self.offset_seconds()
    }
}

impl Instant {
    pub fn second(self, zone: Zone) -> i64 {
        zone.begin_of(self.day) + self.second.unwrap_or(0)
    }

    fn yaml(self) -> String {
        let date = FIRST_DAY.checked_add(self.day.days()).unwrap();
        match self.second {
            None => date.to_string(),
            Some(second) => date
                .at(0, 0, 0, 0)
                .checked_add(second.seconds())
                .unwrap()
                .to_string(),
        }
    }
}

impl Prefix {
    /// The prefix of that length around an address.
    pub fn around(address: IpAddr, length: u32) -> Self {
        let (number, width) = number(address);
        let kept = (0..width).filter(|bit| *bit >= width - length);
        let number = kept.fold(0, |sum, bit| sum | number & (1 << bit));
        Self {
            address: match address {
                IpAddr::V4(_) => IpAddr::V4((number as u32).into()),
                IpAddr::V6(_) => IpAddr::V6(number.into()),
            },
            length,
        }
    }

    /// Bit by bit.
    pub fn holds(self, address: IpAddr) -> bool {
        let ((mine, width), (other, width_of_other)) = (number(self.address), number(address));
        width == width_of_other
            && (width - self.length..width).all(|bit| mine >> bit & 1 == other >> bit & 1)
    }

    fn yaml(self) -> String {
        format!("{}/{}", self.address, self.length)
    }
}

fn number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

impl Tenant {
    /// What an operator would have written; each rule has a line of its own.
    pub fn yaml(&self, number: usize) -> String {
        let zone = match self.zone {
            Zone::Utc => "UTC",
            Zone::Tokyo => "Asia/Tokyo",
        };
        let mut yaml = format!("isp: isp-{number}\ntime_zone: {zone}\n");
        if !self.mirror {
            yaml += "return-path: forward\n";
        }
        yaml += "reply-source: { ipv4: 192.0.2.254, ipv6: \"2001:db8:ffff::fe\" }\n";
        yaml += "plans:\n";
        for (number, plan) in self.plans.iter().enumerate() {
            let _ = writeln!(
                yaml,
                "  plan-{number}: {{ kind: {}, subscriber-length: {} }}",
                plan.kind, plan.subscriber_length
            );
        }
        yaml += "subscribers:";
        yaml += if self.subscribers.is_empty() {
            " []\n"
        } else {
            "\n"
        };
        for entry in &self.subscribers {
            let _ = write!(
                yaml,
                "  - {{ plan: plan-{}, prefixes: [\"{}\"]",
                entry.plan,
                entry.prefix.yaml()
            );
            if let Some(day) = entry.expires {
                let _ = write!(yaml, ", expires: {}", Instant { day, second: None }.yaml());
            }
            yaml += " }\n";
        }
        if !self.hosts.is_empty() {
            yaml += "hosts:\n";
        }
        for (group, hosts) in self.hosts.iter().enumerate() {
            let prefixes = list(&hosts.prefixes);
            let _ = writeln!(
                yaml,
                "  hosts-{group}: {{ role: {}, prefixes: {prefixes} }}",
                hosts.role
            );
        }
        yaml += &self.destinations_yaml();
        yaml += "rules:";
        yaml += if self.rules.is_empty() { " []\n" } else { "\n" };
        for rule in &self.rules {
            let _ = writeln!(yaml, "  - {{ {} }}", rule.yaml());
        }
        yaml
    }

    fn destinations_yaml(&self) -> String {
        let mut yaml = "destinations:\n".to_owned();
        for (class, name) in CLASSES.iter().enumerate().take(OTHER) {
            let of_class = self.destinations.iter().filter(|(_, of)| *of == class);
            let prefixes: Vec<_> = of_class.map(|(prefix, _)| *prefix).collect();
            if class == ON_NET && prefixes.is_empty() {
                continue;
            }
            let list = match prefixes[..] {
                [] => String::new(),
                _ => format!(" prefixes: {} ", list(&prefixes)),
            };
            let _ = writeln!(yaml, "  {name}: {{{list}}}");
        }
        yaml
    }
}

fn list(prefixes: &[Prefix]) -> String {
    let prefixes: Vec<_> = prefixes
        .iter()
        .map(|p| format!("\"{}\"", p.yaml()))
        .collect();
    format!("[{}]", prefixes.join(", "))
}

impl Rule {
    fn yaml(&self) -> String {
        let mut keys = vec![format!("name: {}", self.name)];
        keys.extend(match self.kind {
            RuleKind::Outbound => None,
            RuleKind::InboundSubmission => Some("kind: inbound-submission".to_owned()),
            RuleKind::InboundToSubscriber => Some("kind: inbound-to-subscriber".to_owned()),
        });
        keys.extend(self.ip.map(|ip| format!("ip: {ip}")));
        let list = |key: &str, words: Vec<String>| format!("{key}: [{}]", words.join(", "));
        keys.extend(self.plans.as_ref().map(|plans| {
            let names = plans.iter().map(|plan| format!("plan-{plan}"));
            list("plans", names.collect())
        }));
        keys.extend(self.kinds.as_ref().map(|kinds| {
            let names = kinds.iter().map(|kind| (*kind).to_owned());
            list("kinds", names.collect())
        }));
        keys.extend(self.hosts.as_ref().map(|groups| {
            let names = groups.iter().map(|group| format!("hosts-{group}"));
            list("hosts", names.collect())
        }));
        let classes = |classes: &[usize]| {
            let names = classes.iter().map(|class| CLASSES[*class].to_owned());
            names.collect()
        };
        let (only, other_than) = match self.kind {
            RuleKind::Outbound => ("to", "to-other-than"),
            _ => ("peers", "peers-other-than"),
        };
        keys.extend(match &self.to {
            To::Everybody => None,
            To::Only(named) => Some(list(only, classes(named))),
            To::OtherThan(named) => Some(list(other_than, classes(named))),
        });
        keys.extend(self.from.map(|from| format!("from: {}", from.yaml())));
        keys.extend(
            self.before
                .map(|before| format!("before: {}", before.yaml())),
        );
        if self.every_segment {
            keys.push("mode: any".to_owned());
        }
        keys.push(format!("action: {}", self.action.yaml()));
        keys.join(", ")
    }
}

impl Action {
    fn yaml(self) -> String {
        match self {
            Self::Forward => "forward".to_owned(),
            Self::Drop => "drop".to_owned(),
            Self::Count => "count".to_owned(),
            Self::Reject(how) => format!("{{ reject: {how} }}"),
            Self::Limit(Limit { rate, burst, then }) => {
                let then = match then {
                    Then::Drop => "drop".to_owned(),
                    Then::Count => "count".to_owned(),
                    Then::Reject(how) => format!("{{ reject: {how} }}"),
                };
                format!("{{ limit: {{ rate: {rate}, burst: {burst}, then: {then} }} }}")
            }
        }
    }
}

/// The instant as the product takes it.
pub fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}
