//! The policies in `config/` load, each alone and the five ISPs as one box.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use sekisho::policy::{self, Loaded, Severity};
use std::path::{Path, PathBuf};

const ISPS: [&str; 5] = [
    "web-shizuoka",
    "ipc-tokai",
    "bb-east",
    "nmtnet",
    "alpha-web",
];

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config")
        .join(name)
}

fn load(names: &[&str]) -> Loaded {
    let paths: Vec<PathBuf> = names
        .iter()
        .map(|isp| config(&format!("{isp}.yaml")))
        .collect();
    let loaded = policy::load(&paths, "2026-11-22T00:00:00+09:00".parse().unwrap());
    let errors = loaded
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    assert_eq!(
        errors.count(),
        0,
        "{}",
        policy::render(&loaded.sources, &loaded.diagnostics, false)
    );
    loaded
}

fn warnings(loaded: &Loaded) -> Vec<String> {
    let text = |found: &policy::Diagnostic| format!("{}: {}", found.code, found.message);
    loaded.diagnostics.iter().map(text).collect()
}

/// The warnings that are meant: the pages of these two ISPs say so.
#[test]
fn the_five_isps_load_as_one_box_with_the_warnings_that_are_meant() {
    let loaded = load(&ISPS);
    let names: Vec<_> = loaded
        .resolved
        .as_ref()
        .unwrap()
        .tenants
        .iter()
        .map(|tenant| tenant.name.as_str())
        .collect();
    assert_eq!(names, ISPS);
    assert_eq!(
        warnings(&loaded),
        [
            "own-servers-blocked: the rule `op25b` blocks port 25 to the provider's own mail servers",
            "own-servers-blocked: the rule `ipv6` blocks port 25 to the provider's own mail servers",
            "own-servers-blocked: the rule `v6plus` blocks port 25 to the provider's own mail servers",
        ]
    );
}

#[test]
fn strict_loads_without_a_warning() {
    assert_eq!(warnings(&load(&["strict"])), [""; 0]);
}
