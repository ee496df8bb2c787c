//! Any frame that is rejected: see `check_reply.rs`.
#![no_main]

#[path = "../check_reply.rs"]
mod check_reply;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| check_reply::check(input));
