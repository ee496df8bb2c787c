//! The provider's own mail hosts: groups that are numbered with the plans.

use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::raw::policy::{RawHosts, RawPolicy};
use crate::policy::{Kind, Plan, Role};

/// In the tables a host is a subscriber like any other, and over IPv6 one address is one host.
const HOST_LENGTH: u8 = 128;

/// The groups of a policy as plans; names that plans have already are reported.
pub(super) fn plans(policy: &RawPolicy, findings: &mut Findings) -> Vec<Plan> {
    for hosts in &policy.hosts {
        let mut plans = policy.plans.iter();
        if let Some(plan) = plans.find(|plan| plan.name.text == hosts.name.text) {
            findings.push(
                Diagnostic::new(
                    Code::NAME_OF_A_PLAN,
                    format!("`{}` is a plan and a group of hosts", hosts.name.text),
                    &hosts.name.origin,
                    "hosts here",
                )
                .label(&plan.name.origin, "a plan here")
                .help(
                    "rules, counters and tables tell them apart by name: give one of them another",
                ),
            );
        }
    }
    policy.hosts.iter().map(plan).collect()
}

fn plan(hosts: &RawHosts) -> Plan {
    Plan {
        name: hosts.name.text.clone(),
        kind: Kind::Server,
        label: hosts.label.as_ref().map(|label| label.text.clone()),
        subscriber_length: Some(HOST_LENGTH),
        role: Some(match hosts.role.as_ref().map(|role| role.text.as_str()) {
            Some("submission") => Role::Submission,
            Some("mx") => Role::Mx,
            _ => Role::Other,
        }),
        origin: hosts.name.origin.clone(),
    }
}
