//! Exports that nobody measured, for tests.

use super::traffic::Spread;
use super::{
    Accounting, Case, Encapsulation, Estimate, Export, Family, Machine, Mix, Settings, Size,
    StageCost,
};
use crate::loadgen::measure::median_interval;

/// A run of cases with these ratios to a floor of 1 ns.
pub(crate) fn export(cases: &[(&str, &[f64])]) -> Export {
    Export {
        version: "0.1.0".into(),
        started: "2026-11-22T06:40:00Z".parse().unwrap(),
        machine: Machine {
            cpu: "a processor".into(),
            cores: 2,
            mhz: Some(vec![2_000.0, 2_000.0]),
            l2_bytes: Some(2 << 20),
            l3_bytes: None,
            memory_bytes: Some(8 << 30),
            steal_share: Some(0.0),
        },
        settings: Settings {
            samples: 5,
            seed: 25,
            quick: false,
            optimised: true,
        },
        warnings: Vec::new(),
        cases: cases
            .iter()
            .map(|(name, ratios)| case(name, ratios))
            .collect(),
        loops: Vec::new(),
    }
}

fn case(name: &str, ratios: &[f64]) -> Case {
    let found = median_interval(ratios).unwrap();
    let estimate = |samples: &[f64]| {
        let found = median_interval(samples).unwrap();
        Estimate {
            ns: found.median,
            low_ns: found.low,
            high_ns: found.high,
            samples_ns: samples.to_vec(),
        }
    };
    Case {
        name: name.into(),
        family: Family::Ipv4,
        size: Size::Least,
        encapsulation: Encapsulation::None,
        table: Spread::Strewn,
        prefixes: 100_000,
        table_bytes: 12_000_000,
        account: Accounting::EveryFrame,
        port25_share: 0.01,
        traffic: Mix::Uniform,
        frames: 32_768,
        floor: estimate(&ratios.iter().map(|_| 1.0).collect::<Vec<_>>()),
        floor_limit_ns: Some(2.158),
        whole: estimate(ratios),
        cycles: Some(found.median * 2.0),
        goal_ratio: Some(3.0),
        ratio: found.median,
        ratio_low: found.low,
        ratio_high: found.high,
        mpps: 1e3 / found.median,
        stages: vec![StageCost {
            name: "parse".into(),
            ns: 0.5,
        }],
        burst_latency_ns: None,
        offered: None,
    }
}
