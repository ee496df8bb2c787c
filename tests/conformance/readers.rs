//! What the other readers say: `expected.json` of three, `derived.tsv` of whoever made them.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is settled of one capture.
pub struct Independent(Value);

impl Independent {
    /// The frames of which this holds.
    pub fn frames(&self, field: &str) -> Option<BTreeSet<u64>> {
        let frames = self.0["best"][field].as_array()?;
        Some(frames.iter().map(|frame| frame.as_u64().unwrap()).collect())
    }

    /// How many frames there are of which this holds.
    ///
    /// Where the reader that stands alone did not read the link type, its 0 is no opinion: then
    /// this is only what the two others say.
    pub fn count(&self, field: &str) -> Option<u64> {
        let features = self.0["features"].as_object().unwrap();
        let closed = features.keys().any(|key| key.starts_with("stop:linktype"));
        let two_others = self.0["disputed"][field]["why"] == "2 of 3: bpf+tshark";
        if closed && !two_others && field != "packets" {
            return None;
        }
        self.0["best"][field].as_u64()
    }

    /// How many frames the reader that stands alone gave up for this.
    pub fn given_up(&self, why: &str) -> u64 {
        self.0["why_undecodable"][why].as_u64().unwrap_or(0)
    }
}

/// By file name.
pub fn independent(pcaps: &Path) -> BTreeMap<String, Independent> {
    let text = std::fs::read_to_string(pcaps.join("expected.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let files = json["files"].as_object().unwrap();
    let entry = |(file, says): (&String, &Value)| (file.clone(), Independent(says.clone()));
    files.iter().map(entry).collect()
}

/// Packets, and the frames to be recognised: the second and third column of `derived.tsv`.
pub fn derived(pcaps: &Path) -> BTreeMap<String, (usize, BTreeSet<u64>)> {
    let text = std::fs::read_to_string(pcaps.join("derived/derived.tsv")).unwrap();
    let frames = |list: &str| {
        let frames = list.split(',').filter(|n| !n.is_empty());
        frames.map(|n| n.trim().parse().unwrap()).collect()
    };
    text.lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|columns| match columns.as_slice() {
            [file, packets, list, ..] => {
                ((*file).to_owned(), (packets.parse().unwrap(), frames(list)))
            }
            _ => panic!("derived.tsv: {columns:?}"),
        })
        .collect()
}
