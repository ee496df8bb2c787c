//! What was written → what it means: names become indices, dates instants, lists prefixes.

use super::{action, cover, hosts, pools, reply_source, rules, when};
use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::raw::node::Text;
use crate::policy::raw::policy::{RawClass, RawPlan, RawPolicy};
use crate::policy::raw::spelling;
use crate::policy::source::Sources;
use crate::policy::{Class, Kind, Origin, Plan, Resolved, ReturnPath, Tenant};
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// The most plans of one box: a plan is one octet in the tables, and 0 means none.
const PLANS_MOST: usize = 255;

/// What the tables may take where no policy says it.
const MEMORY_LIMIT_MIB: u64 = 1024;

/// Resolves every policy; what is wrong is reported, and the rest resolved all the same.
pub(crate) fn resolve(
    policies: &[RawPolicy],
    sources: &Sources,
    findings: &mut Findings,
) -> Resolved {
    let mut tenants = Vec::with_capacity(policies.len());
    for policy in policies {
        tenants.push(tenant(policy, sources, findings));
    }
    duplicate_isps(policies, findings);
    too_many_plans(&tenants, findings);
    pools::check_overlaps(&tenants, findings);
    Resolved {
        memory_limit_bytes: memory_limit_bytes(policies),
        tenants,
    }
}

fn tenant(policy: &RawPolicy, sources: &Sources, findings: &mut Findings) -> Tenant {
    let mut plans: Vec<Plan> = policy.plans.iter().map(plan).collect();
    plans.extend(hosts::plans(policy, findings));
    let mut tenant = Tenant {
        name: text(policy.isp.as_ref()).unwrap_or_default(),
        label: text(policy.label.as_ref()),
        origin: policy.origin.clone(),
        zone: zone(policy, findings),
        plans,
        classes: classes(&policy.classes, findings),
        subscribers: Vec::new(),
        destinations: Vec::new(),
        rules: Vec::new(),
        return_path: match policy.return_path.as_ref().map(|word| word.text.as_str()) {
            Some("forward") => ReturnPath::Forward,
            _ => ReturnPath::Mirror,
        },
        reply_source: reply_source::resolve(policy, findings),
    };
    let before = findings.errors();
    tenant.rules = rules::resolve(&policy.rules, &tenant, findings);
    if policy.well_formed && findings.errors() == before {
        cover::check(&tenant, findings);
    }
    pools::read_subscribers(policy, &mut tenant, sources, findings);
    pools::read_destinations(&policy.classes, &mut tenant, sources, findings);
    action::check(&tenant, findings);
    reply_source::check(policy, &tenant, findings);
    tenant
}

fn text(written: Option<&Text>) -> Option<String> {
    written.map(|written| written.text.clone())
}

/// A bad zone is reported once; the dates are then checked against each other in UTC.
fn zone(policy: &RawPolicy, findings: &mut Findings) -> TimeZone {
    let Some(name) = &policy.time_zone else {
        return TimeZone::UTC;
    };
    when::zone(name).unwrap_or_else(|found| {
        findings.push(found);
        TimeZone::UTC
    })
}

fn plan(plan: &RawPlan) -> Plan {
    Plan {
        name: plan.name.text.clone(),
        kind: plan
            .kind
            .as_ref()
            .and_then(|word| kind(&word.text))
            .unwrap_or(Kind::Dynamic),
        label: text(plan.label.as_ref()),
        subscriber_length: plan
            .subscriber_length
            .as_ref()
            .and_then(|length| length.text.parse().ok()),
        role: None,
        origin: plan.name.origin.clone(),
    }
}

/// The kind of that word.
pub(crate) fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "dynamic" => Kind::Dynamic,
        "fixed" => Kind::Fixed,
        "dialup" => Kind::Dialup,
        "ipv6" => Kind::Ipv6,
        "shared" => Kind::Shared,
        _ => return None,
    })
}

/// The declared classes, then `on-net` and `other`, which are always there.
fn classes(declared: &[RawClass], findings: &mut Findings) -> Vec<Class> {
    let mut classes = Vec::with_capacity(declared.len() + 2);
    let mut on_net = Class {
        name: "on-net".to_owned(),
        label: None,
        origin: None,
    };
    for class in declared {
        let resolved = Class {
            name: class.name.text.clone(),
            label: text(class.label.as_ref()),
            origin: Some(class.name.origin.clone()),
        };
        match class.name.text.as_str() {
            "on-net" => on_net = resolved,
            "other" => findings.push(other_declared(&class.name.origin)),
            _ => classes.push(resolved),
        }
    }
    classes.push(on_net);
    classes.push(Class {
        name: "other".to_owned(),
        label: None,
        origin: None,
    });
    classes
}

fn other_declared(origin: &Origin) -> Diagnostic {
    Diagnostic::new(
        Code::OTHER_DECLARED,
        "`other` is every address that no class names; it cannot be declared",
        origin,
        "declared here",
    )
    .help("remove it; rules may speak of `other` all the same")
}

/// The index of a plan that is sold by its name, or an error that says which there are.
pub(super) fn plan_index(
    tenant: &Tenant,
    name: &str,
    origin: &Origin,
) -> Result<usize, Diagnostic> {
    let index = tenant.plans.iter().position(|plan| plan.name == name);
    let plan = index.and_then(|index| tenant.plans.get(index));
    match (index, plan) {
        (Some(_), Some(plan)) if plan.kind == Kind::Server => Err(Diagnostic::new(
            Code::UNKNOWN_PLAN,
            format!("`{name}` is a group of hosts, not a plan"),
            origin,
            "hosts are nobody's plan",
        )
        .label(&plan.origin, "the group")
        .help("their addresses stand under `hosts`, and rules of kind `inbound-submission` speak of them")),
        (Some(index), _) => Ok(index),
        (None, _) => Err(unknown_plan(tenant, name, origin)),
    }
}

fn unknown_plan(tenant: &Tenant, name: &str, origin: &Origin) -> Diagnostic {
    let sold = tenant.plans.iter().filter(|plan| plan.kind != Kind::Server);
    let names: Vec<&str> = sold.map(|plan| plan.name.as_str()).collect();
    Diagnostic::new(
        Code::UNKNOWN_PLAN,
        format!("`{name}` is not a plan of this policy"),
        origin,
        "unknown plan",
    )
    .help(spelling::suggest(name, &names))
}

fn duplicate_isps(policies: &[RawPolicy], findings: &mut Findings) {
    let mut seen: HashMap<&str, &Origin> = HashMap::new();
    for isp in policies.iter().filter_map(|policy| policy.isp.as_ref()) {
        if let Some(first) = seen.insert(&isp.text, &isp.origin) {
            findings.push(
                Diagnostic::new(
                    Code::DUPLICATE_ISP,
                    format!("two policies are of the isp `{}`", isp.text),
                    &isp.origin,
                    "again here",
                )
                .label(first, "first here")
                .help("each policy file is one provider: give them different names, or join them"),
            );
        }
    }
}

fn too_many_plans(tenants: &[Tenant], findings: &mut Findings) {
    let plans = || tenants.iter().flat_map(|tenant| &tenant.plans);
    if let Some(first_over) = plans().nth(PLANS_MOST) {
        findings.push(
            Diagnostic::new(
                Code::TOO_MANY_PLANS,
                format!(
                    "there are {} plans over all policies; {PLANS_MOST} are possible",
                    plans().count()
                ),
                &first_over.origin,
                "the first that is too many",
            )
            .help("join plans that no rule tells apart, or run the policies on two boxes"),
        );
    }
}

fn memory_limit_bytes(policies: &[RawPolicy]) -> u64 {
    let stated = policies
        .iter()
        .filter_map(|policy| policy.memory_limit_mib.as_ref()?.text.parse::<u64>().ok());
    stated.min().unwrap_or(MEMORY_LIMIT_MIB) << 20
}
