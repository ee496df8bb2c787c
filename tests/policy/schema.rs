//! The schema for editors comes from the table of keys and agrees with what the loader accepts.

use serde_json::Value;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn as_json(path: &Path) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// `SEKISHO_BLESS=1 cargo test --test policy` writes the file anew.
#[test]
fn the_schema_file_is_up_to_date() {
    let path = root().join("config/policy.schema.json");
    let text = format!("{:#}\n", sekisho::policy::schema());
    if std::env::var_os("SEKISHO_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "config/policy.schema.json is stale: run SEKISHO_BLESS=1 cargo test --test policy"
    );
}

#[test]
fn the_schema_accepts_the_shipped_policies() {
    let schema = jsonschema::validator_for(&sekisho::policy::schema()).unwrap();
    for path in yaml_files(&root().join("config")) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("# yaml-language-server: $schema=policy.schema.json\n"),
            "{path:?}"
        );
        let found = as_json(&path);
        let errors: Vec<String> = schema
            .iter_errors(&found)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, [""; 0], "{path:?}");
    }
}

/// What the loader reports about the form of a policy, an editor underlines too; what it reports
/// about the meaning, the schema does not judge.
#[test]
fn the_schema_refuses_what_the_loader_calls_malformed() {
    const FORM: [&str; 7] = [
        "unknown-key",
        "missing-key",
        "wrong-type",
        "empty-list",
        "unknown-word",
        "bad-name",
        "keys-exclude-each-other",
    ];
    // Duplicate keys and texts that are not YAML do not survive the way to JSON.
    const NOT_JSON: [&str; 3] = ["not-yaml", "duplicate-key", "empty-policy"];
    let schema = jsonschema::validator_for(&sekisho::policy::schema()).unwrap();
    for path in yaml_files(&root().join("tests/policies")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let code = name.split('.').next().unwrap();
        if !NOT_JSON.contains(&code) && name != "unknown-key.merge.yaml" {
            assert_eq!(
                schema.is_valid(&as_json(&path)),
                !FORM.contains(&code),
                "{name}"
            );
        }
    }
}
