//! Warnings: what can be used, and still is probably not what was meant.

use super::cover::{Grid, blocks};
use super::mail_hosts;
use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::raw::spelling;
use crate::policy::{Action, Resolved, Rule, RuleKind, SubscriberPrefix, Tenant};
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How long before its end an exemption is warned of.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Reports what somebody should look at, as of an instant.
pub(crate) fn check(resolved: &Resolved, now: Timestamp, findings: &mut Findings) {
    for tenant in &resolved.tenants {
        // Without a grid, `cover` has said so.
        if let Some(grid) = Grid::new(tenant, RuleKind::Outbound) {
            own_blocked(tenant, &grid, now, findings);
            ipv6_not_covered(tenant, &grid, now, findings);
        }
        let grids = RuleKind::ALL.map(|kind| Grid::new(tenant, kind));
        for grid in grids.iter().flatten() {
            forward_skipped(tenant, grid, now, findings);
        }
        mail_hosts::check(tenant, findings);
        classes_without_prefix(tenant, findings);
        expiring_exemptions(tenant, now, findings);
        expired_rules(tenant, now, findings);
    }
}

/// Which families the prefixes are of, indexed by `Family as usize`.
fn families<'p>(prefixes: impl Iterator<Item = &'p IpNet>) -> [bool; 2] {
    let mut found = [false; 2];
    for prefix in prefixes {
        let [v4, v6] = &mut found;
        *v4 |= matches!(prefix, IpNet::V4(_));
        *v6 |= matches!(prefix, IpNet::V6(_));
    }
    found
}

fn plan_families(tenant: &Tenant) -> Vec<[bool; 2]> {
    let mut found = vec![[false; 2]; tenant.plans.len()];
    for entry in &tenant.subscribers {
        if let Some([v4, v6]) = found.get_mut(entry.plan) {
            *v4 |= matches!(entry.prefix, IpNet::V4(_));
            *v6 |= matches!(entry.prefix, IpNet::V6(_));
        }
    }
    found
}

fn own_blocked(tenant: &Tenant, grid: &Grid, now: Timestamp, findings: &mut Findings) {
    let Some(own) = tenant.class_index("own") else {
        return;
    };
    let of_own = tenant
        .destinations
        .iter()
        .filter(|entry| entry.class == own);
    let own_families = families(of_own.map(|entry| &entry.prefix));
    let mut hit: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (plan, has) in plan_families(tenant).iter().enumerate() {
        for family in
            (0..2).filter(|f| own_families.get(*f).zip(has.get(*f)) == Some((&true, &true)))
        {
            for stretch in grid.stretches_from(now) {
                if let Some(rule) = grid.rule((family, true), (plan, own), stretch) {
                    hit.entry(rule).or_default().insert(plan);
                }
            }
        }
    }
    for (rule, plans) in hit {
        let Some(rule) = tenant.rules.get(rule).filter(|rule| blocks(rule.action)) else {
            continue;
        };
        let plans = plans.into_iter().filter_map(|plan| tenant.plans.get(plan));
        let names: Vec<&str> = plans.map(|plan| plan.name.as_str()).collect();
        findings.push(own_blocked_by(rule, &names));
    }
}

fn own_blocked_by(rule: &Rule, plans: &[&str]) -> Diagnostic {
    let message = format!(
        "the rule `{}` blocks port 25 to the provider's own mail servers",
        rule.name
    );
    let text = format!("for {}", spelling::list(plans));
    Diagnostic::new(Code::OWN_BLOCKED, message, &rule.origin, text).help(
        "make sure that this is meant, and that these subscribers were told to use port 587; \
         if it is not meant, put a rule with `to: [own]` and `action: forward` before it",
    )
}

/// IPv4 to `other` is blocked or limited, now or later; IPv6, which the plan has, never.
fn ipv6_not_covered(tenant: &Tenant, grid: &Grid, now: Timestamp, findings: &mut Findings) {
    let other = tenant.other();
    let word = |family: usize, plan: usize| {
        let rules = grid
            .stretches_from(now)
            .filter_map(|stretch| grid.rule((family, true), (plan, other), stretch));
        let actions = rules.filter_map(|rule| Some(tenant.rules.get(rule)?.action));
        actions.filter_map(restricts).max()
    };
    let mut first_ipv6: Vec<Option<&SubscriberPrefix>> = vec![None; tenant.plans.len()];
    for entry in &tenant.subscribers {
        if let (IpNet::V6(_), Some(first)) = (entry.prefix, first_ipv6.get_mut(entry.plan)) {
            first.get_or_insert(entry);
        }
    }
    for (index, (plan, ipv6)) in tenant.plans.iter().zip(first_ipv6).enumerate() {
        let (Some(ipv6), Some(word), None) = (ipv6, word(0, index), word(1, index)) else {
            continue;
        };
        let word = word.label();
        let message = format!(
            "`{}` is {word} over IPv4, has IPv6, and is not {word} there",
            plan.name
        );
        findings.push(
            Diagnostic::new(Code::IPV6_NOT_COVERED, message, &ipv6.origin, "its IPv6")
                .label(&plan.origin, "the plan")
                .help("leave `ip: 4` out of the rule, or add a rule with `ip: 6`; a bot will find IPv6"),
        );
    }
}

/// How an action keeps mail back, the stricter the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Restriction {
    Limited,
    Blocked,
}

impl Restriction {
    const fn label(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::Blocked => "blocked",
        }
    }
}

fn restricts(action: Action) -> Option<Restriction> {
    match action {
        Action::Drop | Action::Reject(_) => Some(Restriction::Blocked),
        Action::Limit(_) => Some(Restriction::Limited),
        Action::Forward | Action::Count => None,
    }
}

/// A rule of `mode: syn` exempts somebody, and a later one of `mode: any` takes the rest of the
/// same connections: they open, and hang.
fn forward_skipped(tenant: &Tenant, grid: &Grid, now: Timestamp, findings: &mut Findings) {
    let mut skipped: BTreeMap<usize, Vec<&Rule>> = BTreeMap::new();
    for (first, second) in grid.broken(&tenant.rules, now) {
        let later = skipped.entry(first).or_default();
        later.extend(tenant.rules.get(second));
    }
    for (first, later) in skipped {
        let Some(rule) = tenant.rules.get(first) else {
            continue;
        };
        let found = Diagnostic::new(
            Code::FORWARD_SKIPPED,
            format!(
                "the rule `{}` lets connections begin, and a later rule drops what follows in them",
                rule.name
            ),
            &rule.origin,
            "matches only the first segment (`mode: syn`)",
        )
        .help(format!("give `{}` the key `mode: any` too", rule.name));
        findings.push(later.iter().fold(found, |found, later| {
            found.label(&later.origin, "and this one the others (`mode: any`)")
        }));
    }
}

fn classes_without_prefix(tenant: &Tenant, findings: &mut Findings) {
    let used: HashSet<usize> = tenant
        .destinations
        .iter()
        .map(|entry| entry.class)
        .collect();
    for (index, class) in tenant.classes.iter().enumerate() {
        let Some(origin) = class.origin.as_ref().filter(|_| class.name != "on-net") else {
            continue;
        };
        if !used.contains(&index) {
            let message = format!("the destination class `{}` has no prefix", class.name);
            findings.push(
                Diagnostic::new(
                    Code::CLASS_WITHOUT_PREFIX,
                    message,
                    origin,
                    "no address is of this class",
                )
                .help("add `prefixes` or `file`; until then these hosts count as `other`"),
            );
        }
    }
}

fn expiring_exemptions(tenant: &Tenant, now: Timestamp, findings: &mut Findings) {
    let mut told = HashSet::new();
    for entry in &tenant.subscribers {
        let Some(until) = entry.until else { continue };
        // The entries of one line of the policy end together: one warning says it.
        if !told.insert((entry.origin.source, entry.origin.line, until)) {
            continue;
        }
        let zoned = until.to_zoned(tenant.zone.clone());
        let end = zoned.strftime("%Y-%m-%d %H:%M:%S %Z");
        let prefix = entry.prefix;
        let (code, message, text) = if until <= now {
            let message = format!("`{prefix}` stopped giving its plan at {end}");
            (Code::EXPIRED, message, "expired")
        } else if until.duration_since(now) <= SOON {
            let message = format!("`{prefix}` gives its plan only until {end}");
            (Code::EXPIRES_SOON, message, "expires soon")
        } else {
            continue;
        };
        let ticket = entry.ticket.as_ref();
        let see = ticket.map_or_else(String::new, |ticket| format!(" (ticket {ticket})"));
        findings.push(
            Diagnostic::new(code, message, &entry.origin, text).help(format!(
                "ask whether it is still needed{see}: set a later `expires`, or remove it"
            )),
        );
    }
}

fn expired_rules(tenant: &Tenant, now: Timestamp, findings: &mut Findings) {
    for rule in &tenant.rules {
        let Some(before) = rule.before.filter(|before| *before <= now) else {
            continue;
        };
        let zoned = before.to_zoned(tenant.zone.clone());
        let end = zoned.strftime("%Y-%m-%d %H:%M:%S %Z");
        let message = format!("the rule `{}` stopped holding at {end}", rule.name);
        findings.push(
            Diagnostic::new(Code::EXPIRED, message, &rule.origin, "over")
                .help("it only matters to replays of older captures: remove it if there are none"),
        );
    }
}
