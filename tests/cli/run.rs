//! `sekisho run` over captures: the whole of it but the devices.

use super::program::{ALPHA, DAY, sekisho};
use ipnet::IpNet;
use sekisho::control::journal::{Change, Entry, Journal};
use sekisho::control::protocol::PlanSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SUBSCRIBER: &str = "203.0.113.65/32";

/// A pipeline over the day, with a journal.
fn pipeline(folder: &TempDir, more: &str) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (policy, day) = (here.join(ALPHA), here.join(DAY));
    let text = format!(
        "name: day\npolicies: [{}]\ndriver: pcap\nlcores: [0]\naccess: {{ read: {} }}\n\
         network: {{ write: out.pcap }}\ncontrol: {{ journal: day.journal }}\n{more}",
        policy.display(),
        day.display(),
    );
    let path = folder.path().join("day.yaml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn journal(folder: &TempDir, plan: &str) {
    let (mut journal, ..) = Journal::open(&folder.path().join("day.journal")).unwrap();
    let set = PlanSet {
        prefix: SUBSCRIBER.parse::<IpNet>().unwrap(),
        plan: plan.to_owned(),
        ticket: Some("NOC-9".to_owned()),
        expires: None,
    };
    let entry = Entry {
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
        who: "uid 7 (ann)".to_owned(),
        change: Change::Set(set),
    };
    journal.append(&[entry]).unwrap();
}

#[test]
fn a_day_is_run_and_its_balance_closes() {
    let folder = tempfile::tempdir().unwrap();
    let file = pipeline(&folder, "");
    let run = sekisho(["run", &file, "--output", "json"]);
    assert_eq!(run.code, 0, "{run:#?}");
    let json = run.json();
    assert_eq!(json["schema"], "sekisho.run/1");
    assert_eq!(
        (&json["ending"], &json["balances"]),
        (&"over".into(), &true.into())
    );
    let balance = &json["stats"]["balance"];
    assert_eq!(balance["rx"], 3_752);
    assert_eq!(balance["held"], 0);
    assert!(folder.path().join("out.pcap").exists());
    assert_eq!(sekisho(["run", "--check", &file]).good(), "");
}

#[test]
fn a_plan_above_the_file_holds_from_the_first_frame_on() {
    let dropped = |folder: &TempDir| {
        let run = sekisho(["run", &pipeline(folder, ""), "--output", "json"]);
        assert_eq!(run.code, 0, "{run:#?}");
        run.json()["stats"]["balance"]["discarded"]
            .as_u64()
            .unwrap()
    };
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    journal(&with, "fixed4");
    assert!(dropped(&with) < dropped(&without));
}

#[test]
fn a_plan_above_the_file_that_is_no_more_stops_the_start_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = pipeline(&folder, "");
    journal(&folder, "nosuch");
    for arguments in [&["run", "--check", &file][..], &["run", &file]] {
        let run = sekisho(arguments);
        assert_eq!(run.code, 78, "{run:#?}");
        for part in [SUBSCRIBER, "`nosuch`", "uid 7 (ann)", "NOC-9", "--unset"] {
            assert!(run.stderr.contains(part), "{part}: {run:#?}");
        }
    }
    let unset = ["run", &file, "--unset", SUBSCRIBER];
    assert_eq!(sekisho(unset).code, 0);
    let again = sekisho(unset);
    assert_eq!(again.code, 2, "{again:#?}");
    assert!(again.stderr.contains("no plan is given"), "{again:#?}");
}

#[test]
fn a_capture_that_is_read_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = pipeline(&folder, "");
    let day = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(DAY)).unwrap();
    fs::write(folder.path().join("day.pcap"), &day).unwrap();
    std::os::unix::fs::symlink("day.pcap", folder.path().join("out.pcap")).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let read = folder.path().join("day.pcap");
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join(DAY);
    let text = text.replace(original.to_str().unwrap(), read.to_str().unwrap());
    fs::write(&file, text).unwrap();
    let run = sekisho(["run", &file]);
    assert_eq!(run.code, 2, "{run:#?}");
    assert!(run.stderr.contains("is read by this run"), "{run:#?}");
    assert!(fs::read(&read).unwrap() == day);
}
