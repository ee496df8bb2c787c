//! `explain` and `replay` say the same of the same frame.

use crate::program::{ALPHA, DAY, Folder, STRICT, root, sekisho, typed};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// Column names, and the keys that `explain` gives the same facts.
const FACTS: [(&str, &str); 6] = [
    ("verdict", "verdict"),
    ("reason", "reason"),
    ("rule", "rule"),
    ("plan", "plan"),
    ("peer_class", "peer_class"),
    ("direction", "direction"),
];

#[test]
fn on_every_97th_frame_of_the_day() {
    let at = "2024-01-15T12:00:00";
    let rows = verdicts(Path::new(DAY), ALPHA, at);
    assert_eq!(rows.len(), 3752);
    for row in rows.iter().step_by(97) {
        compare(Path::new(DAY), ALPHA, at, row);
    }
}

#[test]
fn on_a_frame_of_every_kind_that_the_day_has() {
    let at = "2024-01-15T12:00:00";
    let rows = verdicts(Path::new(DAY), ALPHA, at);
    let mut first_of_a_kind = HashMap::new();
    for row in &rows {
        let kind = FACTS.map(|(column, _)| row[column].clone());
        first_of_a_kind.entry(kind).or_insert(row);
    }
    assert!(first_of_a_kind.len() > 20, "{}", first_of_a_kind.len());
    for row in first_of_a_kind.values() {
        compare(Path::new(DAY), ALPHA, at, row);
    }
}

#[test]
fn on_the_last_frame_of_every_golden_capture() {
    let mut compared = 0;
    for entry in std::fs::read_dir(root().join("pcaps")).unwrap() {
        let capture = entry.unwrap().path().join("in.pcap");
        if !capture.exists() {
            continue;
        }
        let rows = verdicts(&capture, STRICT, "2024-01-15");
        let last = rows.last().unwrap();
        compare(&capture, STRICT, "2024-01-15", last);
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}

/// The rows of `replay --verdicts`.
fn verdicts(capture: &Path, policy: &str, at: &str) -> Vec<HashMap<String, String>> {
    let folder = Folder::new();
    let csv = folder.arg("v.csv");
    let capture = capture.to_str().unwrap();
    sekisho([
        "replay",
        "--policy",
        policy,
        "--at",
        at,
        "--verdicts",
        &csv,
        capture,
    ])
    .good();
    let mut reader = csv::Reader::from_path(csv).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn compare(capture: &Path, policy: &str, at: &str, row: &HashMap<String, String>) {
    let (capture, frame) = (capture.display(), &row["frame"]);
    let line = format!(
        "explain --policy {policy} --at {at} --pcap {capture} --frame {frame} --output json"
    );
    let run = typed(&line);
    assert_eq!(run.code, 0, "{run:?}");
    let found = run.json();
    for (column, key) in FACTS {
        let told = match &found[key] {
            Value::Null => "",
            Value::String(text) => text,
            other => panic!("{other}"),
        };
        assert_eq!(told, row[column], "{capture}, frame {frame}, {key}");
    }
}
