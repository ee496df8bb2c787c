//! Verdicts, reasons, counters, and the law that they balance.

mod counters;
mod reason;

pub use counters::{Balance, ByVerdict, Count, Counters, counter_name};
pub use reason::{Reason, Verdict};
