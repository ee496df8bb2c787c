//! Addresses to draw from: prefixes, without what longer ones take out of them.

use super::Among;
use super::random::{Random, Ranks};
use crate::policy::Interval;
use crate::wire::Family;

/// Addresses of one family, in prefixes that do not overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    v4: Vec<[u32; 2]>,
    v6: Vec<[u128; 2]>,
    /// By piece: how many subscribers stand in the pieces up to its end.
    ends: Vec<u64>,
    /// By prefix: its first piece.
    prefixes: Vec<u32>,
}

/// What a draw from a pool goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    ranks: Ranks,
    among: Among,
}

impl Pool {
    /// Adds a piece of the prefix that was last begun.
    pub(super) fn push(&mut self, family: Family, piece: Interval) {
        let unit = unit_bits(family);
        let subscribers = (piece.end >> unit) - (piece.start >> unit) + 1;
        match family {
            Family::V4 => self.v4.push([piece.start as u32, piece.end as u32]),
            Family::V6 => self.v6.push([piece.start, piece.end]),
        }
        self.ends.push(self.subscribers() + subscribers as u64);
    }

    /// Begins a prefix.
    pub(super) fn begin(&mut self) {
        self.prefixes.push(self.ends.len() as u32);
    }

    /// Addresses of IPv4, /56s of IPv6.
    pub(super) fn subscribers(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// How many things a draw is among.
    pub(super) fn count(&self, among: Among) -> u64 {
        match among {
            Among::Prefixes => self.prefixes.len() as u64,
            Among::Addresses => self.subscribers(),
        }
    }

    /// How to draw; `None` from nothing.
    pub(super) fn draw(&self, among: Among, zipf: Option<f64>) -> Option<Draw> {
        let ranks = Ranks::new(self.count(among), zipf)?;
        Some(Draw { ranks, among })
    }

    /// An address.
    #[inline]
    pub(super) fn address(&self, family: Family, draw: &Draw, random: &mut Random) -> u128 {
        let drawn = draw.ranks.draw(random);
        let (piece, offset) = match draw.among {
            Among::Prefixes => self.of_prefix(drawn as usize, random),
            Among::Addresses => self.numbered(0, self.ends.len(), drawn),
        };
        match family {
            Family::V4 => {
                let first = self.v4.get(piece).map_or(0, |[first, _]| *first);
                u128::from(first) + u128::from(offset)
            }
            Family::V6 => {
                let [first, last] = self.v6.get(piece).copied().unwrap_or_default();
                let unit = unit_bits(family);
                let start = ((first >> unit) + u128::from(offset)) << unit;
                let end = start | ((1 << unit) - 1);
                random.between(start.max(first), end.min(last))
            }
        }
    }

    /// A subscriber of a prefix: its piece, and its number there.
    fn of_prefix(&self, prefix: usize, random: &mut Random) -> (usize, u64) {
        let place = |prefix: usize| self.prefixes.get(prefix).map(|piece| *piece as usize);
        let first = place(prefix).unwrap_or(0);
        let end = place(prefix + 1).unwrap_or(self.ends.len());
        let before = self.before(first);
        let held = self.before(end) - before;
        self.numbered(first, end, before + random.below(held))
    }

    /// The subscriber of a number, among pieces from `first` to before `end`.
    fn numbered(&self, first: usize, end: usize, number: u64) -> (usize, u64) {
        let ends = self.ends.get(first..end).unwrap_or_default();
        let piece = first + ends.partition_point(|end| *end <= number);
        (piece, number - self.before(piece))
    }

    /// How many subscribers stand before a piece.
    fn before(&self, piece: usize) -> u64 {
        let last = piece.checked_sub(1).and_then(|last| self.ends.get(last));
        last.copied().unwrap_or(0)
    }
}

/// What one subscriber has: an address of IPv4, a /56 of IPv6.
fn unit_bits(family: Family) -> u32 {
    match family {
        Family::V4 => 0,
        Family::V6 => 128 - 56,
    }
}

/// A prefix, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned {
    pub(super) interval: Interval,
    pub(super) owner: u8,
}

/// Sorts prefixes by owner into pools, `owners` of them, each address to the longest prefix that
/// holds it; of equal ones, to the last.
pub(super) fn pools(family: Family, mut prefixes: Vec<Owned>, owners: usize) -> Vec<Pool> {
    prefixes.sort_by_key(|p| (p.interval.start, std::cmp::Reverse(p.interval.end)));
    let mut pieces = cut(&prefixes);
    pieces.sort_by_key(|(prefix, _)| *prefix);
    let mut pools = vec![Pool::default(); owners];
    for of_prefix in pieces.chunk_by(|(a, _), (b, _)| a == b) {
        let prefix = of_prefix
            .first()
            .and_then(|(prefix, _)| prefixes.get(*prefix));
        let pool = prefix.and_then(|prefix| pools.get_mut(usize::from(prefix.owner)));
        if let Some(pool) = pool {
            pool.begin();
            for (_, piece) in of_prefix {
                pool.push(family, *piece);
            }
        }
    }
    pools
}

/// What longer prefixes leave of each: its place among `sorted`, where an enclosing one stands
/// before what it encloses, and a piece.
fn cut(sorted: &[Owned]) -> Vec<(usize, Interval)> {
    let mut pieces = Vec::with_capacity(sorted.len());
    // The prefixes around the present address, the longest last, with their ends.
    let mut open: Vec<(usize, u128)> = Vec::new();
    // The first address that no piece has yet; `None` past the last.
    let mut next = Some(0);
    let mut give = |next: &mut Option<u128>, prefix, end| {
        if let Some(start) = next.filter(|start| *start <= end) {
            pieces.push((prefix, Interval { start, end }));
            *next = end.checked_add(1);
        }
    };
    for (place, prefix) in sorted.iter().enumerate() {
        let Interval { start, end } = prefix.interval;
        while let Some((inner, end)) = open.pop_if(|(_, end)| *end < start) {
            give(&mut next, inner, end);
        }
        if let (Some((outer, _)), Some(before)) = (open.last(), start.checked_sub(1)) {
            give(&mut next, *outer, before);
        }
        next = Some(start);
        open.push((place, end));
    }
    while let Some((inner, end)) = open.pop() {
        give(&mut next, inner, end);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(prefixes: &[(&str, u8)]) -> Vec<(u8, String)> {
        let owned = |(net, owner): &(&str, u8)| Owned {
            interval: Interval::of(net.parse().unwrap()).1,
            owner: *owner,
        };
        let mut sorted: Vec<_> = prefixes.iter().map(owned).collect();
        sorted.sort_by_key(|p| (p.interval.start, std::cmp::Reverse(p.interval.end)));
        let shown = |(place, piece): (usize, Interval)| {
            (
                sorted[place].owner,
                format!("{:x}-{:x}", piece.start, piece.end),
            )
        };
        cut(&sorted).into_iter().map(shown).collect()
    }

    #[test]
    fn longer_prefixes_are_taken_out_of_shorter_ones() {
        let found = pieces(&[
            ("10.0.0.0/24", 1),
            ("10.0.0.0/25", 2),
            ("10.0.0.64/32", 3),
            ("10.0.2.0/24", 4),
        ]);
        let expected = [
            (2, "a000000-a00003f"),
            (3, "a000040-a000040"),
            (2, "a000041-a00007f"),
            (1, "a000080-a0000ff"),
            (4, "a000200-a0002ff"),
        ];
        assert_eq!(
            found,
            expected.map(|(owner, piece)| (owner, piece.to_owned()))
        );
    }

    #[test]
    fn of_equal_prefixes_the_last_counts_and_the_whole_space_is_no_overflow() {
        let all = format!("0-{:x}", u128::MAX);
        assert_eq!(pieces(&[("::/0", 1), ("::/0", 2)]), [(2, all)]);
    }
}
