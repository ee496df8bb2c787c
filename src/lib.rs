//! *sekisho*: a checkpoint for outbound port 25.
//!
//! The map of the house. Imports point downward only (`tests/tidy.rs` checks it):
//!
//! ```text
//! wire, lpm  ←  policy, stats  ←  stage, io  ←  cli
//! ```

/// Bytes on the wire become a [`wire::Packet`]. Pure, total, no allocation.
pub mod wire;

/// Prefix → one byte, IPv4 and IPv6, by longest match. Pure.
pub mod lpm;

/// What an ISP wrote (YAML) becomes tables that the data plane looks verdicts up in.
pub mod policy;

/// Verdicts, reasons, counters, and the law that they balance.
pub mod stats;

/// parse → classify → decide, over bursts of up to 64 frames.
pub mod stage;

/// Captures in and out.
pub mod io;

/// One file a command.
pub mod cli;
