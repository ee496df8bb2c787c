//! *sekisho*: a checkpoint for outbound port 25.
//!
//! The map of the house:
//!
//! - [`wire`]: bytes become a [`wire::Packet`]. Pure, total, no allocation.
//! - [`lpm`]: prefix → one byte, IPv4 and IPv6, by longest match. Pure.
//! - [`limit`]: how many connections each subscriber may open, and what is left of it. Pure.
//! - [`stats`]: verdicts, reasons, counters, and the law that they balance.
//! - [`policy`]: what an ISP wrote (YAML) becomes tables that verdicts are looked up in.
//! - [`stage`]: parse → classify → decide, over bursts of up to 64 frames.
//! - [`evasion`]: the catalogue of tricks to get past a filter, tried on the real stages.
//! - [`io`]: captures in and out; ports.
//! - [`worker`]: the loop that takes frames from port to port, one a core.
//! - [`control`]: what is beside the workers: reload, phases, the control socket.
//! - [`loadgen`]: load that is made up, what deciding it costs, and what follows from that.
//! - [`cli`]: one file a command.
//!
//! Imports point downward only (`tests/tidy.rs` checks it):
//!
//! ```text
//! wire, lpm, limit, stats  ←  policy  ←  stage, io  ←  worker, evasion  ←  control, loadgen  ←  cli
//! ```

pub mod cli;
pub mod control;
pub mod evasion;
pub mod io;
pub mod limit;
pub mod loadgen;
pub mod lpm;
pub mod policy;
pub mod stage;
pub mod stats;
pub mod wire;
pub mod worker;
