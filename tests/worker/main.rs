//! A worker over memory ports: what goes in comes out as it came, or is accounted for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod conformance;
mod golden;
mod port;
mod replies;
mod several;
mod support;
mod worker;

#[path = "../live/conformance/composed.rs"]
mod composed;
#[path = "../live/conformance/suite.rs"]
mod suite;
