//! The control socket, its client and the journal, as they are met from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod journal;
mod misbehaving;
mod place;
mod program;
mod socket;
mod supervisor;
mod wire;
