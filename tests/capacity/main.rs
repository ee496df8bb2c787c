//! The capacity model: held against figures reckoned by hand, and against what must always hold.
//!
//! `invented.json` has the form of a bench export; nothing in it was measured. Its costs follow a
//! rule that can be reckoned in the head: 3 ns, and something for each thing that is not plain.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod answers;
mod costs;
mod properties;
mod reading;

use sekisho::loadgen::Export;
use sekisho::loadgen::capacity::{Plan, Traffic, plan, read};

/// A description that costs nothing but what a test adds: 10G at half load one way, 64 octets,
/// 100,000 IPv4 subscribers in pools, 1 % port 25, nothing grows, the driver takes 10 ns.
const PLAIN: &str = "
name: plain
start: 2027-01-01
target-date: 2030-01-01
links: [{ name: a, rate: 10G, up: 0.5, down: 0 }]
frames: { sequence: [64] }
subscribers: [{ plan: home, count: 100000 }]
port-25-share: 0.01
headroom: 1
imbalance: 1
scaling: 1
io-ns-per-frame: 10
";

fn export() -> Export {
    Export::read(include_str!("invented.json")).unwrap()
}

/// A description with lines replaced by their key, or added.
fn text(changes: &[(&str, &str)]) -> String {
    let mut lines: Vec<String> = PLAIN.trim().lines().map(str::to_owned).collect();
    for (key, value) in changes {
        let line = format!("{key}: {value}");
        let start = format!("{key}:");
        match lines.iter_mut().find(|line| line.starts_with(&start)) {
            Some(found) => *found = line,
            None => lines.push(line),
        }
    }
    lines.join("\n") + "\n"
}

fn traffic(changes: &[(&str, &str)]) -> Traffic {
    let loaded = read("traffic.yaml", text(changes).into_bytes()).unwrap();
    loaded
        .traffic
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn planned(changes: &[(&str, &str)]) -> Plan {
    plan(&traffic(changes), &export()).unwrap()
}

/// Within a millionth.
#[track_caller]
fn assert_near(found: f64, expected: f64) {
    let apart = (found - expected).abs();
    assert!(
        apart <= expected.abs() * 1e-6,
        "{found}, expected {expected}"
    );
}
