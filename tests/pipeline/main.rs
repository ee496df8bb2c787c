//! Pipelines from outside: what is read, every message, those that ship, and the port over captures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod capture;
mod document;
mod errors;
mod frames;
mod reading;
mod replayed;
mod shipped;
mod support;
mod tunnels;
