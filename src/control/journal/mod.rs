//! The plans that `plan set` gave above the policy's file, kept over restarts.
//!
//! The journal is a file of lines, one for each change, that only grows at its end. A change holds
//! once it is on the disk; what was torn there by a power cut is the last line, and it never held.

mod error;
mod file;
mod line;
mod overrides;

pub use error::JournalError;
pub use overrides::Overrides;

use super::protocol::PlanSet;
use file::Known;
use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Below so many lines, a journal is never written anew.
const FEW_LINES: u64 = 1_000;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// By whom: `uid 0 (root)`, or `sekisho` for what the clock does.
    pub who: String,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

/// What a change does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// A prefix has this plan.
    Set(PlanSet),
    /// It has the plan of the file again, because somebody said so.
    Unset {
        /// The prefix.
        prefix: IpNet,
    },
    /// The same, because its time was over.
    Expired {
        /// The prefix.
        prefix: IpNet,
    },
}

/// Where changes are kept.
#[derive(Debug)]
pub struct Journal {
    /// `None`: nowhere.
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    file: Known,
    /// Entries in the file.
    lines: u64,
    /// Why nothing more can be written to it.
    broken: Option<String>,
}

impl Journal {
    /// A journal that keeps nothing: for runs whose overrides end with them.
    pub fn none() -> Self {
        Self { kept: None }
    }

    /// Opens the journal, for this process alone, and makes it where it is missing; gives what it
    /// says to hold, and notes for people.
    ///
    /// What expired meanwhile is still among the overrides: see [`Overrides::expired`].
    ///
    /// # Errors
    /// Another process has it, it cannot be read, or one of its lines is damaged.
    pub fn open(path: &Path) -> Result<(Self, Overrides, Vec<String>), JournalError> {
        let (mut file, bytes) = Known::open(path)?;
        let whole = bytes.iter().rposition(|octet| *octet == b'\n');
        let whole = whole.map_or(0, |end| end + 1);
        let (lines, torn) = bytes.split_at(whole);
        let (overrides, lines) = replay(path, lines)?;
        let mut notes = Vec::new();
        if !torn.is_empty() {
            if !line::is_beginning(torn) {
                return Err(JournalError::Damaged {
                    path: path.to_owned(),
                    line: lines + 1,
                    offset: whole as u64,
                    what: "is not how a line begins".to_owned(),
                });
            }
            file.cut_to(whole as u64)?;
            notes.push(format!(
                "{}: the last line was cut off: {} octets without an end, of a change that was \
                 never answered",
                path.display(),
                torn.len()
            ));
        }
        let kept = Kept {
            file,
            lines,
            broken: None,
        };
        let kept = Some(kept);
        Ok((Self { kept }, overrides, notes))
    }

    /// What a journal says to hold, without taking it: for whoever only looks.
    ///
    /// # Errors
    /// It cannot be read, or one of its lines is damaged.
    pub fn peek(path: &Path) -> Result<Overrides, JournalError> {
        let bytes = std::fs::read(path).map_err(|cause| file::fault(path, "read", cause))?;
        let whole = bytes.iter().rposition(|octet| *octet == b'\n');
        let lines = bytes.get(..whole.map_or(0, |end| end + 1));
        Ok(replay(path, lines.unwrap_or_default())?.0)
    }

    /// Where it is, unless it is nowhere.
    pub fn path(&self) -> Option<&Path> {
        self.kept.as_ref().map(|kept| kept.file.path())
    }

    /// Writes changes: all are on the disk when this returns, or none is in the journal.
    ///
    /// # Errors
    /// They are not in the journal and must not be carried out. After
    /// [`JournalError::Broken`] the same comes until [`Journal::tidy`] succeeds.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), JournalError> {
        let Some(kept) = &mut self.kept else {
            return Ok(());
        };
        if let Some(why) = &kept.broken {
            return Err(kept.file.broken(why));
        }
        if entries.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for entry in entries {
            line::write(&mut text, entry).map_err(|cause| kept.file.fault("write", cause))?;
        }
        let appended = kept.file.append(&text);
        if appended.is_ok() {
            kept.lines += entries.len() as u64;
        }
        kept.note(appended)
    }

    /// Writes the journal anew, with a line for each override that holds, where it has grown beyond
    /// twice of that or is broken; tells whether it did.
    ///
    /// # Errors
    /// Nothing is lost: the journal is as it was before, or broken.
    pub fn tidy(&mut self, holding: &Overrides) -> Result<bool, JournalError> {
        let Some(kept) = &mut self.kept else {
            return Ok(false);
        };
        let living = holding.len() as u64;
        let grown = kept.lines > FEW_LINES.max(2 * living);
        if !grown && kept.broken.is_none() {
            return Ok(false);
        }
        let mut text = Vec::new();
        for entry in holding.entries() {
            line::write(&mut text, &entry).map_err(|cause| kept.file.fault("write", cause))?;
        }
        let replaced = kept.file.replace(&text);
        kept.note(replaced)?;
        kept.lines = living;
        kept.broken = None;
        Ok(true)
    }
}

impl Kept {
    /// Remembers that a write left the file in doubt.
    fn note(&mut self, written: Result<(), JournalError>) -> Result<(), JournalError> {
        if let Err(JournalError::Broken { why, .. }) = &written {
            self.broken = Some(why.clone());
        }
        written
    }
}

/// What holds after every line; and how many lines there are.
fn replay(path: &Path, lines: &[u8]) -> Result<(Overrides, u64), JournalError> {
    let mut overrides = Overrides::default();
    let mut count = 0;
    let mut offset = 0;
    for text in lines.split_inclusive(|octet| *octet == b'\n') {
        count += 1;
        let entry = line::read(text).map_err(|what| JournalError::Damaged {
            path: path.to_owned(),
            line: count,
            offset,
            what,
        })?;
        overrides.apply(&entry);
        offset += text.len() as u64;
    }
    Ok((overrides, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_in_doubt_takes_nothing_until_it_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("box.journal");
        let (mut journal, mut overrides, _) = Journal::open(&path).unwrap();
        let entry = |prefix: &str| Entry {
            at: Timestamp::UNIX_EPOCH,
            who: "sekisho".to_owned(),
            change: Change::Set(PlanSet {
                prefix: prefix.parse().unwrap(),
                plan: "fixed".to_owned(),
                ticket: None,
                expires: None,
            }),
        };
        journal.append(&[entry("10.0.0.0/24")]).unwrap();
        overrides.apply(&entry("10.0.0.0/24"));
        let kept = journal.kept.as_mut().unwrap();
        kept.file.lose_the_disk(&folder.path().join("other"));
        for _ in 0..2 {
            let error = journal.append(&[entry("10.0.1.0/24")]).unwrap_err();
            assert!(matches!(error, JournalError::Broken { .. }), "{error}");
        }
        assert!(journal.tidy(&overrides).unwrap(), "it is short, but broken");
        journal.append(&[entry("10.0.2.0/24")]).unwrap();
        overrides.apply(&entry("10.0.2.0/24"));
        drop(journal);
        assert_eq!(Journal::open(&path).unwrap().1, overrides);
    }
}
