//! The corpus of the fuzz target `policy`, on stable.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../fuzz/check_policy.rs"]
mod check_policy;

use std::fs;
use std::path::Path;

/// Whatever lies in the corpus, written by hand or found by the fuzzer, passes its check.
#[test]
fn the_corpus_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/policy");
    let files: Vec<_> = fs::read_dir(corpus).unwrap().collect();
    assert!(!files.is_empty());
    for file in files {
        check_policy::check(&fs::read(file.unwrap().path()).unwrap());
    }
}
