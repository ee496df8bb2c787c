//! Load that is made up, and what measures how fast it is decided.

mod compare;
pub mod engine;
mod export;
#[cfg(test)]
mod made_up;
pub mod measure;
pub mod report;
pub mod traffic;

pub use compare::{Change, Comparison, Finding};
pub use export::{
    Accounting, Case, Encapsulation, Estimate, Export, Family, LatencyNs, Loop, Machine, Mix,
    Offered, ReadError, SCHEMA, Settings, Size, StageCost,
};
