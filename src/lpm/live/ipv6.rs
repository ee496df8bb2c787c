use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

use ipnet::Ipv6Net;
use prefix_trie::PrefixMap;

use super::{Headroom, Part, Refused, changed};
use crate::lpm::TooLarge;
use crate::lpm::exact::{Exact, ExactWriter};
use crate::lpm::ipv6::{FIRST_EXACT_LENGTH, Ipv6Table, Layout, TRIE_LENGTH};
use crate::lpm::readers::Readers;
use crate::lpm::trie::{Short, TrieWriter};

/// The one who changes an IPv6 table while workers look up in it.
///
/// - Up to /40 a change is made in the trie.
/// - From /41 to /64 it is made in the exact table of its length. A length that was rare when the
///   table was built, or not there, is expanded into the next longer one that has a table: a /52
///   is 16 keys of /56. If there is none, or it has no room, the table must be rebuilt.
/// - Prefixes longer than /64 are not changed in place: the table must be rebuilt.
pub struct Ipv6Writer {
    table: Arc<Ipv6Table>,
    readers: Arc<Readers>,
    trie: TrieWriter<2>,
    /// One for each exact table.
    exact: Vec<ExactWriter>,
    /// The prefixes that are expanded into an exact table of longer ones.
    expanded: PrefixMap<Key, u8>,
    hosts: Vec<(Ipv6Net, u8)>,
}

impl Ipv6Writer {
    /// Builds a table as [`Ipv6Table::build`] does, with room for changes.
    ///
    /// # Errors
    /// [`TooLarge`] when the table, with its headroom, would take more than `limit_bytes`. What
    /// the writer itself keeps (the keys, and counts of pages) is not in that sum.
    pub fn build(
        prefixes: &[(Ipv6Net, u8)],
        headroom: Headroom,
        readers: &Arc<Readers>,
        limit_bytes: u64,
    ) -> Result<Self, TooLarge> {
        let layout = Layout::of(prefixes, headroom);
        let table = Ipv6Table::from_layout(&layout, limit_bytes)?;
        let mut expanded = PrefixMap::new();
        let mut writers = Vec::new();
        for (exact, layout) in table.exact.iter().zip(&layout.exact) {
            let prefixes = || layout.sorted.iter();
            let own = prefixes().filter(|prefix| prefix.length == layout.length);
            let own = own.map(|prefix| prefix.high());
            writers.push(ExactWriter::new(exact, &layout.keys(), own));
            let shorter = prefixes().filter(|prefix| prefix.length < layout.length);
            for prefix in shorter {
                expanded.insert(key(prefix.high(), prefix.length), prefix.value);
            }
        }
        let hosts = layout.hosts.iter();
        let hosts = hosts.filter_map(|host| net(host.address, host.length, host.value));
        Ok(Self {
            trie: TrieWriter::new(&table.short, &layout.short),
            exact: writers,
            expanded,
            hosts: hosts.collect(),
            readers: Arc::clone(readers),
            table: Arc::new(table),
        })
    }

    /// What the table of [`Self::build`] would take, in bytes.
    pub fn needed_bytes(prefixes: &[(Ipv6Net, u8)], headroom: Headroom) -> u64 {
        Layout::of(prefixes, headroom).bytes()
    }

    /// The table, for readers.
    pub fn table(&self) -> &Arc<Ipv6Table> {
        &self.table
    }

    /// Gives a prefix a value, be it new or not; the value that it had.
    ///
    /// # Errors
    /// There is no room for the prefix, or no place: nothing was changed.
    pub fn insert(&mut self, net: Ipv6Net, value: u8) -> Result<Option<u8>, Refused> {
        let (high, length) = high_bits(net);
        match length {
            0..=TRIE_LENGTH => {
                let prefix = Short::new(high, length, value);
                self.trie.insert(&self.table.short, &self.readers, prefix)
            }
            FIRST_EXACT_LENGTH..=64 => self.change(high, length, Some(value)),
            _ => Err(Refused::Rebuild(Part::Hosts)),
        }
    }

    /// Takes a prefix out; the value that it had. Its addresses take the value around it.
    ///
    /// # Errors
    /// The prefix is longer than /64: nothing was changed.
    pub fn remove(&mut self, net: Ipv6Net) -> Result<Option<u8>, Refused> {
        let (high, length) = high_bits(net);
        match length {
            0..=TRIE_LENGTH => {
                let prefix = Short::new(high, length, 0);
                let table = &self.table.short;
                Ok(self.trie.remove(table, &self.readers, prefix))
            }
            FIRST_EXACT_LENGTH..=64 => match self.value(high, length) {
                None => Ok(None),
                Some(_) => self.change(high, length, None),
            },
            _ => match self.hosts.iter().any(|(host, _)| *host == net.trunc()) {
                false => Ok(None),
                true => Err(Refused::Rebuild(Part::Hosts)),
            },
        }
    }

    /// Builds a new table from the prefixes and some changes of them (`None` takes one out), with
    /// new headroom, and writes to that from now on. The old table is not changed any more.
    ///
    /// # Errors
    /// As [`Self::build`]; the writer is then as it was.
    pub fn rebuild(
        &mut self,
        changes: &[(Ipv6Net, Option<u8>)],
        headroom: Headroom,
        limit_bytes: u64,
    ) -> Result<(), TooLarge> {
        let prefixes = changed(self.prefixes(), changes, Ipv6Net::trunc);
        *self = Self::build(&prefixes, headroom, &self.readers, limit_bytes)?;
        Ok(())
    }

    /// The prefixes and their values, in no order.
    pub fn prefixes(&self) -> Vec<(Ipv6Net, u8)> {
        let trie = self.trie.prefixes(&self.table.short).into_iter();
        let trie = trie.map(|prefix| (prefix.top(), prefix.length(), prefix.value()));
        let expanded = self.expanded.iter();
        let expanded =
            expanded.map(|((address, length), value)| ((address >> 64) as u64, length, *value));
        let exact = self.table.exact.iter().zip(&self.exact);
        let own = exact.flat_map(|(table, writer)| {
            let keys = writer.own_keys();
            keys.filter_map(|key| Some((key, table.length(), table.value(key)?)))
        });
        let routed = trie.chain(expanded).chain(own);
        let routed =
            routed.filter_map(|(high, length, value)| net(u128::from(high) << 64, length, value));
        routed.chain(self.hosts.iter().copied()).collect()
    }

    /// Takes back the pages and slots that all readers have left, and says how many still wait.
    /// Insertions do so by themselves when they need one.
    pub fn reclaim(&mut self) -> usize {
        self.trie.reclaim(&self.readers);
        let mut waiting = self.trie.retired();
        for (table, writer) in self.table.exact.iter().zip(&mut self.exact) {
            writer.reclaim(table, &self.readers);
            waiting += writer.retired();
        }
        waiting
    }

    /// Inserts, replaces or takes out a prefix of /41–/64.
    fn change(&mut self, high: u64, length: u8, value: Option<u8>) -> Result<Option<u8>, Refused> {
        let before = self.value(high, length);
        let table = Arc::clone(&self.table);
        let Some((index, exact)) = exact_for(&table, length) else {
            return Err(Refused::Rebuild(Part::Length(length)));
        };
        let keys = keys_of(high, length, exact.length());
        if keys.len() as u64 > exact.slot_count() {
            return Err(Refused::Rebuild(Part::Keys(exact.length())));
        }
        if length == exact.length() {
            self.store(index, exact, high, value)?;
            return Ok(before);
        }
        self.keep(high, length, value);
        for key in keys.clone() {
            let result = match self.exact.get(index).and_then(|keys| keys.owns(exact, key)) {
                Some(true) => Ok(()),
                _ => self.store(index, exact, key, None),
            };
            if let Err(refused) = result {
                // Back to what was: of keys that are there, or are taken out, none is refused.
                self.keep(high, length, before);
                for key in keys {
                    let owned = self.exact.get(index).and_then(|keys| keys.owns(exact, key));
                    if owned == Some(false) {
                        self.store(index, exact, key, None)?;
                    }
                }
                return Err(refused);
            }
        }
        Ok(before)
    }

    /// The value of exactly this prefix of /41–/64, if it is there.
    fn value(&self, high: u64, length: u8) -> Option<u8> {
        let (index, exact) = exact_for(&self.table, length)?;
        if length < exact.length() {
            return self.expanded.get(&key(high, length)).copied();
        }
        let owned = self.exact.get(index)?.owns(exact, high)?;
        owned.then(|| exact.value(high)).flatten()
    }

    /// Notes or forgets a prefix that is expanded.
    fn keep(&mut self, high: u64, length: u8, value: Option<u8>) {
        match value {
            Some(value) => self.expanded.insert(key(high, length), value),
            None => self.expanded.remove(&key(high, length)),
        };
    }

    /// Gives a key its own value or, if it has none, that of the longest prefix that is expanded
    /// into it; if there is none either, the key is taken out.
    fn store(
        &mut self,
        index: usize,
        exact: &Exact,
        high: u64,
        own: Option<u8>,
    ) -> Result<(), Refused> {
        let around = || {
            let shorter = index.checked_sub(1);
            let shorter = shorter.and_then(|index| self.table.exact.get(index));
            let longest_elsewhere = shorter.map_or(TRIE_LENGTH, Exact::length);
            let around = self.expanded.get_lpm(&key(high, exact.length()));
            let around = around.filter(|((_, length), _)| *length > longest_elsewhere);
            around.map(|(_, value)| *value)
        };
        let value = own.or_else(around);
        let Some(writer) = self.exact.get_mut(index) else {
            return Ok(());
        };
        match value {
            Some(value) => writer.insert(exact, &self.readers, high, value, own.is_some()),
            None => {
                writer.remove(exact, high);
                Ok(())
            }
        }
    }
}

/// Not its prefixes, which may be millions.
impl fmt::Debug for Ipv6Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ipv6Writer")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// The exact table that prefixes of a length stand in: that of the next longer one.
fn exact_for(table: &Ipv6Table, length: u8) -> Option<(usize, &Exact)> {
    let mut exact = table.exact.iter().enumerate();
    exact.find(|(_, exact)| exact.length() >= length)
}

/// The keys of a longer length that a prefix is expanded to.
fn keys_of(high: u64, length: u8, key_length: u8) -> impl ExactSizeIterator<Item = u64> + Clone {
    // At most 23 bits: from /41 to /64.
    let keys = 0..1_u32 << (key_length - length);
    keys.map(move |index| high | u64::from(index) << (64 - key_length))
}

/// Address and length. Of 64 bits the map's arithmetic overflows (prefix-trie 0.10.1, debug builds).
type Key = (u128, u8);

fn key(high: u64, length: u8) -> Key {
    (u128::from(high) << 64, length)
}

/// The first 64 bits of a prefix, and its length.
fn high_bits(net: Ipv6Net) -> (u64, u8) {
    let high = u128::from(net.network()) >> 64;
    (high as u64, net.prefix_len())
}

fn net(address: u128, length: u8, value: u8) -> Option<(Ipv6Net, u8)> {
    let net = Ipv6Net::new(Ipv6Addr::from(address), length).ok()?;
    Some((net, value))
}
