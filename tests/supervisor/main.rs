//! The supervisor with real workers over memory ports: what clients ask, what the clock brings, and
//! what becomes of both when policies change underneath.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod bench;
mod clock;
mod counters;
mod links;
mod plans;
mod reload;
mod stall;
