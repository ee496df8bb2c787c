//! `wire::reply` from outside: octet for octet, through every encapsulation, and to whom never.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "tests"
)]

mod around;
mod frames;
mod never;
mod octets;
mod properties;
mod read;
mod tunnels;
