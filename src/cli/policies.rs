//! The policies that a command works under: read, checked and compiled.

use super::when::When;
use super::{Exit, Failure, out};
use crate::policy::{self, Diagnostic, Epoch, Legend, Origin, Program, Severity, Sources, Tenant};
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(super) struct PolicyArgs {
    /// A policy; given again for each further ISP, it makes one box that serves them all.
    #[arg(long = "policy", required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl PolicyArgs {
    /// The policies, or a failure whose errors stand on stderr.
    pub(super) fn load(&self) -> Result<Policies, Failure> {
        load(&self.files)
    }
}

/// The policies, or a failure whose errors stand on stderr. Warnings are only counted here:
/// whoever runs a policy has seen them in `check`.
pub(super) fn load(files: &[PathBuf]) -> Result<Policies, Failure> {
    let mut checked = check(files);
    if checked.has(Severity::Error) {
        checked
            .diagnostics
            .retain(|d| d.severity == Severity::Error);
        out::diagnostics(&checked.sources, &checked.diagnostics);
        return Err(Failure::Reported(Exit::Config));
    }
    match checked.diagnostics.len() {
        0 => {}
        count => {
            let warnings = if count == 1 {
                "1 warning".to_owned()
            } else {
                format!("{count} warnings")
            };
            out::complain(
                "note",
                format_args!("{warnings} about the policy: see `sekisho check`"),
            );
        }
    }
    checked.usable().ok_or(Failure::Reported(Exit::Config))
}

/// What reading, checking and compiling gave: policies that can be used, or errors; and warnings.
pub(super) struct Checked {
    pub(super) sources: Sources,
    pub(super) diagnostics: Vec<Diagnostic>,
    program: Option<Program>,
}

/// Reads, checks and compiles policies.
pub(super) fn check(files: &[PathBuf]) -> Checked {
    let policy::Loaded {
        sources,
        resolved,
        mut diagnostics,
    } = policy::load(files, Timestamp::now());
    let program = match resolved.map(|resolved| Program::compile(Arc::new(resolved))) {
        Some(Ok(program)) => Some(program),
        Some(Err(errors)) => {
            diagnostics.extend(errors);
            None
        }
        None => None,
    };
    Checked {
        sources,
        diagnostics,
        program,
    }
}

impl Checked {
    pub(super) fn has(&self, severity: Severity) -> bool {
        self.diagnostics.iter().any(|d| d.severity == severity)
    }

    /// The policies, if there is no error.
    pub(super) fn usable(self) -> Option<Policies> {
        let Self {
            sources, program, ..
        } = self;
        program.map(|program| Policies { sources, program })
    }
}

/// Policies that can be used.
pub(super) struct Policies {
    pub(super) sources: Sources,
    pub(super) program: Program,
}

impl Policies {
    /// The instant that `--at` means.
    pub(super) fn instant(&self, when: &When) -> Result<Timestamp, Failure> {
        instant(self.tenants(), when)
    }

    /// The tables at an instant.
    pub(super) fn epoch(&self, at: Timestamp) -> Result<Epoch, Failure> {
        self.program
            .at(at)
            .map_err(|error| Failure::Said(Exit::Config, error.to_string()))
    }

    pub(super) fn legend(&self) -> &Legend {
        self.program.legend()
    }

    pub(super) fn tenants(&self) -> &[Tenant] {
        self.legend().tenants()
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

/// The instant that `--at` means to all of these tenants.
pub(super) fn instant<'a>(
    tenants: impl IntoIterator<Item = &'a Tenant>,
    when: &When,
) -> Result<Timestamp, Failure> {
    let read = |tenant: &Tenant| {
        when.instant(&tenant.zone)
            .map_err(|e| Failure::usage(format_args!("--at: {e}")))
    };
    let mut tenants = tenants.into_iter();
    let first = tenants.next().map_or_else(|| Ok(Timestamp::now()), read)?;
    if let When::Civil(_) = when {
        for tenant in tenants {
            if read(tenant)? != first {
                let message = "--at: the policies' time zones differ: give a time with an offset";
                return Err(Failure::usage(message));
            }
        }
    }
    Ok(first)
}

/// An instant as people of a tenant write it: `2006-12-01T00:00:00+09:00`.
pub(super) fn show_instant(tenant: &Tenant, at: Timestamp) -> String {
    let zoned = at.to_zoned(tenant.zone.clone());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
