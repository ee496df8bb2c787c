//! What must hold for any traffic.

use crate::{export, traffic};
use proptest::prelude::*;
use sekisho::loadgen::capacity::{Plan, Traffic, plan};

fn described(util: f64, growth: f64, headroom: f64, spare: u32, attack: f64) -> Traffic {
    let links = format!("[{{ name: a, rate: 100G, count: 2, up: {util}, down: {util} }}]");
    let growth = format!("{{ traffic: {growth} }}");
    let attacks = format!("[{{ name: f, kind: spoofed, share: {attack} }}]");
    traffic(&[
        ("links", &links),
        ("growth", &growth),
        ("headroom", &headroom.to_string()),
        ("redundancy", &format!("2+{spare}")),
        ("attacks", &attacks),
        ("scaling", "0.8"),
        ("imbalance", "1.1"),
    ])
}

fn lcores(plan: &Plan) -> u32 {
    plan.needed.target_lcores.unwrap_or(u32::MAX)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn more_never_needs_less(
        util in 0.01..0.9_f64, more in 1.0..1.1_f64, growth in 0.0..0.4_f64,
        headroom in 1.0..3.0_f64, attack in 0.0..0.5_f64,
    ) {
        let export = export();
        let of = |t: &Traffic| plan(t, &export).unwrap();
        let base = of(&described(util, growth, headroom, 1, attack));
        for larger in [
            described(util * more, growth, headroom, 1, attack),
            described(util, growth + more - 1.0, headroom, 1, attack),
            described(util, growth, headroom * more, 1, attack),
        ] {
            let larger = of(&larger);
            prop_assert!(lcores(&larger) >= lcores(&base));
        }
        // Spare boxes carry nothing.
        prop_assert_eq!(lcores(&of(&described(util, growth, headroom, 3, attack))), lcores(&base));
    }

    #[test]
    fn what_is_needed_suffices_and_one_less_does_not(
        util in 0.05..0.9_f64, growth in 0.0..0.4_f64, headroom in 1.0..3.0_f64, attack in 0.0..0.5_f64,
    ) {
        let export = export();
        let mut traffic = described(util, growth, headroom, 1, attack);
        let needed = lcores(&plan(&traffic, &export).unwrap());
        traffic.cores = Some(needed);
        let enough = plan(&traffic, &export).unwrap();
        prop_assert!(enough.suffices, "{:?}", enough.missing);
        prop_assert!(enough.outgrown.is_none_or(|day| day > enough.target));
        for attack in &enough.attacks {
            prop_assert!(attack.lost_pps <= 0.0);
            prop_assert!(attack.lost_from.is_none_or(|day| day > enough.target));
        }
        if needed > 2 {
            traffic.cores = Some(needed - 1);
            prop_assert!(!plan(&traffic, &export).unwrap().suffices);
        }
    }

    /// The lcores' load is the load.
    #[test]
    fn the_load_of_the_lcores_adds_up(util in 0.05..0.9_f64, cores in 2..40_u32) {
        let mut traffic = described(util, 0.1, 1.0, 1, 0.0);
        traffic.cores = Some(cores);
        let plan = plan(&traffic, &export()).unwrap();
        let workers = f64::from(cores - 1);
        let sum: f64 = plan.cores.iter().map(|core| core.start_share).sum();
        let work = plan.offered_start_pps.value * plan.frame.ns.value * 1e-9 / 2.0;
        let expected = work / (1.0 + (workers - 1.0) * 0.8) * workers;
        prop_assert!((sum - expected).abs() < 1e-6 * expected, "{sum} {expected}");
        for core in &plan.cores[1..] {
            let parts: f64 = core.parts.iter().map(|part| part.value).sum();
            prop_assert!((parts - core.target_share).abs() < 1e-9);
        }
    }
}
