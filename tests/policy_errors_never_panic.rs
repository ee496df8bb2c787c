//! Whatever stands in a policy or a prefix file, it is read or reported, and never panics.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use proptest::prelude::*;
use proptest::sample::Index;
use sekisho::policy::{self, Severity};

const POLICY: &str = include_str!("../config/alpha-web.yaml");
const PREFIXES: &str = include_str!("../config/prefixes/alpha-web-fixed.txt");

/// One change of a text.
#[derive(Clone, Debug)]
enum Edit {
    Octet(Index, u8),
    Insert(Index, &'static str),
    Remove(Index, u8),
    Cut(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let pieces = [
        "\n",
        "\t",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "#",
        "&a ",
        "*a ",
        "<<: ",
        "---\n",
        "? ",
        "|\n",
        "!!binary ",
        "\u{feff}",
        "静",
        "/",
        "0",
        "~",
        ",",
        "\0",
        "\u{1b}[31m",
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, octet)| Edit::Octet(at, octet)),
        (any::<Index>(), proptest::sample::select(pieces.to_vec()))
            .prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (any::<Index>(), 1..40_u8).prop_map(|(at, count)| Edit::Remove(at, count)),
        any::<Index>().prop_map(Edit::Cut),
    ]
}

fn edited(text: &str, edits: &[Edit]) -> Vec<u8> {
    let mut octets = text.as_bytes().to_vec();
    for edit in edits {
        let at = |index: &Index, octets: &[u8]| index.index(octets.len() + 1);
        match edit {
            Edit::Octet(index, octet) => {
                let at = at(index, &octets);
                octets.splice(at..(at + 1).min(octets.len()), [*octet]);
            }
            Edit::Insert(index, piece) => {
                let at = at(index, &octets);
                octets.splice(at..at, piece.bytes());
            }
            Edit::Remove(index, count) => {
                let at = at(index, &octets);
                octets.drain(at..(at + usize::from(*count)).min(octets.len()));
            }
            Edit::Cut(index) => octets.truncate(at(index, &octets)),
        }
    }
    octets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn edited_texts_are_read_or_reported(
        policy_edits in proptest::collection::vec(edit(), 0..4),
        file_edits in proptest::collection::vec(edit(), 0..3),
    ) {
        let policy = edited(POLICY, &policy_edits);
        let prefixes = edited(PREFIXES, &file_edits);
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        let loaded = policy::load_with(&["a.yaml".to_owned()], now, &|path| {
            Ok(match path.to_str() {
                Some("a.yaml") => policy.clone(),
                Some("prefixes/alpha-web-fixed.txt") => prefixes.clone(),
                _ => b"192.0.2.128/25\n".to_vec(),
            })
        });
        let errors = loaded.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        prop_assert_eq!(loaded.resolved.is_none(), errors.count() > 0);
        for colour in [false, true] {
            policy::render(&loaded.sources, &loaded.diagnostics, colour);
        }
        let plain = policy::render(&loaded.sources, &loaded.diagnostics, false);
        prop_assert!(!plain.contains('\u{1b}'), "{}", plain);
        for found in &loaded.diagnostics {
            found.to_json(&loaded.sources);
        }
    }
}
