//! Rates, exactly: a bucket of its own for each subscriber, nothing shared and nothing forgotten.

use crate::policy::Limit;
use std::collections::HashMap;
use std::net::IpAddr;

/// Whose bucket, under which rule, and whether it is that of the mirror.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub rule: String,
    pub mirror: bool,
    pub subscriber: IpAddr,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Taken {
    Token,
    None,
    /// A few clock ticks of the product's decide: nothing is said of it, or of what follows.
    TooNearToCall,
}

/// What is left: nanoseconds until it is full again.
#[derive(Default)]
pub struct Buckets(HashMap<Key, (u64, u64)>);

const MINUTE_NS: u64 = 60_000_000_000;
const NEAR_NS: u64 = 1_000_000;

impl Buckets {
    pub fn take(&mut self, key: Key, limit: Limit, now_ns: u64) -> Taken {
        let token_ns = MINUTE_NS / u64::from(limit.rate);
        let deepest_ns = token_ns * u64::from(limit.burst);
        let (missing_ns, since_ns) = self.0.entry(key).or_insert((0, now_ns));
        *missing_ns = missing_ns.saturating_sub(now_ns - *since_ns);
        *since_ns = now_ns;
        let after_ns = *missing_ns + token_ns;
        if after_ns.abs_diff(deepest_ns) < NEAR_NS && *missing_ns > 0 {
            Taken::TooNearToCall
        } else if after_ns > deepest_ns {
            Taken::None
        } else {
            *missing_ns = after_ns;
            Taken::Token
        }
    }
}
