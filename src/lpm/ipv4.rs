use std::fmt;

use ipnet::Ipv4Net;

use super::TooLarge;
use super::trie::{Shape, Short, Trie};

/// IPv4 prefixes: three loads a lookup, whatever the table holds.
///
/// A trie of 16, 8 and 8 bits with uniform pages: a lookup is a load of the root, one of an
/// inner page and one of a leaf page. It takes 576 KiB, 1 KiB for each /16 that holds a prefix
/// longer than /16, and 256 bytes for each /24 that holds one longer than /24.
pub struct Ipv4Table(Trie<1>);

impl Ipv4Table {
    /// Builds a table; a prefix that is given twice takes the last value, and a prefix of value 0
    /// is a hole in the prefixes around it.
    ///
    /// # Errors
    /// [`TooLarge`] when it would take more than `limit_bytes`; no page is allocated then, only a
    /// sorted copy of the prefixes (8 bytes each).
    pub fn build(prefixes: &[(Ipv4Net, u8)], limit_bytes: u64) -> Result<Self, TooLarge> {
        let sorted = sorted(prefixes);
        let shape = Shape::of(&sorted);
        TooLarge::check(shape.bytes(), limit_bytes)?;
        Ok(Self(Trie::build(&sorted, &shape)))
    }

    /// What [`Self::build`] would take for these prefixes, in bytes.
    pub fn needed_bytes(prefixes: &[(Ipv4Net, u8)]) -> u64 {
        Shape::<1>::of(&sorted(prefixes)).bytes()
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

fn sorted(prefixes: &[(Ipv4Net, u8)]) -> Vec<Short> {
    let short = |&(net, value): &(Ipv4Net, u8)| {
        let network = u64::from(u32::from(net.network()));
        Short::new(network << 32, net.prefix_len(), value)
    };
    let mut sorted: Vec<_> = prefixes.iter().map(short).collect();
    Short::sort(&mut sorted);
    sorted
}
