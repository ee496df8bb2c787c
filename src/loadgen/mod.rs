//! Load that is made up, what deciding it costs, and what follows from that.
//!
//! - [`traffic`]: frames after a stated model.
//! - [`engine`]: cases, and the loop that measures one; [`measure`]: clocks, medians, noise.
//! - [`Export`]: what a run of `sekisho bench` leaves behind; [`Comparison`]: of two runs;
//!   [`report`]: in tables and charts.
//! - [`capacity`]: from an export and a description of the traffic, how much hardware is needed.
//! - [`page`]: one offline HTML page with charts, for reports that people read.

pub mod capacity;
mod compare;
pub mod engine;
mod export;
#[cfg(test)]
mod made_up;
pub mod measure;
pub mod page;
pub mod report;
pub mod traffic;

pub use compare::{Change, Comparison, Finding};
pub use export::{
    Accounting, Case, Encapsulation, Estimate, Export, Family, LatencyNs, Loop, Machine, Mix,
    Offered, ReadError, SCHEMA, Settings, Size, StageCost,
};
pub use traffic::Spread;
