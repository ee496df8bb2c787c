//! Holds one case folder against the product, and every file in it against `case.yaml`.

use crate::case::{Case, Expectation, FrameSpec};
use crate::link;
use crate::pcap::{self, Record, Stamps};
use crate::totals::{Tally, Totals, unbalanced};
use jiff::Timestamp;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

/// Whether the run rewrites what is generated.
pub(crate) fn blessing() -> bool {
    std::env::var_os("SEKISHO_BLESS").is_some_and(|value| value == "1")
}

/// A case with its frames built.
pub(crate) struct Golden {
    pub(crate) case: Case,
    records: Vec<Record>,
}

impl Golden {
    /// Reads `case.yaml` in `folder` and builds its frames.
    pub(crate) fn load(folder: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(folder.join("case.yaml")).map_err(|e| e.to_string())?;
        Self::build(serde_yaml::from_str(&text).map_err(|e| e.to_string())?)
    }

    /// Builds the frames of a case.
    pub(crate) fn build(case: Case) -> Result<Self, String> {
        let mut records: Vec<Record> = Vec::new();
        for (index, spec) in case.frames.iter().enumerate() {
            let at = |error: String| format!("frame {}: {error}", index + 1);
            case.expectation(spec).map_err(at)?;
            let time_ns = match (&spec.time, records.last()) {
                (Some(text), _) => instant_ns(text).map_err(at)?,
                (None, Some(before)) => before.time_ns + 1_000_000,
                (None, None) => instant_ns(&case.at).map_err(at)?,
            };
            let bytes = link::build(spec, case.link_type).map_err(at)?;
            records.push(record(spec, time_ns, bytes).map_err(at)?);
        }
        Ok(Self { case, records })
    }

    /// The capture of its frames.
    pub(crate) fn capture(&self) -> Vec<u8> {
        pcap::file(
            self.case.link_type.number(),
            Stamps::Microseconds,
            &self.records,
        )
    }

    /// The capture of the frames that must leave, as the product writes it.
    pub(crate) fn forwarded(&self) -> Result<Vec<u8>, String> {
        let pairs = self.records.iter().zip(self.expectations()?);
        let leaving = pairs
            .filter(|(_, e)| e.verdict == "forward")
            .map(|(record, _)| record);
        Ok(pcap::file(
            self.case.link_type.number(),
            Stamps::Nanoseconds,
            leaving,
        ))
    }

    /// What the product must total.
    pub(crate) fn totals(&self) -> Result<Totals, String> {
        let mut totals = Totals::default();
        for (record, expected) in self.records.iter().zip(self.expectations()?) {
            totals.add(&expected, Tally::of(record.original_octets));
        }
        Ok(totals)
    }

    /// Lets the product judge `capture`, and says what it did otherwise than the case expects.
    pub(crate) fn judge(&self, capture: &Path) -> Result<Vec<String>, String> {
        let run = replay(capture, &self.case)?;
        let mut wrong = self.compare_verdicts(&run.verdicts)?;
        if run.forwarded != self.forwarded()? {
            wrong.push("the forwarded capture is not that of the frames that must leave".into());
        }
        let (said, expected) = (Totals::from_json(&run.json)?, self.totals()?);
        if said != expected {
            let (said, expected) = (said.to_yaml(), expected.to_yaml());
            wrong.push(format!("the product totals\n{said}instead of\n{expected}"));
        }
        wrong.extend(unbalanced(&run.json, self.records.len()));
        Ok(wrong)
    }

    /// What must become of each frame.
    pub(crate) fn expectations(&self) -> Result<Vec<Expectation<'_>>, String> {
        self.case
            .frames
            .iter()
            .map(|spec| self.case.expectation(spec))
            .collect()
    }

    fn compare_verdicts(&self, csv: &str) -> Result<Vec<String>, String> {
        let mut wrong = Vec::new();
        let rows = rows(csv)?;
        if rows.len() != self.records.len() {
            let (frames, rows) = (self.records.len(), rows.len());
            wrong.push(format!("{frames} frames and {rows} rows of verdicts"));
        }
        for (index, (row, expected)) in rows.iter().zip(self.expectations()?).enumerate() {
            let pairs = [
                ("verdict", Some(expected.verdict)),
                ("reason", Some(expected.reason)),
                ("rule", Some(expected.rule)),
                ("plan", Some(expected.plan)),
                ("peer_class", expected.class),
                ("direction", expected.way),
            ];
            for (column, expected) in pairs {
                let Some(expected) = expected else { continue };
                let said = row.get(column).map_or("(no such column)", String::as_str);
                if said != expected {
                    let frame = index + 1;
                    wrong.push(format!(
                        "frame {frame}: {column} is {said:?}, expected {expected:?}"
                    ));
                }
            }
        }
        Ok(wrong)
    }
}

fn record(spec: &FrameSpec, time_ns: u64, mut bytes: Vec<u8>) -> Result<Record, String> {
    let original_octets = bytes.len();
    if let Some(captured) = spec.captured {
        if captured >= original_octets {
            return Err(format!(
                "captured: {captured} cuts nothing of {original_octets} octets"
            ));
        }
        bytes.truncate(captured);
    }
    Ok(Record {
        time_ns,
        bytes,
        original_octets,
    })
}

fn instant_ns(text: &str) -> Result<u64, String> {
    let instant: Timestamp = text.parse().map_err(|e| format!("{text:?}: {e}"))?;
    u64::try_from(instant.as_nanosecond()).map_err(|e| format!("{text:?}: {e}"))
}

/// What is wrong with a generated file; when blessing, it is written.
pub(crate) fn compare_file(path: &Path, expected: &[u8]) -> Option<String> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if blessing() {
        return std::fs::write(path, expected)
            .err()
            .map(|error| format!("{name}: {error}"));
    }
    match std::fs::read(path) {
        Ok(found) if found == expected => None,
        Ok(_) => Some(format!(
            "{name} is not what is generated (see pcaps/README.md)"
        )),
        Err(error) => Some(format!("{name}: {error}")),
    }
}

/// What one run of the product left.
struct Run {
    json: serde_json::Value,
    verdicts: String,
    forwarded: Vec<u8>,
}

fn replay(input: &Path, case: &Case) -> Result<Run, String> {
    let scratch = tempfile::tempdir().map_err(|e| e.to_string())?;
    let forwarded = scratch.path().join("forwarded.pcap");
    let verdicts = scratch.path().join("verdicts.csv");
    let pipeline = case.pipeline.iter().flat_map(|file| ["--pipeline", file]);
    let done = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["replay", "--output", "json", "--policy", &case.policy])
        .args(pipeline)
        .args(["--at", &case.at, "--direction", &case.direction])
        .arg("--forwarded")
        .arg(&forwarded)
        .arg("--verdicts")
        .arg(&verdicts)
        .arg(input)
        .output()
        .map_err(|e| e.to_string())?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(format!("sekisho replay: {}: {said}", done.status));
    }
    Ok(Run {
        json: serde_json::from_slice(&done.stdout).map_err(|e| e.to_string())?,
        verdicts: std::fs::read_to_string(&verdicts).map_err(|e| e.to_string())?,
        forwarded: std::fs::read(&forwarded).map_err(|e| e.to_string())?,
    })
}

type Row = HashMap<String, String>;

fn rows(csv: &str) -> Result<Vec<Row>, String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|e| format!("verdicts: {e}"))
}
