//! Any text as a policy, with prefix files and a second policy: see `check_policy.rs`.
#![no_main]

#[path = "../check_policy.rs"]
mod check_policy;
#[path = "../shown.rs"]
mod shown;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| check_policy::check(input));
