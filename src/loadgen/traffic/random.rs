//! Draws that are the same on every machine: whole numbers only.

use rand::{Rng as _, SeedableRng as _};
use rand_distr::{Distribution as _, Zipf};
use rand_pcg::Pcg64Mcg;

/// One stream of draws.
#[derive(Clone, Debug)]
pub(super) struct Random(Pcg64Mcg);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`; 0 for an end of 0. Its bias is `end` in 2⁶⁴.
    #[inline]
    pub(super) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A number from `first` to `last`, both included.
    #[inline]
    pub(super) fn between(&mut self, first: u128, last: u128) -> u128 {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        match (last - first).checked_add(1) {
            Some(count) => first + bits % count,
            None => bits,
        }
    }

    /// One of them; `None` if there is none.
    #[inline]
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len() as u64) as usize).copied()
    }
}

/// Draws one of several outcomes, each as often as its share says.
#[derive(Clone, Debug)]
pub(super) struct Mix {
    shares: Vec<f64>,
    /// By outcome: where its stretch of the 2⁶⁴ draws ends.
    ends: Vec<u128>,
}

impl Mix {
    /// Shares are of their sum; without any, there is nothing to draw.
    pub(super) fn new(weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let shares: Vec<_> = weights.iter().map(|weight| weight / total).collect();
        let whole = 1_u128 << 64;
        let last = weights.iter().rposition(|weight| *weight > 0.0);
        let mut sum = 0.0;
        let ends = shares.iter().enumerate().map(|(index, share)| {
            sum += share;
            // Whatever rounding left over belongs to the last outcome that there is.
            if Some(index) >= last {
                whole
            } else {
                ((sum * whole as f64) as u128).min(whole)
            }
        });
        Self {
            ends: ends.collect(),
            shares,
        }
    }

    /// The place of an outcome; 0 where there is none.
    #[inline]
    pub(super) fn draw(&self, random: &mut Random) -> usize {
        if self.ends.len() < 2 {
            return 0;
        }
        let draw = u128::from(random.next());
        let place = self.ends.iter().position(|end| draw < *end);
        place.unwrap_or(0)
    }

    pub(super) fn shares(&self) -> &[f64] {
        &self.shares
    }
}

/// Draws one of `count` things, some far more often than others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranks {
    count: u64,
    /// How often: by rank; `None`: all alike.
    zipf: Option<Zipf<f64>>,
    /// From rank to thing: neighbours in rank are far from each other.
    stride: u64,
}

impl Ranks {
    /// Ranks by a Zipf law, or all alike; `None` for nothing to draw, or an exponent that is no
    /// number from 0 up.
    pub(super) fn new(count: u64, exponent: Option<f64>) -> Option<Self> {
        let zipf = match exponent {
            Some(exponent) => Some(Zipf::new(count as f64, exponent).ok()?),
            None => None,
        };
        Some(Self {
            count: (count > 0).then_some(count)?,
            zipf,
            stride: stride(count),
        })
    }

    #[inline]
    pub(super) fn draw(&self, random: &mut Random) -> u64 {
        let Some(zipf) = self.zipf else {
            return random.below(self.count);
        };
        let rank = (zipf.sample(&mut random.0) as u64).clamp(1, self.count) - 1;
        let place = u128::from(rank) * u128::from(self.stride) + u128::from(self.count / 3);
        (place % u128::from(self.count)) as u64
    }
}

/// Near the golden section of `count`, and without a common divisor: every rank has its place.
fn stride(count: u64) -> u64 {
    let golden = ((u128::from(count) * 0x9e37_79b9_7f4a_7c15) >> 64) as u64;
    let mut stride = golden.max(1);
    while greatest_common_divisor(stride, count) > 1 {
        stride += 1;
    }
    stride
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_has_a_place_of_its_own() {
        for count in [1, 2, 3, 10, 12, 97, 1_000] {
            let ranks = Ranks::new(count, Some(0.0)).unwrap();
            let places: std::collections::BTreeSet<_> = (0..count)
                .map(|rank| (rank * ranks.stride + count / 3) % count)
                .collect();
            assert_eq!(places.len() as u64, count);
        }
    }

    #[test]
    fn what_has_no_share_never_comes() {
        let mut random = Random::new(1);
        for weights in [[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]] {
            let mix = Mix::new(&weights);
            for _ in 0..1_000 {
                assert!(weights[mix.draw(&mut random)] > 0.0);
            }
        }
    }
}
