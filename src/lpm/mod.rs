//! Prefix → one byte by longest match, without a branch that depends on the address. Pure: knows
//! no plan.
//!
//! Value 0 means "no prefix matches"; a caller's ids are 1–255. A prefix of value 0 is a hole: what
//! it covers matches nothing, although a shorter prefix lies around it.
//!
//! ```text
//! IPv4   /0–/32    trie of 16, 8 and 8 bits: three loads           ┐ both asked, where there
//!        /32       an exact table, where they are strewn           ┘ are strewn ones
//! IPv6   /0–/40    trie of 16, 8, 8 and 8 bits: four loads         ┐
//!        /41–/64   an exact table for each length in use, up to 4  ├ all asked, the longest wins
//!        /65–/128  intervals, only where there are such prefixes   ┘
//! ```
//!
//! A table that was built alone never changes. [`live`] has the writers that change one while
//! workers read it; both are looked up in the same way.
//!
//! Why these, and what they cost: `docs/decisions/2026-11-22-prefix-tables.md`, and what was added
//! since: `2026-11-22-live-tables.md`, `2026-11-22-burst-engine.md`.

mod atomics;
mod exact;
mod hosts;
mod ipv4;
mod ipv6;
pub mod live;
#[cfg(all(test, loom))]
mod model;
mod readers;
mod trie;

pub use ipv4::Ipv4Table;
pub use ipv6::Ipv6Table;
pub use live::{Headroom, Ipv4Writer, Ipv6Writer, Part, Refused};
pub use readers::{Epoch, Parked, Reader, Readers};

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
