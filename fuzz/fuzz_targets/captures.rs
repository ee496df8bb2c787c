//! Any file as a capture, compressed or not: see `check_captures.rs`.
#![no_main]

#[path = "../check_captures.rs"]
mod check_captures;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| check_captures::check(file));
