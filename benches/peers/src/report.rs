//! What is told at the end: tables in Markdown, goals, limits, and what could not run.

use anyhow::{Context as _, Result};
use std::fmt::Write as _;
use std::path::Path;

/// How many times faster sekisho should be.
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) goal: f64,
    /// `None` when the peer did not run.
    pub(crate) measured: Option<f64>,
}

#[derive(Default)]
pub(crate) struct Report {
    text: String,
    goals: Vec<Goal>,
    limits: Vec<String>,
    failures: Vec<String>,
}

impl Report {
    /// Adds a part, and prints it at once.
    #[expect(clippy::print_stdout, reason = "this is what the program is for")]
    pub(crate) fn section(&mut self, text: &str) {
        let text = text.trim_end();
        println!("{text}\n");
        let _ = write!(self.text, "{text}\n\n");
    }

    pub(crate) fn goal(&mut self, goal: Goal) {
        self.goals.push(goal);
    }

    /// What a peer or this machine cannot do.
    pub(crate) fn limit(&mut self, what: &str) {
        self.limits.push(what.to_owned());
    }

    /// What should have run.
    pub(crate) fn fail(&mut self, what: &str, error: &anyhow::Error) {
        self.failures
            .push(format!("{what}: could not run: {error:#}"));
    }

    /// Tells goals, limits and failures; true when nothing failed.
    pub(crate) fn conclude(&mut self) -> bool {
        let mut text = String::new();
        if !self.goals.is_empty() {
            text.push_str("## Goals\n\n| case | goal | measured | |\n|---|---:|---:|---|\n");
        }
        for Goal {
            what,
            goal,
            measured,
        } in &self.goals
        {
            let (figure, word) = match measured {
                Some(measured) if measured >= goal => (format!("{measured:.2} ×"), "met"),
                Some(measured) => (format!("{measured:.2} ×"), "**missed**"),
                None => ("–".to_owned(), "not measured"),
            };
            let _ = writeln!(text, "| {what} | ≥ {goal:.1} × | {figure} | {word} |");
        }
        for (title, lines) in [
            ("What a peer or this machine cannot do", &self.limits),
            ("What could not run", &self.failures),
        ] {
            if !lines.is_empty() {
                let _ = write!(text, "\n## {title}\n\n");
            }
            for line in lines {
                let _ = writeln!(text, "- {line}");
            }
        }
        self.section(&text);
        self.failures.is_empty()
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, &self.text).with_context(|| path.display().to_string())
    }
}
