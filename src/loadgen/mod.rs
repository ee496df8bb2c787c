//! What measures the engine, and what follows from measurements.
//!
//! - [`Export`]: what a run of `sekisho bench` leaves behind.
//! - [`capacity`]: from an export and a description of the traffic, how much hardware is needed.
//! - [`page`]: one offline HTML page with charts, for reports that people read.

pub mod capacity;
mod export;
pub mod page;

pub use export::{
    Accounting, Case, Encapsulation, Estimate, Export, Family, LatencyNs, Loop, Machine, Mix,
    ReadError, SCHEMA, Settings, Size, Spread, StageCost,
};
