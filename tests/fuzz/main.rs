//! The corpora of the fuzz targets, on stable: whatever lies in one, written by hand or found by
//! the fuzzer, passes its target's check, in bounded time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../../fuzz/check_captures.rs"]
mod check_captures;
#[path = "../../fuzz/check_parse.rs"]
mod check_parse;
#[path = "../../fuzz/check_pipeline.rs"]
mod check_pipeline;
#[path = "../../fuzz/check_policy.rs"]
mod check_policy;
#[path = "../../fuzz/check_reply.rs"]
mod check_reply;
#[path = "../../fuzz/check_stages.rs"]
mod check_stages;
#[path = "../../fuzz/shown.rs"]
mod shown;

mod seeds;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What one input may take of a processor, compiled for tests. The slowest, policies that build
/// tables, take a hundredth of it.
const BOUND: Duration = Duration::from_secs(10);

/// What all corpora may take in the repository.
const CORPORA_BYTES: u64 = 2 << 20;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The files of a folder, and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// Processor time of this thread.
fn processor() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.try_into().unwrap()
}

fn replay(target: &str, check: fn(&[u8])) {
    let corpus = files(&fuzz().join("corpus").join(target));
    assert!(!corpus.is_empty());
    for path in corpus {
        let input = fs::read(&path).unwrap();
        let before = processor();
        check(&input);
        let took = processor() - before;
        assert!(took < BOUND, "{}: {took:?}", path.display());
    }
}

/// One of these with octets overwritten, the rest of another one behind its head, or cut.
fn spoilt(inputs: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let any_input = prop::sample::select(inputs);
    let changes = prop::collection::vec(any::<(Index, u8)>(), 0..6);
    let splice = prop::option::weighted(0.2, any::<(Index, Index)>());
    let cut = prop::option::weighted(0.2, any::<Index>());
    (any_input.clone(), any_input, changes, splice, cut).prop_map(
        |(mut input, other, changes, splice, cut)| {
            if let Some((head, tail)) = splice {
                input.truncate(head.index(input.len() + 1));
                input.extend(&other[tail.index(other.len() + 1)..]);
            }
            if let Some(cut) = cut {
                input.truncate(cut.index(input.len() + 1));
            }
            for (index, octet) in changes {
                if !input.is_empty() {
                    let at = index.index(input.len());
                    input[at] = octet;
                }
            }
            input
        },
    )
}

/// Some inputs beside those of the corpus; `PROPTEST_CASES` sets how many. It is no search: nothing
/// tells it what an input has reached.
fn spoil(target: &str, check: fn(&[u8])) {
    let corpus = files(&fuzz().join("corpus").join(target));
    let inputs = corpus.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let passes = |input: Vec<u8>| {
        check(&input);
        Ok(())
    };
    runner.run(&spoilt(inputs), passes).unwrap();
}

/// Two tests for each target; and there is no target without them.
macro_rules! targets {
    ($($target:ident: $check:ident,)*) => {
        $(
            mod $target {
                #[test]
                fn the_corpus_passes() {
                    super::replay(stringify!($target), super::$check::check);
                }

                #[test]
                fn spoilt_inputs_pass() {
                    super::spoil(stringify!($target), super::$check::check);
                }
            }
        )*

        const TARGETS: &[&str] = &[$(stringify!($target)),*];
    };
}

targets! {
    captures: check_captures,
    parse: check_parse,
    pipeline: check_pipeline,
    policy: check_policy,
    reply: check_reply,
    stages: check_stages,
}

#[test]
fn every_target_is_replayed_and_all_corpora_are_small() {
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let targets: BTreeSet<_> = files(&fuzz().join("fuzz_targets"))
        .iter()
        .map(stem)
        .collect();
    assert!(targets.iter().eq(TARGETS), "{targets:?}");
    let corpora = files(&fuzz().join("corpus"));
    let bytes = corpora.iter().map(|path| path.metadata().unwrap().len());
    assert!(bytes.sum::<u64>() < CORPORA_BYTES);
}
