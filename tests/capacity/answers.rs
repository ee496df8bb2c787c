//! Figures that were reckoned by hand.

use crate::{assert_near, export, planned, traffic};
use jiff::civil::date;
use sekisho::loadgen::capacity::{Basis, Frames, line_pps, plan};

#[test]
fn line_rates_are_those_of_the_textbook() {
    // 10^10 / (8 × (64 + 20)) and so on; to the frame.
    for (rate, bytes, pps) in [
        (10e9, 64.0, 14_880_952.0),
        (25e9, 64.0, 37_202_380.0),
        (100e9, 64.0, 148_809_523.0),
        (10e9, 1518.0, 812_743.0),
    ] {
        assert_eq!(line_pps(rate, bytes).floor(), pps, "{rate} {bytes}");
    }
    // (7 × 64 + 4 × 594 + 1518) / 12 = 4342 / 12 octets.
    let imix = Frames::imix();
    assert_near(imix.mean_bytes(), 4342.0 / 12.0);
    assert_eq!(imix.line_pps(10e9).round(), 3_273_680.0);
}

#[test]
fn links_add_up_by_count_and_direction() {
    let plan = planned(&[(
        "links",
        "[{ name: a, rate: 10G, count: 2, up: 0.25, down: 0.5 }, { name: b, rate: 25G, up: 1, down: 0 }]",
    )]);
    assert_near(plan.links[0].up_pps, 2.0 * 0.25 * 14_880_952.38);
    assert_near(plan.links[0].down_pps, 2.0 * 0.5 * 14_880_952.38);
    assert_near(plan.links[1].up_pps, 37_202_380.95);
    assert_near(
        plan.offered_start_pps.value,
        1.5 * 14_880_952.38 + 37_202_380.95,
    );
    assert_eq!(plan.offered_start_pps.basis, Basis::Given);
    // Three links, two ports each.
    assert_eq!(plan.queues.ports, 6);
}

/// 7.4404762 Mpps × (10 + 4.52) ns = 0.10803571 of a worker.
#[test]
fn one_plain_case_is_measured_and_the_driver_is_not() {
    let plan = planned(&[]);
    assert_near(plan.frame.engine_ns.value, 4.52);
    assert_eq!(plan.frame.engine_ns.basis, Basis::Measured);
    assert_near(plan.frame.ns.value, 14.52);
    assert_eq!(plan.needed.target_lcores, Some(2));
    assert_near(plan.cores[1].start_share, 0.108_035_714);
    assert_near(plan.lossless_pps.value, 1e9 / 14.52);
    let assumed = plan_without_driver();
    assert_eq!(assumed.frame.engine_ns.basis, Basis::Measured);
    assert_eq!(assumed.frame.ns.basis, Basis::Extrapolated);
    assert_near(assumed.frame.ns.value, 34.52);
}

fn plan_without_driver() -> sekisho::loadgen::capacity::Plan {
    let mut traffic = traffic(&[]);
    traffic.io_ns = sekisho::loadgen::capacity::Setting::or(None, 30.0);
    plan(&traffic, &export()).unwrap()
}

/// 148.81 Mpps × 14.52 ns = 2.1607 workers; with a headroom of 1.5, 3.2411; each further worker
/// adds 0.8: 1, 1.8, 2.6, 3.4. A busiest worker at 1.2 × the mean: 3.8893 → 1 + 0.8 × 4 = 4.2.
#[test]
fn workers_follow_from_load_headroom_scaling_and_imbalance() {
    let full = ("links", "[{ name: a, rate: 100G, up: 1, down: 0 }]");
    let lcores = |changes: &[(&str, &str)]| {
        let mut all = vec![full];
        all.extend(changes);
        planned(&all).needed.target_lcores.unwrap()
    };
    assert_eq!(lcores(&[]), 3 + 1);
    assert_eq!(lcores(&[("headroom", "1.5")]), 4 + 1);
    assert_eq!(lcores(&[("headroom", "1.5"), ("scaling", "0.8")]), 4 + 1);
    assert_eq!(
        lcores(&[
            ("headroom", "1.5"),
            ("scaling", "0.8"),
            ("imbalance", "1.2")
        ]),
        5 + 1
    );
}

/// The load of 2.1607 workers: 1+1 puts it on each box, 2+1 half of it (1.0804).
#[test]
fn redundancy_is_held() {
    let full = ("links", "[{ name: a, rate: 100G, up: 1, down: 0 }]");
    for (redundancy, lcores, boxes) in [("1+0", 4, 1), ("1+1", 4, 2), ("2+1", 3, 3), ("3+1", 2, 4)]
    {
        let plan = planned(&[full, ("redundancy", redundancy)]);
        assert_eq!(plan.needed.target_lcores, Some(lcores), "{redundancy}");
        assert_eq!(plan.boxes, boxes, "{redundancy}");
    }
    // What survives carries: one box of one worker, or two.
    let one = planned(&[("cores", "2"), ("redundancy", "1+1")])
        .lossless_pps
        .value;
    let two = planned(&[("cores", "2"), ("redundancy", "2+1")])
        .lossless_pps
        .value;
    assert_near(two, 2.0 * one);
}

/// One worker carries 1 / 14.52 ns = 68.8705 Mpps; the load is 7.4405 Mpps × 2 (headroom) and
/// doubles each year: log2(68.8705 / 14.8810) = 2.21042 years of 365.25 days = 807.36 days. Day 807
/// (2029-03-18) still fits; the next does not.
#[test]
fn the_day_is_the_first_on_which_the_headroom_is_gone() {
    let changes = [
        ("cores", "2"),
        ("headroom", "2"),
        ("growth", "{ traffic: 1 }"),
    ];
    let plan = planned(&changes);
    assert_eq!(plan.outgrown, Some(date(2029, 3, 19)));
    assert!(!plan.suffices);
    // 0.5 of the line, doubled each year: full after a year, which has 365.25 days.
    assert_eq!(plan.link_full, Some(("a".to_owned(), date(2028, 1, 2))));
    let still = planned(&[
        ("cores", "2"),
        ("headroom", "2"),
        ("growth", "{ traffic: 1 }"),
        ("target-date", "2029-03-18"),
    ]);
    assert!(still.suffices, "{:?}", still.missing);
    let gone = planned(&[
        ("cores", "2"),
        ("headroom", "2"),
        ("growth", "{ traffic: 1 }"),
        ("target-date", "2029-03-19"),
    ]);
    assert_eq!(gone.missing.len(), 1);
    assert_eq!(planned(&[]).outgrown, None);
    assert_eq!(
        planned(&[("headroom", "100"), ("cores", "2")]).outgrown,
        Some(date(2027, 1, 1))
    );
}

/// A quarter of all frames: 7.4405 / 3 = 2.4802 Mpps more, at 3 + 1.5 + 3 + 0.02 + 10 ns each:
/// 7.4405 × 14.52 + 2.4802 × 17.52 = 151.49 ms a second.
#[test]
fn an_attack_comes_on_top_of_the_peak() {
    let attack = |share: &str| format!("[{{ name: flood, kind: spoofed, share: {share} }}]");
    let plan = planned(&[("attacks", &attack("0.25"))]);
    let found = &plan.attacks[0];
    assert_near(found.frame_ns.value, 17.52);
    assert_near(found.offered_pps, 7_440_476.19 / 0.75);
    assert_near(
        found.lossless_pps.value,
        found.offered_pps / (0.108_035_714 + 2.480_158_73 * 0.017_52),
    );
    assert_eq!(
        (found.lost_pps, found.links_full, found.lcores),
        (0.0, false, Some(2))
    );
    // The link has room for 7.4405 Mpps one way and, idle, for 14.881 the other.
    let most = planned(&[("attacks", &attack("0.99"))]);
    assert!(most.attacks[0].links_full);
    assert_near(most.attacks[0].offered_pps, 2.0 * 14_880_952.38);
}

#[test]
fn loss_is_what_is_offered_beyond_the_capacity() {
    // 148.81 Mpps × 14.52 ns on one worker, which carries 68.87 Mpps.
    let flood = "[{ name: flood, kind: port-25-flood, share: 0.5 }]";
    let links = "[{ name: a, rate: 100G, up: 0.5, down: 0 }]";
    let plan = planned(&[("links", links), ("attacks", flood), ("cores", "2")]);
    let attack = &plan.attacks[0];
    // Half 14.52 ns, half 3 + 1.5 + 2 + 10 = 16.5 ns: 64.47 Mpps.
    assert_near(attack.lossless_pps.value, 1e9 / ((14.52 + 16.5) / 2.0));
    assert_near(attack.lost_pps, 148_809_523.81 - 1e9 / 15.51);
    assert_eq!(attack.lost_from, Some(date(2027, 1, 1)));
    // The peak fits (74.4 Mpps do not: 68.87), so both are missing.
    assert_eq!(plan.missing.len(), 2, "{:?}", plan.missing);
}

/// 4 octets a prefix in pools, 200 strewn, 32 for IPv6: the invented export's own rule. Frames: 2
/// ports × 2 rings × 512 + 128 for the one worker, at 2048 octets.
#[test]
fn memory_is_tables_and_frames() {
    let plan = planned(&[("ring-frames", "512"), ("buffer-bytes", "2048")]);
    assert_near(plan.memory.table_bytes, 400_000.0);
    assert_eq!(plan.memory.table_basis, Basis::Measured);
    assert_near(plan.memory.frames, 2.0 * 2.0 * 512.0 + 128.0);
    assert_near(plan.memory.frame_bytes, 2176.0 * 2048.0);
    assert_near(plan.memory.total_bytes(), 800_000.0 + 2176.0 * 2048.0);
    assert_eq!(plan.memory.frame_basis, Basis::Given);
    let dual = "[{ plan: home, count: 2000000, family: dual }, { plan: fixed, count: 50000, spread: strewn }]";
    let plan = planned(&[("subscribers", dual)]);
    assert_near(plan.memory.prefixes, 4_050_000.0);
    // Fewer strewn prefixes than any table that was measured: that table.
    assert_near(
        plan.memory.table_bytes,
        2e6 * 4.0 + 2e6 * 32.0 + 100_000.0 * 200.0,
    );
    assert_eq!(plan.memory.table_basis, Basis::Extrapolated);
    let grown = planned(&[
        ("growth", "{ subscribers: 1 }"),
        ("target-date", "2031-01-01"),
    ]);
    assert_near(
        grown.memory.table_bytes,
        400_000.0 * 2f64.powf(1461.0 / 365.25),
    );
}

/// Beyond the only table: what it took, and the default for each prefix more.
#[test]
fn one_table_is_not_multiplied() {
    let mut export = export();
    export.cases.retain(|case| case.prefixes == 100_000);
    let wanted = traffic(&[("subscribers", "[{ plan: home, count: 1000000 }]")]);
    let memory = plan(&wanted, &export).unwrap().memory;
    assert_near(memory.table_bytes, 400_000.0 + 900_000.0 * 4.0);
    assert_eq!(memory.table_basis, Basis::Extrapolated);
}

#[test]
fn queues_follow_the_workers() {
    let queues = planned(&[
        ("cores", "5"),
        (
            "links",
            "[{ name: a, rate: 100G, count: 2, up: 0.1, down: 0.1 }]",
        ),
    ])
    .queues;
    assert_eq!((queues.ports, queues.per_port, queues.total), (4, 4, 32));
}
