//! Address space cut along prefixes: which addresses have which value, exactly.

use crate::wire::Family;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses from `start` to `end`, both included; IPv4 in the low 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The first address.
    pub start: u128,
    /// The last address.
    pub end: u128,
}

impl Interval {
    /// Every address of a family.
    pub fn whole(family: Family) -> Self {
        let end = match family {
            Family::V4 => u128::from(u32::MAX),
            Family::V6 => u128::MAX,
        };
        Self { start: 0, end }
    }

    /// The addresses of a prefix.
    pub fn of(prefix: IpNet) -> (Family, Self) {
        let (start, end) = (number(prefix.network()), number(prefix.broadcast()));
        (family_of(prefix), Self { start, end })
    }

    /// How many addresses; all of IPv6 is one less than it should be, being 2¹²⁸.
    pub fn addresses(self) -> u128 {
        (self.end - self.start).saturating_add(1)
    }

    /// Whether an address is in it.
    pub fn contains(self, address: u128) -> bool {
        (self.start..=self.end).contains(&address)
    }

    /// The fewest prefixes that make it up, in order.
    pub fn prefixes(self, family: Family) -> Vec<IpNet> {
        let mut prefixes = Vec::new();
        let mut next = Some(self.start);
        while let Some(start) = next.filter(|start| *start <= self.end) {
            let (bits, net) = widest(family, start, self.end);
            prefixes.extend(net);
            // All of IPv6 is one step of 2¹²⁸.
            next = 1_u128.checked_shl(bits).and_then(|n| start.checked_add(n));
        }
        prefixes
    }
}

/// The family of a prefix.
pub(super) fn family_of(prefix: IpNet) -> Family {
    match prefix {
        IpNet::V4(_) => Family::V4,
        IpNet::V6(_) => Family::V6,
    }
}

/// An address as a number; IPv4 in the low 32 bits.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The address of a number; for IPv4, of its low 32 bits.
pub(crate) fn address(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::from(number as u32)),
        Family::V6 => IpAddr::V6(Ipv6Addr::from(number)),
    }
}

/// The widest prefix that begins at `start` and ends at `end` at the latest, and its host bits.
fn widest(family: Family, start: u128, end: u128) -> (u32, Option<IpNet>) {
    let width = match family {
        Family::V4 => 32,
        Family::V6 => 128,
    };
    let aligned = start.trailing_zeros().min(width);
    // The count of addresses is `end - start + 1`, which may be 2¹²⁸.
    let fitting = match (end - start).checked_add(1) {
        Some(count) => count.ilog2(),
        None => width,
    };
    let bits = aligned.min(fitting);
    let length = u8::try_from(width - bits).unwrap_or(0);
    let net = match family {
        Family::V4 => Ipv4Net::new(Ipv4Addr::from(start as u32), length).map(IpNet::V4),
        Family::V6 => Ipv6Net::new(Ipv6Addr::from(start), length).map(IpNet::V6),
    };
    (bits, net.ok())
}

/// Intervals side by side that fill the space, each with its value; neighbours differ.
pub type Partition<V> = Vec<(Interval, V)>;

/// Orders prefixes so that an enclosing one stands before what it encloses; of equal ones, the
/// later stays later.
pub(super) fn sort_nested<V>(prefixes: &mut [(Interval, V)]) {
    prefixes.sort_by_key(|(interval, _)| (interval.start, std::cmp::Reverse(interval.end)));
}

/// Cuts the space along nested prefixes: each address has the value of the longest prefix that
/// holds it (of equal ones, the last), or `default`.
///
/// The prefixes are ordered as [`sort_nested`] does.
pub(crate) fn flatten<V: Copy + PartialEq>(
    prefixes: &[(Interval, V)],
    family: Family,
    default: V,
) -> Partition<V> {
    let mut parts = Parts::default();
    let mut open: Vec<(u128, V)> = Vec::new();
    for (interval, value) in prefixes {
        while let Some((end, inner)) = open.pop_if(|(end, _)| *end < interval.start) {
            parts.fill_to(end, inner);
        }
        if let Some(before) = interval.start.checked_sub(1) {
            parts.fill_to(before, open.last().map_or(default, |(_, outer)| *outer));
        }
        open.push((interval.end, *value));
    }
    while let Some((end, value)) = open.pop() {
        parts.fill_to(end, value);
    }
    parts.fill_to(Interval::whole(family).end, default);
    parts.parts
}

/// A partition under construction, from the lowest address up.
struct Parts<V> {
    parts: Partition<V>,
    /// The first address without a value yet; `None` past the last of IPv6.
    next: Option<u128>,
}

impl<V> Default for Parts<V> {
    fn default() -> Self {
        Self {
            parts: Vec::new(),
            next: Some(0),
        }
    }
}

impl<V: Copy + PartialEq> Parts<V> {
    fn fill_to(&mut self, end: u128, value: V) {
        let Some(start) = self.next.filter(|start| *start <= end) else {
            return;
        };
        match self.parts.last_mut() {
            Some((last, same)) if *same == value => last.end = end,
            _ => self.parts.push((Interval { start, end }, value)),
        }
        self.next = end.checked_add(1);
    }
}

/// Lays two partitions of one space over each other.
pub(crate) fn overlay<A: Copy + PartialEq, B: Copy + PartialEq>(
    a: &[(Interval, A)],
    b: &[(Interval, B)],
) -> Partition<(A, B)> {
    let mut parts = Parts::default();
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some((left, x)), Some((right, y))) = (a.peek(), b.peek()) {
        let end = left.end.min(right.end);
        parts.fill_to(end, (*x, *y));
        if left.end == end {
            a.next();
        }
        if right.end == end {
            b.next();
        }
    }
    parts.parts
}

/// Orders intervals and joins neighbours; none of them overlap.
pub(crate) fn join(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable_by_key(|interval| interval.start);
    let mut joined: Vec<Interval> = Vec::new();
    for interval in intervals {
        match joined.last_mut() {
            Some(last) if last.end.checked_add(1) == Some(interval.start) => {
                last.end = interval.end
            }
            _ => joined.push(interval),
        }
    }
    joined
}

/// Drops what the enclosing prefix (or 0, outside all) says already, and all but the last of
/// equal prefixes. The prefixes are ordered as [`sort_nested`] does.
pub(super) fn reduce(prefixes: impl Iterator<Item = (Interval, u8)>) -> Vec<(Interval, u8)> {
    let mut kept = Vec::new();
    let mut open: Vec<(u128, u8)> = Vec::new();
    let mut prefixes = prefixes.peekable();
    while let Some((interval, value)) = prefixes.next() {
        if prefixes.peek().is_some_and(|(next, _)| *next == interval) {
            continue;
        }
        while open.pop_if(|(end, _)| *end < interval.start).is_some() {}
        if open.last().map_or(0, |(_, outer)| *outer) != value {
            open.push((interval.end, value));
            kept.push((interval, value));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn prefixes(list: &[(&str, u8)]) -> Vec<(Interval, u8)> {
        let mut prefixes: Vec<_> = list
            .iter()
            .map(|(text, value)| (Interval::of(net(text)).1, *value))
            .collect();
        sort_nested(&mut prefixes);
        prefixes
    }

    #[test]
    fn an_interval_is_the_fewest_prefixes() {
        let interval = Interval {
            start: number("192.0.2.1".parse().unwrap()),
            end: number("192.0.2.8".parse().unwrap()),
        };
        let expected = [
            "192.0.2.1/32",
            "192.0.2.2/31",
            "192.0.2.4/30",
            "192.0.2.8/32",
        ];
        assert_eq!(interval.prefixes(Family::V4), expected.map(net));
        assert_eq!(interval.addresses(), 8);
    }

    #[test]
    fn the_whole_of_either_family_is_one_prefix() {
        let v4 = Interval::whole(Family::V4);
        assert_eq!(v4.prefixes(Family::V4), [net("0.0.0.0/0")]);
        assert_eq!(v4.addresses(), 1 << 32);
        let v6 = Interval::whole(Family::V6);
        assert_eq!(v6.prefixes(Family::V6), [net("::/0")]);
        assert_eq!(v6.addresses(), u128::MAX);
        let last = Interval {
            start: u128::MAX - 1,
            end: u128::MAX,
        };
        let expected = net("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127");
        assert_eq!(last.prefixes(Family::V6), [expected]);
    }

    #[test]
    fn a_longer_prefix_wins_and_its_hole_closes_again() {
        let list = prefixes(&[("10.0.0.0/8", 1), ("10.1.0.0/16", 2), ("10.1.1.0/24", 1)]);
        let parts = flatten(&list, Family::V4, 0);
        let seen: Vec<_> = parts
            .iter()
            .map(|(i, value)| (address(Family::V4, i.start).to_string(), *value))
            .collect();
        let expected = [
            ("0.0.0.0", 0),
            ("10.0.0.0", 1),
            ("10.1.0.0", 2),
            ("10.1.1.0", 1),
            ("10.1.2.0", 2),
            ("10.2.0.0", 1),
            ("11.0.0.0", 0),
        ];
        assert_eq!(seen, expected.map(|(text, value)| (text.to_owned(), value)));
        assert_eq!(parts.last().unwrap().0.end, u128::from(u32::MAX));
    }

    #[test]
    fn reducing_changes_no_value() {
        let list = prefixes(&[
            ("2001:db8::/32", 1),
            ("2001:db8:1::/48", 1),
            ("2001:db8:1::/56", 2),
            ("2001:db8:1::/56", 3),
            ("2001:db8:1::/64", 1),
            ("2001:db9::/32", 0),
        ]);
        let reduced = reduce(list.iter().copied());
        assert_eq!(reduced.len(), 3);
        let flat = |list| flatten(list, Family::V6, 0);
        assert_eq!(flat(&reduced), flat(&list));
    }
}
