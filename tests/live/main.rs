//! The program between real interfaces, in network namespaces that each test makes and removes.
//!
//! ```text
//! sudo bash tests/packages.sh
//! sudo -E cargo test --profile live --all-features --test live -- --include-ignored --test-threads=1
//! ```
//! These tests need root, namespaces and the Debian packages that `tests/packages.sh` names, so they
//! are ignored where a plain `cargo test` runs. Whoever asks for them gets them: when something is
//! missing they fail and say what. One at a time, as each wants the processors for itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod capsule;
#[cfg(any(feature = "af-xdp", feature = "dpdk"))]
mod conformance;
mod cost;
mod faults;
mod forward;
mod line;
mod linux;
mod load;
mod mail;
mod net;
mod netdev;
mod program;
mod reload;
mod reply;
mod soak;
mod systemd;
mod wrapping;
