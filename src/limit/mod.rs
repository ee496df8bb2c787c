//! How often a subscriber may open connections: a token bucket for each, in one table of a fixed
//! size that all workers share.
//!
//! What it promises:
//!
//! - **The rate is the box's**, and not each worker's: over any time, the tokens given to a key are
//!   at most `burst + rate × (time + 2 ticks)`, whichever threads took them. A [tick](Rate) is
//!   65.5 µs.
//! - **Only a full bucket is forgotten.** A bucket that is full again says nothing that a new one
//!   would not say; only its slot is given to somebody else. So no flood of other keys refills a
//!   bucket, and memory never grows: when no slot is to be had, a key without a bucket is told
//!   [`Taken::TableFull`], and those who have one keep it.
//! - **Nobody waits.** No locks, no allocation after the start; one compare-and-swap a token, none
//!   for a refusal.
//! - **Two keys share a bucket** only if they agree in two lines of the table and 22 bits of a hash
//!   with a secret of this process: for a given key at most 13 in 2²² (one in 320,000), and that
//!   only where all fourteen slots it may stand in are taken.
//! - **Time is passed in.** Another thread's moment may be a little behind or ahead: it never adds
//!   tokens. Of moments that go back by more than a minute see [`Buckets::take`].
//!
//! How it is done is told in `table.rs`.

mod atomics;
#[cfg(all(test, loom))]
mod model;
mod rate;
mod table;
mod word;

pub use rate::{Rate, RateError};
pub use table::{Buckets, Taken};

/// Nanoseconds of a clock that does not go backwards; since when does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

/// Whose bucket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Under which rule: the same number as long as its author calls it the same rule.
    pub rule: u64,
    /// On which path.
    pub path: u8,
    /// Of the address.
    pub family: u8,
    /// Who, without the bits that one subscriber's addresses differ in.
    pub subscriber: u128,
}
