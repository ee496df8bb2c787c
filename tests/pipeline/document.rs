//! `docs/pipelines.md` and the schema for editors come from the table of keys.

use crate::support::{LEAST, good, named, root, shipped, told};
use sekisho::control::pipeline::{FINDINGS, schema};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const STALE: &str = "is stale: run SEKISHO_BLESS=1 cargo test --test pipeline";

fn blessed() -> bool {
    std::env::var_os("SEKISHO_BLESS").is_some()
}

fn guide() -> String {
    fs::read_to_string(root().join("docs/pipelines.md")).unwrap()
}

/// Each mapping of a pipeline, by the key that it stands under.
fn tables() -> Vec<(&'static str, Value)> {
    let schema = schema();
    let under = |key: &str| schema["properties"][key]["properties"].clone();
    let mut tables = vec![("pipeline", schema["properties"].clone())];
    let sections = [
        "access",
        "af-xdp",
        "dpdk",
        "control",
        "watchdog",
        "replies",
        "record-destinations",
    ];
    tables.extend(sections.map(|key| (key, under(key))));
    let of_list = |schema: &Value| schema["items"]["properties"].clone();
    let tunnel = of_list(&schema["properties"]["unwrap"]);
    tables.push(("map-e-rules", of_list(&tunnel["rules"])));
    tables.push(("unwrap", tunnel));
    tables
}

/// The rows between `<!-- NAME -->` and the next empty line.
fn rows<'g>(guide: &'g str, name: &str) -> &'g str {
    let start = format!("<!-- {name} -->\n");
    let rest = guide
        .split(&start)
        .nth(1)
        .unwrap_or_else(|| panic!("no {name}"));
    rest.split("\n\n").next().unwrap()
}

/// What a key takes, in words.
fn takes(property: &Value) -> String {
    let numbers = |of: &Value| match (&of["minimum"], &of["maximum"]) {
        (Value::Null, _) => None,
        (least, most) => Some(format!("{least} to {most}")),
    };
    let words = property["enum"].as_array().map(|words| {
        let words: Vec<_> = words
            .iter()
            .map(|w| format!("`{}`", w.as_str().unwrap()))
            .collect();
        words.join(", ")
    });
    match property["type"].as_str() {
        _ if words.is_some() => words.unwrap(),
        Some("integer") => numbers(property).unwrap(),
        Some("object") => "a mapping".to_owned(),
        Some("array") => match numbers(&property["items"]) {
            Some(numbers) => format!("a list of {numbers}"),
            None => "a list".to_owned(),
        },
        _ if property["type"].is_array() && property["items"].is_object() => "a list".to_owned(),
        _ => "text".to_owned(),
    }
}

/// The table as the table of keys says it, with the last column as it is in the guide.
fn expected(properties: &Value, found: &str) -> String {
    let cells = |row: &str| row.split(" | ").map(str::to_owned).collect::<Vec<_>>();
    let why: BTreeMap<String, String> = found
        .lines()
        .map(cells)
        .filter(|cells| cells.len() == 4)
        .map(|cells| (cells[0].trim_end().to_owned(), cells[3].clone()))
        .collect();
    let mut lines = vec!["| key | takes | what it is | why one would set it |".to_owned()];
    lines.push("|---|---|---|---|".to_owned());
    for (key, property) in properties.as_object().unwrap() {
        let start = format!("| `{key}`");
        let why = why.get(&start).map_or("|", String::as_str);
        let text = property["description"].as_str().unwrap();
        lines.push(format!("{start} | {} | {text} | {why}", takes(property)));
    }
    lines.join("\n")
}

#[test]
fn the_guide_has_every_key_and_says_why() {
    let mut text = guide();
    for (name, properties) in tables() {
        let found = rows(&text, name).to_owned();
        let expected = expected(&properties, &found);
        for row in expected.lines() {
            assert!(!row.ends_with("| |"), "{name}: nothing says why: {row}");
        }
        if blessed() {
            text = text.replacen(&found, &expected, 1);
        } else {
            assert!(found == expected, "docs/pipelines.md, {name}, {STALE}");
        }
    }
    if blessed() {
        fs::write(root().join("docs/pipelines.md"), text).unwrap();
    }
}

#[test]
fn the_guide_lists_every_finding() {
    let rows: Vec<String> = FINDINGS
        .iter()
        .map(|code| {
            format!(
                "| `{}` | {} | {} |",
                code.name,
                code.severity.label(),
                code.text
            )
        })
        .collect();
    let guide = guide();
    let mut found = guide.split("| finding | severity | |\n|---|---|---|\n");
    let found = found.nth(1).unwrap();
    let found: Vec<_> = found
        .lines()
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(found, rows, "{}", rows.join("\n"));
}

/// The examples write every default out: each means what the least pipeline of its driver means.
#[test]
fn the_defaults_of_the_guide_are_those_that_hold() {
    let guide = guide();
    let examples: Vec<_> = guide
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(examples.len(), 1 + LEAST.len());
    let (whole, drivers) = examples.split_first().unwrap();
    let loaded = named("here.yaml", whole);
    assert_eq!(told(&loaded), "");
    for (example, least) in drivers.iter().zip(LEAST) {
        let written = good(example);
        assert_eq!(written, good(least), "{example}");
        // Every key of the driver that has a default is there.
        let keys = schema()["properties"].as_object().unwrap().clone();
        let left_out: Vec<_> = keys
            .keys()
            .filter(|key| !example.contains(&format!("{key}:")))
            .collect();
        let others = match example {
            text if text.contains("driver: af-xdp") => vec!["dpdk", "record-destinations"],
            text if text.contains("driver: dpdk") => vec!["af-xdp", "record-destinations"],
            _ => vec!["af-xdp", "dpdk", "control", "record-destinations"],
        };
        assert_eq!(left_out, others, "{example}");
    }
}

#[test]
fn the_schema_file_is_up_to_date() {
    let path = root().join("pipelines/pipeline.schema.json");
    let text = format!("{:#}\n", schema());
    if blessed() {
        fs::write(&path, &text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "pipelines/pipeline.schema.json {STALE}");
}

#[test]
fn the_schema_accepts_what_ships_and_refuses_what_is_malformed() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let as_json = |text: &str| -> Value { serde_yaml::from_str(text).unwrap() };
    for path in shipped() {
        let text = fs::read_to_string(&path).unwrap();
        let first = "# yaml-language-server: $schema=pipeline.schema.json\n";
        assert!(text.starts_with(first), "{path:?}");
        let errors: Vec<_> = schema
            .iter_errors(&as_json(&text))
            .map(|e| e.to_string())
            .collect();
        assert_eq!(errors, [""; 0], "{path:?}");
    }
    for text in LEAST {
        assert!(schema.is_valid(&as_json(text)), "{text}");
        for wrong in [
            "lcore: [1]\n",
            "idle: nap\n",
            "watchdog: { stall-ms: 1 }\n",
            "dpdk: { eal: -l }\n",
            "unwrap: [{ kind: map-e }]\n",
            "unwrap: [{ kind: map-t, endpoints: [2001:db8::1] }]\n",
            "unparsed: reject\n",
            "limit-subscribers: 0\n",
            "replies: { burst: 0 }\n",
        ] {
            assert!(
                !schema.is_valid(&as_json(&format!("{text}{wrong}"))),
                "{wrong}"
            );
        }
    }
}
