//! The examples of `docs/policy-guide.md` load, and its table of findings is complete.

use sekisho::policy::{self, Code, Severity};
use std::collections::BTreeMap;
use std::path::Path;

fn guide() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy-guide.md");
    std::fs::read_to_string(path).unwrap()
}

fn blocks<'g>(guide: &'g str, language: &str) -> Vec<&'g str> {
    let fence = format!("```{language}\n");
    let after_fences = guide.split(&fence).skip(1);
    after_fences
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// The top-level keys of a policy, each with its lines.
fn sections(yaml: &str) -> BTreeMap<&str, String> {
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    let mut key = "";
    for line in yaml.lines() {
        if line.starts_with(char::is_alphabetic) {
            key = line.split(':').next().unwrap();
        }
        *sections.entry(key).or_default() += &format!("{line}\n");
    }
    sections
}

/// An example is a whole policy, or some of its top-level keys: the first example has the rest.
#[test]
fn the_examples_load_and_only_one_has_a_warning() {
    let guide = guide();
    let [office] = blocks(&guide, "text")[..] else {
        panic!("one prefix file")
    };
    let examples = blocks(&guide, "yaml");
    assert_eq!(examples.len(), 7);
    let whole = sections(examples[0]);
    let mut warnings = Vec::new();
    for example in &examples {
        let mut merged = whole.clone();
        merged.extend(sections(example));
        let text: String = merged.into_values().collect();
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        let loaded = policy::load_with(&["example.yaml".to_owned()], now, &|path| {
            Ok(match path.to_str().unwrap() {
                "example.yaml" => text.clone().into_bytes(),
                "prefixes/office.txt" => office.as_bytes().to_vec(),
                other => panic!("{other}"),
            })
        });
        let rendered = policy::render(&loaded.sources, &loaded.diagnostics, false);
        assert!(loaded.resolved.is_some(), "{rendered}");
        warnings.extend(loaded.diagnostics.iter().map(|found| found.code));
    }
    assert_eq!(
        warnings,
        ["own-servers-blocked"],
        "the wholesaler's example says so"
    );
}

#[test]
fn the_guide_lists_every_finding() {
    let guide = guide();
    let table = |heading: &str| -> Vec<String> {
        let rows = guide
            .split(&format!("| {heading} | |\n|---|---|\n"))
            .nth(1)
            .unwrap();
        rows.lines()
            .take_while(|line| line.starts_with('|'))
            .map(str::to_owned)
            .collect()
    };
    for (heading, severity) in [("error", Severity::Error), ("warning", Severity::Warning)] {
        let codes = Code::ALL.iter().filter(|code| code.severity == severity);
        let rows: Vec<String> = codes
            .map(|code| format!("| `{}` | {} |", code.name, code.text))
            .collect();
        assert_eq!(table(heading), rows);
    }
}
