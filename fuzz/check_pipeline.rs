//! What holds for every text that is read as a pipeline, asked by the fuzz target and by ordinary
//! tests.

use super::shown::keeps_its_promises;
use sekisho::control::pipeline::{self, Loaded, Pipeline};
use std::io;

/// The text of a pipeline, whose policies are there, and once more where none is.
pub(super) fn check(text: &[u8]) {
    let loaded = load("/srv/p/here.yaml", text, true);
    let Loaded {
        sources,
        pipeline,
        diagnostics,
        ..
    } = &loaded;
    keeps_its_promises(pipeline.is_some(), diagnostics, sources);
    let again = load("/srv/p/here.yaml", text, true);
    assert_eq!(*diagnostics, again.diagnostics);
    if let Some(pipeline) = pipeline {
        is_in_force_as_printed(pipeline);
        // Whatever may be configured can be built.
        assert_eq!(pipeline.opens().is_empty(), pipeline.unwrap.is_empty());
    }
    let alone = load("/srv/p/here.yaml", text, false);
    assert!(alone.pipeline.is_none() && alone.policies.is_empty());
    keeps_its_promises(false, &alone.diagnostics, &alone.sources);
}

fn load(name: &str, text: &[u8], policies_are_there: bool) -> Loaded {
    pipeline::read(name, Ok(text.to_vec()), &|_| {
        if policies_are_there {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    })
}

/// A pipeline that is printed as it is in force is the same pipeline, wherever it lies.
fn is_in_force_as_printed(pipeline: &Pipeline) {
    let printed = pipeline::effective_yaml(pipeline);
    let again = load("/elsewhere/x.yaml", printed.as_bytes(), true);
    assert_eq!(
        again.pipeline.as_ref(),
        Some(pipeline),
        "{printed}\n{:?}",
        again.diagnostics
    );
}
