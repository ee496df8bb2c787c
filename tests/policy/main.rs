//! Compiled policies, from outside: held against a plain reading of what was resolved.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod diff;
mod model;
mod program;
mod tables;
mod words;
