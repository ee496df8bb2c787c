//! Any burst of frames through the stages: see `check_stages.rs`.
#![no_main]

#[path = "../check_stages.rs"]
mod check_stages;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| check_stages::check(input));
