use crate::lpm::{Reader, Readers};
use crate::policy::Tables;
use crate::stats::Tally;
use arc_swap::{ArcSwap, Cache};
use std::fmt;
use std::sync::Arc;

/// The tables that workers decide by, as of now; whoever controls them replaces them.
#[derive(Debug)]
pub struct Current {
    tables: ArcSwap<Tables>,
    readers: Arc<Readers>,
}

impl Current {
    /// These tables, until others take their place. Whoever writes to them waits for the readers:
    /// each worker is one.
    pub fn new(tables: Arc<Tables>, readers: Arc<Readers>) -> Self {
        Self {
            tables: ArcSwap::new(tables),
            readers,
        }
    }

    /// Puts other tables in their place, of another phase of the same policies: rules and plans keep
    /// their numbers. Each worker has them from its next burst on.
    ///
    /// The ones from before are the caller's to keep until no worker has them any more (until
    /// `Arc::strong_count` says so), so that none of them frees large tables.
    #[must_use = "dropped at once, they are freed by the last worker that uses them"]
    pub fn replace(&self, tables: Arc<Tables>) -> Arc<Tables> {
        self.tables.swap(tables)
    }

    /// A tally with a place for each rule and plan.
    pub(super) fn tally(&self) -> Tally {
        let tables = self.tables.load();
        let legend = &tables.legend;
        Tally::new(legend.rule_ids().len(), legend.plan_ids().len())
    }

    pub(super) fn latest(&self) -> Latest<'_> {
        Latest {
            reader: self.readers.register(),
            tables: Cache::new(&self.tables),
        }
    }
}

/// What one worker sees of [`Current`].
pub(super) struct Latest<'t> {
    reader: Reader,
    tables: Cache<&'t ArcSwap<Tables>, Arc<Tables>>,
}

impl Latest<'_> {
    /// Announces a burst; gives its tables. Every poll does so, also one that finds no frames.
    #[inline]
    pub(super) fn announce(&mut self) -> &Tables {
        self.reader.announce();
        self.tables.load()
    }
}

impl fmt::Debug for Latest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Latest")
    }
}
