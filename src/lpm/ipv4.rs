use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::TooLarge;
use super::exact::Exact;
use super::live::Headroom;
use super::trie::{Shape, Short, Trie};

const HOST_LENGTH: u8 = 32;

/// A /24 with no more hosts than this is strewn: they take less room as keys (11 bytes each) than
/// as a page of 256 bytes, and a lookup meets fewer cache lines and memory pages.
const STREWN_HOSTS: usize = 16;

/// Fewer hosts than this are not worth two more loads for every lookup.
const FEWEST_HOSTS: usize = 4_096;

/// More hosts than this would make the build too long (about half a microsecond each).
const MOST_HOSTS: usize = 1 << 20;

/// IPv4 prefixes: three loads a lookup, whatever the table holds, and two more where single
/// addresses are strewn over many /24s.
///
/// A trie of 16, 8 and 8 bits with uniform pages: a lookup is a load of the root, one of an
/// inner page and one of a leaf page. It takes 576 KiB, 1 KiB for each /16 that holds a prefix
/// longer than /16, and 256 bytes for each /24 that holds one longer than /24. A page for a /24 with
/// a few single addresses would hold little and crowd the caches: these addresses stand in an
/// exact table instead, which is asked after the trie.
pub struct Ipv4Table {
    pub(super) trie: Trie<1>,
    /// Of addresses that are no prefix of the trie.
    hosts: Option<Exact>,
}

impl Ipv4Table {
    /// Builds a table; a prefix that is given twice takes the last value, and a prefix of value 0
    /// is a hole in the prefixes around it.
    ///
    /// # Errors
    /// [`TooLarge`] when it would take more than `limit_bytes`; no page is allocated then, only a
    /// sorted copy of the prefixes (8 bytes each, 16 for a strewn address).
    pub fn build(prefixes: &[(Ipv4Net, u8)], limit_bytes: u64) -> Result<Self, TooLarge> {
        let layout = Layout::of(sorted(prefixes));
        TooLarge::check(layout.bytes(), limit_bytes)?;
        let hosts = &layout.hosts;
        Ok(Self {
            trie: Trie::build(&layout.paged, &Shape::of(&layout.paged)),
            hosts: (!hosts.is_empty()).then(|| Exact::build(HOST_LENGTH, hosts, 0)),
        })
    }

    /// What [`Self::build`] would take for these prefixes, in bytes.
    pub fn needed_bytes(prefixes: &[(Ipv4Net, u8)]) -> u64 {
        Layout::of(sorted(prefixes)).bytes()
    }

    /// A table of pages alone, with room for more, from prefixes as [`sorted`] returns them.
    pub(super) fn paged(
        sorted: &[Short],
        headroom: Headroom,
        limit_bytes: u64,
    ) -> Result<Self, TooLarge> {
        let shape = shape(sorted, headroom);
        TooLarge::check(shape.bytes(), limit_bytes)?;
        Ok(Self {
            trie: Trie::build(sorted, &shape),
            hosts: None,
        })
    }

    pub(super) fn paged_bytes(prefixes: &[(Ipv4Net, u8)], headroom: Headroom) -> u64 {
        shape(&sorted(prefixes), headroom).bytes()
    }

    /// The value of the longest prefix that holds `address`, or 0.
    #[inline(always)]
    pub fn lookup(&self, address: u32) -> u8 {
        let top = u64::from(address) << 32;
        let value = self.trie.lookup(top);
        match &self.hosts {
            Some(hosts) => hosts.lookup_or(top, value),
            None => value,
        }
    }

    /// Looks many up at once, which takes less time than one by one: their loads overlap.
    #[inline(always)]
    pub fn lookup_each<const N: usize>(&self, addresses: &[u32; N], values: &mut [u8; N]) {
        let top = |address: &u32| u64::from(*address) << 32;
        self.trie.lookup_each(addresses.iter().map(top), values);
        if let Some(hosts) = &self.hosts {
            hosts.lookup_each(&addresses.each_ref().map(top), values);
        }
    }

    /// What the table takes, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.trie.memory_bytes() + self.hosts.as_ref().map_or(0, Exact::memory_bytes)
    }
}

/// Not its pages, which are megabytes of numbers.
impl fmt::Debug for Ipv4Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ipv4Table")
            .field("memory_bytes", &self.memory_bytes())
            .finish_non_exhaustive()
    }
}

/// Which prefix stands where.
struct Layout {
    paged: Vec<Short>,
    hosts: Vec<(u64, u8)>,
}

impl Layout {
    fn of(sorted: Vec<Short>) -> Self {
        let strewn = || strewn_groups(&sorted).flatten();
        let mut hosts: Vec<_> = strewn().map(|host| (host.top(), host.value())).collect();
        // Of equal prefixes the last one.
        hosts.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = later.1;
            }
            same
        });
        if !(FEWEST_HOSTS..=MOST_HOSTS).contains(&hosts.len()) {
            return Self {
                paged: sorted,
                hosts: Vec::new(),
            };
        }
        let mut strewn = strewn().copied().peekable();
        let paged = sorted
            .iter()
            .filter(|prefix| strewn.next_if_eq(*prefix).is_none());
        Self {
            paged: paged.copied().collect(),
            hosts,
        }
    }

    fn bytes(&self) -> u64 {
        let hosts = match self.hosts.len() as u64 {
            0 => 0,
            hosts => Exact::needed_bytes(hosts, 0),
        };
        Shape::<1>::of(&self.paged).bytes() + hosts
    }
}

/// Of each /24 that holds a few single addresses, and nothing else longer than itself: these.
fn strewn_groups(sorted: &[Short]) -> impl Iterator<Item = &[Short]> {
    let same_24 = |a: &Short, b: &Short| a.top() >> 40 == b.top() >> 40;
    sorted.chunk_by(same_24).filter_map(|group| {
        // Who covers the /24 begins with it, and stands in front.
        let shorter = group.partition_point(|prefix| prefix.length() <= 24);
        let long = group.get(shorter..)?;
        let hosts = long.iter().all(|prefix| prefix.length() == HOST_LENGTH);
        (hosts && long.len() <= STREWN_HOSTS).then_some(long)
    })
}

fn shape(sorted: &[Short], headroom: Headroom) -> Shape<1> {
    Shape::of(sorted).with_spare(headroom.inner_pages, headroom.leaf_pages)
}

/// As a trie is built from them.
pub(super) fn sorted(prefixes: &[(Ipv4Net, u8)]) -> Vec<Short> {
    let mut sorted: Vec<_> = prefixes
        .iter()
        .map(|&(net, value)| short(net, value))
        .collect();
    Short::sort(&mut sorted);
    sorted
}

/// As the trie takes it.
pub(super) fn short(net: Ipv4Net, value: u8) -> Short {
    let network = u64::from(u32::from(net.network()));
    Short::new(network << 32, net.prefix_len(), value)
}

/// As people write it.
pub(super) fn net(prefix: Short) -> Option<(Ipv4Net, u8)> {
    let address = Ipv4Addr::from((prefix.top() >> 32) as u32);
    let net = Ipv4Net::new(address, prefix.length()).ok()?;
    Some((net, prefix.value()))
}
