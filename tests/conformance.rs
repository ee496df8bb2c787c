//! Real captures under `config/strict.yaml`, against what independent readers say of them.
//!
//! The captures are not part of the project: the environment variable `SEKISHO_SHARED` names the
//! folder that holds them (`pcaps/expected.json` and `pcaps/derived/derived.tsv` beside them).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// By file name, the frames with one reason.
type Frames = BTreeMap<String, BTreeSet<u64>>;

#[test]
fn strict_drops_exactly_the_syns_that_independent_readers_see() {
    let Some(shared) = std::env::var_os("SEKISHO_SHARED").map(PathBuf::from) else {
        say("SEKISHO_SHARED is not set: 0 real captures compared");
        return;
    };
    let pcaps = shared.join("pcaps");
    let mut expected = independent_readers(&pcaps);
    expected.extend(derived(&pcaps));
    let captures: Vec<_> = ["captures", "derived/captures"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(pcaps.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    let (found, rows) = replay(&captures);
    let mut wrong = Vec::new();
    for (file, frames) in &expected {
        let seen = found.get(file).cloned().unwrap_or_default();
        if seen != *frames {
            wrong.push(format!("{file}: expected {frames:?}, found {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        captures
            .iter()
            .all(|path| expected.contains_key(&name(path)))
    );
    let syns: usize = expected.values().map(BTreeSet::len).sum();
    let captures = expected.len();
    say(&format!(
        "{captures} captures, {rows} frames, {syns} SYNs to port 25 compared"
    ));
}

/// Past the test runner, which shows the output of failed tests only.
#[expect(
    clippy::explicit_write,
    reason = "the runner captures what `eprintln!` prints"
)]
fn say(line: &str) {
    writeln!(std::io::stderr(), "conformance: {line}").unwrap();
}

/// `best.syn25_outer` of each capture of `expected.json`.
fn independent_readers(pcaps: &Path) -> Frames {
    let text = std::fs::read_to_string(pcaps.join("expected.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let settled = |(file, entry): (&String, &serde_json::Value)| {
        let frames = entry["best"]["syn25_outer"].as_array()?;
        Some((
            file.clone(),
            frames.iter().map(|frame| frame.as_u64().unwrap()).collect(),
        ))
    };
    json["files"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(settled)
        .collect()
}

/// The third column of `derived.tsv`.
fn derived(pcaps: &Path) -> Frames {
    let text = std::fs::read_to_string(pcaps.join("derived/derived.tsv")).unwrap();
    let frames = |list: &str| {
        list.split(',')
            .filter(|n| !n.is_empty())
            .map(|n| n.trim().parse().unwrap())
            .collect()
    };
    text.lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|columns| match columns.as_slice() {
            [file, _, list, ..] => ((*file).to_owned(), frames(list)),
            _ => panic!("derived.tsv: {columns:?}"),
        })
        .collect()
}

/// Replays all captures in one run; the frames whose reason is `port25-syn`, and how many rows.
fn replay(captures: &[PathBuf]) -> (Frames, usize) {
    let folder = tempfile::tempdir().unwrap();
    let verdicts = folder.path().join("verdicts.csv");
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/strict.yaml");
    let run = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .args(["replay", "--direction", "out", "--output", "json"])
        .arg("--policy")
        .arg(policy)
        .arg("--verdicts")
        .arg(&verdicts)
        .args(captures)
        .output()
        .unwrap();
    // Broken captures end with a message and exit code 74; the others go on.
    assert!([Some(0), Some(74)].contains(&run.status.code()), "{run:?}");
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report["balance"]["closes"], true);
    let mut frames = Frames::new();
    let mut rows = 0;
    for row in csv::Reader::from_path(verdicts).unwrap().records() {
        let row = row.unwrap();
        rows += 1;
        let (file, number, verdict, reason) = (&row[0], &row[1], &row[2], &row[3]);
        if reason == "port25-syn" {
            assert_eq!(verdict, "drop", "{file} {number}");
            frames
                .entry(name(Path::new(file)))
                .or_default()
                .insert(number.parse().unwrap());
        }
    }
    assert_eq!(report["balance"]["rx"], rows);
    (frames, rows)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
