//! The rules of a policy: whom they speak of, when, and what happens.

use super::{action, kinds, when};
use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::raw::node::Text;
use crate::policy::raw::policy::RawRule;
use crate::policy::raw::spelling;
use crate::policy::{ClassMatch, Mode, Rule, RuleKind, Tenant};
use jiff::Timestamp;
use std::collections::HashMap;

/// The rules that can be understood.
pub(crate) fn resolve(rules: &[RawRule], tenant: &Tenant, findings: &mut Findings) -> Vec<Rule> {
    duplicate_names(rules, findings);
    let resolved = rules.iter().map(|rule| one(rule, tenant, findings));
    resolved.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn one(rule: &RawRule, tenant: &Tenant, findings: &mut Findings) -> Option<Rule> {
    if let Some(port) = &rule.port {
        check_port(port, findings);
    }
    let kind = kinds::of(rule);
    kinds::check_keys(rule, kind, findings);
    let plans = kinds::plans(rule, kind, tenant, findings);
    let to = class_match(rule, kind, tenant, findings);
    let from = instant(rule.from.as_ref(), tenant, findings);
    let before = instant(rule.before.as_ref(), tenant, findings);
    check_order(rule, from, before, findings);
    let mode = match rule.mode.as_ref().map(|mode| mode.text.as_str()) {
        Some("any") => Mode::Any,
        _ => Mode::Syn,
    };
    let mut action = action::resolve(rule, kind, mode, findings)?;
    if kind.is_inbound() && rule.from.is_none() {
        action = action::undated(rule, action, findings);
    }
    let name = rule.name.as_ref()?;
    Some(Rule {
        name: name.text.clone(),
        kind,
        families: match rule.ip.as_ref().map(|ip| ip.text.as_str()) {
            Some("4") => [true, false],
            Some("6") => [false, true],
            _ => [true, true],
        },
        plans,
        to,
        from,
        before,
        action,
        mode,
        origin: name.origin.clone(),
    })
}

fn class_match(
    rule: &RawRule,
    kind: RuleKind,
    tenant: &Tenant,
    findings: &mut Findings,
) -> ClassMatch {
    let mut classes = |names: &[Text]| {
        let mut indices = Vec::new();
        for name in names {
            match tenant
                .classes
                .iter()
                .position(|class| class.name == name.text)
            {
                Some(index) => indices.push(index),
                None => findings.push(unknown_class(tenant, name)),
            }
        }
        indices.sort_unstable();
        indices.dedup();
        indices
    };
    let named = match kind.is_inbound() {
        false => (&rule.to, &rule.to_other_than),
        true => (&rule.peers, &rule.peers_other_than),
    };
    match named {
        (Some(names), _) => ClassMatch::In(classes(names)),
        (None, Some(names)) => ClassMatch::NotIn(classes(names)),
        (None, None) => ClassMatch::Any,
    }
}

fn unknown_class(tenant: &Tenant, name: &Text) -> Diagnostic {
    let names: Vec<&str> = tenant
        .classes
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    let help = spelling::suggest(&name.text, &names);
    Diagnostic::new(
        Code::UNKNOWN_CLASS,
        format!("`{}` is not a destination class of this policy", name.text),
        &name.origin,
        "unknown class",
    )
    .help(format!(
        "{help} (a class is declared, with its prefixes, under `destinations`)"
    ))
}

fn instant(written: Option<&Text>, tenant: &Tenant, findings: &mut Findings) -> Option<Timestamp> {
    match when::instant(written?, &tenant.zone) {
        Ok(instant) => Some(instant),
        Err(found) => {
            findings.push(found);
            None
        }
    }
}

fn check_order(
    rule: &RawRule,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    findings: &mut Findings,
) {
    let (Some(from), Some(before)) = (from, before) else {
        return;
    };
    let (Some(from_text), Some(before_text)) = (&rule.from, &rule.before) else {
        return;
    };
    if before <= from {
        findings.push(
            Diagnostic::new(
                Code::BEFORE_NOT_AFTER_FROM,
                "this rule ends before it begins",
                &before_text.origin,
                "it no longer holds from here on",
            )
            .label(&from_text.origin, "and holds only from here on")
            .help("`before` is the first instant at which the rule no longer holds, and must come after `from`"),
        );
    }
}

fn check_port(port: &Text, findings: &mut Findings) {
    let found = match port.text.parse::<u32>() {
        Ok(25) | Err(_) => return,
        Ok(587) => Diagnostic::new(
            Code::SUBMISSION_BLOCKED,
            "port 587 is message submission (RFC 6409 §3.1): submission must stay open",
            &port.origin,
            "the submission port",
        )
        .help("subscribers of a provider that blocks port 25 send mail through it; remove `port`: rules are about port 25"),
        Ok(465) => Diagnostic::new(
            Code::SUBMISSION_BLOCKED,
            "port 465 is message submission over TLS (RFC 8314 §3.3): submission must stay open",
            &port.origin,
            "the submission port over TLS",
        )
        .help("subscribers of a provider that blocks port 25 send mail through it; remove `port`: rules are about port 25"),
        Ok(other) => Diagnostic::new(
            Code::PORT_NOT_25,
            format!("rules are about port 25, not about port {other}"),
            &port.origin,
            "not port 25",
        )
        .help("remove `port`; every other port is always forwarded"),
    };
    findings.push(found);
}

fn duplicate_names(rules: &[RawRule], findings: &mut Findings) {
    let mut seen: HashMap<&str, &Text> = HashMap::new();
    for name in rules.iter().filter_map(|rule| rule.name.as_ref()) {
        let Some(first) = seen.get(name.text.as_str()) else {
            seen.insert(&name.text, name);
            continue;
        };
        findings.push(
            Diagnostic::new(
                Code::DUPLICATE_RULE,
                format!("two rules have the name `{}`", name.text),
                &name.origin,
                "again here",
            )
            .label(&first.origin, "first here")
            .help("counters hang on the names of rules: give each its own"),
        );
    }
}
