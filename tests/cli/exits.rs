//! How the program ends: 0, 1, 2, 74, 78, and the highest that applies.

use crate::program::{ALPHA, CASES, DAY, INVENTED, STRICT, TRAFFIC, typed};
use insta::assert_snapshot;

#[test]
fn each_failure_has_its_code() {
    let endings = [
        (2, "".to_owned()),
        (2, "frobnicate".to_owned()),
        (2, "check".to_owned()),
        (2, format!("check {ALPHA} --output xml")),
        (2, format!("replay {DAY}")),
        (2, format!("replay --policy {ALPHA}")),
        (2, format!("replay --policy {ALPHA} --direction up {DAY}")),
        (2, format!("replay --policy {ALPHA} --at yesterday {DAY}")),
        (2, format!("replay --policy {ALPHA} --at 99999-01-01 {DAY}")),
        (
            2,
            format!("replay --policy {ALPHA} --at=-009999-01-01 {DAY}"),
        ),
        (2, format!("matrix --policy {ALPHA} --at capture")),
        (2, format!("gen --policy {ALPHA} --frames 1")),
        (2, "gen --frames 1 -o /dev/null".to_owned()),
        (
            2,
            "gen --network dense-10g --frames 1 -o /dev/null".to_owned(),
        ),
        (74, format!("gen --policy {ALPHA} --frames 1 -o nofolder/x")),
        (
            78,
            "gen --policy nofile.yaml --frames 1 -o /dev/null".to_owned(),
        ),
        (2, format!("diff {ALPHA}")),
        (2, "completions tcsh".to_owned()),
        (74, format!("replay --policy {ALPHA} nofile.pcap")),
        (74, format!("replay --policy {ALPHA} .")),
        (74, format!("replay --policy {ALPHA} /dev/null")),
        (74, format!("replay --policy {ALPHA} {ALPHA}")),
        (74, format!("replay --policy {ALPHA} -")),
        (
            74,
            format!("explain --policy {ALPHA} --pcap nofile.pcap --frame 1"),
        ),
        (74, "man --folder nofolder".to_owned()),
        (78, format!("replay --policy nofile.yaml {DAY}")),
        (78, format!("replay --policy . {DAY}")),
        (78, format!("replay --policy /dev/null {DAY}")),
        (78, format!("replay --policy {DAY} {DAY}")),
        (78, "matrix --policy nofile.yaml".to_owned()),
        (
            78,
            "explain --policy nofile.yaml --from 192.0.2.1 --to 192.0.2.2".to_owned(),
        ),
        (78, format!("diff {ALPHA} nofile.yaml")),
    ];
    each_ends(&endings);
}

#[test]
fn each_failure_of_a_plan_has_its_code() {
    each_ends(&[
        (2, format!("plan {TRAFFIC}")),
        (2, format!("plan {TRAFFIC} --bench {INVENTED} --cores 1")),
        (
            2,
            format!("plan {TRAFFIC} --bench {INVENTED} --at 2026-12-31"),
        ),
        (2, format!("plan {TRAFFIC} --bench {INVENTED} --at soon")),
        (
            2,
            format!("plan {TRAFFIC} --bench {INVENTED} --at 9999-12-31"),
        ),
        (
            2,
            format!("plan {TRAFFIC} --bench {INVENTED} --html {TRAFFIC}"),
        ),
        (74, format!("plan nofile.yaml --bench {INVENTED}")),
        (74, format!("plan {TRAFFIC} --bench nofile.json")),
        (
            74,
            format!("plan {TRAFFIC} --bench {INVENTED} --html nofolder/x.html"),
        ),
        (78, format!("plan {TRAFFIC} --bench {TRAFFIC}")),
        (78, format!("plan {ALPHA} --bench {INVENTED}")),
        (1, format!("plan {TRAFFIC} --bench {INVENTED} --cores 2")),
    ]);
}

fn each_ends(endings: &[(i32, String)]) {
    for (code, line) in endings {
        let run = typed(line);
        assert_eq!(run.code, *code, "{line}: {run:#?}");
        let said = if *code == 1 { run.stdout } else { run.stderr };
        assert_ne!(said, "", "{line}: nothing is said");
    }
}

#[test]
fn the_highest_code_that_applies_is_given() {
    let endings = [
        // Warnings under --strict (1), and a cases file that is not there (74).
        (74, format!("check {ALPHA} --strict --cases nofile.csv")),
        // A policy that cannot be used (78), and that.
        (78, format!("check {ALPHA} nofile.yaml --cases nofile.csv")),
        (78, "replay --policy nofile.yaml nofile.pcap".to_owned()),
        (
            74,
            format!("replay --policy {STRICT} --forwarded nofolder/out.pcap nofile.pcap"),
        ),
        (1, format!("check {ALPHA} --strict --cases {CASES}")),
    ];
    for (code, line) in endings {
        let run = typed(&line);
        assert_eq!(run.code, code, "{line}: {run:#?}");
    }
}

#[test]
fn json_of_every_command_names_its_schema() {
    for line in [
        format!("check {ALPHA} --cases {CASES} --print-effective"),
        format!("explain --policy {ALPHA} --plan ftth_std --class own"),
        format!("matrix --policy {ALPHA}"),
        format!("diff {ALPHA} {ALPHA} {DAY}"),
        format!("replay --policy {ALPHA} {DAY}"),
        format!("gen --policy {ALPHA} --frames 100 -o /dev/null"),
        format!("plan {TRAFFIC} --bench {INVENTED}"),
    ] {
        let command = line.split_whitespace().next().unwrap();
        let run = typed(&format!("{line} --output json"));
        assert_eq!(run.code, 0, "{run:#?}");
        assert_eq!(run.json()["schema"], format!("sekisho.{command}/1"));
        let before = typed(&format!("--output json {line}"));
        assert_eq!(before.code, 0, "the option may stand first: {before:#?}");
    }
}

/// Whoever reads stdout finds one object or nothing; messages are elsewhere.
#[test]
fn failures_under_json_keep_messages_off_stdout() {
    for line in [
        format!("explain --policy {ALPHA} --plan gold --class own"),
        format!("explain --policy {ALPHA} --pcap nofile.pcap --frame 1"),
        "explain --policy nofile.yaml --plan gold --class own".to_owned(),
        "matrix --policy nofile.yaml".to_owned(),
        format!("diff {ALPHA} nofile.yaml"),
        format!("replay --policy nofile.yaml {DAY}"),
        format!("replay --policy {ALPHA} --forwarded nofolder/x.pcap {DAY}"),
        format!("check {ALPHA} --cases nofile.csv"),
    ] {
        let run = typed(&format!("{line} --output json"));
        assert_ne!(run.code, 0, "{line}");
        assert_eq!(run.stdout, "", "{line}: {run:#?}");
        assert_ne!(run.complaint(), "", "{line}");
    }
}

#[test]
fn a_capture_that_faults_is_in_the_json_with_its_fault() {
    let run = typed(&format!(
        "replay --policy {STRICT} nofile.pcap {DAY} --output json"
    ));
    assert_eq!(run.code, 74, "{run:#?}");
    let found = run.json();
    let fault = found["captures"][0]["fault"].as_str().unwrap();
    assert_eq!(run.complaint(), format!("error: {fault}\n"));
    assert_eq!(found["captures"][1]["frames"], 3752);
    assert_eq!(found["balance"]["closes"], true);
}

#[test]
fn a_time_that_is_none_says_how_to_write_one() {
    let run = typed(&format!("replay --policy {STRICT} --at noon {DAY}"));
    assert_snapshot!(run.stderr, @r#"
    error: invalid value 'noon' for '--at <TIME|capture>': expected `now`, a date (2006-12-01), a time in the policy's zone (2006-12-01T09:00:00), or one with an offset (2006-12-01T09:00:00+09:00)

    For more information, try '--help'.
    "#);
}
