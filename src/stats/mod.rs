//! Verdicts, reasons, counters, and the law that they balance.

mod reason;

pub use reason::{Reason, Verdict};
