use crate::policy::Tables;
use crate::stats::Tally;
use arc_swap::{ArcSwap, Cache};
use std::fmt;
use std::sync::Arc;

/// The tables that workers decide by, as of now; whoever controls them replaces them.
#[derive(Debug)]
pub struct Current {
    tables: ArcSwap<Tables>,
}

impl Current {
    /// These tables, until others take their place.
    pub fn new(tables: Arc<Tables>) -> Self {
        Self {
            tables: ArcSwap::new(tables),
        }
    }

    /// Puts other tables in their place, of another phase of the same policies: rules and plans keep
    /// their numbers. Each worker has them from its next burst on.
    ///
    /// The ones from before are the caller's to keep until every worker has come so far, so that
    /// none of them frees large tables.
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
        Latest(Cache::new(&self.tables))
    }
}

/// What one worker sees of [`Current`].
pub(super) struct Latest<'t>(Cache<&'t ArcSwap<Tables>, Arc<Tables>>);

impl Latest<'_> {
    /// The tables of this burst. As long as nobody replaces them, nothing is written.
    #[inline]
    pub(super) fn load(&mut self) -> &Tables {
        self.0.load()
    }
}

impl fmt::Debug for Latest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Latest")
    }
}
