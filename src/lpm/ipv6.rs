use std::fmt;

use ipnet::Ipv6Net;

use super::TooLarge;
use super::exact::Exact;
use super::hosts::Hosts;
use super::live::Headroom;
use super::trie::{Shape, Short, Trie};

/// Up to here a prefix stands in the trie.
pub(super) const TRIE_LENGTH: u8 = Trie::<2>::MAX_LENGTH;

/// From here to /64 it stands in one of the exact tables.
pub(super) const FIRST_EXACT_LENGTH: u8 = TRIE_LENGTH + 1;

/// Each exact table costs every lookup a cache line.
const MAX_EXACT_TABLES: usize = 4;

/// A join that adds no more keys than this is made although tables are few enough.
const FREE_JOIN_KEYS: u64 = 1 << 13;

/// IPv6 prefixes: a trie for the short ones, an exact table for each delegated length, and
/// intervals for what is longer than /64.
///
/// All are asked, the shortest first, and a later answer replaces an earlier one, so that no
/// branch depends on the address.
pub struct Ipv6Table {
    pub(super) short: Trie<2>,
    /// The shortest length first.
    pub(super) exact: Vec<Exact>,
    hosts: Option<Hosts>,
}

impl Ipv6Table {
    /// Builds a table; a prefix that is given twice takes the last value, and a prefix of value 0
    /// is a hole in the prefixes around it.
    ///
    /// # Errors
    /// [`TooLarge`] when it would take more than `limit_bytes`; no part of the table is allocated
    /// then, only a sorted copy of the prefixes (32 bytes each).
    pub fn build(prefixes: &[(Ipv6Net, u8)], limit_bytes: u64) -> Result<Self, TooLarge> {
        Self::from_layout(&Layout::of(prefixes, Headroom::default()), limit_bytes)
    }

    /// What [`Self::build`] would take for these prefixes, in bytes.
    pub fn needed_bytes(prefixes: &[(Ipv6Net, u8)]) -> u64 {
        Layout::of(prefixes, Headroom::default()).bytes()
    }

    pub(super) fn from_layout(layout: &Layout, limit_bytes: u64) -> Result<Self, TooLarge> {
        TooLarge::check(layout.bytes(), limit_bytes)?;
        let exact = layout.exact.iter();
        Ok(Self {
            short: Trie::build(&layout.short, &layout.shape),
            exact: exact.map(|exact| exact.build(layout.spare_keys)).collect(),
            hosts: (!layout.hosts.is_empty()).then(|| Hosts::build(&layout.hosts)),
        })
    }

    /// The value of the longest prefix that holds `address`, or 0.
    #[inline(always)]
    pub fn lookup(&self, address: u128) -> u8 {
        let high = (address >> 64) as u64;
        let mut value = self.short.lookup(high);
        for table in &self.exact {
            value = table.lookup_or(high, value);
        }
        match &self.hosts {
            Some(hosts) => hosts.lookup_or(address, value),
            None => value,
        }
    }

    /// Looks many up at once, which takes less time than one by one: their loads overlap. The
    /// addresses are in two parts: the one that routers see, and the interface identifier.
    #[inline(always)]
    pub fn lookup_each<const N: usize>(
        &self,
        high: &[u64; N],
        low: &[u64; N],
        values: &mut [u8; N],
    ) {
        self.short.lookup_each(high.iter().copied(), values);
        for table in &self.exact {
            table.lookup_each(high, values);
        }
        if let Some(hosts) = &self.hosts {
            for ((value, high), low) in values.iter_mut().zip(high).zip(low) {
                let address = u128::from(*high) << 64 | u128::from(*low);
                *value = hosts.lookup_or(address, *value);
            }
        }
    }

    /// What the table takes, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        let exact = self.exact.iter().map(Exact::memory_bytes).sum::<u64>();
        let hosts = self.hosts.as_ref().map_or(0, Hosts::memory_bytes);
        self.short.memory_bytes() + exact + hosts
    }
}

/// Not its pages, which are megabytes of numbers.
impl fmt::Debug for Ipv6Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ipv6Table")
            .field("memory_bytes", &self.memory_bytes())
            .finish_non_exhaustive()
    }
}

/// A prefix and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    pub(super) address: u128,
    pub(super) length: u8,
    pub(super) value: u8,
}

impl Prefix {
    /// The part that routers see.
    pub(super) fn high(&self) -> u64 {
        (self.address >> 64) as u64
    }

    pub(super) fn last_address(&self) -> u128 {
        self.address | u128::MAX.checked_shr(u32::from(self.length)).unwrap_or(0)
    }
}

/// Which prefix stands where, and how large that makes each part.
pub(super) struct Layout {
    pub(super) short: Vec<Short>,
    shape: Shape<2>,
    /// The shortest length first.
    pub(super) exact: Vec<ExactLayout>,
    spare_keys: u32,
    pub(super) hosts: Vec<Prefix>,
}

impl Layout {
    pub(super) fn of(prefixes: &[(Ipv6Net, u8)], headroom: Headroom) -> Self {
        let mut short = Vec::new();
        let mut exact = Vec::new();
        let mut hosts = Vec::new();
        for prefix in sorted(prefixes) {
            if prefix.length <= TRIE_LENGTH {
                short.push(Short::new(prefix.high(), prefix.length, prefix.value));
            } else if prefix.length <= 64 {
                exact.push(prefix);
            } else {
                hosts.push(prefix);
            }
        }
        Self {
            shape: Shape::of(&short).with_spare(headroom.inner_pages, headroom.leaf_pages),
            short,
            exact: exact_layouts(&exact),
            spare_keys: headroom.keys,
            hosts,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        let exact = self.exact.iter().map(|exact| exact.bytes(self.spare_keys));
        let exact = exact.fold(0, u64::saturating_add);
        let hosts = if self.hosts.is_empty() {
            0
        } else {
            Hosts::needed_bytes(&self.hosts)
        };
        self.shape
            .bytes()
            .saturating_add(exact)
            .saturating_add(hosts)
    }
}

/// One exact table: the prefixes of its length, and shorter ones to be expanded.
pub(super) struct ExactLayout {
    pub(super) length: u8,
    pub(super) sorted: Vec<Prefix>,
}

impl ExactLayout {
    fn bytes(&self, spare_keys: u32) -> u64 {
        Exact::needed_bytes(self.key_count(), spare_keys)
    }

    /// The keys that its prefixes expand to. A prefix inside the one before adds none.
    fn key_count(&self) -> u64 {
        let mut covered_to = None;
        let mut keys = 0;
        for prefix in &self.sorted {
            if covered_to < Some(prefix.last_address()) {
                covered_to = Some(prefix.last_address());
                keys += 1 << (self.length - prefix.length);
            }
        }
        keys
    }

    fn build(&self, spare_keys: u32) -> Exact {
        Exact::build(self.length, &self.keys(), spare_keys)
    }

    /// A longer prefix stands behind the ones around it, so the last value of a key is its own.
    pub(super) fn keys(&self) -> Vec<(u64, u8)> {
        let step = 1 << (64 - self.length);
        let mut keys = Vec::with_capacity(self.key_count() as usize);
        for prefix in &self.sorted {
            for index in 0..1_u64 << (self.length - prefix.length) {
                keys.push((prefix.high() + index * step, prefix.value));
            }
        }
        keys.sort_by_key(|&(key, _)| key);
        keys.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = later.1;
            }
            same
        });
        keys
    }
}

/// Sorted by address, then by length; of equal prefixes the last one given.
fn sorted(prefixes: &[(Ipv6Net, u8)]) -> Vec<Prefix> {
    let prefix = |&(net, value): &(Ipv6Net, u8)| Prefix {
        address: net.network().into(),
        length: net.prefix_len(),
        value,
    };
    let mut sorted: Vec<_> = prefixes.iter().map(prefix).collect();
    sorted.sort_by_key(|prefix| (prefix.address, prefix.length));
    sorted.dedup_by(|later, kept| {
        let same = (later.address, later.length) == (kept.address, kept.length);
        if same {
            kept.value = later.value;
        }
        same
    });
    sorted
}

/// Divides prefixes of /41–/64 among few tables: one for each length in use, as long as these
/// are few; where they are not, the lengths that cost least are expanded to the next one.
fn exact_layouts(sorted: &[Prefix]) -> Vec<ExactLayout> {
    let mut counts = [0_u64; 65];
    for prefix in sorted {
        if let Some(count) = counts.get_mut(usize::from(prefix.length)) {
            *count += 1;
        }
    }
    let tables = tables_for(&counts);
    let mut shortest = usize::from(FIRST_EXACT_LENGTH);
    let layout = |length: u8| {
        let lengths = shortest..=usize::from(length);
        shortest = usize::from(length) + 1;
        let here = sorted
            .iter()
            .filter(|p| lengths.contains(&usize::from(p.length)));
        ExactLayout {
            length,
            sorted: here.copied().collect(),
        }
    };
    tables.into_iter().map(layout).collect()
}

/// The lengths of the tables, rising: starts with every length in use, and joins the cheapest
/// pair of neighbours as long as there are too many.
fn tables_for(counts: &[u64; 65]) -> Vec<u8> {
    let mut tables: Vec<(u8, u64)> = (0..=64)
        .zip(counts)
        .filter(|&(_, &count)| count > 0)
        .map(|(length, &count)| (length, count))
        .collect();
    while let Some((cheapest, keys)) = cheapest_join(&tables) {
        if tables.len() <= MAX_EXACT_TABLES && keys > FREE_JOIN_KEYS {
            break;
        }
        tables.remove(cheapest);
        if let Some(table) = tables.get_mut(cheapest) {
            table.1 += keys;
        }
    }
    tables.into_iter().map(|(length, _)| length).collect()
}

/// Which table costs the fewest keys when its prefixes are expanded into the next one, and how
/// many that are.
fn cheapest_join(tables: &[(u8, u64)]) -> Option<(usize, u64)> {
    let neighbours = tables.iter().zip(tables.iter().skip(1)).enumerate();
    neighbours
        .map(|(index, (shorter, longer))| (index, shorter.1 << (longer.0 - shorter.0)))
        .min_by_key(|&(_, keys)| keys)
}
