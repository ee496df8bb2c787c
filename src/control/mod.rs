//! The threads beside the workers: what was asked for, what was changed, and when.

pub mod pipeline;
pub mod protocol;
