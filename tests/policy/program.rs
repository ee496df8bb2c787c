//! Limits are errors; phases share what did not change.

use crate::model::{class, origin, plan, second, simple_tenant, subscriber};
use sekisho::policy::{
    Action, Change, ClassPrefix, Diagnostic, PlanId, Program, Resolved, RuleId, Tenant,
};
use sekisho::wire::Family;
use std::sync::Arc;

fn compile(tenants: Vec<Tenant>) -> Result<Program, Vec<Diagnostic>> {
    let resolved = Resolved {
        tenants,
        memory_limit_bytes: 1 << 30,
    };
    Program::compile(Arc::new(resolved))
}

fn codes(tenant: Tenant) -> Vec<(&'static str, String)> {
    let errors = compile(vec![tenant]).err().unwrap_or_default();
    errors
        .into_iter()
        .map(|error| (error.code, error.message))
        .collect()
}

#[test]
fn ids_run_out_at_255_plans_and_65535_rules() {
    let mut tenant = simple_tenant(Action::Drop);
    tenant.plans = (0..255).map(plan).collect();
    let rule = tenant.rules[0].clone();
    tenant.rules = vec![rule.clone(); 65_535];
    assert_eq!(codes(tenant.clone()), []);
    tenant.plans.push(plan(255));
    tenant.rules.push(rule);
    let too_many = |text: &str| ("too-many-ids", text.to_owned());
    assert_eq!(
        codes(tenant),
        [
            too_many("256 plans over all policies, at most 255 are possible"),
            too_many("65536 rules over all policies, at most 65535 are possible"),
        ]
    );
}

#[test]
fn ids_run_out_at_255_peer_sets() {
    let mut tenant = simple_tenant(Action::Drop);
    tenant.classes = (0..256).map(|n| class(&format!("class-{n}"))).collect();
    tenant.classes.extend(["on-net", "other"].map(class));
    let listed = |n: u8| ClassPrefix {
        prefix: ipnet::Ipv4Net::from(std::net::Ipv4Addr::from([192, 0, 2, n])).into(),
        class: usize::from(n),
        origin: origin(u32::from(n)),
    };
    tenant.destinations = (0..255).map(listed).collect();
    assert_eq!(codes(tenant.clone()), []);
    tenant.destinations.push(listed(255));
    let errors = compile(vec![tenant]).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].code, "too-many-ids");
    assert_eq!(errors[0].labels[0].origin, origin(255));
}

#[test]
fn tables_over_the_limit_are_an_error_that_names_the_policies() {
    let mut tenant = simple_tenant(Action::Drop);
    tenant.subscribers = vec![subscriber("198.51.100.7/32".parse().unwrap(), 0)];
    let with_limit = |memory_limit_bytes| {
        Program::compile(Arc::new(Resolved {
            tenants: vec![tenant.clone()],
            memory_limit_bytes,
        }))
    };
    let program = with_limit(1 << 30).unwrap();
    let memory = program.memory();
    let needed = memory.total_bytes() - memory.matrix_bytes;
    assert!(with_limit(needed).is_ok());
    let errors = with_limit(needed - 1).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].code, "tables-too-large");
    assert_eq!(errors[0].labels[0].origin, tenant.origin);
    let needed_mib = format!("need at least {} MiB", needed.div_ceil(1 << 20));
    assert!(errors[0].message.contains(&needed_mib), "{errors:?}");
}

/// An exemption in a pool, ended by ticket, and a rule with two dates.
fn dated() -> Tenant {
    let mut tenant = simple_tenant(Action::Drop);
    tenant.subscribers = vec![
        subscriber("198.51.100.0/24".parse().unwrap(), 0),
        subscriber("198.51.100.7/32".parse().unwrap(), 1),
    ];
    tenant.subscribers[1].until = Some(second(20));
    tenant.subscribers[1].ticket = Some("T-7".to_owned());
    tenant.rules[0].from = Some(second(10));
    tenant.rules[0].before = Some(second(30));
    tenant
}

#[test]
fn events_name_what_changes() {
    let program = compile(vec![dated()]).unwrap();
    let changes: Vec<_> = program
        .events()
        .iter()
        .map(|event| (event.at.as_second(), event.change.clone()))
        .collect();
    let (rule, name) = (RuleId(1), "rule".to_owned());
    let expires = Change::ExemptionExpires {
        prefix: "198.51.100.7/32".parse().unwrap(),
        plan: PlanId(2),
        name: "plan-1".to_owned(),
        ticket: Some("T-7".to_owned()),
    };
    let begins = Change::RuleBegins {
        rule,
        name: name.clone(),
    };
    let ends = Change::RuleEnds { rule, name };
    assert_eq!(changes, [(10, begins), (20, expires), (30, ends)]);
}

#[test]
fn only_an_expiry_changes_the_prefix_tables() {
    let program = compile(vec![dated()]).unwrap();
    let at = |t| program.at(second(t)).unwrap().tables;
    let same = |a, b| Arc::ptr_eq(&at(a).prefixes, &at(b).prefixes);
    assert!(same(5, 19) && same(20, 35) && !same(19, 20));
    let exempt = u128::from(u32::from(std::net::Ipv4Addr::new(198, 51, 100, 7)));
    assert_eq!(at(19).plan(Family::V4, exempt), PlanId(2));
    assert_eq!(at(20).plan(Family::V4, exempt), PlanId(1));
}

#[test]
fn stamps_that_go_back_and_forth_build_nothing_twice() {
    let program = compile(vec![dated()]).unwrap();
    let (before, after) = (
        program.at(second(19)).unwrap(),
        program.at(second(20)).unwrap(),
    );
    for _ in 0..3 {
        let (again, later) = (
            program.at(second(19)).unwrap(),
            program.at(second(20)).unwrap(),
        );
        assert!(Arc::ptr_eq(&before.tables, &again.tables));
        assert!(Arc::ptr_eq(&after.tables, &later.tables));
    }
}

#[test]
fn many_threads_ask_one_program() {
    let program = compile(vec![dated()]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_i64 {
            let program = &program;
            scope.spawn(move || {
                for step in 0..200 {
                    let at = second((step * 7 + thread) % 40);
                    assert!(program.at(at).unwrap().holds(at));
                }
            });
        }
    });
}
