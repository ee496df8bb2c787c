//! Runs the program that `cargo test` built.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The policy of the demonstration, and the demonstration.
pub(crate) const ALPHA: &str = "config/alpha-web.yaml";
pub(crate) const DAY: &str = "pcaps/a-day-at-an-isp.pcap";
pub(crate) const STRICT: &str = "config/strict.yaml";
pub(crate) const CASES: &str = "config/cases.csv";

/// A description of traffic, and measurements that nobody made.
pub(crate) const TRAFFIC: &str = "docs/capacity/two-100g.yaml";
pub(crate) const INVENTED: &str = "tests/capacity/invented.json";

/// The five ISPs.
pub(crate) const FIVE: [&str; 5] = [
    ALPHA,
    "config/bb-east.yaml",
    "config/ipc-tokai.yaml",
    "config/nmtnet.yaml",
    "config/web-shizuoka.yaml",
];

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Stdout, of a run that must end with 0.
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.stdout
    }

    /// Stdout as JSON, whatever the exit code.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// What was said on stderr, but for the note that `check` has warnings to show.
    pub(crate) fn complaint(&self) -> String {
        let lines = self.stderr.lines();
        let said = lines.filter(|line| !line.starts_with("note: "));
        said.map(|line| format!("{line}\n")).collect()
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program with arguments, at the project's root, ready to run.
pub(crate) fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command
        .args(args)
        .current_dir(root())
        .stdin(Stdio::null())
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE");
    command
}

/// Runs the program with arguments, at the project's root.
pub(crate) fn sekisho<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    Run::of(&mut command(args))
}

/// Runs the program as a person types it; no argument may hold a space.
pub(crate) fn typed(line: &str) -> Run {
    sekisho(line.split_whitespace())
}

/// Runs the program with a file as stdin.
pub(crate) fn typed_from(line: &str, stdin: &Path) -> Run {
    Run::of(command(line.split_whitespace()).stdin(File::open(stdin).unwrap()))
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder that is gone when the test is over.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A path in it, as an argument.
    pub(crate) fn arg(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes a file, and gives its path as an argument.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.arg(name)
    }

    /// The names of the files in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A text with the folder's own path taken out, so that it can be compared.
    pub(crate) fn without_path(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().to_str().unwrap()), "")
    }
}
