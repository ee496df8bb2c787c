//! How much hardware the traffic needs, and until when.
//!
//! [`read`] makes [`Traffic`] of a description in YAML; [`plan`] holds it against what a run of
//! `sekisho bench` measured. Nothing here reads a clock or a file: the same two inputs give the
//! same [`Plan`].
//!
//! ```text
//! links, frames ─▶ frames a second ─┐
//! subscribers ──▶ kinds of frames ──┤
//!                                   ├─▶ work ─▶ workers, queues, memory, dates
//! export ──▶ what a frame costs ────┤    ▲
//! description ──▶ the driver's cost ┘    └ growth, headroom, attacks, redundancy
//! ```
//!
//! Work is seconds of one worker in each second. A box with enough workers has room for the peak
//! with its headroom, and for the peak with each attack, without headroom. Every figure says how
//! it is known ([`Basis`]), and every assumption is listed.

mod assumptions;
mod basis;
mod cost;
mod dates;
mod keys;
mod memory;
mod model;
mod plan;
mod read;
mod scaling;
mod sensitivity;
mod traffic;

pub use assumptions::Assumption;
pub use basis::{Basis, Grounds};
pub use dates::{HORIZON_YEARS, Point};
pub use memory::Memory;
pub use plan::{
    AttackOutcome, CoreLoad, Figure, Frame, LinkLoad, Measured, Needed, Part, Plan, Queues, plan,
};
pub use read::{Loaded, is_too_far, read};
pub use sensitivity::Variation;
pub use traffic::{
    Addresses, Attack, AttackKind, Frames, IMIX, Link, OVERHEAD_BYTES, Redundancy, Setting,
    Subscribers, Traffic, line_pps,
};
