//! Policy files → [`Resolved`], with everything that is wrong in any of them.

use super::Resolved;
use super::diagnostic::{Code, Diagnostic, Findings};
use super::document;
use super::raw::keys::POLICY;
use super::raw::policy::RawPolicy;
use super::resolve::{lint, resolve};
use super::source::{Sources, beside};
use jiff::Timestamp;
use std::io;
use std::path::{Path, PathBuf};

/// What came of loading.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The texts that the diagnostics point into.
    pub sources: Sources,
    /// What the policies mean, if there is no error.
    pub resolved: Option<Resolved>,
    /// Errors, then warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads policy files and the prefix files that they name. Warnings are as of `now`.
pub fn load(paths: &[PathBuf], now: Timestamp) -> Loaded {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    load_with(&names, now, &|path| std::fs::read(path))
}

/// The same from a reader of one's own: names are what it is asked for, and what messages show.
pub fn load_with(
    names: &[String],
    now: Timestamp,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Loaded {
    let mut sources = Sources::default();
    let mut findings = Findings::default();
    let mut policies = Vec::new();
    for name in names {
        policies.extend(read_policy(name, read, &mut sources, &mut findings));
    }
    for policy in &policies {
        open_prefix_files(policy, read, &mut sources, &mut findings);
    }
    let resolved = resolve(&policies, &sources, &mut findings);
    let resolved = (findings.errors() == 0).then_some(resolved);
    if let Some(resolved) = &resolved {
        lint::check(resolved, now, &mut findings);
    }
    Loaded {
        sources,
        resolved,
        diagnostics: findings.finish(),
    }
}

fn read_policy(
    name: &str,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Option<RawPolicy> {
    let id = match read(Path::new(name)).and_then(|bytes| sources.add(name, bytes)) {
        Ok(id) => id,
        Err(error) => {
            findings.push(document::unreadable("policy", name, &error, sources));
            return None;
        }
    };
    let before = findings.errors();
    let kind = document::Kind {
        table: &POLICY,
        guide: "docs/policy-guide.md",
        empty: Code::EMPTY_POLICY,
    };
    let node = document::tree(id, &kind, sources, findings)?;
    Some(RawPolicy::new(&node, findings.errors() == before))
}

/// Every file once, however many policies name it.
fn open_prefix_files(
    policy: &RawPolicy,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    sources: &mut Sources,
    findings: &mut Findings,
) {
    for file in policy.files() {
        let path = beside(sources.name(file.origin.source), &file.text);
        let name = path.to_string_lossy();
        if sources.find(&name).is_some() {
            continue;
        }
        if let Err(error) = read(&path).and_then(|bytes| sources.add(&name, bytes)) {
            findings.push(
                Diagnostic::new(
                    Code::PREFIX_FILE_UNREADABLE,
                    format!("the prefix file `{name}` cannot be read: {error}"),
                    &file.origin,
                    "named here",
                )
                .help("the path is relative to the folder of this policy"),
            );
        }
    }
}
