//! What decides frames: policies, and a pipeline where one is named.

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use sekisho::control::pipeline;
use sekisho::limit::Buckets;
use sekisho::policy::{self, Diagnostic, Program, Severity, Sources};
use sekisho::stage::{Account, Settings};
use sekisho::worker::ReplyRate;
use std::path::PathBuf;
use std::sync::Arc;

/// What is named on the command line.
#[derive(Debug, clap::Args)]
pub struct DeploymentArgs {
    /// A policy; given again for each further ISP, it makes one box that serves them all. The
    /// policies of the pipeline do not count then.
    #[arg(
        long = "policy",
        value_name = "POLICY.yaml",
        required_unless_present = "pipeline"
    )]
    policies: Vec<PathBuf>,
    /// A pipeline of sekisho's: its tunnels, and what it sets for `account`, `unparsed`, `source`,
    /// `replies` and limits. Ports and lcores are the runtime file's.
    #[arg(long, value_name = "PIPELINE.yaml")]
    pipeline: Option<PathBuf>,
}

/// How frames are looked at, and how often rejected ones are answered.
#[derive(Debug)]
pub struct Deployment {
    /// How frames are looked at.
    pub settings: Settings,
    /// How often rejected ones are answered, by all cores together.
    pub replies: ReplyRate,
}

impl DeploymentArgs {
    /// Reads and compiles it.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn load(&self) -> anyhow::Result<(Program, Deployment)> {
        let mut policies = self.policies.clone();
        let (settings, replies) = match &self.pipeline {
            Some(path) => {
                let loaded = pipeline::load(path);
                let pipeline = usable(&loaded.sources, &loaded.diagnostics, loaded.pipeline)?;
                if policies.is_empty() {
                    policies.clone_from(&pipeline.policies);
                }
                (pipeline.settings(), pipeline.replies)
            }
            None => {
                let settings = Settings {
                    buckets: Arc::new(Buckets::new(Settings::LIMIT_SUBSCRIBERS)),
                    ..Settings::new(Account::EveryFrame)
                };
                (settings, ReplyRate::default())
            }
        };
        Ok((program(&policies)?, Deployment { settings, replies }))
    }
}

fn program(policies: &[PathBuf]) -> anyhow::Result<Program> {
    let loaded = policy::load(policies, Timestamp::now());
    let resolved = usable(&loaded.sources, &loaded.diagnostics, loaded.resolved)?;
    match Program::compile(Arc::new(resolved)) {
        Ok(program) => Ok(program),
        Err(errors) => usable(&loaded.sources, &errors, None),
    }
}

/// What was read, if nothing is wrong with it. Warnings are for `sekisho check`.
fn usable<T>(sources: &Sources, found: &[Diagnostic], read: Option<T>) -> anyhow::Result<T> {
    let errors = found.iter().filter(|d| d.severity == Severity::Error);
    let errors: Vec<_> = errors.cloned().collect();
    if !errors.is_empty() {
        let told = policy::render(sources, &errors, false);
        bail!("nothing can be decided\n{}", told.trim_end());
    }
    read.ok_or_else(|| anyhow!("nothing could be read"))
}
