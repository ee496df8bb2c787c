use std::fmt;
use std::sync::Arc;

use ipnet::Ipv4Net;

use super::{Headroom, Refused, changed};
use crate::lpm::TooLarge;
use crate::lpm::ipv4::{Ipv4Table, net, short, sorted};
use crate::lpm::readers::Readers;
use crate::lpm::trie::TrieWriter;

/// The one who changes an IPv4 table while workers look up in it.
///
/// ```
/// use sekisho::lpm::{Headroom, Ipv4Writer, Readers};
///
/// let readers = Readers::new();
/// let spare = Headroom { inner_pages: 16, leaf_pages: 1_024, ..Headroom::default() };
/// let pool = ("198.51.100.0/24".parse()?, 1);
/// let mut writer = Ipv4Writer::build(&[pool], spare, &readers, 1 << 20)?;
///
/// // On a worker's thread:
/// let table = writer.table().clone();
/// let mut reader = readers.register();
/// reader.announce();
/// assert_eq!(table.lookup(0xC633_6407), 1);
///
/// writer.insert("198.51.100.7/32".parse()?, 2)?;
/// assert_eq!(table.lookup(0xC633_6407), 2);
/// writer.remove("198.51.100.7/32".parse()?);
/// assert_eq!(table.lookup(0xC633_6407), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ipv4Writer {
    table: Arc<Ipv4Table>,
    readers: Arc<Readers>,
    trie: TrieWriter<1>,
}

impl Ipv4Writer {
    /// Builds a table as [`Ipv4Table::build`] does, with room for changes.
    ///
    /// # Errors
    /// [`TooLarge`] when the table, with its headroom, would take more than `limit_bytes`. What
    /// the writer itself keeps (the prefixes, and counts of pages) is not in that sum.
    pub fn build(
        prefixes: &[(Ipv4Net, u8)],
        headroom: Headroom,
        readers: &Arc<Readers>,
        limit_bytes: u64,
    ) -> Result<Self, TooLarge> {
        let sorted = sorted(prefixes);
        let table = Ipv4Table::paged(&sorted, headroom, limit_bytes)?;
        Ok(Self {
            trie: TrieWriter::new(&table.trie, &sorted),
            readers: Arc::clone(readers),
            table: Arc::new(table),
        })
    }

    /// What the table of [`Self::build`] would take, in bytes.
    pub fn needed_bytes(prefixes: &[(Ipv4Net, u8)], headroom: Headroom) -> u64 {
        Ipv4Table::paged_bytes(prefixes, headroom)
    }

    /// The table, for readers.
    pub fn table(&self) -> &Arc<Ipv4Table> {
        &self.table
    }

    /// Gives a prefix a value, be it new or not; the value that it had.
    ///
    /// # Errors
    /// The prefix is new and there is no page for it: nothing was changed.
    pub fn insert(&mut self, net: Ipv4Net, value: u8) -> Result<Option<u8>, Refused> {
        let prefix = short(net, value);
        self.trie.insert(&self.table.trie, &self.readers, prefix)
    }

    /// Takes a prefix out; the value that it had. Its addresses take the value around it.
    pub fn remove(&mut self, net: Ipv4Net) -> Option<u8> {
        let prefix = short(net, 0);
        self.trie.remove(&self.table.trie, &self.readers, prefix)
    }

    /// Builds a new table from the prefixes and some changes of them (`None` takes one out), with
    /// new headroom, and writes to that from now on. The old table is not changed any more.
    ///
    /// # Errors
    /// As [`Self::build`]; the writer is then as it was.
    pub fn rebuild(
        &mut self,
        changes: &[(Ipv4Net, Option<u8>)],
        headroom: Headroom,
        limit_bytes: u64,
    ) -> Result<(), TooLarge> {
        let prefixes = changed(self.prefixes(), changes, Ipv4Net::trunc);
        *self = Self::build(&prefixes, headroom, &self.readers, limit_bytes)?;
        Ok(())
    }

    /// The prefixes and their values, in no order.
    pub fn prefixes(&self) -> Vec<(Ipv4Net, u8)> {
        let prefixes = self.trie.prefixes(&self.table.trie).into_iter();
        prefixes.filter_map(net).collect()
    }

    /// Takes back the pages that all readers have left, and says how many still wait. Insertions
    /// do so by themselves when they need one.
    pub fn reclaim(&mut self) -> usize {
        self.trie.reclaim(&self.readers);
        self.trie.retired()
    }
}

/// Not its prefixes, which may be millions.
impl fmt::Debug for Ipv4Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ipv4Writer")
            .field("table", &self.table)
            .field("retired", &self.trie.retired())
            .finish_non_exhaustive()
    }
}
