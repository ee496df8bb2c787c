//! The catalogue of tricks: none leaks, none harms, and `docs/evasion.md` is its table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use sekisho::evasion::{Fate, Fault, Trial, Trick, catalogue};
use sekisho::wire::Family;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The list that the field has agreed on; what comes behind it was found here.
const FIELD: u8 = 31;

#[test]
fn no_trick_leaks_and_none_harms() {
    let report = Trial::new().unwrap().run();
    let told: Vec<_> = report
        .faults
        .iter()
        .take(40)
        .map(|judged| {
            let (trick, fault) = (judged.trick.name, judged.fault);
            format!(
                "{trick}: {fault:?}: {}: expected {}, found {}",
                judged.place, judged.expected, judged.found
            )
        })
        .collect();
    println!("{} frames of {} tricks", report.frames, report.tricks.len());
    assert!(
        told.is_empty(),
        "{} leaked, {} harmed\n{}",
        report.count(Fault::Leaked),
        report.count(Fault::Harmed),
        told.join("\n")
    );
    for (trick, frames) in &report.tricks {
        assert!(*frames > 0, "{} has no frame", trick.name);
    }
    assert!(report.frames > 15_000, "{}", report.frames);
}

#[test]
fn every_number_is_given_once_and_the_fields_list_is_whole() {
    let numbers: Vec<_> = catalogue().iter().map(|trick| trick.number).collect();
    let last = *numbers.last().unwrap();
    assert!(last > FIELD);
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    let names: HashSet<_> = catalogue().iter().map(|trick| trick.name).collect();
    assert_eq!(names.len(), numbers.len());
}

#[test]
fn every_trick_has_a_golden_case() {
    for trick in catalogue() {
        let case = root().join("pcaps").join(trick.case).join("case.yaml");
        assert!(case.is_file(), "{}: no {}", trick.name, case.display());
    }
}

#[test]
fn the_document_is_the_catalogue() {
    let path = root().join("docs/evasion.md");
    let text = fs::read_to_string(&path).unwrap();
    let (above, rest) = text.split_once(BEGIN).expect("the beginning of the table");
    let (_, below) = rest.split_once(END).expect("the end of the table");
    let expected = format!("{above}{BEGIN}{}{END}{below}", table());
    if std::env::var_os("SEKISHO_BLESS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(
        found == expected,
        "docs/evasion.md is stale: SEKISHO_BLESS=1 cargo test --test evasion"
    );
}

/// What is said of peers and of limits names tricks that there are.
#[test]
fn every_number_in_the_document_is_a_trick() {
    let text = fs::read_to_string(root().join("docs/evasion.md")).unwrap();
    let last = catalogue().last().unwrap().number;
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let numbers = words.filter_map(|word| word.strip_prefix('E')?.parse::<u8>().ok());
    let mut named = 0;
    for number in numbers {
        assert!((1..=last).contains(&number), "E{number}");
        named += 1;
    }
    assert!(named > usize::from(last));
}

const BEGIN: &str = "<!-- The table is made by SEKISHO_BLESS=1 cargo test --test evasion -->\n";
const END: &str = "<!-- The end of the table -->\n";

fn table() -> String {
    let mut text = String::from(
        "\n| | trick | what it tries | described in | what must become of it |\n|---|---|---|---|---|\n",
    );
    for trick in catalogue() {
        let Trick {
            number,
            name,
            tries,
            source,
            case,
            ..
        } = trick;
        let fates = fates(trick);
        let _ = writeln!(
            text,
            "| E{number} | [`{name}`](../pcaps/{case}/) | {tries} | {source} | {fates} |"
        );
    }
    text.push('\n');
    text
}

/// The verdicts for a blocked plan, and the one family, where there is only one.
fn fates(trick: &Trick) -> String {
    let verdicts: Vec<_> = trick
        .fates()
        .into_iter()
        .map(|fate| match fate {
            Fate::Seen => "the rule decides".to_owned(),
            Fate::Diverted => "the rule decides, by the strictest address".to_owned(),
            Fate::Evasive(reason) => format!("as a SYN, silently: `{reason}`"),
            Fate::Hidden(reason) => format!("as a SYN to anybody, silently: `{reason}`"),
            Fate::Harmless => "forward".to_owned(),
            Fate::Unopened => "forward, unopened".to_owned(),
            Fate::Undecided | Fate::Unreadable => "indeterminate".to_owned(),
            Fate::Refused(reason) => format!("drop, whoever sends it: `{reason}`"),
        })
        .collect();
    let mut words: Vec<String> = Vec::new();
    for verdict in verdicts {
        if !words.contains(&verdict) {
            words.push(verdict);
        }
    }
    let families = match trick.families()[..] {
        [Family::V4] => " (IPv4)",
        [Family::V6] => " (IPv6)",
        _ => "",
    };
    format!("{}{families}", words.join("; "))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
