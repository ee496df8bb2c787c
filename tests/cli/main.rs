//! The `sekisho` program as its users meet it: what it prints where, what it writes, and how it
//! ends, also when everything around it goes wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod agreement;
mod bench;
mod capture;
mod cases;
mod check;
mod diff;
mod documents;
mod exits;
mod explain;
mod generate;
mod link_types;
mod outputs;
mod phases;
mod plan;
mod program;
mod replies;
mod run;
mod selftest;
mod shell;
mod streams;
mod tenants;
