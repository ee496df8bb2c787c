//! What measures the engine: cases, the loop that times them, what a run leaves behind.

mod compare;
pub mod engine;
mod export;
#[cfg(test)]
mod made_up;
pub mod measure;
pub mod report;

pub use compare::{Change, Comparison, Finding};
pub use export::{
    Accounting, Case, Encapsulation, Estimate, Export, Family, LatencyNs, Loop, Machine, Mix,
    Offered, ReadError, SCHEMA, Settings, Size, Spread, StageCost,
};
