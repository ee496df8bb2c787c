//! Interfaces of the system.
mod propagation;
pub use propagation::{GRACE_NS, Propagation, SetLink, Side};
