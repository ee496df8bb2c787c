//! Real captures under `config/strict.yaml`, against what independent readers say of them.
//!
//! The captures are not part of the project: the environment variable `SEKISHO_SHARED` names the
//! folder that holds them, or it lies beside the project as `shared` (`pcaps/expected.json` and
//! `pcaps/derived/derived.tsv` beside them). Without them there is nothing to compare.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod readers;
mod replay;
mod tunnels;

use readers::{Independent, derived, independent};
use replay::{Direction, Rows, replay, replay_with};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A field of `expected.json` that lists frames, and the frames that we answer with.
struct Listed {
    field: &'static str,
    direction: Direction,
    is: fn(&replay::Row) -> bool,
}

const LISTED: [Listed; 3] = [
    Listed {
        field: "syn25_outer",
        direction: Direction::Out,
        is: |row| row.reason == "port25-syn",
    },
    Listed {
        field: "synack25",
        direction: Direction::In,
        is: |row| row.reason == "port25-return" && row.has('S') && row.has('A'),
    },
    Listed {
        field: "frag_nonfirst",
        direction: Direction::Out,
        is: |row| row.fragment == "later",
    },
];

/// A field of `expected.json` that counts frames.
struct Counted {
    field: &'static str,
    is: fn(&replay::Row) -> bool,
    /// What two readers count and the third gives up: how many of these have octets enough for
    /// the contract of `wire` is left open.
    besides: Option<&'static str>,
}

const COUNTED: [Counted; 7] = [
    Counted {
        field: "packets",
        is: |_| true,
        besides: None,
    },
    Counted {
        field: "ipv4_outer",
        is: |row| row.src.contains('.'),
        besides: Some("ip version"),
    },
    Counted {
        field: "ipv6_outer",
        is: |row| row.src.contains(':'),
        besides: None,
    },
    Counted {
        field: "ip_any",
        is: |row| !row.src.is_empty(),
        besides: Some("ip version"),
    },
    Counted {
        field: "tcp_outer",
        is: |row| !row.flags.is_empty(),
        besides: Some("tcp short"),
    },
    Counted {
        field: "syn_outer",
        is: |row| row.has('S') && !row.has('A'),
        besides: None,
    },
    Counted {
        field: "tcp_dst25_outer",
        is: |row| !row.flags.is_empty() && row.dport == "25",
        besides: None,
    },
];

#[test]
fn strict_sees_what_independent_readers_see() {
    let Some(pcaps) = pcaps() else { return };
    let captures = files(&pcaps.join("captures"));
    let readers = independent(&pcaps);
    let names: BTreeSet<_> = captures.iter().map(|path| replay::name(path)).collect();
    assert!(
        names.iter().eq(readers.keys()),
        "a capture without an answer"
    );
    let out = replay(&captures, Direction::Out);
    let back = replay(&captures, Direction::In);
    let mut wrong = Vec::new();
    let mut said = Vec::new();
    for Listed {
        field,
        direction,
        is,
    } in LISTED
    {
        let rows = match direction {
            Direction::Out => &out,
            Direction::In => &back,
        };
        let mut frames = 0;
        for (name, reader) in &readers {
            let Some(expected) = reader.frames(field) else {
                continue;
            };
            frames += expected.len();
            let found = rows.frames(name, is);
            if found != expected {
                wrong.push(format!("{name}: {field}: {expected:?}, found {found:?}"));
            }
        }
        said.push(format!("{field} {frames}"));
    }
    for counted in COUNTED {
        let sum = count(&counted, &readers, &out, &mut wrong);
        said.push(format!("{} {sum}", counted.field));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    say(&format!("{} captures: {}", names.len(), said.join(", ")));
}

/// Compares one count over all captures; how many frames were counted in sum.
fn count(
    counted: &Counted,
    readers: &BTreeMap<String, Independent>,
    rows: &Rows,
    wrong: &mut Vec<String>,
) -> u64 {
    let mut sum = 0;
    for (name, reader) in readers {
        let Some(expected) = reader.count(counted.field) else {
            continue;
        };
        let found = rows.frames(name, counted.is).len() as u64;
        let besides = counted.besides.map_or(0, |why| reader.given_up(why));
        if !(found..=found + besides).contains(&expected) {
            let field = counted.field;
            wrong.push(format!("{name}: {field}: {expected}, found {found}"));
        }
        sum += found;
    }
    sum
}

#[test]
fn strict_drops_exactly_what_each_derived_capture_is_made_for() {
    let Some(pcaps) = pcaps() else { return };
    let captures = files(&pcaps.join("derived/captures"));
    let expected = derived(&pcaps);
    let rows = replay(&captures, Direction::Out);
    let mut wrong = Vec::new();
    for path in &captures {
        let name = replay::name(path);
        let syns = rows.frames(&name, |row| row.reason == "port25-syn");
        let found = (rows.frames(&name, |_| true).len(), syns);
        if expected.get(&name) != Some(&found) {
            let expected = expected.get(&name);
            wrong.push(format!("{name}: {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(expected.len(), captures.len());
    let syns: usize = expected.values().map(|(_, syns)| syns.len()).sum();
    let captures = captures.len();
    say(&format!("{captures} derived captures: syn25_outer {syns}"));
}

/// Whatever tunnels there are, opened wherever they end: the other readers' SYNs and no more.
#[test]
fn with_every_tunnel_opened_strict_sees_what_is_in_them_and_nothing_else() {
    let Some(pcaps) = pcaps() else { return };
    let epoch = tunnels::strict();
    let readers = independent(&pcaps);
    let (mut wrong, mut tunnelled) = (Vec::new(), 0);
    for (name, reader) in &readers {
        let path = pcaps.join("captures").join(name);
        let outer = reader.frames("syn25_outer").unwrap();
        let inner = reader.frames("syn25_tunnel").unwrap();
        tunnelled += inner.len();
        let expected: BTreeSet<_> = outer.union(&inner).copied().collect();
        let found = tunnels::syns(&path, &epoch);
        if found != expected {
            wrong.push(format!("{name}: {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let captures = readers.len();
    say(&format!(
        "{captures} captures, every tunnel opened: syn25_tunnel {tunnelled}"
    ));
}

/// The one public capture of such a SYN: GTP-U from 11.11.0.1 to 1.1.1.11, in frame 1.
const TUNNELLED: &str = "trex-core__exp__tunnel_prepend_ipv4_with_ipv6.pcap";

#[test]
fn a_tunnel_is_opened_by_the_pipeline_that_names_either_end_and_by_no_other() {
    let Some(pcaps) = pcaps() else { return };
    let captures = [pcaps.join("captures").join(TUNNELLED)];
    let expected = independent(&pcaps)[TUNNELLED]
        .frames("syn25_tunnel")
        .unwrap();
    assert!(!expected.is_empty());
    let none = BTreeSet::new();
    for (unwrap, expected) in [
        ("{ kind: gtp-u, endpoints: [1.1.1.11] }", &expected),
        ("{ kind: gtp-u, endpoints: [11.11.0.0/16] }", &expected),
        ("{ kind: gtp-u, endpoints: [1.1.1.1] }", &none),
        ("{ kind: vxlan, endpoints: [1.1.1.11] }", &none),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = folder.path().join("tunnels.yaml");
        let text = format!(
            "policies: [elsewhere.yaml]\ndriver: pcap\naccess: {{ read: a.pcap }}\n\
             network: {{}}\nlcores: [0]\nunwrap: [{unwrap}]\n"
        );
        std::fs::write(&pipeline, text).unwrap();
        let further = [Path::new("--pipeline"), &pipeline];
        let rows = replay_with(&captures, Direction::Out, &further);
        let found = rows.frames(TUNNELLED, |row| row.reason == "port25-syn");
        assert_eq!(found, *expected, "{unwrap}");
    }
}

/// The folder with the captures, when there is one.
fn pcaps() -> Option<PathBuf> {
    let named = std::env::var_os("SEKISHO_SHARED").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let pcaps = named.unwrap_or_else(beside).join("pcaps");
    let there = pcaps.join("expected.json").exists();
    if !there {
        say("SEKISHO_SHARED is not set: 0 real captures compared");
    }
    there.then_some(pcaps)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|entry| entry.unwrap().path()).collect()
}

/// Past the test runner, which shows the output of failed tests only.
#[expect(
    clippy::explicit_write,
    reason = "the runner captures what `eprintln!` prints"
)]
fn say(line: &str) {
    writeln!(std::io::stderr(), "conformance: {line}").unwrap();
}
