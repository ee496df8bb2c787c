//! `selftest`: the catalogue of tricks, as text and for programs.

use crate::program::typed;
use std::collections::HashSet;

#[test]
fn nothing_leaks_and_nothing_is_harmed() {
    let run = typed("selftest");
    let line = run.good();
    let mut words = line.split_whitespace();
    let frames: u32 = words.next().unwrap().replace(',', "").parse().unwrap();
    let rest: Vec<_> = words.collect();
    let [
        "frames",
        "of",
        tricks,
        "tricks:",
        "0",
        "leaked,",
        "0",
        "harmed",
    ] = rest[..]
    else {
        panic!("{line}");
    };
    let tricks: u32 = tricks.parse().unwrap();
    assert!(frames > 30_000 && tricks > 80, "{line}");
}

#[test]
fn every_trick_is_listed_when_asked_for() {
    let text = typed("selftest --list").good();
    let json = typed("selftest --output json").json();
    assert_eq!(
        (&json["schema"], &json["ok"]),
        (&"sekisho.selftest/1".into(), &true.into())
    );
    assert_eq!((&json["leaked"], &json["harmed"]), (&0.into(), &0.into()));
    assert_eq!(json["faults"], serde_json::json!([]));
    let tricks = json["tricks"].as_array().unwrap();
    assert_eq!(text.lines().count(), tricks.len() + 1);
    let mut sum = 0;
    for (trick, line) in tricks.iter().zip(text.lines()) {
        let [number, name] = ["number", "name"].map(|key| trick[key].as_str().unwrap());
        let frames = trick["frames"].as_u64().unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[..2], ["ok", number], "{line}");
        assert_eq!(words[2], format!("{name}:"), "{line}");
        sum += frames;
    }
    assert_eq!(json["frames"], sum);
    let names: HashSet<_> = tricks.iter().map(|trick| trick["name"].as_str()).collect();
    assert_eq!(names.len(), tricks.len());
}
