//! The disk says no in the middle of a batch of changes, here by a limit on the size of files. That
//! holds for a whole process, so the test has one to itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use rustix::process::{Resource, Rlimit, setrlimit};
use sekisho::control::journal::{Change, Entry, Journal, JournalError};
use sekisho::control::protocol::PlanSet;
use std::fs;

fn set(prefix: &str) -> Entry {
    Entry {
        at: "2026-03-01T12:00:00Z".parse().unwrap(),
        who: "uid 0 (root)".to_owned(),
        change: Change::Set(PlanSet {
            prefix: prefix.parse().unwrap(),
            plan: "fixed".to_owned(),
            ticket: None,
            expires: None,
        }),
    }
}

#[test]
fn a_change_that_does_not_fit_on_the_disk_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.journal");
    let (mut journal, mut overrides, _) = Journal::open(&path).unwrap();
    let limit = |bytes| {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        setrlimit(Resource::Fsize, limit).unwrap();
    };
    // Otherwise the signal that comes with it ends the process.
    let ignored = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, ignored).unwrap();
    let first = set("10.0.0.0/24");
    journal.append(std::slice::from_ref(&first)).unwrap();
    overrides.apply(&first);
    let good = fs::read(&path).unwrap();
    limit(Some(good.len() as u64 * 5 / 2));
    let batch = ["10.0.1.0/24", "10.0.2.0/24"].map(set);
    let error = journal.append(&batch).unwrap_err();
    assert!(matches!(error, JournalError::System { .. }), "{error}");
    assert!(
        error.to_string().contains("cannot write: File too large"),
        "{error}"
    );
    assert!(
        fs::read(&path).unwrap() == good,
        "one line of the two fitted"
    );
    journal.append(&batch[..1]).expect("what fits is kept");
    overrides.apply(&batch[0]);
    limit(None);
    journal.append(&batch[1..]).expect("there is room again");
    overrides.apply(&batch[1]);
    drop(journal);
    let (_, found, notes) = Journal::open(&path).unwrap();
    assert_eq!((found, notes.len()), (overrides, 0));
}
