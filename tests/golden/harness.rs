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
        let case: Case = serde_yaml::from_str(&text).map_err(|e| e.to_string())?;
        let mut records: Vec<Record> = Vec::new();
        for (index, spec) in case.frames.iter().enumerate() {
            let at = format!("frame {}", index + 1);
            case.expectation(spec).map_err(|e| format!("{at}: {e}"))?;
            let time_ns = match (&spec.time, records.last()) {
                (Some(text), _) => instant_ns(text)?,
                (None, Some(before)) => before.time_ns + 1_000_000,
                (None, None) => instant_ns(&case.at)?,
            };
            let bytes = link::build(spec, case.link_type).map_err(|e| format!("{at}: {e}"))?;
            records.push(record(spec, time_ns, bytes).map_err(|e| format!("{at}: {e}"))?);
        }
        Ok(Self { case, records })
    }

    /// Everything that is wrong with `folder`, one line each.
    pub(crate) fn check(&self, folder: &Path) -> Result<Vec<String>, String> {
        let mut wrong = Vec::new();
        let link = self.case.link_type.number();
        let input = pcap::file(link, Stamps::Microseconds, &self.records);
        let forwarded = pcap::file(link, Stamps::Nanoseconds, self.forwarded()?);
        let totals = self.totals()?;
        compare_file(&folder.join("in.pcap"), &input, &mut wrong);
        compare_file(&folder.join("out.pcap"), &forwarded, &mut wrong);
        compare_file(&folder.join("counters.yaml"), totals.to_yaml().as_bytes(), &mut wrong);

        let run = replay(&folder.join("in.pcap"), &self.case)?;
        self.compare_verdicts(&run.verdicts, &mut wrong)?;
        if run.forwarded != forwarded {
            wrong.push("the product's forwarded frames are not those of out.pcap".to_owned());
        }
        let said = Totals::from_json(&run.json)?;
        if said != totals {
            let (said, expected) = (said.to_yaml(), totals.to_yaml());
            wrong.push(format!("the product totals\n{said}instead of\n{expected}"));
        }
        wrong.extend(unbalanced(&run.json, self.records.len()));
        Ok(wrong)
    }

    fn expectations(&self) -> Result<Vec<Expectation<'_>>, String> {
        self.case.frames.iter().map(|spec| self.case.expectation(spec)).collect()
    }

    fn forwarded(&self) -> Result<Vec<&Record>, String> {
        let expectations = self.expectations()?;
        let pairs = self.records.iter().zip(expectations);
        Ok(pairs.filter(|(_, e)| e.verdict == "forward").map(|(record, _)| record).collect())
    }

    fn totals(&self) -> Result<Totals, String> {
        let mut totals = Totals::default();
        for (record, expected) in self.records.iter().zip(self.expectations()?) {
            let tally = Tally::of(record.original_octets);
            totals.add(&expected, tally);
        }
        Ok(totals)
    }

    fn compare_verdicts(&self, csv: &str, wrong: &mut Vec<String>) -> Result<(), String> {
        let rows = rows(csv)?;
        if rows.len() != self.records.len() {
            let (frames, rows) = (self.records.len(), rows.len());
            wrong.push(format!("{frames} frames and {rows} rows of verdicts"));
        }
        for (index, (row, expected)) in rows.iter().zip(self.expectations()?).enumerate() {
            let pairs = [
                ("verdict", expected.verdict),
                ("reason", expected.reason),
                ("rule", expected.rule),
                ("plan", expected.plan),
            ];
            for (column, expected) in pairs {
                let said = row.get(column).map_or("(no such column)", String::as_str);
                if said != expected {
                    let frame = index + 1;
                    wrong.push(format!(
                        "frame {frame}: {column} is {said:?}, expected {expected:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn record(spec: &FrameSpec, time_ns: u64, mut bytes: Vec<u8>) -> Result<Record, String> {
    let original_octets = bytes.len();
    if let Some(captured) = spec.captured {
        if captured >= original_octets {
            return Err(format!("captured: {captured} cuts nothing of {original_octets} octets"));
        }
        bytes.truncate(captured);
    }
    Ok(Record { time_ns, bytes, original_octets })
}

fn instant_ns(text: &str) -> Result<u64, String> {
    let instant: Timestamp = text.parse().map_err(|e| format!("{text:?}: {e}"))?;
    u64::try_from(instant.as_nanosecond()).map_err(|e| format!("{text:?}: {e}"))
}

/// Compares a file with what it must be; when blessing, makes it so.
pub(crate) fn compare_file(path: &Path, expected: &[u8], wrong: &mut Vec<String>) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if blessing() {
        if let Err(error) = std::fs::write(path, expected) {
            wrong.push(format!("{name}: {error}"));
        }
        return;
    }
    match std::fs::read(path) {
        Ok(found) if found == expected => {}
        Ok(_) => wrong.push(format!("{name} is not what it is generated from (SEKISHO_BLESS=1)")),
        Err(error) => wrong.push(format!("{name}: {error}")),
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
    let done = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["replay", "--output", "json", "--policy", &case.policy])
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
    reader.deserialize().collect::<Result<_, _>>().map_err(|e| format!("verdicts: {e}"))
}
