//! Frames for benchmarks, laid out in memory as a ring of receive buffers would hold their
//! headers.

mod layout;
mod random;

pub(crate) use layout::{Layout, Talk, any_address};
pub(crate) use random::Random;

/// What fits a first- or second-level cache, and what does not.
pub(crate) const POOLS: [usize; 2] = [4_096, 262_144];
