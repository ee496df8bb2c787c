//! Real captures of the shared folder, against the packet counts that three other readers agree
//! on. The folder is not part of the project; the environment variable `SEKISHO_SHARED` names it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]
#![allow(clippy::print_stdout, reason = "says what was compared")]

use sekisho::io::CaptureReader;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Whole records that the reader hands out, and what stopped it.
fn count(path: &Path) -> (u64, Option<String>) {
    let mut reader = match CaptureReader::open(path) {
        Ok(reader) => reader,
        Err(error) => return (0, Some(error.to_string())),
    };
    let mut records = 0;
    loop {
        match reader.read_burst() {
            Ok(burst) if burst.is_empty() => return (records, None),
            Ok(burst) => records += burst.len() as u64,
            Err(error) => return (records, Some(error.to_string())),
        }
    }
}

/// Packets by file, of those that the other readers do not dispute.
fn expected(pcaps: &Path) -> BTreeMap<PathBuf, u64> {
    let json = std::fs::read_to_string(pcaps.join("expected.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let real = json["files"].as_object().unwrap().iter();
    let real = real.filter_map(|(name, says)| {
        let packets = says["best"]["packets"].as_u64()?;
        Some((pcaps.join("captures").join(name), packets))
    });
    let derived = std::fs::read_to_string(pcaps.join("derived/derived.tsv")).unwrap();
    let derived = derived.lines().skip(1).map(|line| {
        let mut columns = line.split('\t');
        let file = pcaps.join("derived/captures").join(columns.next().unwrap());
        (file, columns.next().unwrap().parse().unwrap())
    });
    real.chain(derived).collect()
}

#[test]
fn every_real_capture_has_the_packets_that_other_readers_see() {
    let Some(shared) = std::env::var_os("SEKISHO_SHARED") else {
        println!("no real captures compared: SEKISHO_SHARED=FOLDER was not given");
        return;
    };
    let expected = expected(&Path::new(&shared).join("pcaps"));
    assert!(!expected.is_empty());
    let mut differences = Vec::new();
    for (path, packets) in &expected {
        let (records, stopped) = count(path);
        if records != *packets {
            let path = path.display();
            differences.push(format!("{path}: {records}, not {packets}; {stopped:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let records: u64 = expected.values().sum();
    println!("{} captures, {records} records compared", expected.len());
}
