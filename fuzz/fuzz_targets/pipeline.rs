//! Any text as a pipeline: see `check_pipeline.rs`.
#![no_main]

#[path = "../check_pipeline.rs"]
mod check_pipeline;
#[path = "../shown.rs"]
mod shown;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| check_pipeline::check(text));
