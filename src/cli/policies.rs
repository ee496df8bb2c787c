//! The policies that a command works under: read, checked and compiled.

use super::when::When;
use super::{Exit, Failure, out};
use crate::policy::{self, Diagnostic, Origin, Program, Resolved, Severity, Sources, Tenant};
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(super) struct PolicyArgs {
    /// A policy; several, one for each ISP, make one box that serves them all.
    #[arg(long = "policy", required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl PolicyArgs {
    pub(super) fn load(&self) -> Result<Policies, Failure> {
        let checked = check(&self.files);
        let errors = checked.of(Severity::Error);
        let warnings = checked.of(Severity::Warning).len();
        if warnings > 0 && errors.is_empty() {
            out::complain("warning", format_args!("{warnings} in the policy: `sekisho check` shows them"));
        }
        checked.usable()
    }
}

/// What reading, checking and compiling gave: policies that can be used, or errors; and warnings.
pub(super) struct Checked {
    pub(super) sources: Sources,
    pub(super) diagnostics: Vec<Diagnostic>,
    compiled: Option<(Arc<Resolved>, Program)>,
}

/// Reads, checks and compiles policies.
pub(super) fn check(files: &[PathBuf]) -> Checked {
    let policy::Loaded { sources, resolved, mut diagnostics } = policy::load(files, Timestamp::now());
    let compiled = resolved.and_then(|resolved| {
        let resolved = Arc::new(resolved);
        match Program::compile(Arc::clone(&resolved)) {
            Ok(program) => Some((resolved, program)),
            Err(errors) => {
                diagnostics.extend(errors);
                None
            }
        }
    });
    Checked { sources, diagnostics, compiled }
}

impl Checked {
    pub(super) fn of(&self, severity: Severity) -> Vec<Diagnostic> {
        self.diagnostics.iter().filter(|d| d.severity == severity).cloned().collect()
    }

    /// The policies, or the errors on stderr.
    pub(super) fn usable(self) -> Result<Policies, Failure> {
        let errors = self.of(Severity::Error);
        match self.compiled {
            Some((resolved, program)) => Ok(Policies { sources: self.sources, resolved, program }),
            None => {
                out::diagnostics(&self.sources, &errors);
                Err(Failure::Reported(Exit::Config))
            }
        }
    }
}

/// Policies that can be used.
pub(super) struct Policies {
    pub(super) sources: Sources,
    pub(super) resolved: Arc<Resolved>,
    pub(super) program: Program,
}

impl Policies {
    /// The instant that `--at` means.
    pub(super) fn instant(&self, when: &When) -> Result<Timestamp, Failure> {
        let mut instants = self
            .resolved
            .tenants
            .iter()
            .map(|tenant| when.instant(&tenant.zone).map_err(|e| Failure::usage(format_args!("--at: {e}"))))
            .collect::<Result<Vec<_>, _>>()?;
        if matches!(when, When::Civil(_)) {
            instants.dedup();
        }
        match (when, instants.as_slice()) {
            (When::Civil(_), [_, _, ..]) => Err(Failure::usage(
                "--at: the policies' time zones differ: give a time with an offset",
            )),
            (_, [instant, ..]) => Ok(*instant),
            (_, []) => Ok(Timestamp::now()),
        }
    }

    /// The file that a policy was read from.
    pub(super) fn file(&self, tenant: &Tenant) -> &str {
        self.sources.name(tenant.origin.source)
    }

    /// `file:line` of a place.
    pub(super) fn place(&self, origin: &Origin) -> String {
        format!("{}:{}", self.sources.name(origin.source), origin.line)
    }
}

/// An instant as people of a tenant write it: `2006-12-01T00:00:00+09:00`.
pub(super) fn show_instant(tenant: &Tenant, at: Timestamp) -> String {
    let zoned = at.to_zoned(tenant.zone.clone());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
