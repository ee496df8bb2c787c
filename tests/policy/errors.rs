//! One broken policy for each error and each warning, with its exact message.
//!
//! `tests/policies/<code>[.<variant>].yaml` is read, and what is said is held against the `.snap`
//! file beside it (`INSTA_UPDATE=always cargo test --test policy` writes them anew). A
//! first line `# with: FILE` loads a second policy beside it.

use sekisho::policy::{self, Code, Loaded, Program, Severity};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies")
}

fn cases() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml") && !name.ends_with(".second.yaml"))
        .collect();
    names.sort();
    assert!(names.len() > 40, "{names:?}");
    names
}

/// Errors of compiling count like those of reading.
fn load(name: &str) -> Loaded {
    let text = std::fs::read(folder().join(name)).unwrap();
    let text = String::from_utf8_lossy(&text);
    let first = text.lines().next().unwrap_or("");
    let second = first.strip_prefix("# with: ").map(str::to_owned);
    let names: Vec<String> = [name.to_owned()].into_iter().chain(second).collect();
    let mut loaded = policy::load_with(&names, now(), &|path| std::fs::read(folder().join(path)));
    let compiled = loaded.resolved.clone().map(Arc::new).map(Program::compile);
    if let Some(Err(errors)) = compiled {
        loaded.diagnostics.splice(0..0, errors);
        loaded.resolved = None;
    }
    loaded
}

fn now() -> jiff::Timestamp {
    "2026-11-22T12:00:00+09:00".parse().unwrap()
}

#[test]
fn every_message_is_as_it_was_agreed() {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../policies");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in cases() {
            let loaded = load(&name);
            let text = policy::render(&loaded.sources, &loaded.diagnostics, false);
            insta::assert_snapshot!(name.trim_end_matches(".yaml"), text);
        }
    });
}

/// A file is named by what it proves, and proves it with the severity of the table.
#[test]
fn every_broken_policy_has_the_code_of_its_name() {
    for name in cases() {
        let code = name.split('.').next().unwrap();
        let loaded = load(&name);
        let found = loaded.diagnostics.iter().find(|found| found.code == code);
        let found = found.unwrap_or_else(|| panic!("{name}: {:?}", loaded.diagnostics));
        let errors = loaded
            .diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error);
        assert_eq!(loaded.resolved.is_none(), errors.count() > 0, "{name}");
        assert_eq!(
            found.severity == Severity::Warning,
            loaded.resolved.is_some(),
            "{name}"
        );
    }
}

#[test]
fn every_code_has_a_broken_policy() {
    let cases = cases();
    let shown: BTreeSet<&str> = cases
        .iter()
        .filter_map(|name| name.split('.').next())
        .collect();
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name).collect();
    assert_eq!(
        known.len(),
        Code::ALL.len(),
        "a code stands twice in the table"
    );
    assert_eq!(shown, known);
}

/// JSON and text name the same place, and the column counts characters.
#[test]
fn a_diagnostic_in_json() {
    let text =
        "isp: broken\nlabel: 静岡\ntime_zone: Asia/Tokyo\nplans: { 静: { kind: dynamic } }\n";
    let loaded = policy::load_with(&["a.yaml".to_owned()], now(), &|_| Ok(text.into()));
    let found: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|found| found.to_json(&loaded.sources))
        .collect();
    assert_eq!(
        found,
        [serde_json::json!({
            "severity": "error",
            "code": "bad-name",
            "message": "`静` cannot be a name",
            "file": "a.yaml",
            "line": 4,
            "column": 10,
            "help": "a name here is letters, digits, `-`, `_` and `.`, beginning with a letter \
                or a digit; what customers read goes into `label`",
            "labels": [{ "file": "a.yaml", "line": 4, "column": 10, "text": "not a name" }],
        })]
    );
}
