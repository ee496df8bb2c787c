//! Any frame under any link type: see `check_parse.rs`.
#![no_main]

#[path = "../check_parse.rs"]
mod check_parse;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| check_parse::check(input));
