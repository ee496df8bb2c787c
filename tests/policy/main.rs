//! Policies from outside: every message, what is read, and the compiled tables held against a
//! plain reading of what was resolved.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod cover;
mod diff;
mod errors;
mod guide;
mod inbound;
mod live;
mod load;
mod model;
mod never_panics;
mod program;
mod schema;
mod shipped;
mod tables;
mod words;
