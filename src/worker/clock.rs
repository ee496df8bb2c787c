use crate::limit::Moment;
use rustix::time::{ClockId, clock_gettime};

/// The monotonic clock, read once a burst where a rate depends on it: no system call, the kernel
/// maps it into the process.
#[inline]
pub(super) fn now() -> Moment {
    let now = clock_gettime(ClockId::Monotonic);
    // Neither is negative since the machine started.
    let [seconds, nanoseconds] = [now.tv_sec, now.tv_nsec].map(i64::unsigned_abs);
    Moment(seconds * 1_000_000_000 + nanoseconds)
}
