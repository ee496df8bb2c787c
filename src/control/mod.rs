//! The threads beside the workers: what was asked for, what was changed, and when.

pub mod crew;
pub mod pipeline;
pub mod protocol;
mod totals;
mod trace;

pub use totals::Totals;
