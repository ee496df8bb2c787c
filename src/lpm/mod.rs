//! Prefix → one byte by longest match, without a data-dependent branch. Pure: knows no plan.
//!
//! Value 0 means "no prefix matches"; a caller's ids are 1–255.

mod exact;
mod hosts;
mod ipv4;
mod ipv6;
mod trie;

pub use ipv4::Ipv4Table;
pub use ipv6::Ipv6Table;

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
