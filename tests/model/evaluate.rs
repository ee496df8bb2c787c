//! The evaluator: rules one by one as they are written, prefixes one by one, no table.

use crate::naive::{Inside, Ip, Seen};
use crate::policy::{Action, ON_NET, OTHER, Policy, Rule, Tenant, To};
use sekisho::stage::Facing;
use sekisho::stats::{Reason, Verdict};
use std::net::IpAddr;

/// Verdict, reason, and the rule as `tenant/rule`.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub verdict: Verdict,
    pub reason: Reason,
    pub rule: Option<String>,
}

const SMTP: u16 = 25;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// What becomes of a frame of which this is seen, at a second counted from 1970.
pub fn evaluate(policy: &Policy, seen: Seen, facing: Facing, at: i64) -> Judged {
    let ip = match seen {
        Seen::NotIp => return passes(Reason::NotIp),
        Seen::Unparsed => return passes(Reason::Unparsed),
        Seen::TooManyTagsOrLabels => return passes(Reason::EncapsulationLimit),
        Seen::Unreadable => {
            return Judged {
                verdict: Verdict::Indeterminate,
                reason: Reason::Truncated,
                rule: None,
            };
        }
        Seen::Ip(ip) => ip,
    };
    let out = || Passage::new(policy, &ip, true, at).judge();
    let inward = || Passage::new(policy, &ip, false, at).judge();
    let is_subscriber = |address| policy.plan_of(address, at).is_some();
    match facing {
        Facing::Out => out(),
        Facing::In => inward(),
        Facing::Auto => match (is_subscriber(ip.src), is_subscriber(ip.dst)) {
            (true, false) => out(),
            (false, true) => inward(),
            _ => stricter(out(), inward()),
        },
    }
}

fn passes(reason: Reason) -> Judged {
    Judged {
        verdict: Verdict::Forward,
        reason,
        rule: None,
    }
}

/// Of two that are equally strict, the one that has something to say; else the first.
fn stricter(out: Judged, inward: Judged) -> Judged {
    let rank = |judged: &Judged| {
        [
            Verdict::Forward,
            Verdict::Indeterminate,
            Verdict::Limit,
            Verdict::Reject,
            Verdict::Drop,
        ]
        .iter()
        .position(|verdict| *verdict == judged.verdict)
    };
    let mute = out.reason == Reason::NotCandidate && inward.reason != Reason::NotCandidate;
    if rank(&inward) > rank(&out) || rank(&inward) == rank(&out) && mute {
        inward
    } else {
        out
    }
}

impl Policy {
    /// The tenant and the plan of an address: of the longest prefix that holds it.
    pub fn plan_of(&self, address: IpAddr, at: i64) -> Option<(usize, usize)> {
        let of_all = self
            .tenants
            .iter()
            .enumerate()
            .filter_map(|(number, tenant)| {
                let (length, plan) = tenant.plan_of(address, at)?;
                Some((length, number, plan))
            });
        let (_, tenant, plan) = of_all.max()?;
        Some((tenant, plan))
    }
}

impl Tenant {
    fn plan_of(&self, address: IpAddr, at: i64) -> Option<(u32, usize)> {
        let mut longest: Option<(u32, usize)> = None;
        for entry in &self.subscribers {
            let is_over = entry
                .expires
                .is_some_and(|last_day| at >= self.zone.begin_of(last_day + 1));
            let shorter = longest.is_some_and(|(length, _)| entry.prefix.length < length);
            if entry.prefix.holds(address) && !is_over && !shorter {
                longest = Some((entry.prefix.length, entry.plan));
            }
        }
        longest
    }

    /// The class of a peer; what is listed goes before a subscriber prefix of the same length.
    fn class_of(&self, address: IpAddr, at: i64) -> usize {
        let subscriber = self.plan_of(address, at).map(|(length, _)| length);
        let mut listed: Option<(u32, usize)> = None;
        for (prefix, class) in &self.destinations {
            if prefix.holds(address) && listed.is_none_or(|(length, _)| prefix.length > length) {
                listed = Some((prefix.length, *class));
            }
        }
        match (subscriber, listed) {
            (None, None) => OTHER,
            (Some(_), None) => ON_NET,
            (Some(subscriber), Some((length, _))) if subscriber > length => ON_NET,
            (_, Some((_, class))) => class,
        }
    }
}

/// A subscriber, a peer, and the packet between them, in one direction.
struct Passage<'a> {
    policy: &'a Policy,
    inside: Inside,
    out: bool,
    subscriber: IpAddr,
    peer: IpAddr,
    at: i64,
}

impl<'a> Passage<'a> {
    fn new(policy: &'a Policy, ip: &Ip, out: bool, at: i64) -> Self {
        let (subscriber, peer) = if out {
            (ip.src, ip.dst)
        } else {
            (ip.dst, ip.src)
        };
        Self {
            policy,
            inside: ip.inside,
            out,
            subscriber,
            peer,
            at,
        }
    }

    fn judge(&self) -> Judged {
        match self.inside {
            Inside::Opaque => passes(Reason::NotCandidate),
            Inside::LaterFragment => passes(Reason::LaterFragment),
            Inside::Segment {
                src_port,
                dst_port,
                flags,
            } => {
                let port = if self.out { dst_port } else { src_port };
                match port {
                    SMTP => self.segment(flags),
                    _ => passes(Reason::NotCandidate),
                }
            }
            Inside::Evasive(_) if !self.is_of_subscriber() => passes(Reason::NoSubscriber),
            Inside::Evasive(reason) => {
                let rule = self.rule(true);
                self.judged(rule, reason)
            }
            Inside::Cut { src_port, dst_port } => {
                let port = if self.out { dst_port } else { src_port };
                match port {
                    Some(port) if port != SMTP => passes(Reason::NotCandidate),
                    _ if !self.is_of_subscriber() => passes(Reason::NoSubscriber),
                    port => self.cut(port.is_some()),
                }
            }
        }
    }

    fn port_25(&self) -> Reason {
        if self.out {
            Reason::Port25Syn
        } else {
            Reason::Port25Return
        }
    }

    fn segment(&self, flags: u8) -> Judged {
        let syn = flags & SYN != 0;
        let new = syn && (!self.out || flags & ACK == 0);
        if !self.is_of_subscriber() {
            return passes(if new {
                Reason::NoSubscriber
            } else {
                Reason::NotCandidate
            });
        }
        match self.rule(new) {
            None if !new => passes(Reason::NotCandidate),
            rule => self.judged(rule, self.port_25()),
        }
    }

    /// What would become of it with any flags, and with any port where that is not there.
    fn cut(&self, at_port_25: bool) -> Judged {
        let (new, running) = (self.rule(true), self.rule(false));
        let blocks = |rule: &Option<(usize, &Rule)>| {
            rule.is_some_and(|(_, rule)| rule.action == Action::Drop)
        };
        match (blocks(&new), blocks(&running)) {
            (false, false) => passes(Reason::NotCandidate),
            (true, true) if at_port_25 => self.judged(new, self.port_25()),
            (new_is_blocked, _) => Judged {
                verdict: Verdict::Indeterminate,
                reason: Reason::Truncated,
                ..self.judged(
                    if new_is_blocked { new } else { running },
                    Reason::Truncated,
                )
            },
        }
    }

    fn judged(&self, rule: Option<(usize, &Rule)>, reason: Reason) -> Judged {
        Judged {
            verdict: match rule.map(|(_, rule)| rule.action) {
                None | Some(Action::Forward | Action::Count) => Verdict::Forward,
                Some(Action::Drop) => Verdict::Drop,
            },
            reason,
            rule: rule.map(|(tenant, rule)| format!("isp-{tenant}/{}", rule.name)),
        }
    }

    fn is_of_subscriber(&self) -> bool {
        self.policy.plan_of(self.subscriber, self.at).is_some()
    }

    /// The first rule that matches a segment at port 25.
    fn rule(&self, new: bool) -> Option<(usize, &'a Rule)> {
        let (number, plan) = self.policy.plan_of(self.subscriber, self.at)?;
        let tenant = &self.policy.tenants[number];
        if !self.out && !tenant.mirror {
            return None;
        }
        let class = tenant.class_of(self.peer, self.at);
        for rule in &tenant.rules {
            let family = match self.subscriber {
                IpAddr::V4(_) => 4,
                IpAddr::V6(_) => 6,
            };
            let to = match &rule.to {
                To::Everybody => true,
                To::Only(classes) => classes.contains(&class),
                To::OtherThan(classes) => !classes.contains(&class),
            };
            let begun = rule
                .from
                .is_none_or(|from| from.second(tenant.zone) <= self.at);
            let over = rule
                .before
                .is_some_and(|before| before.second(tenant.zone) <= self.at);
            if rule.ip.is_none_or(|ip| ip == family)
                && rule.speaks_of(plan, tenant)
                && to
                && begun
                && !over
                && (new || rule.every_segment)
            {
                return Some((number, rule));
            }
        }
        None
    }
}

impl Rule {
    fn speaks_of(&self, plan: usize, tenant: &Tenant) -> bool {
        match (&self.plans, &self.kinds) {
            (None, None) => true,
            (plans, kinds) => {
                let by_name = plans.as_ref().is_some_and(|plans| plans.contains(&plan));
                let kind = tenant.plans[plan];
                by_name || kinds.as_ref().is_some_and(|kinds| kinds.contains(&kind))
            }
        }
    }
}
