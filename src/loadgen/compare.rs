use super::measure::{Interval, quotient_interval};
use super::{Case, Export};
use serde::Serialize;

/// What changed from one run to another.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What became of each case that both have, in the order of the later run.
    pub changes: Vec<Change>,
    /// Cases of the earlier run only.
    pub only_before: Vec<String>,
    /// Cases of the later run only.
    pub only_after: Vec<String>,
    /// What makes the two hard to compare.
    pub warnings: Vec<String>,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// How many floors it took.
    pub ratio_before: f64,
    /// How many it takes.
    pub ratio_after: f64,
    /// How many times the earlier ratio the later one is.
    pub times: f64,
    /// The low end of its interval.
    pub times_low: f64,
    /// The high end.
    pub times_high: f64,
    /// What that means.
    pub finding: Finding,
}

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Slower by more than the threshold, and the interval excludes no change.
    Regression,
    /// Faster by more than the threshold, and the interval excludes no change.
    Gain,
    /// Neither.
    Same,
    /// A floor of the two was too slow: the ratios say nothing.
    Unsound,
}

impl Finding {
    /// The word in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Regression => "regression",
            Self::Gain => "gain",
            Self::Same => "same",
            Self::Unsound => "unsound",
        }
    }
}

impl Comparison {
    /// Holds a later run against an earlier one; changes within `threshold` (0.05: a twentieth)
    /// are none.
    pub fn new(before: &Export, after: &Export, threshold: f64) -> Self {
        let find =
            |run: &'_ Export, name: &str| run.cases.iter().position(|case| case.name == name);
        let lacks = |run: &Export, case: &Case| find(run, &case.name).is_none();
        let names = |of: &Export, other: &Export| {
            let cases = of.cases.iter().filter(|case| lacks(other, case));
            cases.map(|case| case.name.clone()).collect()
        };
        let changes = after.cases.iter().filter_map(|case| {
            let earlier = before.cases.get(find(before, &case.name)?)?;
            Some(Change::new(earlier, case, threshold))
        });
        Self {
            changes: changes.collect(),
            only_before: names(before, after),
            only_after: names(after, before),
            warnings: differences(before, after),
        }
    }

    /// Whether a case became slower.
    pub fn has_regression(&self) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| change.finding == Finding::Regression)
    }
}

impl Change {
    fn new(before: &Case, after: &Case, threshold: f64) -> Self {
        let times = quotient_interval(&ratios(before), &ratios(after))
            .unwrap_or_else(|| of_intervals(before, after));
        let finding = if !before.is_sound() || !after.is_sound() {
            Finding::Unsound
        } else if times.median > 1.0 + threshold && times.low > 1.0 {
            Finding::Regression
        } else if times.median < 1.0 / (1.0 + threshold) && times.high < 1.0 {
            Finding::Gain
        } else {
            Finding::Same
        };
        Self {
            name: after.name.clone(),
            ratio_before: before.ratio,
            ratio_after: after.ratio,
            times: times.median,
            times_low: times.low,
            times_high: times.high,
            finding,
        }
    }
}

/// The ratios of samples that stood side by side; none where the samples were not kept.
fn ratios(case: &Case) -> Vec<f64> {
    let pairs = case.whole.samples_ns.iter().zip(&case.floor.samples_ns);
    pairs.map(|(whole, floor)| whole / floor).collect()
}

/// From the intervals alone: as far apart as their ends can be.
fn of_intervals(before: &Case, after: &Case) -> Interval {
    Interval {
        median: after.ratio / before.ratio,
        low: after.ratio_low / before.ratio_high,
        high: after.ratio_high / before.ratio_low,
    }
}

fn differences(before: &Export, after: &Export) -> Vec<String> {
    let mut said = Vec::new();
    if before.machine.cpu != after.machine.cpu {
        said.push(format!(
            "the earlier run was on another processor: {}",
            before.machine.cpu
        ));
    }
    if before.settings.seed != after.settings.seed {
        said.push(format!(
            "the earlier run had other frames: seed {}, and {} now",
            before.settings.seed, after.settings.seed
        ));
    }
    if before.settings.optimised != after.settings.optimised {
        said.push("one of the two runs was of a program built without optimisation".into());
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loadgen::made_up;

    fn finding(before: &Export, after: &Export) -> Finding {
        Comparison::new(before, after, 0.05).changes[0].finding
    }

    /// A run whose one case has these ratios.
    fn run(ratios: &[f64]) -> Export {
        made_up::export(&[("a", ratios)])
    }

    #[test]
    fn a_case_is_slower_only_beyond_the_threshold_and_the_noise() {
        let before = run(&[2.00, 2.01, 2.02, 2.03, 2.04]);
        let slower = run(&[2.30, 2.31, 2.32, 2.33, 2.34]);
        assert_eq!(finding(&before, &slower), Finding::Regression);
        assert_eq!(finding(&slower, &before), Finding::Gain);
        // Surely slower, and not by a twentieth.
        let hardly = run(&[2.06, 2.07, 2.08, 2.09, 2.10]);
        assert_eq!(finding(&before, &hardly), Finding::Same);
        // Slower in the median, and too noisy to tell.
        let noisy = run(&[1.50, 1.60, 2.40, 2.60, 9.00]);
        assert_eq!(finding(&before, &noisy), Finding::Same);
        assert_eq!(finding(&before, &before), Finding::Same);
    }

    #[test]
    fn a_slow_floor_proves_nothing() {
        let before = run(&[2.00, 2.01, 2.02, 2.03, 2.04]);
        let mut slower = run(&[3.00, 3.01, 3.02, 3.03, 3.04]);
        slower.cases[0].floor_limit_ns = Some(0.9);
        assert_eq!(finding(&before, &slower), Finding::Unsound);
        assert!(!Comparison::new(&before, &slower, 0.05).has_regression());
    }

    #[test]
    fn without_samples_the_intervals_decide() {
        let without = |ratios: &[f64]| {
            let mut run = run(ratios);
            run.cases[0].whole.samples_ns.clear();
            run
        };
        let before = without(&[2.0, 2.0, 2.1, 2.2, 2.2]);
        let change = |after: &[f64]| {
            Comparison::new(&before, &without(after), 0.05)
                .changes
                .remove(0)
        };
        assert_eq!(change(&[2.1, 2.1, 2.3, 2.4, 2.4]).finding, Finding::Same);
        let slower = change(&[2.3, 2.3, 2.4, 2.5, 2.5]);
        assert_eq!(slower.finding, Finding::Regression);
        assert_eq!(
            (slower.times_low, slower.times_high),
            (2.3 / 2.2, 2.5 / 2.0)
        );
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let before = made_up::export(&[("a", &[2.0]), ("b", &[2.0])]);
        let mut after = made_up::export(&[("b", &[2.0]), ("c", &[2.0])]);
        after.machine.cpu = "another".into();
        after.settings.seed = 1;
        let found = Comparison::new(&before, &after, 0.05);
        assert_eq!(found.only_before, ["a"]);
        assert_eq!(found.only_after, ["c"]);
        assert_eq!(found.changes.len(), 1);
        assert_eq!(found.warnings.len(), 2, "{:?}", found.warnings);
    }
}
