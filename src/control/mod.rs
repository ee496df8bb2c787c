//! The threads beside the workers: what was asked for, what was changed, and when.

pub mod accounts;
pub mod journal;
pub mod line;
mod lock;
pub mod protocol;
pub mod socket;
