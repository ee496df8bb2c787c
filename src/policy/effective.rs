//! A policy as it is in force, in its own language: every default written out.

use super::raw::yaml;
use super::{ClassMatch, Resolved, Rule, RuleKind, SubscriberPrefix, Tenant};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Tenants as policy documents; `file:` lists are written out as prefixes.
pub fn effective(resolved: &Resolved) -> Vec<Value> {
    let memory_limit_mib = resolved.memory_limit_bytes >> 20;
    let policy = |tenant| policy(tenant, memory_limit_mib);
    resolved.tenants.iter().map(policy).collect()
}

/// The same as YAML, one document for each tenant.
pub fn effective_yaml(resolved: &Resolved) -> String {
    effective(resolved)
        .iter()
        .map(|policy| format!("---\n{}", yaml::print(policy)))
        .collect()
}

fn policy(tenant: &Tenant, memory_limit_mib: u64) -> Value {
    let sold = tenant.plans.iter().filter(|plan| plan.role.is_none());
    let plans: Map<_, _> = sold
        .map(|plan| {
            let body = json!({
                "kind": plan.kind.label(),
                "label": plan.label,
                "subscriber-length": plan.subscriber_length,
            });
            (plan.name.clone(), without_nulls(body))
        })
        .collect();
    without_nulls(json!({
        "isp": tenant.name,
        "label": tenant.label,
        "time_zone": tenant.zone.iana_name(),
        "return-path": tenant.return_path.label(),
        "reply-source": reply_source(tenant),
        "memory-limit-mib": memory_limit_mib,
        "plans": plans,
        "subscribers": subscribers(tenant),
        "hosts": hosts(tenant),
        "destinations": destinations(tenant),
        "rules": tenant.rules.iter().map(|r| rule(tenant, r)).collect::<Vec<_>>(),
    }))
}

fn reply_source(tenant: &Tenant) -> Option<Value> {
    let [v4, v6] = tenant
        .reply_source
        .map(|source| source.map(|address| address.to_string()));
    (v4.is_some() || v6.is_some()).then(|| without_nulls(json!({ "ipv4": v4, "ipv6": v6 })))
}

/// `None` where there are none: most policies know nothing of hosts.
fn hosts(tenant: &Tenant) -> Option<Map<String, Value>> {
    let groups = tenant.plans.iter().enumerate();
    let groups: Map<String, Value> = groups
        .filter_map(|(index, plan)| {
            let listed = tenant.subscribers.iter().filter(|e| e.plan == index);
            let prefixes: Vec<_> = listed.map(|e| e.prefix.to_string()).collect();
            let role = plan.role?.label();
            let body = json!({ "role": role, "label": plan.label, "prefixes": prefixes });
            Some((plan.name.clone(), without_nulls(body)))
        })
        .collect();
    (!groups.is_empty()).then_some(groups)
}

/// Neighbours that differ in nothing but their prefix share an entry.
fn subscribers(tenant: &Tenant) -> Vec<Value> {
    let same = |a: &SubscriberPrefix, b: &SubscriberPrefix| {
        (a.plan, &a.ticket, a.until) == (b.plan, &b.ticket, b.until)
    };
    let entry = |entries: &[SubscriberPrefix]| {
        let first = entries.first()?;
        let prefixes: Vec<_> = entries.iter().map(|e| e.prefix.to_string()).collect();
        Some(without_nulls(json!({
            "plan": tenant.plans.get(first.plan).map(|plan| &plan.name),
            "prefixes": prefixes,
            "ticket": first.ticket,
            "expires": first.until.map(|until| last_day(tenant, until)),
        })))
    };
    let sold = |entry: &&SubscriberPrefix| {
        let plan = tenant.plans.get(entry.plan);
        plan.is_none_or(|plan| plan.role.is_none())
    };
    let sold: Vec<SubscriberPrefix> = tenant.subscribers.iter().filter(sold).cloned().collect();
    sold.chunk_by(same).filter_map(entry).collect()
}

fn destinations(tenant: &Tenant) -> Map<String, Value> {
    let declared = tenant
        .classes
        .iter()
        .enumerate()
        .filter(|(_, class)| class.origin.is_some());
    declared
        .map(|(index, class)| {
            let listed = tenant
                .destinations
                .iter()
                .filter(|entry| entry.class == index);
            let prefixes: Vec<_> = listed.map(|entry| entry.prefix.to_string()).collect();
            let body = json!({ "label": class.label, "prefixes": prefixes });
            (class.name.clone(), without_nulls(body))
        })
        .collect()
}

fn rule(tenant: &Tenant, rule: &Rule) -> Value {
    let names = |classes: &[usize]| -> Vec<_> {
        classes
            .iter()
            .filter_map(|i| tenant.classes.get(*i))
            .map(|c| c.name.clone())
            .collect()
    };
    let plans: Vec<_> = rule
        .plans
        .iter()
        .filter_map(|i| tenant.plans.get(*i))
        .map(|plan| &plan.name)
        .collect();
    let ip = match rule.families {
        [true, false] => Some(4),
        [false, true] => Some(6),
        _ => None,
    };
    let (named, other_than) = match &rule.to {
        ClassMatch::Any => (None, None),
        ClassMatch::In(classes) => (Some(names(classes)), None),
        ClassMatch::NotIn(classes) => (None, Some(names(classes))),
    };
    let inbound = rule.kind.is_inbound();
    let of_hosts = rule.kind == RuleKind::InboundSubmission;
    without_nulls(json!({
        "name": rule.name,
        "kind": rule.kind.label(),
        "ip": ip,
        "plans": (!of_hosts).then_some(&plans),
        "hosts": of_hosts.then_some(&plans),
        "to": named.as_ref().filter(|_| !inbound),
        "to-other-than": other_than.as_ref().filter(|_| !inbound),
        "peers": named.as_ref().filter(|_| inbound),
        "peers-other-than": other_than.as_ref().filter(|_| inbound),
        "from": rule.from.map(|at| instant(tenant, at)),
        "before": rule.before.map(|at| instant(tenant, at)),
        "action": rule.action.document(),
        "mode": rule.mode.label(),
    }))
}

/// The day that an `expires:` names: the last on which the prefix gives its plan.
fn last_day(tenant: &Tenant, until: Timestamp) -> String {
    let day = until.to_zoned(tenant.zone.clone()).date();
    day.yesterday().unwrap_or(day).to_string()
}

fn instant(tenant: &Tenant, at: Timestamp) -> String {
    at.to_zoned(tenant.zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, v)| !v.is_null()).collect(),
        other => other,
    }
}
