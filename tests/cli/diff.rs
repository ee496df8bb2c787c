//! `diff`.

use crate::program::{ALPHA, DAY, Folder, root, sekisho, typed};
use insta::assert_snapshot;

#[test]
fn a_policy_hits_nobody_compared_with_itself() {
    let run = typed(&format!("diff {ALPHA} {ALPHA} --at 2024-01-15 {DAY}"));
    assert_snapshot!(run.good(), @r#"
    as of     2024-01-15T00:00:00+09:00
    hits      nobody: no verdict changes

    frames    0 of 3,752 change verdict
    "#);
}

#[test]
fn frames_that_change_are_those_that_the_two_replays_tell_apart() {
    let folder = Folder::new();
    let new = folder.file("new.yaml", counting());
    let run = sekisho([
        "diff",
        ALPHA,
        &new,
        DAY,
        "--at",
        "2024-01-15",
        "--output",
        "json",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    let found = run.json();
    assert_eq!(found["captures"]["frames"], 3752);
    let changed: Vec<_> = found["captures"]["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|frame| frame["frame"].as_u64().unwrap())
        .collect();

    let [old, new] = [ALPHA, &new].map(|policy| {
        let csv = folder.arg("v.csv");
        let args = [
            "replay",
            "--policy",
            policy,
            "--at",
            "2024-01-15",
            "--verdicts",
            &csv,
            DAY,
        ];
        sekisho(args).good();
        let mut reader = csv::Reader::from_path(csv).unwrap();
        reader
            .records()
            .map(|row| row.unwrap()[2].to_owned())
            .collect::<Vec<_>>()
    });
    let apart: Vec<_> = (1..)
        .zip(old.iter().zip(&new))
        .filter(|(_, (a, b))| a != b)
        .map(|(n, _)| n)
        .collect();
    assert!(!apart.is_empty());
    assert_eq!(changed, apart);
}

#[test]
fn the_errors_of_both_policies_are_told() {
    let run = typed("diff tests/policies/bad-date.yaml tests/policies/bad-name.yaml");
    assert_eq!((run.code, run.stdout.as_str()), (78, ""), "{run:?}");
    assert!(run.stderr.contains("error[bad-date]"), "{run:?}");
    assert!(run.stderr.contains("error[bad-name]"), "{run:?}");
}

#[test]
fn a_capture_that_cannot_be_read_does_not_hide_the_answer() {
    let run = typed(&format!("diff {ALPHA} {ALPHA} nofile.pcap {DAY}"));
    assert_eq!(run.code, 74, "{run:?}");
    assert!(
        run.stderr.contains("error: nofile.pcap: cannot be opened"),
        "{run:?}"
    );
    assert!(run.stdout.contains("0 of 3,752 change verdict"), "{run:?}");
}

/// The policy of αWeb, where the rule for everybody only counts.
fn counting() -> String {
    let text = std::fs::read_to_string(root().join(ALPHA)).unwrap();
    let config = root().join("config");
    let (before, rule) = text.split_once("name: everyone-else").unwrap();
    let rule = rule.replacen("action: drop", "action: count", 1);
    format!("{before}name: everyone-else{rule}").replace(
        "file: prefixes/",
        &format!("file: {}/prefixes/", config.display()),
    )
}
