//! What is in the journal after anything that can happen to it.

use ipnet::IpNet;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use sekisho::control::journal::{Change, Entry, Journal, Overrides};
use sekisho::control::protocol::{Override, PlanSet};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.journal");
    (folder, path)
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_000_000 + seconds).unwrap()
}

fn set(prefix: &str, plan: &str) -> Entry {
    set_until(prefix, plan, None)
}

fn set_until(prefix: &str, plan: &str, expires: Option<Timestamp>) -> Entry {
    let set = PlanSet {
        prefix: prefix.parse().unwrap(),
        plan: plan.to_owned(),
        ticket: Some("NOC-1".to_owned()),
        expires,
    };
    Entry {
        at: instant(0),
        who: "uid 0 (root)".to_owned(),
        change: Change::Set(set),
    }
}

fn unset(prefix: &str) -> Entry {
    Entry {
        at: instant(1),
        who: "uid 0 (root)".to_owned(),
        change: Change::Unset {
            prefix: prefix.parse().unwrap(),
        },
    }
}

fn plans(overrides: &Overrides) -> Vec<(String, String)> {
    overrides
        .iter()
        .map(|given| (given.set.prefix.to_string(), given.set.plan.clone()))
        .collect()
}

/// What the journal says, and its notes; it is closed again.
fn reopened(path: &Path) -> (Overrides, Vec<String>) {
    let (_, overrides, notes) = Journal::open(path).unwrap();
    (overrides, notes)
}

fn refusal(path: &Path) -> String {
    let error = Journal::open(path).unwrap_err().to_string();
    error.replace(path.parent().unwrap().to_str().unwrap(), "DIR")
}

#[test]
fn what_was_written_is_there_again() {
    let (folder, _) = folder();
    let path = folder.path().join("state/sekisho/box.journal");
    let (mut journal, overrides, notes) = Journal::open(&path).unwrap();
    assert!(overrides.is_empty() && notes.is_empty());
    assert_eq!(
        journal.path(),
        Some(fs::canonicalize(&path).unwrap().as_path())
    );
    let end = instant(3_600);
    journal
        .append(&[
            set("203.0.113.0/24", "dynamic"),
            set_until("2001:db8::/56", "fixed", Some(end)),
        ])
        .unwrap();
    journal.append(&[]).unwrap();
    journal.append(&[unset("203.0.113.0/24")]).unwrap();
    drop(journal);
    let (overrides, notes) = reopened(&path);
    assert_eq!(notes, [""; 0]);
    let [given] = &overrides.iter().collect::<Vec<_>>()[..] else {
        panic!("{overrides:?}");
    };
    let Change::Set(expected) = set_until("2001:db8::/56", "fixed", Some(end)).change else {
        unreachable!("it sets");
    };
    assert_eq!(given.set, expected);
    assert_eq!((given.at, &*given.who), (instant(0), "uid 0 (root)"));
}

/// The format is a contract: a later version reads it. The checksums are those of `crc32` in
/// Python's zlib, over all that stands before `,"crc32"`.
#[test]
fn a_line_reads_so() {
    let (_folder, path) = folder();
    let (mut journal, ..) = Journal::open(&path).unwrap();
    let mut expired = unset("203.0.113.0/24");
    expired.change = Change::Expired {
        prefix: "203.0.113.0/24".parse().unwrap(),
    };
    let entries = [
        set_until("2001:db8::/56", "fixed", Some(instant(60))),
        unset("2001:db8::/56"),
        expired,
    ];
    journal.append(&entries).unwrap();
    insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
    {"version":1,"at":"2026-02-25T06:13:20Z","who":"uid 0 (root)","change":"set","prefix":"2001:db8::/56","plan":"fixed","ticket":"NOC-1","expires":"2026-02-25T06:14:20Z","crc32":"8e2b392d"}
    {"version":1,"at":"2026-02-25T06:13:21Z","who":"uid 0 (root)","change":"unset","prefix":"2001:db8::/56","crc32":"8c5f9819"}
    {"version":1,"at":"2026-02-25T06:13:21Z","who":"uid 0 (root)","change":"expired","prefix":"203.0.113.0/24","crc32":"eca6443d"}
    "#);
}

#[test]
fn a_journal_that_keeps_nothing_takes_everything() {
    let mut journal = Journal::none();
    journal.append(&[set("10.0.0.0/8", "p")]).unwrap();
    assert_eq!(journal.path(), None);
    assert!(!journal.tidy(&Overrides::default()).unwrap());
}

#[test]
fn one_process_writes_a_journal() {
    let (_folder, path) = folder();
    let first = Journal::open(&path).unwrap();
    assert_eq!(
        refusal(&path),
        "DIR/box.journal: another process writes this journal"
    );
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn damage_is_named_and_nothing_starts() {
    let (_folder, path) = folder();
    let (mut journal, ..) = Journal::open(&path).unwrap();
    let entries = ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"].map(|p| set(p, "fixed"));
    journal.append(&entries).unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let lines: Vec<_> = whole.split_inclusive(|octet| *octet == b'\n').collect();
    // Any one bit, anywhere but in the end of a line: the line is known to be bad.
    for (at, _) in whole
        .iter()
        .enumerate()
        .filter(|(_, octet)| **octet != b'\n')
        .step_by(5)
    {
        let mut bad = whole.clone();
        bad[at] ^= 4;
        fs::write(&path, &bad).unwrap();
        let said = refusal(&path);
        let line = whole[..at].split(|octet| *octet == b'\n').count();
        assert!(
            said.starts_with(&format!("DIR/box.journal: line {line}, at byte ")),
            "{said}"
        );
        assert!(fs::read(&path).unwrap() == bad, "it is left as it is");
    }
    // A line that is gone as a whole cannot be missed: each stands for itself.
    fs::write(&path, [lines[0], lines[2]].concat()).unwrap();
    assert_eq!(plans(&reopened(&path).0).len(), 2);
    for (text, what) in [
        (
            "hello\n",
            "line 1, at byte 0: the line has no checksum at its end",
        ),
        ("password: x", "line 1, at byte 0: is not how a line begins"),
    ] {
        fs::write(&path, text).unwrap();
        assert!(refusal(&path).contains(what), "{}", refusal(&path));
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            text,
            "it is no journal of ours"
        );
    }
}

#[test]
fn a_line_of_a_later_version_is_not_guessed() {
    let (_folder, path) = folder();
    let body = r#"{"version":2,"change":"set","prefix":"10.0.0.0/8""#;
    let mut sum = flate2::Crc::new();
    sum.update(body.as_bytes());
    fs::write(&path, format!("{body},\"crc32\":\"{:08x}\"}}\n", sum.sum())).unwrap();
    let said = refusal(&path);
    assert!(
        said.contains("version 2, where this sekisho writes 1"),
        "{said}"
    );
}

#[test]
fn what_a_power_cut_leaves_is_cut_off() {
    let (_folder, path) = folder();
    let (mut journal, ..) = Journal::open(&path).unwrap();
    journal.append(&[set("10.0.0.0/24", "fixed")]).unwrap();
    let good = fs::read(&path).unwrap();
    drop(journal);
    for torn in [
        "{\"version\":1,\"at\":\"2026",
        "{",
        "\0\0\0\0",
        "{\"version\":1\0\0\0",
    ] {
        fs::write(&path, [&good, torn.as_bytes()].concat()).unwrap();
        let (overrides, notes) = reopened(&path);
        assert_eq!(plans(&overrides).len(), 1);
        assert!(notes[0].contains(&format!("{} octets without an end", torn.len())));
        assert!(fs::read(&path).unwrap() == good);
    }
    assert_eq!(reopened(&path).1, [""; 0], "it is said once");
}

#[test]
fn a_journal_that_has_grown_is_written_anew() {
    let (folder, path) = folder();
    let (mut journal, mut overrides, _) = Journal::open(&path).unwrap();
    let mut change = |journal: &mut Journal, entry: Entry| {
        journal.append(std::slice::from_ref(&entry)).unwrap();
        overrides.apply(&entry);
        journal.tidy(&overrides).unwrap()
    };
    let keeping = set_until("192.0.2.0/24", "keeps", Some(instant(9)));
    assert!(!change(&mut journal, keeping));
    let mut anew = 0;
    for round in 0..700 {
        anew += u32::from(change(
            &mut journal,
            set("10.0.0.0/24", &format!("p{round}")),
        ));
        anew += u32::from(change(&mut journal, unset("10.0.0.0/24")));
    }
    assert_eq!(anew, 1);
    let lines = fs::read_to_string(&path).unwrap().lines().count();
    assert!(lines < 1_000, "{lines}");
    // Still for one process alone, and still written to.
    assert!(refusal(&path).contains("another process"));
    change(&mut journal, set("10.0.0.0/24", "last"));
    drop(journal);
    let (found, _) = reopened(&path);
    assert_eq!(found, overrides);
    let kept = found.get(&"192.0.2.0/24".parse().unwrap()).unwrap();
    assert_eq!(
        (kept.at, kept.set.ticket.as_deref()),
        (instant(0), Some("NOC-1"))
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_symbolic_link_keeps_leading_to_the_journal() {
    let (folder, link) = folder();
    let path = folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let (mut journal, mut overrides, _) = Journal::open(&link).unwrap();
    for round in 0..1_001 {
        let entry = set("10.0.0.0/24", &format!("p{round}"));
        overrides.apply(&entry);
        journal.append(&[entry]).unwrap();
    }
    assert!(journal.tidy(&overrides).unwrap());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[test]
fn what_ends_next_is_known() {
    let mut overrides = Overrides::default();
    assert_eq!(overrides.next_expiry(), None);
    for (prefix, end) in [
        ("10.0.2.0/24", 20),
        ("10.0.1.0/24", 10),
        ("10.0.3.0/24", 30),
    ] {
        overrides.apply(&set_until(prefix, "p", Some(instant(end))));
    }
    overrides.apply(&set("10.0.4.0/24", "p"));
    let expired = |overrides: &Overrides, at| -> Vec<String> {
        let over = overrides.expired(instant(at));
        over.map(|given| given.set.prefix.to_string()).collect()
    };
    assert_eq!(overrides.next_expiry(), Some(instant(10)));
    assert_eq!(expired(&overrides, 9), [""; 0]);
    assert_eq!(expired(&overrides, 20), ["10.0.1.0/24", "10.0.2.0/24"]);
    // Given anew, it ends when it is now said to.
    overrides.apply(&set("10.0.1.0/24", "p"));
    assert_eq!(overrides.next_expiry(), Some(instant(20)));
    overrides.apply(&unset("10.0.2.0/24"));
    assert_eq!(expired(&overrides, 99), ["10.0.3.0/24"]);
}

fn prefixes() -> impl Strategy<Value = IpNet> {
    // Few, so that they meet often; of both families, one within another.
    prop::sample::select(vec![
        "10.0.0.0/8",
        "10.0.0.0/24",
        "10.0.0.1/32",
        "2001:db8::/56",
    ])
    .prop_map(|prefix| prefix.parse().unwrap())
}

fn entries() -> impl Strategy<Value = Entry> {
    let ticket = prop::option::of("[ -~é関\"\\\\]{1,20}");
    let set = (
        prefixes(),
        "[a-z]{1,4}",
        ticket,
        prop::option::of(-50..50_i64),
    )
        .prop_map(|(prefix, plan, ticket, expires)| {
            let expires = expires.map(instant);
            Change::Set(PlanSet {
                prefix,
                plan,
                ticket,
                expires,
            })
        });
    let unset = prefixes().prop_map(|prefix| Change::Unset { prefix });
    let expired = prefixes().prop_map(|prefix| Change::Expired { prefix });
    let change = prop_oneof![3 => set, 1 => unset, 1 => expired];
    (change, 0..100_i64).prop_map(|(change, at)| Entry {
        at: instant(at).checked_add(123_456_789.nanoseconds()).unwrap(),
        who: "uid 1000 (花子)".to_owned(),
        change,
    })
}

/// What holds after changes, by a map and nothing else.
fn model(entries: &[Entry]) -> BTreeMap<IpNet, Override> {
    let mut model = BTreeMap::new();
    for Entry { at, who, change } in entries {
        match change.clone() {
            Change::Set(set) => {
                let (at, who) = (*at, who.clone());
                model.insert(set.prefix, Override { set, at, who });
            }
            Change::Unset { prefix } | Change::Expired { prefix } => {
                model.remove(&prefix);
            }
        }
    }
    model
}

fn agrees(overrides: &Overrides, entries: &[Entry]) {
    let model = model(entries);
    assert!(
        overrides.iter().eq(model.values()),
        "{overrides:?}\n{model:?}"
    );
    assert_eq!(overrides.len(), model.len());
    let now = instant(0);
    let mut over: Vec<_> = overrides
        .expired(now)
        .map(|given| given.set.prefix)
        .collect();
    over.sort();
    let is_over = |given: &&Override| given.set.expires.is_some_and(|end| end <= now);
    let expected = model.values().filter(is_over).map(|given| given.set.prefix);
    assert_eq!(over, expected.collect::<Vec<_>>());
    let next = model.values().filter_map(|given| given.set.expires).min();
    assert_eq!(overrides.next_expiry(), next);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..<_>::default() })]

    /// Batches of changes, and then a power cut at any octet of the last line.
    #[test]
    fn after_any_changes_and_a_cut_the_journal_says_what_a_model_says(
        batches in prop::collection::vec(prop::collection::vec(entries(), 1..4), 1..6),
        tidy in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (_folder, path) = folder();
        let (mut journal, mut overrides, _) = Journal::open(&path).unwrap();
        for batch in &batches {
            journal.append(batch).unwrap();
            for entry in batch {
                overrides.apply(entry);
            }
            if tidy {
                journal.tidy(&overrides).unwrap();
            }
        }
        let all = batches.concat();
        agrees(&overrides, &all);
        drop(journal);
        prop_assert_eq!(&reopened(&path).0, &overrides);
        let whole = fs::read(&path).unwrap();
        let last = whole.split_inclusive(|octet| *octet == b'\n').next_back().unwrap().len();
        let cut = 1 + cut.index(last);
        let left = whole.len() - cut;
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(left as u64).unwrap();
        let (found, notes) = reopened(&path);
        agrees(&found, &all[..all.len() - 1]);
        prop_assert_eq!(notes.len(), usize::from(cut < last));
        // Afterwards it is a journal like any other.
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(&whole[whole.len() - last..]).unwrap();
        agrees(&reopened(&path).0, &all);
    }
}
