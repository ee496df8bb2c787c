//! `wire::parse` from outside: every encapsulation, every shape, every cut.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "tests"
)]

mod captured;
#[path = "../../fuzz/check_parse.rs"]
mod check_parse;
mod closed;
mod corpus;
mod frames;
mod generated;
mod ip;
mod lax;
mod link;
mod map;
mod other_links;
mod probe;
mod properties;
mod route;
mod transport;
mod tunnel_cuts;
mod tunnelled;
mod tunnels;
