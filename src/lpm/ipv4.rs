use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::TooLarge;
use super::live::Headroom;
use super::trie::{Shape, Short, Trie};

/// IPv4 prefixes: three loads a lookup, whatever the table holds.
///
/// A trie of 16, 8 and 8 bits with uniform pages: a lookup is a load of the root, one of an
/// inner page and one of a leaf page. It takes 576 KiB, 1 KiB for each /16 that holds a prefix
/// longer than /16, and 256 bytes for each /24 that holds one longer than /24.
pub struct Ipv4Table(pub(super) Trie<1>);

impl Ipv4Table {
    /// Builds a table; a prefix that is given twice takes the last value, and a prefix of value 0
    /// is a hole in the prefixes around it.
    ///
    /// # Errors
    /// [`TooLarge`] when it would take more than `limit_bytes`; no page is allocated then, only a
    /// sorted copy of the prefixes (8 bytes each).
    pub fn build(prefixes: &[(Ipv4Net, u8)], limit_bytes: u64) -> Result<Self, TooLarge> {
        Self::from_sorted(&sorted(prefixes), Headroom::default(), limit_bytes)
    }

    /// What [`Self::build`] would take for these prefixes, in bytes.
    pub fn needed_bytes(prefixes: &[(Ipv4Net, u8)]) -> u64 {
        Self::needed_bytes_with(prefixes, Headroom::default())
    }

    /// From prefixes as [`sorted`] returns them.
    pub(super) fn from_sorted(
        sorted: &[Short],
        headroom: Headroom,
        limit_bytes: u64,
    ) -> Result<Self, TooLarge> {
        let shape = shape(sorted, headroom);
        TooLarge::check(shape.bytes(), limit_bytes)?;
        Ok(Self(Trie::build(sorted, &shape)))
    }

    pub(super) fn needed_bytes_with(prefixes: &[(Ipv4Net, u8)], headroom: Headroom) -> u64 {
        shape(&sorted(prefixes), headroom).bytes()
    }

    /// The value of the longest prefix that holds `address`, or 0.
    #[inline(always)]
    pub fn lookup(&self, address: u32) -> u8 {
        self.0.lookup(u64::from(address) << 32)
    }

    /// What the table takes, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.0.memory_bytes()
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
