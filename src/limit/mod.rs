//! Rates: how many connections each subscriber may open, and what is left of it.

/// Nanoseconds of a clock that does not go backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

/// How often, in the long run, and how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// A minute.
    pub per_minute: u32,
    /// After a pause.
    pub burst: u32,
}

/// Whose bucket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Under which rule.
    pub rule: u64,
    /// On which path.
    pub path: u8,
    /// Of the address.
    pub family: u8,
    /// Who, without the bits that one subscriber's addresses differ in.
    pub subscriber: u128,
}

/// What taking gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A token.
    Token,
    /// None is left.
    Empty,
    /// There is no room for another bucket.
    TableFull,
}

/// The buckets of a box.
#[derive(Debug, Default)]
pub struct Buckets;

impl Buckets {
    /// Takes a token.
    pub fn take(&self, _key: Key, _rate: Rate, _now: Moment) -> Taken {
        Taken::Token
    }
}
