//! What a rule does, and what it needs for that: addresses to reply from, and what one subscriber is.

use crate::limit::{Rate, RateError};
use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::raw::policy::{RawAction, RawForm, RawRule};
use crate::policy::{Action, Limit, Mode, Origin, Reply, Rule, RuleKind, Tenant, Then};
use ipnet::IpNet;

/// The action as it is written, if it can be understood.
pub(super) fn resolve(
    rule: &RawRule,
    kind: RuleKind,
    mode: Mode,
    findings: &mut Findings,
) -> Option<Action> {
    let written = rule.action.as_ref()?;
    let action = action(written)?;
    if let (true, Some((_, origin))) = (kind.is_inbound(), reply_of(written)) {
        findings.push(not_told(kind, origin));
    }
    if let (Some(RateError::TooDeep), RawForm::Limit { burst, rate, .. }) =
        (rate_error(action), &written.form)
    {
        findings.push(
            Diagnostic::new(
                Code::LIMIT_TOO_DEEP,
                format!(
                    "a bucket of {} at {} a minute would take more than a day to be full again",
                    burst.text, rate.text
                ),
                &burst.origin,
                "more than 1,440 times the rate",
            )
            .label(&rate.origin, "the rate")
            .help("make `burst` smaller: it is what a subscriber may open at once after a pause"),
        );
    }
    if let (Action::Limit(_), Mode::Any) = (action, mode) {
        let mode = rule.mode.as_ref().map(|mode| &mode.origin);
        findings.push(limit_of_every_segment(
            &written.origin,
            mode.unwrap_or(&written.origin),
        ));
    }
    Some(action)
}

/// What an inbound rule without a date does.
pub(super) fn undated(rule: &RawRule, action: Action, findings: &mut Findings) -> Action {
    let (Some(name), Some(written)) = (&rule.name, &rule.action) else {
        return action;
    };
    match action {
        Action::Forward | Action::Count => action,
        Action::Drop | Action::Reject(_) | Action::Limit(_) => {
            let message = format!(
                "the rule `{}` only counts, until `from` says since when it holds",
                name.text
            );
            let text = "forwards and counts until then";
            findings.push(
                Diagnostic::new(Code::INBOUND_WITHOUT_FROM, message, &written.origin, text)
                    .label(&name.origin, "an inbound rule without `from`")
                    .help(
                        "look at what it counts, then add `from` with the day on which it begins; \
                         `action: count` means the same, without this warning",
                    ),
            );
            Action::Count
        }
    }
}

fn action(written: &RawAction) -> Option<Action> {
    Some(match &written.form {
        RawForm::Word(word) => match word.as_str() {
            "forward" => Action::Forward,
            "drop" => Action::Drop,
            "count" => Action::Count,
            _ => return None,
        },
        RawForm::Reject(how) => Action::Reject(reply(&how.text)?),
        RawForm::Limit { rate, burst, then } => Action::Limit(Limit {
            per_minute: rate.text.parse().ok()?,
            burst: burst.text.parse().ok()?,
            then: match then {
                None => Then::Drop,
                Some(then) => match &then.form {
                    RawForm::Word(word) if word == "drop" => Then::Drop,
                    RawForm::Word(word) if word == "count" => Then::Count,
                    RawForm::Reject(how) => Then::Reject(reply(&how.text)?),
                    RawForm::Word(_) | RawForm::Limit { .. } => return None,
                },
            },
        }),
    })
}

/// Why a limit cannot be kept, if it cannot.
fn rate_error(action: Action) -> Option<RateError> {
    let Action::Limit(limit) = action else {
        return None;
    };
    let Limit {
        per_minute, burst, ..
    } = limit;
    Rate { per_minute, burst }.check().err()
}

fn reply(word: &str) -> Option<Reply> {
    match word {
        "icmp" => Some(Reply::Icmp),
        "rst" => Some(Reply::Rst),
        _ => None,
    }
}

/// How the callers are told, and where that is written.
fn reply_of(written: &RawAction) -> Option<(Reply, &Origin)> {
    match &written.form {
        RawForm::Word(_) => None,
        RawForm::Reject(how) => Some((reply(&how.text)?, &how.origin)),
        RawForm::Limit { then, .. } => reply_of(then.as_deref()?),
    }
}

/// How a rule has callers told.
fn told(action: Action) -> Option<Reply> {
    match action {
        Action::Reject(reply)
        | Action::Limit(Limit {
            then: Then::Reject(reply),
            ..
        }) => Some(reply),
        Action::Forward | Action::Drop | Action::Count | Action::Limit(_) => None,
    }
}

/// Reports what rules need and do not have; the prefixes of all plans are known.
pub(super) fn check(tenant: &Tenant, findings: &mut Findings) {
    let mut has = vec![[false; 2]; tenant.plans.len()];
    for entry in &tenant.subscribers {
        let family = usize::from(matches!(entry.prefix, IpNet::V6(_)));
        if let Some(has) = has.get_mut(entry.plan).and_then(|has| has.get_mut(family)) {
            *has = true;
        }
        prefix_length(tenant, entry.plan, entry.prefix, &entry.origin, findings);
    }
    let hits = |rule: &Rule, plan: usize, family: usize| {
        let has = has.get(plan).and_then(|has| has.get(family));
        rule.families.get(family).zip(has) == Some((&true, &true))
    };
    // Callers of the others are told nothing.
    let tells = |rule: &Rule| !rule.kind.is_inbound() && told(rule.action) == Some(Reply::Icmp);
    for rule in &tenant.rules {
        for (family, source) in tenant.reply_source.iter().enumerate() {
            let hit = rule.plans.iter().any(|plan| hits(rule, *plan, family));
            if tells(rule) && source.is_none() && hit {
                findings.push(reply_source_missing(rule, family));
            }
        }
        if !matches!(rule.action, Action::Limit(_)) {
            continue;
        }
        for index in &rule.plans {
            let plan = tenant.plans.get(*index);
            if let Some(plan) = plan.filter(|plan| plan.subscriber_length.is_none())
                && hits(rule, *index, 1)
            {
                findings.push(
                    Diagnostic::new(
                        Code::SUBSCRIBER_LENGTH_MISSING,
                        format!(
                            "the rule `{}` limits `{}` over IPv6, and nothing says what one of its \
                             subscribers has there",
                            rule.name, plan.name
                        ),
                        &plan.origin,
                        "no `subscriber-length` in here",
                    )
                    .label(&rule.origin, "the rule")
                    .help(
                        "add `subscriber-length: 56` to the plan, with the length of the prefix that \
                         each subscriber is given, or add `ip: 4` to the rule",
                    ),
                );
            }
        }
    }
}

/// A bucket must not be shared by what the policy tells apart.
fn prefix_length(
    tenant: &Tenant,
    plan: usize,
    prefix: IpNet,
    origin: &Origin,
    findings: &mut Findings,
) {
    let Some(plan) = tenant.plans.get(plan) else {
        return;
    };
    let (IpNet::V6(prefix), Some(length)) = (prefix, plan.subscriber_length) else {
        return;
    };
    if prefix.prefix_len() > length {
        let message = format!(
            "`{prefix}` is longer than the /{length} that each subscriber of `{}` has",
            plan.name
        );
        findings.push(
            Diagnostic::new(Code::SUBSCRIBER_LENGTH_SHORT, message, origin, "too long")
                .label(&plan.origin, "its `subscriber-length` is here")
                .help(
                    "write the prefix of a whole subscriber, make `subscriber-length` longer, or \
                     give this prefix a plan of its own",
                ),
        );
    }
}

fn reply_source_missing(rule: &Rule, family: usize) -> Diagnostic {
    let (label, key, example) = match family {
        0 => ("IPv4", "ipv4", "192.0.2.1"),
        _ => ("IPv6", "ipv6", "2001:db8::1"),
    };
    Diagnostic::new(
        Code::REPLY_SOURCE_MISSING,
        format!(
            "the rule `{}` rejects by ICMP over {label}, and `reply-source` has no `{key}`",
            rule.name
        ),
        &rule.origin,
        "its ICMP errors need a source",
    )
    .help(format!(
        "add `reply-source: {{ {key}: {example} }}` with an address of your own network, or use \
         `drop` or `{{ reject: rst }}`"
    ))
}

fn not_told(kind: RuleKind, origin: &Origin) -> Diagnostic {
    Diagnostic::new(
        Code::KEY_OF_ANOTHER_KIND,
        format!("a rule of kind `{}` cannot reject", kind.label()),
        origin,
        "replies go toward subscribers only",
    )
    .help("use `drop`: the callers of an inbound rule are on the other side, and are told nothing")
}

fn limit_of_every_segment(action: &Origin, mode: &Origin) -> Diagnostic {
    Diagnostic::new(
        Code::LIMIT_OF_EVERY_SEGMENT,
        "a limit counts connections that begin, not every segment",
        mode,
        "`any` matches every segment",
    )
    .label(action, "limited here")
    .help("remove `mode: any`: what follows in a connection that was let begin passes")
}
