//! The evaluator: every path, every end, every rule one by one as they are written; no table.

use crate::limits::Key;
use crate::naive::{Inside, Ip, Route, Seen};
use crate::owners::Owner;
use crate::policy::{Action, Limit, OTHER, Policy, Prefix, Rule, RuleKind, Tenant, Then, To};
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

/// What is judged before rates are asked.
#[derive(Clone, Debug)]
pub struct Opinion {
    pub judged: Judged,
    /// Where a rate decides: whose, and what becomes of those above it.
    pub limit: Option<(Key, Limit, Judged)>,
}

/// How frames are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub facing: Facing,
    pub unparsed_is_dropped: bool,
    pub sources_are_known: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Path {
    Outbound,
    Return,
    Inbound,
}

const SMTP: u16 = 25;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// What becomes of a frame of which this is seen, at a second counted from 1970.
pub fn evaluate(policy: &Policy, seen: &Seen, run: Run, at: i64) -> Opinion {
    let unread = if run.unparsed_is_dropped {
        Verdict::Drop
    } else {
        Verdict::Forward
    };
    let ip = match seen {
        Seen::NotIp => return says(Verdict::Forward, Reason::NotIp),
        Seen::Unparsed | Seen::Runt(_) => return says(unread, Reason::Unparsed),
        Seen::TooManyTagsOrLabels => return says(unread, Reason::EncapsulationLimit),
        Seen::Unreadable(_) => return says(Verdict::Indeterminate, Reason::Truncated),
        Seen::Ip(ip) => ip,
    };
    match run.facing {
        Facing::Out => outbound(policy, ip, run, at).0,
        Facing::In => inward(policy, ip, run, at).0,
        Facing::Auto => {
            let (goes_out, by_one) = outbound(policy, ip, run, at);
            let (goes_in, to_one) = inward(policy, ip, run, at);
            match (by_one, to_one) {
                (true, false) => goes_out,
                (false, true) => goes_in,
                _ => strictest([goes_out, goes_in]),
            }
        }
    }
}

/// Whether a packet hides in a tunnel whose ends are somebody unknown's: it is the strictest of all
/// rules that decides, and that is not modelled.
pub fn hides(policy: &Policy, seen: &Seen, at: i64) -> bool {
    let Seen::Ip(ip) = seen else {
        return false;
    };
    let (src, dst) = ip.known_by;
    let unread = ip.src.is_unspecified() && ip.dst.is_unspecified() && src != ip.src;
    unread
        && [src, dst]
            .iter()
            .any(|end| policy.owner_of(*end, at).is_none())
}

/// What is said of a packet that comes in, and whether the end for which it is said is somebody's.
/// Of a route's ends the first of the strictest is judged, on both paths.
fn inward(policy: &Policy, ip: &Ip, run: Run, at: i64) -> (Opinion, bool) {
    let returns = Passage::all(policy, ip, Path::Return, at);
    let inbound = Passage::all(policy, ip, Path::Inbound, at);
    let of_ends = returns.iter().zip(&inbound).map(|(of_return, of_inbound)| {
        let opinion = strictest([of_return.judge(run), of_inbound.judge(run)]);
        (opinion, of_return.owner.is_some())
    });
    first_of_the_strictest(of_ends)
}

/// Likewise of one that goes out.
fn outbound(policy: &Policy, ip: &Ip, run: Run, at: i64) -> (Opinion, bool) {
    let passages = Passage::all(policy, ip, Path::Outbound, at);
    let of_ends = passages
        .iter()
        .map(|passage| (passage.judge(run), passage.owner.is_some()));
    first_of_the_strictest(of_ends)
}

fn first_of_the_strictest(of_ends: impl Iterator<Item = (Opinion, bool)>) -> (Opinion, bool) {
    let stricter = |first: (Opinion, bool), next: (Opinion, bool)| {
        if strictness(&next.0) > strictness(&first.0) {
            next
        } else {
            first
        }
    };
    of_ends.reduce(stricter).unwrap()
}

fn says(verdict: Verdict, reason: Reason) -> Opinion {
    Opinion {
        judged: Judged {
            verdict,
            reason,
            rule: None,
        },
        limit: None,
    }
}

fn strictness(opinion: &Opinion) -> usize {
    let order = [
        Verdict::Forward,
        Verdict::Indeterminate,
        Verdict::Limit,
        Verdict::Reject,
        Verdict::Drop,
    ];
    let place = order.iter().position(|v| *v == opinion.judged.verdict);
    place.unwrap()
}

/// Of two paths: the first of the strictest; among equals, one that has something to say.
fn strictest(opinions: impl IntoIterator<Item = Opinion>) -> Opinion {
    let rank = |opinion: &Opinion| {
        let speaks = opinion.judged.reason != Reason::NotCandidate;
        (strictness(opinion), speaks)
    };
    let stricter = |first: Opinion, next: Opinion| {
        if rank(&next) > rank(&first) {
            next
        } else {
            first
        }
    };
    opinions.into_iter().reduce(stricter).unwrap()
}

/// A subscriber or a host, a peer, and the packet between them, on one path.
struct Passage<'a> {
    policy: &'a Policy,
    ip: &'a Ip,
    path: Path,
    subscriber: IpAddr,
    owner: Option<(usize, Owner)>,
    /// `None`: nobody knows who.
    peer: Option<IpAddr>,
    at: i64,
}

impl<'a> Passage<'a> {
    /// With each of the ends that the packet may have.
    fn all(policy: &'a Policy, ip: &'a Ip, path: Path, at: i64) -> Vec<Self> {
        let (through, unreadable): (&[IpAddr], bool) = match &ip.route {
            Route::Nowhere => (&[], false),
            Route::Through(list) => (list, false),
            Route::Unreadable => (&[], true),
        };
        let through = || through.iter().copied();
        let mut ends: Vec<(IpAddr, Option<IpAddr>)> = Vec::new();
        if path == Path::Outbound {
            let subscriber = ip.known_by.0;
            ends.push((subscriber, Some(ip.dst)));
            ends.extend(through().map(|peer| (subscriber, Some(peer))));
            ends.extend(unreadable.then_some((subscriber, None)));
        } else {
            ends.push((ip.known_by.1, Some(ip.src)));
            ends.extend(through().map(|subscriber| (subscriber, Some(ip.src))));
        }
        let passage = |(subscriber, peer)| Self {
            policy,
            ip,
            path,
            subscriber,
            owner: policy.owner_of(subscriber, at),
            peer,
            at,
        };
        ends.into_iter().map(passage).collect()
    }

    fn judge(&self, run: Run) -> Opinion {
        if self.path == Path::Outbound {
            if self.ip.spoofed {
                return says(Verdict::Drop, Reason::SpoofedPortSet);
            }
            let nobodys = self.owner.is_none() && !stays_on_link(self.ip.known_by.0);
            if run.sources_are_known && run.facing == Facing::Out && nobodys {
                return says(Verdict::Drop, Reason::SpoofedSource);
            }
        }
        let passes = |reason| says(Verdict::Forward, reason);
        match self.ip.inside {
            Inside::Opaque => passes(Reason::NotCandidate),
            Inside::LaterFragment => passes(Reason::LaterFragment),
            Inside::Segment {
                src_port,
                dst_port,
                flags,
            } => match self.port(src_port, dst_port) {
                SMTP => self.segment(flags),
                _ => passes(Reason::NotCandidate),
            },
            Inside::Evasive(_) if self.owner.is_none() => passes(self.nobodys()),
            Inside::Evasive(reason) => {
                let mut opinion = self.says(self.rule(true), reason);
                // Never a reply, and no rate lets it pass.
                if opinion.judged.verdict != Verdict::Forward {
                    opinion.judged.verdict = Verdict::Drop;
                }
                opinion.limit = None;
                opinion
            }
            Inside::Cut { src_port, dst_port } => match self.port(src_port, dst_port) {
                Some(port) if port != SMTP => passes(Reason::NotCandidate),
                _ if self.owner.is_none() => passes(self.nobodys()),
                port => self.cut(port.is_some()),
            },
        }
    }

    /// The one of both ports that the path is about.
    fn port<T>(&self, src_port: T, dst_port: T) -> T {
        match self.path {
            Path::Outbound | Path::Inbound => dst_port,
            Path::Return => src_port,
        }
    }

    /// The reason of a segment at port 25.
    fn at_port_25(&self) -> Reason {
        match (self.path, self.owner) {
            (Path::Outbound, _) => Reason::Port25Syn,
            (Path::Return, _) => Reason::Port25Return,
            (Path::Inbound, Some((_, Owner::Hosts(_)))) => Reason::InboundSubmission,
            (Path::Inbound, _) => Reason::InboundToSubscriber,
        }
    }

    /// The reason of a frame that could be at port 25, and is nobody's.
    fn nobodys(&self) -> Reason {
        match self.path {
            Path::Outbound | Path::Return => Reason::NoSubscriber,
            // One's own port 25 is nothing of note, unless a rule speaks of it.
            Path::Inbound => Reason::NotCandidate,
        }
    }

    fn segment(&self, flags: u8) -> Opinion {
        let syn = flags & SYN != 0;
        let new = syn && (self.path == Path::Return || flags & ACK == 0);
        match (self.owner, self.rule(new)) {
            (_, None) if !new || self.path == Path::Inbound => {
                says(Verdict::Forward, Reason::NotCandidate)
            }
            (None, _) => says(Verdict::Forward, self.nobodys()),
            (Some(_), rule) => self.says(rule, self.at_port_25()),
        }
    }

    /// What would become of it with any flags, and with any port where that is not there.
    fn cut(&self, at_port_25: bool) -> Opinion {
        let with = |new| self.says(self.rule(new), self.at_port_25());
        let (new, running) = (with(true), with(false));
        match (new.judged.verdict, running.judged.verdict) {
            (Verdict::Forward, Verdict::Forward) => says(Verdict::Forward, Reason::NotCandidate),
            (verdict, other) if at_port_25 && verdict == other => new,
            (verdict, _) => {
                let blocks = if verdict == Verdict::Forward {
                    running
                } else {
                    new
                };
                Opinion {
                    judged: Judged {
                        verdict: Verdict::Indeterminate,
                        reason: Reason::Truncated,
                        rule: blocks.judged.rule,
                    },
                    limit: None,
                }
            }
        }
    }

    /// What a rule says of this path.
    fn says(&self, rule: Option<(usize, &Rule)>, reason: Reason) -> Opinion {
        let Some((number, rule)) = rule else {
            return says(Verdict::Forward, reason);
        };
        let name = format!("isp-{number}/{}", rule.name);
        let judged = |verdict, reason| Judged {
            verdict,
            reason,
            rule: Some(name.clone()),
        };
        let rejected = match self.path {
            Path::Outbound => Verdict::Reject,
            Path::Return | Path::Inbound => Verdict::Drop,
        };
        // An inbound rule that is not dated only counts.
        let only_counts = rule.kind != RuleKind::Outbound && rule.from.is_none();
        let (verdict, limit) = match rule.action {
            Action::Forward | Action::Count => (Verdict::Forward, None),
            _ if only_counts => (Verdict::Forward, None),
            Action::Drop => (Verdict::Drop, None),
            Action::Reject(_) => (rejected, None),
            Action::Limit(limit) => {
                let above = match (limit.then, self.path) {
                    (Then::Count, _) => Verdict::Forward,
                    (Then::Reject(_), Path::Outbound) => Verdict::Reject,
                    (Then::Drop | Then::Reject(_), _) => Verdict::Limit,
                };
                let key = Key {
                    rule: name.clone(),
                    mirror: self.path == Path::Return,
                    subscriber: self.subscriber_of_bucket(&self.policy.tenants[number]),
                };
                let above = judged(above, Reason::AboveRate);
                (Verdict::Limit, Some((key, limit, above)))
            }
        };
        Opinion {
            judged: judged(verdict, reason),
            limit,
        }
    }

    /// Over IPv6 a subscriber is a prefix.
    fn subscriber_of_bucket(&self, tenant: &Tenant) -> IpAddr {
        match (self.subscriber, self.owner) {
            (IpAddr::V6(_), Some((_, Owner::Plan(plan)))) => {
                let length = tenant.plans[plan].subscriber_length;
                Prefix::around(self.subscriber, length).address
            }
            (address, _) => address,
        }
    }

    /// The first rule that matches a segment at port 25.
    fn rule(&self, new: bool) -> Option<(usize, &'a Rule)> {
        let (number, owner) = self.owner?;
        let tenant = &self.policy.tenants[number];
        if self.path == Path::Return && !tenant.mirror {
            return None;
        }
        let class = self
            .peer
            .map_or(OTHER, |peer| tenant.class_of(peer, self.at));
        let family = match self.ip.src {
            IpAddr::V4(_) => 4,
            IpAddr::V6(_) => 6,
        };
        let mut rules = tenant.rules.iter();
        let rule = rules.find(|rule| {
            let path = match rule.kind {
                RuleKind::Outbound => self.path != Path::Inbound,
                _ => self.path == Path::Inbound,
            };
            path && rule.ip.is_none_or(|ip| ip == family)
                && rule.speaks_of(owner, tenant)
                && rule.names(class)
                && rule.holds(tenant, self.at)
                && (new || rule.every_segment)
        });
        Some((number, rule?))
    }
}

/// Sources that no router passes on: without an address yet, or of one link (RFC 4291 §2.5.6).
fn stays_on_link(src: IpAddr) -> bool {
    match src {
        IpAddr::V4(src) => src.octets() == [0; 4],
        IpAddr::V6(src) => {
            let octets = src.octets();
            octets == [0; 16] || octets[0] == 0xfe && octets[1] & 0xc0 == 0x80
        }
    }
}

impl Rule {
    fn speaks_of(&self, owner: Owner, tenant: &Tenant) -> bool {
        match (self.kind, owner) {
            (RuleKind::InboundSubmission, Owner::Hosts(group)) => match &self.hosts {
                Some(groups) => groups.contains(&group),
                None => tenant.hosts[group].role == "submission",
            },
            (RuleKind::Outbound | RuleKind::InboundToSubscriber, Owner::Plan(plan)) => {
                let by_name = self.plans.as_ref().map(|plans| plans.contains(&plan));
                let kind = tenant.plans[plan].kind;
                let by_kind = self.kinds.as_ref().map(|kinds| kinds.contains(&kind));
                match (by_name, by_kind) {
                    (None, None) => true,
                    (by_name, by_kind) => by_name == Some(true) || by_kind == Some(true),
                }
            }
            (RuleKind::InboundSubmission, Owner::Plan(_)) | (_, Owner::Hosts(_)) => false,
        }
    }

    fn names(&self, class: usize) -> bool {
        match &self.to {
            To::Everybody => true,
            To::Only(classes) => classes.contains(&class),
            To::OtherThan(classes) => !classes.contains(&class),
        }
    }

    fn holds(&self, tenant: &Tenant, at: i64) -> bool {
        let begun = self.from.is_none_or(|from| from.second(tenant.zone) <= at);
        let over = self
            .before
            .is_some_and(|before| before.second(tenant.zone) <= at);
        begun && !over
    }
}
