//! The threads beside the workers: what was asked for, what was changed, and when.

pub mod accounts;
pub mod crew;
pub mod journal;
pub mod line;
mod lock;
pub mod pipeline;
pub mod protocol;
pub mod run;
pub mod socket;
pub mod supervisor;
mod totals;
mod trace;

pub use totals::Totals;
