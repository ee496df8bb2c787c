//! Tables that one writer changes while workers read.
//!
//! # What a lookup sees
//! - One that runs beside a change of one prefix finds the value from before it or from after it,
//!   for its own address. It never finds a covering prefix's value while a prefix is replaced, nor
//!   a value of another address.
//! - A lookup that begins after the change has returned finds the new value, on any thread that has
//!   learnt of it in an ordered way: by an [announcement](Reader::announce), a lock, a channel.
//! - A prefix that fills one slot (a host of IPv4; /16, /24; /16, /24, /32, /40 of IPv6; a length
//!   that has an exact table of its own) changes for all its addresses at once, if no longer prefix
//!   lies in it. Any other changes slot by slot: for a moment, some of its addresses have the new
//!   value and some the old one.
//! - Two changes are seen in their order by each slot; a reader may see them in another order at
//!   two different addresses.
//!
//! # What a reader owes
//! Every thread that looks up in a table with a writer is a [`Reader`], announces each burst, and
//! ends every lookup before it announces the next. A thread that does not do so reads no foreign
//! memory, but its lookups may find a page that has become another prefix's.
//!
//! # What a writer may refuse
//! A change that is [refused](Refused) has changed nothing. Room is fixed when the table is built
//! ([`Headroom`]); what does not fit takes a new table, made by the writer's `rebuild`, which the
//! control layer hands to the workers. It keeps the old one until
//! [all have passed](Readers::have_passed) an epoch that began after that, so that no worker frees
//! it.

mod ipv4;
mod ipv6;

pub use ipv4::Ipv4Writer;
pub use ipv6::Ipv6Writer;

use std::collections::HashMap;
use std::hash::Hash;

#[cfg(doc)]
use super::readers::Reader;
use super::readers::{Epoch, Readers};

/// Room that a build leaves for later insertions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headroom {
    /// Inner pages of the trie, for each of its inner levels: 1 KiB each. An insertion takes one
    /// for a /16 (of IPv6: for a /16, and for a /24) that holds nothing longer yet.
    pub inner_pages: u32,
    /// Leaf pages of the trie: 256 bytes each. An insertion takes one for a /24 (of IPv6: a /32)
    /// that holds nothing longer yet.
    pub leaf_pages: u32,
    /// IPv6: keys of each exact table, 13 to 14 bytes each. A table with room for more keys
    /// also takes that for the keys that it is built with, instead of 11.
    pub keys: u32,
}

/// A change that was not made; the table is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The room that the table was built with is used up: a new table must be built.
    #[error("the table must be rebuilt: {0}")]
    Rebuild(Part),
    /// Room is there, but readers have not left it yet: it is free when they have announced
    /// another burst, or when those that are still have been parked.
    #[error("{waiting} retired parts of the table wait for {readers} workers to begin a burst")]
    Waiting {
        /// Pages, or slots of exact tables, that are kept for the readers.
        waiting: usize,
        /// The readers that keep the oldest of them.
        readers: usize,
    },
}

impl Refused {
    /// Parts that were retired at `epoch` or later, a moment ago, are not free yet.
    pub(super) fn waiting(waiting: usize, readers: &Readers, epoch: Epoch) -> Self {
        // The last reader may have announced since the writer has looked.
        let readers = readers.behind(epoch).max(1);
        Self::Waiting { waiting, readers }
    }
}

/// What there was no room in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// No spare page of the trie is left.
    Pages,
    /// No exact table is for prefixes of this length.
    Length(u8),
    /// The exact table for this length has no room for the keys.
    Keys(u8),
    /// Prefixes longer than /64 are not changed in place.
    Hosts,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pages => f.write_str("no spare page is left"),
            Self::Length(length) => write!(f, "it has no place for prefixes of /{length}"),
            Self::Keys(length) => write!(f, "no room is left for keys of /{length}"),
            Self::Hosts => f.write_str("prefixes longer than /64 cannot be changed in place"),
        }
    }
}

/// Prefixes after some changes, the later of equal ones counts.
fn changed<Net: Copy + Eq + Hash>(
    mut prefixes: Vec<(Net, u8)>,
    changes: &[(Net, Option<u8>)],
    trunc: impl Fn(&Net) -> Net,
) -> Vec<(Net, u8)> {
    let changes = changes.iter().map(|(net, value)| (trunc(net), *value));
    let changes: HashMap<_, _> = changes.collect();
    prefixes.retain(|(net, _)| !changes.contains_key(net));
    let kept = changes.into_iter();
    prefixes.extend(kept.filter_map(|(net, value)| Some((net, value?))));
    prefixes
}
