//! What measures the engine: cases, the loop that times them, what a run leaves behind.

mod export;

pub use export::{
    Accounting, Case, Encapsulation, Estimate, Export, Family, LatencyNs, Loop, Machine, Mix,
    ReadError, SCHEMA, Settings, Size, Spread, StageCost,
};
