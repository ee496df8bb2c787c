//! Mail must come in: rules about submission hosts that reach a mail exchanger.

use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::{Action, Role, Rule, RuleKind, SubscriberPrefix, Tenant};

/// Reports every rule of kind `inbound-submission` that covers a mail exchanger.
pub(super) fn check(tenant: &Tenant, findings: &mut Findings) {
    let submission = tenant
        .rules
        .iter()
        .filter(|rule| rule.kind == RuleKind::InboundSubmission)
        .filter(|rule| rule.action != Action::Forward);
    for rule in submission {
        for plan in &rule.plans {
            let Some(group) = tenant.plans.get(*plan) else {
                continue;
            };
            if is_mx(tenant, *plan) {
                let found = covered(
                    rule,
                    &format!("`{}`, which are mail exchangers", group.name),
                );
                findings.push(found.label(&group.origin, "of role `mx`"));
            } else if let Some((host, mx)) = inside_mx(tenant, *plan) {
                let found = covered(
                    rule,
                    &format!(
                        "`{}`, among the mail exchangers `{}`",
                        host.prefix, mx.prefix
                    ),
                );
                let found = found.label(&host.origin, format!("of `{}`", group.name));
                findings.push(found.label(&mx.origin, "of role `mx`"));
            }
        }
    }
}

fn is_mx(tenant: &Tenant, plan: usize) -> bool {
    let plan = tenant.plans.get(plan);
    plan.is_some_and(|plan| plan.role == Some(Role::Mx))
}

/// A prefix of a group inside one of mail exchangers: its longer match takes them away. (The other
/// way round the exchangers have the longer match, and stay open.)
fn inside_mx(tenant: &Tenant, group: usize) -> Option<(&SubscriberPrefix, &SubscriberPrefix)> {
    let listed = || tenant.subscribers.iter();
    let of_group = listed().filter(|entry| entry.plan == group);
    let mut pairs = of_group.filter_map(|host| {
        let mut exchangers = listed().filter(|entry| is_mx(tenant, entry.plan));
        Some((
            host,
            exchangers.find(|mx| mx.prefix.contains(&host.prefix))?,
        ))
    });
    pairs.next()
}

fn covered(rule: &Rule, what: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MX_COVERED,
        format!(
            "the rule `{}` keeps other networks' mail out: it covers {what}",
            rule.name
        ),
        &rule.origin,
        "mail from outside would not arrive",
    )
    .help(
        "close the hosts that customers send through, never those that an MX record names: list \
         the mail exchangers under `hosts` with `role: mx`, and leave them out of the rule",
    )
}
