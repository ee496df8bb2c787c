use rustix::time::{ClockId, Timespec, clock_gettime};
use std::hint::black_box;

/// Nanoseconds of processor time that this thread has had: what others take does not count.
pub fn thread_cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

/// Nanoseconds of processor time that all threads of this program have had.
pub fn process_cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}

/// Nanoseconds since some instant in the past, whoever had the processor.
pub fn monotonic_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

fn nanoseconds(time: Timespec) -> u64 {
    // None of these clocks begins before 0.
    (time.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec as u64)
}

/// The rate of this core's clock in MHz, from a chain of additions and exclusive ors that each
/// wait for the one before: one cycle each, on every processor that this runs on. `None` without
/// optimisation, where the loop is about something else.
pub fn clock_mhz() -> Option<f64> {
    const STEPS: u32 = 100_000;
    if cfg!(debug_assertions) {
        return None;
    }
    // The shortest of three: an interrupt only ever adds.
    let taken_ns = (0..3)
        .map(|_| {
            let (add, flip) = (black_box(3_u64), black_box(5_u64));
            let begin_ns = thread_cpu_ns();
            let mut chain = black_box(1_u64);
            for _ in 0..STEPS {
                chain = chain.wrapping_add(add) ^ flip;
            }
            black_box(chain);
            thread_cpu_ns() - begin_ns
        })
        .min()?;
    (taken_ns > 0).then(|| f64::from(2 * STEPS) * 1e3 / taken_ns as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sleep_takes_time_and_no_processor() {
        let begin = [monotonic_ns(), thread_cpu_ns()];
        std::thread::sleep(Duration::from_millis(50));
        let [passed_ns, had_ns] = [monotonic_ns() - begin[0], thread_cpu_ns() - begin[1]];
        assert!(passed_ns >= 50_000_000, "{passed_ns}");
        assert!(had_ns < 25_000_000, "{had_ns}");
    }
}
