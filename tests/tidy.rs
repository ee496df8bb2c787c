//! Keeps the house in order: layers, size budgets, clocks and files, generated documents.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use sekisho::stats::{Reason, Verdict, counter_name};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room of `src/`, and the rooms that it may import. A new room is entered here first.
const LAYERS: [(&str, &[&str]); 12] = [
    ("wire", &[]),
    ("lpm", &[]),
    ("limit", &[]),
    ("stats", &[]),
    ("policy", &["wire", "lpm", "limit", "stats"]),
    ("io", &["wire"]),
    ("stage", &["wire", "lpm", "limit", "policy", "stats"]),
    ("evasion", &["wire", "limit", "policy", "stats", "stage"]),
    (
        "worker",
        &["wire", "lpm", "limit", "policy", "stats", "io", "stage"],
    ),
    (
        "control",
        &[
            "wire", "lpm", "limit", "stats", "policy", "io", "stage", "worker",
        ],
    ),
    (
        "loadgen",
        &[
            "wire", "lpm", "limit", "stats", "policy", "io", "stage", "worker",
        ],
    ),
    (
        "cli",
        &[
            "wire", "lpm", "limit", "stats", "policy", "io", "stage", "worker", "control",
            "loadgen", "evasion",
        ],
    ),
];

/// Lines; a note in `docs/decisions/` may raise one.
const FILE_BUDGET: usize = 500;
const FUNCTION_BUDGET: usize = 60;

#[test]
fn imports_point_downward_only() {
    let mut faults = String::new();
    for (room, path, text) in sources() {
        let (_, allowed) = LAYERS
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("src/{room} has no place in the layers of tests/tidy.rs"));
        for (number, line) in code_lines(&text) {
            for imported in line.split("crate::").skip(1) {
                let name: String = imported
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if name != room
                    && LAYERS.iter().any(|(n, _)| *n == name)
                    && !allowed.contains(&&*name)
                {
                    let _ = writeln!(faults, "{}:{number}: {room} imports {name}", path.display());
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn only_commands_read_a_clock_and_only_loaders_open_files() {
    let clocks = [
        "Timestamp::now",
        "Zoned::now",
        "Instant::now",
        "SystemTime::now",
    ];
    let files = ["std::fs", "fs::", "File::open", "std::env"];
    let mut faults = String::new();
    for (room, path, text) in sources() {
        let opens = ["cli", "io", "control"].contains(&&*room) || path.ends_with("policy/load.rs");
        for (number, line) in code_lines(&text) {
            let clock = !["cli", "control"].contains(&&*room)
                && clocks.iter().any(|word| line.contains(word));
            let file = !opens && files.iter().any(|word| line.contains(word));
            if clock || file {
                let _ = writeln!(faults, "{}:{number}: {}", path.display(), line.trim());
            }
        }
    }
    assert!(
        faults.is_empty(),
        "a clock or a file where none belongs\n{faults}"
    );
}

#[test]
fn files_and_functions_keep_their_budgets() {
    let mut faults = String::new();
    for path in rust_files(&[
        "src",
        "tests",
        "benches",
        "fuzz/fuzz_targets",
        "pipelines/capsule/src",
        "pipelines/capsule/examples",
        "pipelines/capsule/capsule-ffi",
    ]) {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > FILE_BUDGET {
            let _ = writeln!(faults, "{}: {lines} lines", path.display());
        }
        for (name, start, length) in functions(&text) {
            if length > FUNCTION_BUDGET {
                let _ = writeln!(
                    faults,
                    "{}:{start}: {name} has {length} lines",
                    path.display()
                );
            }
        }
    }
    assert!(
        faults.is_empty(),
        "over budget ({FILE_BUDGET} a file, {FUNCTION_BUDGET} a function)\n{faults}"
    );
}

#[test]
fn the_list_of_counters_is_the_table_of_reasons() {
    let path = root().join("docs/counters.md");
    let expected = counters_document();
    if std::env::var_os("SEKISHO_BLESS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/counters.md is stale: SEKISHO_BLESS=1 cargo test --test tidy"
    );
}

/// `docs/counters.md`, from the table of reasons.
fn counters_document() -> String {
    let mut text = String::from(
        "# Counters\n\n\
         Made from the table of reasons (`src/stats/reason.rs`) by \
         `SEKISHO_BLESS=1 cargo test --test tidy`.\n\n\
         Each frame is counted once, as `<verdict>-<reason>`: its frames, and its octets on the \
         wire. At the end of a run\n`rx = ",
    );
    text += &Verdict::ALL.map(Verdict::label).join(" + ");
    text += "`, or the run fails and says by how much.\n\n| reason | what it says | counters |\n|---|---|---|\n";
    for reason in Reason::ALL {
        let counters = Verdict::ALL
            .into_iter()
            .filter(|verdict| can_occur(*verdict, *reason))
            .map(|verdict| format!("`{}`", counter_name(verdict, *reason)))
            .collect::<Vec<_>>()
            .join(" ");
        let _ = writeln!(text, "| `{reason}` | {} | {counters} |", reason.text());
    }
    text
}

/// Which verdicts a reason can stand beside.
fn can_occur(verdict: Verdict, reason: Reason) -> bool {
    let verdicts: &[Verdict] = match reason {
        Reason::Truncated => &[Verdict::Indeterminate],
        Reason::NotIp | Reason::NotCandidate | Reason::LaterFragment | Reason::NoSubscriber => {
            &[Verdict::Forward]
        }
        Reason::Port25Syn => &[Verdict::Forward, Verdict::Drop, Verdict::Reject],
        Reason::AboveRate | Reason::LimitTableFull => {
            &[Verdict::Forward, Verdict::Reject, Verdict::Limit]
        }
        Reason::SpoofedPortSet | Reason::SpoofedSource => &[Verdict::Drop],
        Reason::Port25Return
        | Reason::InboundSubmission
        | Reason::InboundToSubscriber
        | Reason::Unparsed
        | Reason::EncapsulationLimit
        | Reason::HeaderChainLimit
        | Reason::IncompleteHeaders
        | Reason::OverlappingFragment
        | Reason::TinyFragment
        | Reason::Malformed => &[Verdict::Forward, Verdict::Drop],
    };
    verdicts.contains(&verdict)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Room, path from the project's root, and text of each file in a room of `src/`.
fn sources() -> Vec<(String, PathBuf, String)> {
    let in_room = |path: PathBuf| {
        let inside = path.strip_prefix(root().join("src")).unwrap().to_owned();
        let room = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap()
            .to_owned();
        let text = fs::read_to_string(&path).unwrap();
        (inside.components().count() > 1).then_some((room, inside, text))
    };
    rust_files(&["src"])
        .into_iter()
        .filter_map(in_room)
        .collect()
}

fn rust_files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Lines of code: comments left out, and all that stands behind the tests' `cfg`.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines())
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Name, first line and number of lines of each function, as rustfmt lays them out.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let Some(name) = function_name(code) else {
            continue;
        };
        let end = lines.iter().skip(start).position(|later| {
            let closes = later.trim_start().starts_with('}') || later.trim_end().ends_with(';');
            later.len() - later.trim_start().len() == indent && closes
        });
        found.push((name, start + 1, end.unwrap_or(0) + 1));
    }
    found
}

fn function_name(code: &str) -> Option<String> {
    let mut words = code.split_whitespace();
    let before_fn = words
        .by_ref()
        .take_while(|word| *word != "fn")
        .collect::<Vec<_>>();
    let modifiers = [
        "pub",
        "pub(super)",
        "pub(crate)",
        "const",
        "async",
        "unsafe",
        "extern",
        "\"C\"",
    ];
    let is_function = before_fn.iter().all(|word| modifiers.contains(word));
    words.next().filter(|_| is_function).map(|name| {
        name.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    })
}
