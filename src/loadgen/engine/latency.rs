use crate::loadgen::LatencyNs;
use hdrhistogram::Histogram;

/// Longer than this is recorded as this.
const LONGEST_NS: u64 = 60_000_000_000;

/// How long bursts took.
#[derive(Debug)]
pub struct Latency {
    histogram: Histogram<u64>,
}

impl Latency {
    /// Nothing recorded. `None` only if the bounds were wrong.
    pub fn new() -> Option<Self> {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3).ok()?;
        Some(Self { histogram })
    }

    /// Records one burst.
    pub fn record(&mut self, ns: u64) {
        self.histogram.saturating_record(ns);
    }

    /// By percentile; `None` when nothing was recorded.
    pub fn percentiles(&self) -> Option<LatencyNs> {
        let at = |quantile| self.histogram.value_at_quantile(quantile) as f64;
        (!self.histogram.is_empty()).then(|| LatencyNs {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: self.histogram.max() as f64,
        })
    }
}

/// How long bursts would have waited and taken, had one come every `interval_ns` whatever became
/// of those before it, to a worker that takes them one by one: what a closed loop hides
/// (coordinated omission). A burst's wait is what the one before it waited and took beyond the
/// interval.
pub fn offered(service_ns: &[u64], interval_ns: f64) -> Option<Latency> {
    let mut latency = Latency::new()?;
    let mut wait_ns = 0.0_f64;
    for service_ns in service_ns {
        let taken_ns = wait_ns + *service_ns as f64;
        latency.record(taken_ns as u64);
        wait_ns = (taken_ns - interval_ns).max(0.0);
    }
    Some(latency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_recorded_bursts() {
        let mut latency = Latency::new().unwrap();
        assert_eq!(latency.percentiles(), None);
        (1..=1_000).for_each(|ns| latency.record(ns));
        let found = latency.percentiles().unwrap();
        assert_eq!((found.p50, found.p90, found.p99), (500.0, 900.0, 990.0));
        assert_eq!((found.p99_9, found.max), (999.0, 1_000.0));
    }

    #[test]
    fn a_stall_delays_those_that_come_while_it_lasts() {
        // Every 100 ns a burst of 50, and one that stalls for 1,000: it delays the next by 900,
        // that one by 50 less, and so on: 18 wait, and 81 do not.
        let mut service = [50_u64; 100];
        service[10] = 1_000;
        let found = offered(&service, 100.0).unwrap();
        let counted = |from, to| found.histogram.count_between(from, to);
        assert_eq!(counted(1, 50), 81);
        assert_eq!(found.percentiles().unwrap().max, 1_000.0);
        assert_eq!(counted(900, 999), 2);
    }

    #[test]
    fn an_offered_rate_that_is_too_high_makes_bursts_wait_ever_longer() {
        let found = offered(&[200; 1_000], 100.0)
            .unwrap()
            .percentiles()
            .unwrap();
        assert!(found.max > 99_000.0, "{found:?}");
    }
}
