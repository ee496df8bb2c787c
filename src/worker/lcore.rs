use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::fmt;
use std::io;

/// A processor, as the system numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lcore(pub u32);

/// Why a worker cannot run where it should.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum LcoreError {
    #[error("there is no lcore {wanted} for this program: it may use {}", List(.usable))]
    NotUsable { wanted: Lcore, usable: Vec<Lcore> },

    #[error("lcore {0} is named twice, where each worker has one of its own")]
    Twice(Lcore),

    #[error("lcore {lcore}: the system refuses to pin a worker to it: {cause}")]
    Refused { lcore: Lcore, cause: io::Error },

    #[error("no worker can be started on lcore {lcore}: {cause}")]
    Thread { lcore: Lcore, cause: io::Error },

    #[error("the system does not say which lcores this program may use: {0}")]
    Unknown(io::Error),
}

impl Lcore {
    /// Those that this program may use, in order.
    ///
    /// # Errors
    /// The system does not say.
    pub fn usable() -> Result<Vec<Self>, LcoreError> {
        let set = sched_getaffinity(None).map_err(|cause| LcoreError::Unknown(cause.into()))?;
        let numbers = (0_u32..).zip(0..CpuSet::MAX_CPU);
        let usable = numbers.filter(|(_, index)| set.is_set(*index));
        Ok(usable.map(|(number, _)| Self(number)).collect())
    }

    /// Pins the calling thread.
    pub(super) fn pin(self) -> Result<(), LcoreError> {
        let mut set = CpuSet::new();
        // Of those that are usable, each has a place in the set.
        set.set(self.0 as usize);
        sched_setaffinity(None, &set).map_err(|cause| LcoreError::Refused {
            lcore: self,
            cause: cause.into(),
        })
    }

    /// Whether each can have a worker.
    pub(super) fn check(wanted: &[Self]) -> Result<(), LcoreError> {
        let usable = Self::usable()?;
        for (index, lcore) in wanted.iter().enumerate() {
            if !usable.contains(lcore) {
                let wanted = *lcore;
                return Err(LcoreError::NotUsable { wanted, usable });
            }
            if wanted.iter().take(index).any(|before| before == lcore) {
                return Err(LcoreError::Twice(*lcore));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Lcore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `0–3, 8`
struct List<'a>(&'a [Lcore]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.0.chunk_by(|one, next| one.0 + 1 == next.0);
        for (index, run) in runs.enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match run {
                [first, .., last] => write!(f, "{separator}{first}–{last}")?,
                _ => run
                    .iter()
                    .try_for_each(|one| write!(f, "{separator}{one}"))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_written_as_ranges() {
        for (lcores, text) in [
            (&[0][..], "0"),
            (&[0, 1], "0–1"),
            (&[1, 2, 3, 8, 10, 11], "1–3, 8, 10–11"),
        ] {
            let lcores: Vec<_> = lcores.iter().copied().map(Lcore).collect();
            assert_eq!(List(&lcores).to_string(), text);
        }
    }
}
