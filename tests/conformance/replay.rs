//! `sekisho replay` over many captures, and the rows that it writes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which way the frames of every capture are said to go.
#[derive(Clone, Copy, Debug)]
pub enum Direction {
    Out,
    In,
}

/// One frame.
pub struct Row {
    frame: u64,
    pub reason: String,
    pub src: String,
    pub dport: String,
    pub flags: String,
    pub fragment: String,
}

impl Row {
    /// Whether this TCP flag is set.
    pub fn has(&self, letter: char) -> bool {
        self.flags.contains(letter)
    }
}

/// All frames, by file name.
pub struct Rows(BTreeMap<String, Vec<Row>>);

impl Rows {
    /// The numbers of those of a file for which this holds.
    pub fn frames(&self, file: &str, is: fn(&Row) -> bool) -> BTreeSet<u64> {
        let rows = self.0.get(file).map_or(&[][..], Vec::as_slice);
        let matching = rows.iter().filter(|row| is(row));
        matching.map(|row| row.frame).collect()
    }
}

/// Replays all captures in one run under `config/strict.yaml`, and sees that what is decided adds
/// up and that port 25 is dropped.
pub fn replay(captures: &[PathBuf], direction: Direction) -> Rows {
    replay_with(captures, direction, &[])
}

/// The same with further arguments.
pub fn replay_with(captures: &[PathBuf], direction: Direction, further: &[&Path]) -> Rows {
    let folder = tempfile::tempdir().unwrap();
    let verdicts = folder.path().join("verdicts.csv");
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/strict.yaml");
    let direction = match direction {
        Direction::Out => "out",
        Direction::In => "in",
    };
    let run = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .args(["replay", "--direction", direction, "--output", "json"])
        .arg("--policy")
        .arg(policy)
        .arg("--verdicts")
        .arg(&verdicts)
        .args(further)
        .args(captures)
        .output()
        .unwrap();
    // Broken captures end with a message and exit code 74; the others go on.
    assert!([Some(0), Some(74)].contains(&run.status.code()), "{run:?}");
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report["balance"]["closes"], true);
    let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut count = 0;
    let mut csv = csv::Reader::from_path(verdicts).unwrap();
    let header = csv.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let wanted = [
        "file",
        "frame",
        "verdict",
        "reason",
        "src",
        "dport",
        "tcp_flags",
        "fragment",
    ];
    let wanted = wanted.map(column);
    for row in csv.records() {
        let row = row.unwrap();
        let [file, frame, verdict, reason, src, dport, flags, fragment] =
            wanted.map(|column| row[column].to_owned());
        let port_25 = ["port25-syn", "port25-return"].contains(&reason.as_str());
        assert!(!port_25 || verdict == "drop", "{row:?}");
        count += 1;
        rows.entry(name(Path::new(&file))).or_default().push(Row {
            frame: frame.parse().unwrap(),
            reason,
            src,
            dport,
            flags,
            fragment,
        });
    }
    assert_eq!(report["balance"]["rx"], count);
    Rows(rows)
}

pub fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
