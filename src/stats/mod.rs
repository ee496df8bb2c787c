//! Verdicts, reasons, counters, and the law that they balance.

mod counters;
mod reason;
mod tally;

pub use counters::{Balance, ByVerdict, Count, Counters, counter_name};
pub use reason::{Reason, Verdict};
pub use tally::{Counted, Tally};
