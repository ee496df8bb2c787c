use super::{Reason, Verdict};
use crossbeam_utils::CachePadded;
use std::fmt;
use std::ops::AddAssign;

/// Frames, and their octets on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// Frames.
    pub frames: u64,
    /// Octets on the wire (the original length where a capture cut the frame).
    pub bytes: u64,
}

impl Count {
    /// One frame of so many octets.
    #[inline]
    pub fn of(bytes: u32) -> Self {
        Self {
            frames: 1,
            bytes: bytes.into(),
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.frames += other.frames;
        self.bytes += other.bytes;
    }
}

/// A count for each verdict.
pub type ByVerdict = [Count; Verdict::ALL.len()];

/// What was counted, by [`Tally`](super::Tally). Padded, so that neighbours share no cache line.
#[derive(Clone, Debug)]
pub struct Counters {
    by_reason: CachePadded<[ByVerdict; Reason::ALL.len()]>,
    /// Index 0: no rule.
    by_rule: Vec<ByVerdict>,
    /// Index 0: no plan.
    by_plan: Vec<ByVerdict>,
}

impl Counters {
    /// Counters for rules and plans numbered from 1; number 0 means "none".
    pub fn new(rules: usize, plans: usize) -> Self {
        Self {
            by_reason: CachePadded::default(),
            by_rule: vec![ByVerdict::default(); rules + 1],
            by_plan: vec![ByVerdict::default(); plans + 1],
        }
    }

    /// Takes over what others have counted; without an allocation, where they have as many rules
    /// and plans.
    pub fn copy(&mut self, other: &Self) {
        self.by_reason.clone_from(&other.by_reason);
        self.by_rule.clone_from(&other.by_rule);
        self.by_plan.clone_from(&other.by_plan);
    }

    pub(super) fn by_reason(&mut self, verdict: Verdict, reason: Reason, count: Count) {
        add(self.by_reason.get_mut(reason as usize), verdict, count);
    }

    pub(super) fn by_rule(&mut self, verdict: Verdict, rule: usize, count: Count) {
        add(self.by_rule.get_mut(rule), verdict, count);
    }

    pub(super) fn by_plan(&mut self, verdict: Verdict, plan: usize, count: Count) {
        add(self.by_plan.get_mut(plan), verdict, count);
    }

    /// The count of one verdict under one reason.
    pub fn reason(&self, verdict: Verdict, reason: Reason) -> Count {
        self.by_reason
            .get(reason as usize)
            .and_then(|row| row.get(verdict as usize))
            .copied()
            .unwrap_or_default()
    }

    /// Each verdict and reason that was counted, in the order of the tables.
    pub fn reasons(&self) -> impl Iterator<Item = (Verdict, Reason, Count)> + '_ {
        Verdict::ALL
            .into_iter()
            .flat_map(|verdict| Reason::ALL.iter().map(move |reason| (verdict, *reason)))
            .map(|(verdict, reason)| (verdict, reason, self.reason(verdict, reason)))
            .filter(|(_, _, count)| count.frames > 0)
    }

    /// By rule number; 0 is "no rule".
    pub fn rules(&self) -> &[ByVerdict] {
        &self.by_rule
    }

    /// By plan number; 0 is "no plan".
    pub fn plans(&self) -> &[ByVerdict] {
        &self.by_plan
    }

    /// The count of one verdict over all reasons.
    pub fn verdict(&self, verdict: Verdict) -> Count {
        Reason::ALL
            .iter()
            .fold(Count::default(), |mut sum, reason| {
                sum += self.reason(verdict, *reason);
                sum
            })
    }
}

fn add(row: Option<&mut ByVerdict>, verdict: Verdict, count: Count) {
    if let Some(cell) = row.and_then(|row| row.get_mut(verdict as usize)) {
        *cell += count;
    }
}

/// The name of a counter: `drop-port25-syn`.
pub fn counter_name(verdict: Verdict, reason: Reason) -> String {
    format!("{verdict}-{reason}")
}

/// The law of an offline run: every frame that was read has exactly one verdict.
///
/// `rx` is counted where frames are read, the verdicts where they are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Frames read.
    pub rx: u64,
    /// Frames of each verdict, in the order of [`Verdict::ALL`].
    pub verdicts: [u64; Verdict::ALL.len()],
}

impl Balance {
    /// Holds what was read against what was decided.
    pub fn new(rx: u64, counters: &Counters) -> Self {
        Self {
            rx,
            verdicts: Verdict::ALL.map(|verdict| counters.verdict(verdict).frames),
        }
    }

    /// Frames read and not decided; negative when more were decided than read.
    pub fn missing(&self) -> i128 {
        i128::from(self.rx)
            - self
                .verdicts
                .iter()
                .map(|frames| i128::from(*frames))
                .sum::<i128>()
    }

    /// Whether the law holds.
    pub fn closes(&self) -> bool {
        self.missing() == 0
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rx {}", self.rx)?;
        for (sign, (verdict, frames)) in std::iter::once('=')
            .chain(std::iter::repeat('+'))
            .zip(Verdict::ALL.iter().zip(self.verdicts))
        {
            write!(f, " {sign} {verdict} {frames}")?;
        }
        match self.missing() {
            0 => Ok(()),
            missing => write!(f, " (does not close: {missing} frames are missing)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_frame_shows_in_the_balance() {
        let mut counters = Counters::new(0, 0);
        counters.by_reason(Verdict::Indeterminate, Reason::Truncated, Count::of(60));
        assert!(Balance::new(1, &counters).closes());
        let short = Balance::new(3, &counters);
        assert_eq!(short.missing(), 2);
        assert_eq!(
            short.to_string(),
            "rx 3 = forward 0 + drop 0 + reject 0 + limit 0 + indeterminate 1 \
             (does not close: 2 frames are missing)"
        );
    }
}
