//! What operators read about exit codes is what the program and the unit do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Of a panic, by Rust's own convention.
const PANIC: u8 = 101;

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Code and name of each exit, as the program has them: `Name = 66,`.
fn exits() -> BTreeMap<u8, String> {
    let source = text("src/cli/exit.rs");
    let (_, body) = source.split_once("pub enum Exit {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let variants = body.lines().filter_map(|line| {
        let (name, code) = line.trim().strip_suffix(',')?.split_once(" = ")?;
        Some((code.parse().ok()?, name.to_owned()))
    });
    variants.collect()
}

/// The rows of the table of exit codes: code, name, what the unit does.
fn rows() -> Vec<(u8, String, String)> {
    let page = text("docs/operating.md");
    let (_, section) = page.split_once("## Exit codes").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let cells = section.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let code = cells.get(1)?.parse().ok()?;
        Some((code, cells[2].to_owned(), cells[5].to_owned()))
    });
    cells.collect()
}

/// The codes after a key of the unit.
fn codes(key: &str) -> Vec<u8> {
    let unit = text("packaging/systemd/sekisho@.service");
    let line = unit
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .unwrap();
    line.split_whitespace()
        .map(|code| code.parse().unwrap())
        .collect()
}

#[test]
fn the_table_of_exit_codes_is_that_of_the_program() {
    let shown: BTreeMap<_, _> = rows()
        .into_iter()
        .map(|(code, name, _)| (code, name))
        .collect();
    assert!(shown.len() > 5);
    assert_eq!(shown, exits());
}

#[test]
fn the_unit_tries_again_after_the_codes_that_the_table_says() {
    let mut tried: Vec<_> = rows()
        .into_iter()
        .filter(|(_, _, unit)| unit == "tries again")
        .map(|(code, _, _)| code)
        .collect();
    tried.push(PANIC);
    assert_eq!(codes("RestartForceExitStatus="), tried);
    // What the check before the start may say without ending it all passes by itself, too.
    let passing = codes("SuccessExitStatus=");
    assert!(passing.iter().all(|code| tried.contains(code)));
}
