//! The golden cases go through a worker, and what leaves is the file that `sekisho replay` has to
//! write.

use super::support::*;
use sekisho::control::pipeline;
use sekisho::io::CaptureReader;
use sekisho::io::port::{Arena, Pool, Recorded};
use sekisho::lpm::Readers;
use sekisho::policy::{Program, load};
use sekisho::stage::{Account, Settings};
use sekisho::worker::{Post, Worker};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Deserialize)]
struct Case {
    policy: PathBuf,
    at: String,
    direction: String,
    /// What opens tunnels, and more.
    pipeline: Option<PathBuf>,
}

#[test]
fn golden_cases_leave_as_they_are_replayed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut cases, mut frames) = (0, 0);
    for entry in root.join("pcaps").read_dir().unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(folder.join("case.yaml")).unwrap();
        let case: Case = serde_yaml::from_str(&text).unwrap();
        let inbound = match case.direction.as_str() {
            "out" => false,
            "in" => true,
            _ => continue,
        };
        // A worker has one clock, not each frame's.
        let Ok(at) = case.at.parse() else {
            continue;
        };
        // Captures of other links, and cut ones, are no port's.
        let capture = CaptureReader::open(&folder.join("in.pcap")).unwrap();
        let Ok(arena) = Arena::read(capture) else {
            continue;
        };
        cases += 1;
        frames += arena.len();
        let settings = case.pipeline.map_or_else(
            || Settings::new(Account::EveryFrame),
            |file| {
                let loaded = pipeline::load(&root.join(file));
                loaded.pipeline.unwrap().settings()
            },
        );
        let policy = root.join(&case.policy);
        assert_same_frames(&folder, &policy, at, inbound, arena, &settings);
    }
    assert!(cases > 30 && frames > 200, "{cases} cases, {frames} frames");
}

fn assert_same_frames(
    folder: &Path,
    policy: &Path,
    at: jiff::Timestamp,
    inbound: bool,
    arena: Arena,
    settings: &Settings,
) {
    let resolved = load(&[policy.to_owned()], at).resolved.unwrap();
    let program = Program::compile(Arc::new(resolved)).unwrap();
    let (post, _) = Post::new(&program.at(at).unwrap().tables, &Readers::new());
    let expected = octets(&folder.join("out.pcap"));
    let (full, empty) = (Pool::new(&arena), Pool::default());
    let (up, down) = if inbound {
        (&empty, &full)
    } else {
        (&full, &empty)
    };
    let mut access = Recorded::new(once(up));
    let mut network = Recorded::new(once(down));
    let mut worker = Worker::new(post, settings, &mut access, &mut network);
    while worker.poll_once() > 0 {}
    assert_balances(&worker.finish().balance);
    let (left, other) = if inbound {
        (access, network)
    } else {
        (network, access)
    };
    assert!(left.sent() == expected, "{}", folder.display());
    assert!(other.sent().is_empty());
}

fn octets(capture: &Path) -> Vec<Vec<u8>> {
    let mut reader = CaptureReader::open(capture).unwrap();
    let mut octets = Vec::new();
    loop {
        let records = reader.read_burst().unwrap();
        if records.is_empty() {
            return octets;
        }
        octets.extend(records.iter().map(|record| record.frame.bytes.to_vec()));
    }
}
