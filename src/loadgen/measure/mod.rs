//! How figures are measured: clocks, medians and their intervals, and what disturbed a run.

mod clock;
mod noise;
mod statistics;

pub use clock::{clock_mhz, monotonic_ns, process_cpu_ns, thread_cpu_ns};
pub use noise::{Noise, Reading};
pub use statistics::{Interval, median_interval, quotient_interval};
