//! `bench engine`: frames in memory through the stages, beside the floor of the same frames.
//!
//! ```text
//!  spec ─▶ tables, pool of frames ─▶ floor, whole, floor, whole … ─▶ medians, ratio
//!                                 └▶ parse; parse and classify; … ─▶ what each stage takes
//!                                 └▶ one burst after the other    ─▶ latency
//! ```
//! Whole loops, from a port through a worker to a port, are measured beside it.

mod gate;
mod latency;
mod load;
mod looped;
mod measure;
mod names;
mod pool;
mod spec;
mod stages;

pub use gate::floor_limit_ns;
pub use latency::{Latency, offered};
pub use load::LoadError;
pub use looped::{LoopError, measure_loop};
pub use measure::{Measured, Sampling, measure};
pub use names::{
    SpecError, parse_account, parse_frames, parse_share, parse_size, parse_table, select,
};
pub use pool::{Pool, TooLarge, floor};
pub use spec::{Axes, DEFAULTS, Spec};
