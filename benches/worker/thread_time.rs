use rustix::time::{ClockId, clock_gettime};

/// Processor time that a sample takes, about.
const SAMPLE_NS: f64 = 10e6;

/// Nanoseconds of this thread's processor time a frame.
pub(crate) fn ns_a_frame(frames: usize, pass: &mut dyn FnMut()) -> f64 {
    let once = time(1, pass);
    let passes = (SAMPLE_NS / once).ceil();
    time(passes as u32, pass) / passes / frames as f64
}

pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

pub(crate) fn thread_ns() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

fn time(passes: u32, pass: &mut dyn FnMut()) -> f64 {
    let begin = thread_ns();
    for _ in 0..passes {
        pass();
    }
    thread_ns() - begin
}
