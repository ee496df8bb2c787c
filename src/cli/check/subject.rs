//! What is checked together: the policies of the command line, or a pipeline with its own.

use crate::cli::out;
use crate::cli::policies::{self, Checked, Policies};
use crate::control::pipeline::{self, Driver, Pipeline, Tunnel};
use crate::io::port::CaptureFiles;
use crate::limit::Buckets;
use crate::policy::{Action, Severity};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A file says within so many octets what it is: more comments stand before no key.
const PEEKED_BYTES: u64 = 64 * 1024;

/// One box.
pub(super) struct Subject {
    pipeline: Option<(PathBuf, pipeline::Loaded)>,
    /// `None` where a pipeline names none that can be opened.
    policies: Option<Checked>,
}

/// One box without an error.
pub(super) struct Sound {
    pub(super) pipeline: Option<(PathBuf, Pipeline)>,
    pub(super) policies: Policies,
}

/// Takes the files apart, reads them, and reads what they name.
pub(super) fn subjects(files: &[PathBuf]) -> Vec<Subject> {
    let (pipelines, policies): (Vec<_>, Vec<_>) =
        files.iter().cloned().partition(|path| is_pipeline(path));
    let mut subjects = Vec::new();
    if !policies.is_empty() {
        subjects.push(Subject {
            pipeline: None,
            policies: Some(policies::check(&policies)),
        });
    }
    for path in pipelines {
        let loaded = pipeline::load(&path);
        let named = &loaded.policies;
        let policies = (!named.is_empty()).then(|| policies::check(named));
        subjects.push(Subject {
            pipeline: Some((path, loaded)),
            policies,
        });
    }
    subjects
}

/// What is no regular file can be read only once: it is taken for a policy.
fn is_pipeline(path: &Path) -> bool {
    let mut head = Vec::new();
    let peeked = path.is_file()
        && File::open(path)
            .and_then(|file| file.take(PEEKED_BYTES).read_to_end(&mut head))
            .is_ok();
    peeked && pipeline::could_be_one(&head)
}

impl Subject {
    pub(super) fn has(&self, severity: Severity) -> bool {
        let of_pipeline = self
            .pipeline
            .iter()
            .flat_map(|(_, loaded)| &loaded.diagnostics);
        let of_policies = self
            .policies
            .iter()
            .flat_map(|checked| &checked.diagnostics);
        of_pipeline
            .chain(of_policies)
            .any(|found| found.severity == severity)
    }

    /// Writes what is wrong to stderr.
    pub(super) fn complain(&self) {
        if let Some((_, loaded)) = &self.pipeline {
            out::diagnostics(&loaded.sources, &loaded.diagnostics);
        }
        if let Some(checked) = &self.policies {
            out::diagnostics(&checked.sources, &checked.diagnostics);
        }
    }

    /// The same for programs.
    pub(super) fn said(&self) -> Vec<Value> {
        let mut said = Vec::new();
        if let Some((_, loaded)) = &self.pipeline {
            let found = loaded.diagnostics.iter();
            said.extend(found.map(|found| found.to_json(&loaded.sources)));
        }
        if let Some(checked) = &self.policies {
            let found = checked.diagnostics.iter();
            said.extend(found.map(|found| found.to_json(&checked.sources)));
        }
        said
    }

    /// What can be used, if there is no error.
    pub(super) fn sound(self) -> Option<Sound> {
        let pipeline = match self.pipeline {
            None => None,
            Some((path, loaded)) => Some((path, loaded.pipeline?)),
        };
        Some(Sound {
            pipeline,
            policies: self.policies?.usable()?,
        })
    }
}

impl Sound {
    /// The pipeline in a line; nothing where there is none.
    pub(super) fn line(&self) -> String {
        let Some((path, pipeline)) = &self.pipeline else {
            return String::new();
        };
        let [access, network] = devices(&pipeline.driver);
        let lcores: Vec<String> = pipeline.lcores.iter().map(ToString::to_string).collect();
        let plural = if lcores.len() > 1 { "s" } else { "" };
        let mut text = format!(
            "pipeline  {} ({}): {} between {access} and {network}, on lcore{plural} {}\n",
            pipeline.name,
            path.display(),
            pipeline.driver.kind().label(),
            lcores.join(", "),
        );
        for tunnel in &pipeline.unwrap {
            let ends = tunnel.endpoints.iter().map(ToString::to_string);
            let ends: Vec<_> = ends.collect();
            text += &format!("tunnel    {} of {}\n", tunnel.kind.label(), ends.join(", "));
        }
        if self.limits() {
            text += &format!(
                "limit     room for {} subscribers: {} bytes\n",
                out::grouped(pipeline.limit_subscribers),
                out::grouped(limit_bytes(pipeline) as u64),
            );
        }
        text
    }

    /// Whether a rule speaks of rates: without one, nobody asks how many are remembered.
    fn limits(&self) -> bool {
        let mut rules = self.policies.tenants().iter().flat_map(|one| &one.rules);
        rules.any(|rule| matches!(rule.action, Action::Limit(_)))
    }

    pub(super) fn json(&self) -> Map<String, Value> {
        let Some((path, pipeline)) = &self.pipeline else {
            return Map::new();
        };
        let [access, network] = devices(&pipeline.driver);
        let lcores = pipeline.lcores.iter().map(|lcore| lcore.0);
        Map::from_iter([
            ("pipeline".to_owned(), json!(pipeline.name)),
            ("file".to_owned(), json!(path.to_string_lossy())),
            ("driver".to_owned(), json!(pipeline.driver.kind().label())),
            ("access".to_owned(), json!(access)),
            ("network".to_owned(), json!(network)),
            ("lcores".to_owned(), lcores.collect()),
            (
                "tunnels".to_owned(),
                pipeline.unwrap.iter().map(tunnel).collect(),
            ),
            ("limit_bytes".to_owned(), json!(limit_bytes(pipeline))),
        ])
    }
}

/// What the table of buckets takes.
fn limit_bytes(pipeline: &Pipeline) -> usize {
    Buckets::new(pipeline.limit_subscribers).memory_bytes()
}

fn tunnel(tunnel: &Tunnel) -> Value {
    json!({
        "kind": tunnel.kind.label(),
        "endpoints": tunnel.endpoints,
        "rules": tunnel.rules.len(),
    })
}

/// The devices' names; of captures, what is read.
fn devices(driver: &Driver) -> [String; 2] {
    let read = |files: &CaptureFiles| match &files.read {
        Some(path) => path.display().to_string(),
        None => "nothing".to_owned(),
    };
    match driver {
        Driver::AfXdp(with) => [&with.access, &with.network].map(Clone::clone),
        Driver::Dpdk(with) => [&with.access, &with.network].map(Clone::clone),
        Driver::Pcap(with) => [&with.access, &with.network].map(read),
    }
}
