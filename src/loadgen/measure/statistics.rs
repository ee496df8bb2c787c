/// A median and the interval around it, in whatever the samples are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub median: f64,
    /// The low end.
    pub low: f64,
    /// The high end.
    pub high: f64,
}

/// How often an interval may miss what it is to hold, at either end.
const MISS: f64 = 0.025;

/// The median of samples, and a distribution-free interval of it by order statistics: the
/// narrowest that two samples at equal distance from the ends enclose, and that holds the true
/// median in at least 95 of 100 runs. Of five samples that is their whole range, which holds it
/// in 93.75. `None` of no samples.
pub fn median_interval(samples: &[f64]) -> Option<Interval> {
    let tosses = samples.len();
    // The true median lies below the k-th smallest sample as often as a coin tossed so many times
    // shows heads fewer than k times.
    let mut ways = 0.5_f64.powi(i32::try_from(tosses).unwrap_or(i32::MAX));
    let heads = (0..tosses).map(|k| {
        let of_k = ways;
        ways *= (tosses - k) as f64 / (k + 1) as f64;
        of_k
    });
    enclosed(samples, within_miss(heads))
}

/// How many times `before` the samples of `after` are: the median of all quotients of one by the
/// other (Hodges and Lehmann), and the interval in which a rank test (Mann and Whitney) at 5 %
/// would not tell the two apart. Exact for few samples and for any distribution; the two need not
/// have equally many. `None` when one has none, or a sample is not above 0.
pub fn quotient_interval(before: &[f64], after: &[f64]) -> Option<Interval> {
    if before.iter().chain(after).any(|sample| *sample <= 0.0) {
        return None;
    }
    let quotients: Vec<_> = after
        .iter()
        .flat_map(|after| before.iter().map(move |before| after / before))
        .collect();
    let orders = orders_by_inversions(before.len(), after.len());
    let all: f64 = orders.iter().sum();
    enclosed(
        &quotients,
        within_miss(orders.iter().map(|ways| ways / all)),
    )
}

/// The median, and the samples that lie so many places from the ends, or at the ends.
fn enclosed(samples: &[f64], from_ends: Option<usize>) -> Option<Interval> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let from_ends = from_ends.unwrap_or(0);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    let median = match sorted.len().is_multiple_of(2) {
        true => f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, upper),
        false => upper,
    };
    Some(Interval {
        median,
        low: *sorted.get(from_ends)?,
        high: *sorted.get(sorted.len().checked_sub(1 + from_ends)?)?,
    })
}

/// The last of these probabilities up to which they add up to no more than [`MISS`].
fn within_miss(probabilities: impl Iterator<Item = f64>) -> Option<usize> {
    let sums = probabilities.scan(0.0, |sum, probability| {
        *sum += probability;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= MISS).count().checked_sub(1)
}

/// In how many orders of so many samples of each side there are 0, 1, 2 … pairs in which the
/// second side's is the smaller: the coefficients of the Gaussian binomial, a product of
/// (1 - q^(a + j)) / (1 - q^j).
#[expect(clippy::indexing_slicing, reason = "the ranges end at the length")]
fn orders_by_inversions(a: usize, b: usize) -> Vec<f64> {
    let mut ways = vec![0.0; a * b + 1];
    ways[0] = 1.0;
    for j in 1..=b {
        for pairs in (a + j..ways.len()).rev() {
            ways[pairs] -= ways[pairs - a - j];
        }
        for pairs in j..ways.len() {
            ways[pairs] += ways[pairs - j];
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(median: f64, low: f64, high: f64) -> Option<Interval> {
        Some(Interval { median, low, high })
    }

    #[test]
    fn medians_have_the_intervals_of_the_sign_tests_table() {
        let up_to = |n: u32| (1..=n).rev().map(f64::from).collect::<Vec<_>>();
        assert_eq!(median_interval(&[]), None);
        assert_eq!(median_interval(&[7.0]), interval(7.0, 7.0, 7.0));
        // Ranks of the 95 % interval of a median, as textbooks print them.
        assert_eq!(median_interval(&up_to(5)), interval(3.0, 1.0, 5.0));
        assert_eq!(median_interval(&up_to(6)), interval(3.5, 1.0, 6.0));
        assert_eq!(median_interval(&up_to(9)), interval(5.0, 2.0, 8.0));
        assert_eq!(median_interval(&up_to(15)), interval(8.0, 4.0, 12.0));
        assert_eq!(median_interval(&up_to(20)), interval(10.5, 6.0, 15.0));
    }

    #[test]
    fn orders_are_counted_as_all_permutations_are() {
        // Two of one side and two of the other: 1, 1, 2, 1, 1 of six orders.
        assert_eq!(orders_by_inversions(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0]);
        assert_eq!(orders_by_inversions(9, 9).iter().sum::<f64>(), 48_620.0);
        // The critical values of the rank test's table, two-sided, 5 %.
        let critical = |a, b| {
            let orders = orders_by_inversions(a, b);
            let all: f64 = orders.iter().sum();
            within_miss(orders.iter().map(|ways| ways / all))
        };
        assert_eq!(critical(3, 3), None);
        assert_eq!(critical(4, 4), Some(0));
        assert_eq!(critical(5, 5), Some(2));
        assert_eq!(critical(5, 8), Some(6));
        assert_eq!(critical(9, 9), Some(17));
        assert_eq!(critical(20, 20), Some(127));
    }

    #[test]
    fn a_quotient_is_the_median_of_all_quotients() {
        let before = [10.0, 11.0, 12.0, 13.0, 14.0];
        let twice = before.map(|sample| 2.0 * sample);
        let found = quotient_interval(&before, &twice).unwrap();
        assert_eq!(found.median, 2.0);
        // The third of the 25 from either end: 20/14, 20/13, 22/14 … 28/11, 26/10, 28/10.
        assert_eq!((found.low, found.high), (22.0 / 14.0, 28.0 / 11.0));
        let same = quotient_interval(&before, &before).unwrap();
        assert!(same.low < 1.0 && 1.0 < same.high);
        assert_eq!(quotient_interval(&before, &[]), None);
        assert_eq!(quotient_interval(&[0.0], &before), None);
    }
}
