//! What decides frames in one deployment: policies, and a pipeline where one is named.

use super::policies::{self, Policies};
use super::{Exit, Failure, out};
use crate::control::pipeline::{self, Pipeline};
use crate::limit::Buckets;
use crate::policy::Severity;
use crate::stage::{Account, Settings};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(super) struct DeploymentArgs {
    /// A policy; given again for each further ISP, it makes one box that serves them all. The
    /// policies of the pipeline do not count then.
    #[arg(
        long = "policy",
        value_name = "FILE",
        required_unless_present = "pipeline"
    )]
    policies: Vec<PathBuf>,
    #[command(flatten)]
    pipeline: PipelineArg,
}

#[derive(Debug, clap::Args)]
pub(super) struct PipelineArg {
    /// A pipeline: frames are decided as it says, through its tunnels and with what it sets for
    /// `unparsed`, `source` and limits; under its policies, unless others are named.
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<PathBuf>,
}

/// What decides frames.
pub(super) struct Deployment {
    pub(super) policies: Policies,
    pub(super) pipeline: Named,
}

/// A pipeline with its file, where one is named.
pub(super) type Named = Option<(PathBuf, Pipeline)>;

impl DeploymentArgs {
    /// What decides, or a failure whose errors stand on stderr: those of all that was named.
    pub(super) fn load(&self) -> Result<Deployment, Failure> {
        let (pipeline, named) = if self.policies.is_empty() {
            self.pipeline
                .read(&|policy| fs::File::open(policy).map(drop))
        } else {
            let (pipeline, _) = self.pipeline.read(&|_| Ok(()));
            (pipeline, self.policies.clone())
        };
        // A pipeline that names no policy that can be opened has been complained of.
        let policies = match named.as_slice() {
            [] => Err(Failure::Reported(Exit::Config)),
            named => policies::load(named),
        };
        Ok(Deployment {
            pipeline: pipeline?,
            policies: policies?,
        })
    }
}

impl PipelineArg {
    /// The pipeline, where policies are named apart from it: what it calls its own need not be
    /// there.
    pub(super) fn load(&self) -> Result<Named, Failure> {
        self.read(&|_| Ok(())).0
    }

    /// The pipeline, if one is named, and the policies that it names; errors stand on stderr.
    fn read(
        &self,
        open: &dyn Fn(&Path) -> std::io::Result<()>,
    ) -> (Result<Named, Failure>, Vec<PathBuf>) {
        let Some(path) = &self.pipeline else {
            return (Ok(None), Vec::new());
        };
        let mut loaded = pipeline::read(&path.to_string_lossy(), fs::read(path), open);
        // Whoever runs a pipeline has seen its warnings in `check`.
        loaded
            .diagnostics
            .retain(|found| found.severity == Severity::Error);
        out::diagnostics(&loaded.sources, &loaded.diagnostics);
        let pipeline = loaded
            .pipeline
            .map(|pipeline| Some((path.clone(), pipeline)));
        (
            pipeline.ok_or(Failure::Reported(Exit::Config)),
            loaded.policies,
        )
    }
}

impl Deployment {
    /// How frames are looked at; each call gives buckets of its own.
    pub(super) fn settings(&self, account: Account) -> Settings {
        settings(self.pipeline.as_ref(), account)
    }

    /// The pipeline's file.
    pub(super) fn file(&self) -> Option<&Path> {
        self.pipeline.as_ref().map(|(path, _)| path.as_path())
    }
}

/// What a pipeline says of how frames are looked at, where there is one; plans are counted as the
/// command wants it.
pub(super) fn settings(pipeline: Option<&(PathBuf, Pipeline)>, account: Account) -> Settings {
    match pipeline {
        Some((_, pipeline)) => Settings {
            account,
            ..pipeline.settings()
        },
        None => Settings {
            buckets: Arc::new(Buckets::new(Settings::LIMIT_SUBSCRIBERS)),
            ..Settings::new(account)
        },
    }
}
