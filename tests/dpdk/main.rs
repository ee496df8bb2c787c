//! Ports over DPDK, as far as they need neither root nor hugepages.
#![cfg(feature = "dpdk")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod forwarding;
mod ownership;
mod refusals;
mod start;
mod support;
