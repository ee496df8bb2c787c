//! Costs between the cases: the invented export adds up, so what the model finds must, too.

use crate::{assert_near, export, planned, traffic};
use sekisho::loadgen::capacity::{Basis, plan};
use sekisho::loadgen::{Encapsulation, Export, Mix};

/// The rule behind the invented figures, for every frame counted, 1 % port 25 and uniform traffic.
fn rule(ipv6: bool, imix: bool, strewn: bool, encapsulation_ns: f64, prefixes: f64) -> f64 {
    let if_so = |so: bool, ns: f64| if so { ns } else { 0.0 };
    3.0 + 1.5
        + 0.02
        + if_so(ipv6, 2.0)
        + if_so(imix, 0.5)
        + if_so(strewn, 1.0)
        + encapsulation_ns
        + prefixes.log10()
        - 5.0
}

fn engine_ns(changes: &[(&str, &str)]) -> f64 {
    planned(changes).frame.engine_ns.value
}

#[test]
fn what_no_single_case_shows_is_put_together_from_several() {
    let of = |rest: &str| format!("[{{ plan: home, {rest} }}]");
    let found = engine_ns(&[
        (
            "subscribers",
            &of("count: 1000000, family: ipv6, encapsulation: qinq-pppoe"),
        ),
        ("frames", "{ mix: imix }"),
    ]);
    assert_near(found, rule(true, true, false, 2.0, 1e6));
    let found = engine_ns(&[(
        "subscribers",
        &of("count: 4000000, encapsulation: vlan, spread: strewn"),
    )]);
    assert_near(found, rule(false, false, true, 0.5, 4e6));
}

#[test]
fn between_table_sizes_the_logarithm_counts() {
    let found = engine_ns(&[("subscribers", "[{ plan: home, count: 300000 }]")]);
    assert_near(found, rule(false, false, false, 0.0, 3e5));
    let beyond = planned(&[("subscribers", "[{ plan: home, count: 40000000 }]")]);
    assert_near(
        beyond.frame.engine_ns.value,
        rule(false, false, false, 0.0, 4e7),
    );
    assert_eq!(beyond.frame.engine_ns.basis, Basis::Extrapolated);
    assert!(
        beyond
            .assumptions
            .iter()
            .any(|a| a.source.contains("beyond what was measured"))
    );
}

#[test]
fn between_port_25_shares_the_share_counts() {
    let found = engine_ns(&[("port-25-share", "0.3")]);
    assert_near(found, 3.0 + 1.5 + 0.6);
    let measured = planned(&[("port-25-share", "0.0001")]).frame.engine_ns;
    assert_near(measured.value, 3.0 + 1.5 + 0.0002);
    assert_eq!(measured.basis, Basis::Measured);
}

#[test]
fn mixes_weigh_subscribers_and_sizes() {
    let mixed = "[{ plan: a, count: 60000, family: ipv4 }, { plan: b, count: 40000, family: dual, ipv6-share: 0.5 }]";
    // 80 % IPv4 among 100,000 prefixes, 20 % IPv6 among 40,000; IPv6 has no smaller table than
    // 100,000, so that stands for it.
    let found = engine_ns(&[("subscribers", mixed)]);
    assert_near(
        found,
        0.8 * rule(false, false, false, 0.0, 1e5) + 0.2 * rule(true, false, false, 0.0, 1e5),
    );
    let sizes = engine_ns(&[(
        "frames",
        "{ shares: [{ bytes: 64, share: 0.25 }, { bytes: 1518, share: 0.75 }] }",
    )]);
    assert_near(sizes, 4.52 + 0.75);
    let imix = planned(&[("frames", "{ mix: imix }")]).frame.engine_ns;
    assert_near(imix.value, 4.52 + 0.5);
    assert_eq!(imix.basis, Basis::Measured);
}

#[test]
fn what_the_export_never_shows_is_said() {
    let mut export = export();
    export
        .cases
        .retain(|case| case.encapsulation == Encapsulation::None && case.traffic != Mix::Spoofed);
    let attack = "[{ name: flood, kind: spoofed, share: 0.1 }]";
    let wanted = traffic(&[
        (
            "subscribers",
            "[{ plan: home, count: 100000, encapsulation: qinq }]",
        ),
        ("attacks", attack),
    ]);
    let found = plan(&wanted, &export).unwrap();
    assert_near(found.frame.engine_ns.value, 4.52);
    assert_eq!(found.frame.engine_ns.basis, Basis::Extrapolated);
    assert_eq!(found.attacks[0].frame_ns.basis, Basis::Extrapolated);
    for word in ["encapsulation qinq", "spoofed traffic"] {
        let said = |source: &str| source.contains(word) && source.contains("no two cases show");
        assert!(found.assumptions.iter().any(|a| said(&a.source)), "{word}");
    }
}

#[test]
fn a_doubtful_case_and_a_noisy_run_are_named() {
    let mut export = export();
    for case in &mut export.cases {
        case.floor_limit_ns = Some(case.floor.ns / 2.0);
    }
    export.settings.quick = true;
    export.settings.optimised = false;
    let found = plan(&traffic(&[]), &export).unwrap();
    assert_eq!(found.frame.engine_ns.basis, Basis::Extrapolated);
    assert!(
        found
            .assumptions
            .iter()
            .any(|a| a.source.contains("doubtful"))
    );
    assert_eq!(found.warnings.len(), 3, "{:?}", found.warnings);
}

#[test]
fn several_workers_do_what_the_loops_say_or_the_default() {
    let scaling = |export: &Export, cores: &str| {
        let mut wanted = traffic(&[("cores", cores)]);
        wanted.scaling = None;
        let plan = plan(&wanted, export).unwrap();
        (plan.lossless_pps.value * 14.52e-9, plan.lossless_pps.basis)
    };
    let mut export = export();
    // 315.4 / 166: the second worker adds 0.9 of the first.
    let (two, basis) = scaling(&export, "3");
    assert_near(two, 1.9);
    assert_eq!(basis, Basis::Measured.with(Basis::Given));
    let (eight, basis) = scaling(&export, "9");
    assert_near(eight, 1.9 + 6.0 * 0.9);
    assert_eq!(basis, Basis::Extrapolated);
    export.loops.retain(|each| each.workers == 1);
    let (eight, basis) = scaling(&export, "9");
    assert_near(eight, 1.0 + 7.0 * 0.9);
    assert_eq!(basis, Basis::Extrapolated);
}

#[test]
fn an_export_without_a_case_gives_no_plan() {
    let mut export = export();
    export.cases.clear();
    assert!(plan(&traffic(&[]), &export).is_none());
}
