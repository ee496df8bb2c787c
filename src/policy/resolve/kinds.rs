//! The kinds of rule: which keys each takes, and of whom it speaks.

use super::tenant::{kind, plan_index};
use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::raw::node::Text;
use crate::policy::raw::policy::RawRule;
use crate::policy::raw::spelling;
use crate::policy::{Kind, Origin, Plan, Role, RuleKind, Tenant};

/// The kind of a rule.
pub(super) fn of(rule: &RawRule) -> RuleKind {
    match rule.kind.as_ref().map(|kind| kind.text.as_str()) {
        Some("inbound-submission") => RuleKind::InboundSubmission,
        Some("inbound-to-subscriber") => RuleKind::InboundToSubscriber,
        _ => RuleKind::Outbound,
    }
}

/// The plans or groups of hosts that a rule speaks of, as indices of plans, ascending.
pub(super) fn plans(
    rule: &RawRule,
    kind: RuleKind,
    tenant: &Tenant,
    findings: &mut Findings,
) -> Vec<usize> {
    match kind {
        RuleKind::Outbound | RuleKind::InboundToSubscriber => subscribers(rule, tenant, findings),
        RuleKind::InboundSubmission => hosts(rule, tenant, findings),
    }
}

/// The union of `plans` and `kinds`; every plan if there is neither, and never hosts.
fn subscribers(rule: &RawRule, tenant: &Tenant, findings: &mut Findings) -> Vec<usize> {
    let mut named = Vec::new();
    for plan in rule.plans.iter().flatten() {
        match plan_index(tenant, &plan.text, &plan.origin) {
            Ok(index) => named.push(index),
            Err(found) => findings.push(found),
        }
    }
    let kinds = rule.kinds.iter().flatten();
    let kinds: Vec<_> = kinds.filter_map(|word| kind(&word.text)).collect();
    let every = rule.plans.is_none() && rule.kinds.is_none();
    chosen(tenant, |index, plan| {
        plan.kind != Kind::Server && (every || named.contains(&index) || kinds.contains(&plan.kind))
    })
}

/// The groups that are named; every one of role `submission` if none is.
fn hosts(rule: &RawRule, tenant: &Tenant, findings: &mut Findings) -> Vec<usize> {
    let Some(names) = &rule.hosts else {
        return chosen(tenant, |_, plan| plan.role == Some(Role::Submission));
    };
    for name in names {
        if !groups(tenant).any(|group| group == name.text) {
            findings.push(unknown_hosts(tenant, name));
        }
    }
    chosen(tenant, |_, plan| {
        plan.kind == Kind::Server && names.iter().any(|name| name.text == plan.name)
    })
}

fn chosen(tenant: &Tenant, speaks_of: impl Fn(usize, &Plan) -> bool) -> Vec<usize> {
    let plans = tenant.plans.iter().enumerate();
    plans
        .filter_map(|(index, plan)| speaks_of(index, plan).then_some(index))
        .collect()
}

fn groups(tenant: &Tenant) -> impl Iterator<Item = &str> {
    let servers = tenant.plans.iter().filter(|plan| plan.kind == Kind::Server);
    servers.map(|plan| plan.name.as_str())
}

fn unknown_hosts(tenant: &Tenant, name: &Text) -> Diagnostic {
    let names: Vec<&str> = groups(tenant).collect();
    let help = spelling::suggest(&name.text, &names);
    Diagnostic::new(
        Code::UNKNOWN_HOSTS,
        format!("`{}` is not a group of hosts of this policy", name.text),
        &name.origin,
        "unknown hosts",
    )
    .help(format!(
        "{help} (a group is declared, with its prefixes, under `hosts`)"
    ))
}

/// The keys that speak of peers and of the provider's side, and what each rule kind calls them.
const KEYS: [(&str, [&str; 3]); 7] = [
    ("to", ["to", "peers", "peers"]),
    (
        "to-other-than",
        ["to-other-than", "peers-other-than", "peers-other-than"],
    ),
    ("peers", ["to", "peers", "peers"]),
    (
        "peers-other-than",
        ["to-other-than", "peers-other-than", "peers-other-than"],
    ),
    ("hosts", ["plans", "hosts", "plans"]),
    ("plans", ["plans", "hosts", "plans"]),
    ("kinds", ["kinds", "hosts", "kinds"]),
];

/// Reports the keys that rules of this kind do not take.
pub(super) fn check_keys(rule: &RawRule, kind: RuleKind, findings: &mut Findings) {
    for place in &rule.places {
        let Some((key, names)) = KEYS.iter().find(|(key, _)| *key == place.text) else {
            continue;
        };
        let [outbound, submission, to_subscriber] = *names;
        let instead = match kind {
            RuleKind::Outbound => outbound,
            RuleKind::InboundSubmission => submission,
            RuleKind::InboundToSubscriber => to_subscriber,
        };
        if *key != instead {
            findings.push(not_taken(rule, kind, (key, &place.origin), instead));
        }
    }
}

fn not_taken(
    rule: &RawRule,
    kind: RuleKind,
    (key, origin): (&str, &Origin),
    instead: &str,
) -> Diagnostic {
    let found = Diagnostic::new(
        Code::KEY_OF_ANOTHER_KIND,
        format!("a rule of kind `{}` takes no `{key}`", kind.label()),
        origin,
        "of another kind of rule",
    );
    let found = match &rule.kind {
        Some(word) => found.label(&word.origin, "the kind"),
        None => found,
    };
    found.help(match (kind, rule.kind.is_some()) {
        (RuleKind::Outbound, false) => {
            format!(
                "write `{instead}` instead, or add the `kind` that you mean: this is `outbound`"
            )
        }
        _ => format!("write `{instead}` instead, or change the `kind`"),
    })
}
