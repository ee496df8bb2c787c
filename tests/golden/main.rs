//! Golden cases: every folder in `pcaps/` is one fact, told by its `case.yaml`. Frames are built
//! from its words, the compiled program judges them, and verdict, reason, rule, plan, forwarded
//! octets and totals must be what the case says. Nothing is compared with the program's own earlier
//! output: `in.pcap`, `out.pcap` and `counters.yaml` are all computed from `case.yaml`.
//!
//! `SEKISHO_BLESS=1 cargo test --test golden` rewrites those files, never an expectation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod case;
mod conversation;
mod demo;
mod dice;
mod harness;
mod link;
mod packet;
mod pcap;
mod readme;
mod route;
mod totals;
mod tunnel;

use harness::{Golden, compare_file};
use sekisho::stats::Reason;
use std::path::{Path, PathBuf};

#[test]
fn every_case_holds() {
    let mut wrong = Vec::new();
    let mut proven = Vec::new();
    for folder in folders() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let result = Golden::load(&folder).and_then(|golden| {
            proven.push((name.clone(), golden.case.proves.clone()));
            check(&golden, &folder)
        });
        let lines = result.unwrap_or_else(|error| vec![error]);
        wrong.extend(lines.into_iter().map(|line| format!("{name}: {line}")));
    }
    wrong.extend(readme::compare(&proven, &pcaps().join("README.md")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_demonstration_is_what_it_says() {
    let capture = pcaps().join("a-day-at-an-isp.pcap");
    let golden = Golden::build(demo::day()).unwrap();
    let mut wrong = Vec::from_iter(compare_file(&capture, &golden.capture()));
    wrong.extend(golden.judge(&capture).unwrap_or_else(|error| vec![error]));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Everything that is wrong with a case, one line each.
fn check(golden: &Golden, folder: &Path) -> Result<Vec<String>, String> {
    let capture = folder.join("in.pcap");
    let mut wrong: Vec<String> = [
        compare_file(&capture, &golden.capture()),
        compare_file(&folder.join("out.pcap"), &golden.forwarded()?),
        compare_file(
            &folder.join("counters.yaml"),
            golden.totals()?.to_yaml().as_bytes(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    wrong.extend(golden.judge(&capture)?);
    Ok(wrong)
}

/// Whom a full table of rates refuses hangs on a secret of the run: the tests of the table prove it.
const PROVED_ELSEWHERE: &str = "limit-table-full";

#[test]
fn every_reason_is_proved() {
    let mut unproved: Vec<&str> = Reason::ALL.iter().map(|reason| reason.label()).collect();
    unproved.retain(|reason| *reason != PROVED_ELSEWHERE);
    for folder in folders() {
        let golden = Golden::load(&folder).unwrap();
        for expected in golden.expectations().unwrap() {
            unproved.retain(|reason| *reason != expected.reason);
        }
    }
    assert!(unproved.is_empty(), "no case expects {unproved:?}");
}

fn pcaps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps")
}

fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(pcaps()).unwrap();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}
