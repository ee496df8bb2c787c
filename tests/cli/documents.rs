//! Every command that a document shows is run, in a copy of what a clone has.

use crate::program::{Folder, root};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Commands that are not run here, and why.
const SKIPPED: [(&str, &str); 4] = [
    ("bash tests/all.sh", "this test is part of it"),
    ("cargo bench", "measures for minutes"),
    ("cargo +nightly fuzz", "needs another toolchain"),
    ("SEKISHO_BLESS=1 cargo test", "rewrites the project"),
];

#[test]
fn every_example_of_the_documents_works() {
    let clone = Clone::new();
    let mut run = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for command in examples(&text) {
            if SKIPPED.iter().any(|(start, _)| command.starts_with(start)) {
                continue;
            }
            let line = command.replace("cargo run --release -- ", "sekisho ");
            let edits = line.starts_with("sed ");
            assert!(
                edits || line.starts_with("sekisho "),
                "{}: what is {command}?",
                document.display()
            );
            let shown = clone.run(&line);
            let stderr = String::from_utf8_lossy(&shown.stderr);
            assert!(
                shown.status.success(),
                "{}: {command}\n{stderr}",
                document.display()
            );
            let silent = shown.stdout.is_empty() && !edits;
            assert!(!silent, "{}: {command} says nothing", document.display());
            run += 1;
        }
    }
    assert!(run >= 8, "{run} examples");
}

#[test]
fn the_example_of_a_change_hits_somebody() {
    let clone = Clone::new();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let lines: Vec<_> = examples(&readme)
        .filter(|line| line.contains("postponed"))
        .collect();
    let shown = clone.run(&lines.join(" && "));
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains(" IPv4 addresses: "), "{text}");
}

/// What a clone has, where commands may leave files: the program, `config/`, `docs/`,
/// `pcaps/` and `pipelines/`.
struct Clone(Folder);

impl Clone {
    fn new() -> Self {
        let folder = Folder::new();
        for name in ["bin", "config"] {
            fs::create_dir(folder.path(name)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_sekisho"), folder.path("bin/sekisho")).unwrap();
        for name in ["pcaps", "docs", "pipelines"] {
            symlink(root().join(name), folder.path(name)).unwrap();
        }
        for entry in fs::read_dir(root().join("config")).unwrap() {
            let entry = entry.unwrap();
            let name = format!("config/{}", entry.file_name().to_str().unwrap());
            symlink(entry.path(), folder.path(&name)).unwrap();
        }
        Self(folder)
    }

    fn run(&self, line: &str) -> std::process::Output {
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("bash")
            .args(["-c", line])
            .current_dir(self.0.path(""))
            .env("PATH", format!("{}:{path}", self.0.arg("bin")))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

/// Every document of the project.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [
        "",
        "docs",
        "docs/decisions",
        "pcaps",
        "pipelines",
        "benches",
        "fuzz",
        "config",
    ] {
        let entries = fs::read_dir(root().join(folder)).into_iter().flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        found.extend(paths.filter(|path| path.extension() == Some("md".as_ref())));
    }
    assert!(
        found
            .iter()
            .any(|path| path == Path::new(&root().join("README.md")))
    );
    found.sort();
    found
}

/// The commands of a document: the lines that begin with `$` in blocks of `console`.
fn examples(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split("```console\n").skip(1);
    let inside = blocks.filter_map(|block| block.split("```").next());
    inside
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("$ "))
}
