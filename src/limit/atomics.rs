//! The atomics of the standard library; in a test under `--cfg loom` those of loom, which runs a
//! model through every order that the memory model allows.

#[cfg(not(all(test, loom)))]
pub(super) use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(test, loom))]
pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
