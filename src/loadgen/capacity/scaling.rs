//! What several workers do together.

use super::basis::Basis;
use crate::loadgen::{Export, Loop};

/// What each worker after the first adds where nobody measured it.
const ASSUMED: f64 = 0.9;

/// Workers → how many times the work of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scaling {
    /// Workers and what they do together, from (1, 1) on.
    points: Vec<(f64, f64)>,
    /// What each worker beyond the last point adds.
    further: f64,
    pub(super) basis: Basis,
    pub(super) text: String,
}

impl Scaling {
    /// From the description, else from the loops of the export, else the default.
    pub(super) fn new(given: Option<f64>, export: &Export) -> Self {
        match given {
            Some(further) => Self::flat(further, Basis::Given, "the description".into()),
            None => Self::measured(export).unwrap_or_else(|| {
                let text = "the export has no loop with one worker and with several: default";
                Self::flat(ASSUMED, Basis::Assumed, text.into())
            }),
        }
    }

    /// Each worker after the first adds the same.
    pub(super) fn flat(further: f64, basis: Basis, text: String) -> Self {
        Self {
            points: vec![(1.0, 1.0)],
            further,
            basis,
            text,
        }
    }

    fn measured(export: &Export) -> Option<Self> {
        let single = |each: &&Loop| {
            let of_it = export.loops.iter().filter(|other| other.name == each.name);
            each.workers == 1 && of_it.into_iter().any(|other| other.workers > 1)
        };
        let one = export
            .loops
            .iter()
            .filter(single)
            .min_by_key(|each| each.frame_bytes)?;
        let of_it = export.loops.iter().filter(|other| other.name == one.name);
        let mut points: Vec<(f64, f64)> = of_it
            .map(|each| (f64::from(each.workers), each.mpps / one.mpps))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points.dedup_by(|a, b| a.0 == b.0);
        let (last, before) = (points.last()?, points.iter().rev().nth(1)?);
        // Noise must not promise more than the hardware has, nor that workers are in vain.
        let further = ((last.1 - before.1) / (last.0 - before.0)).clamp(0.05, 1.0);
        let text = format!(
            "loop {}: {} workers do {:.2} × one; each further worker adds {further:.2}",
            one.name, last.0, last.1
        );
        Some(Self {
            points,
            further,
            basis: Basis::Measured,
            text,
        })
    }

    /// What so many workers do, in workers.
    pub(super) fn work(&self, workers: u32) -> f64 {
        let workers = f64::from(workers);
        let after = self.points.iter().position(|point| point.0 >= workers);
        match after.and_then(|after| Some((after, self.points.get(after)?))) {
            Some((_, point)) if point.0 == workers => point.1,
            Some((after, point)) => {
                let before = after
                    .checked_sub(1)
                    .and_then(|before| self.points.get(before));
                let before = before.copied().unwrap_or((0.0, 0.0));
                let share = (workers - before.0) / (point.0 - before.0);
                before.1 + share * (point.1 - before.1)
            }
            None => {
                let last = self.points.last().copied().unwrap_or((0.0, 0.0));
                last.1 + (workers - last.0) * self.further
            }
        }
    }

    /// How [`Scaling::work`] of so many workers is known.
    pub(super) fn basis(&self, workers: u32) -> Basis {
        let point = self
            .points
            .iter()
            .any(|point| point.0 == f64::from(workers));
        match self.basis {
            Basis::Measured if !point => Basis::Extrapolated,
            basis => basis,
        }
    }
}
