use super::Family;
use ipnet::IpNet;

/// Prefixes of one family, each with a value, that are asked which of them hold an address.
///
/// Prefixes lie within each other or apart: the one that begins last before an address, or one
/// that it lies in, holds it.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes {
    sorted: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    first: u128,
    last: u128,
    value: usize,
    /// The entry that this one lies in.
    around: Option<usize>,
}

impl Prefixes {
    /// Of these first and last addresses; one that is given twice is held twice.
    pub(super) fn new(ranges: impl IntoIterator<Item = (u128, u128, usize)>) -> Self {
        let mut sorted: Vec<Entry> = ranges
            .into_iter()
            .map(|(first, last, value)| Entry {
                first,
                last,
                value,
                around: None,
            })
            .collect();
        sorted.sort_by_key(|entry| (entry.first, std::cmp::Reverse(entry.last)));
        let mut open: Vec<(usize, u128)> = Vec::new();
        for (index, entry) in sorted.iter_mut().enumerate() {
            while open.pop_if(|(_, last)| *last < entry.first).is_some() {}
            entry.around = open.last().map(|(around, _)| *around);
            open.push((index, entry.last));
        }
        Self { sorted }
    }

    /// Those prefixes of a list that are of this family, without values.
    pub(super) fn of_family(nets: &[IpNet], family: Family) -> Self {
        Self::new(nets.iter().filter_map(|net| {
            let (of, first, last) = range(net);
            (of == family).then_some((first, last, 0))
        }))
    }

    /// Whether any holds the address.
    pub(super) fn hold(&self, address: u128) -> bool {
        self.holding(address).next().is_some()
    }

    /// The values of those that hold the address, the longest first.
    pub(super) fn holding(&self, address: u128) -> impl Iterator<Item = usize> + '_ {
        let behind = self.sorted.partition_point(|entry| entry.first <= address);
        let nearest = behind.checked_sub(1).and_then(|at| self.sorted.get(at));
        std::iter::successors(nearest, |entry| self.sorted.get(entry.around?))
            .filter(move |entry| address <= entry.last)
            .map(|entry| entry.value)
    }
}

/// First and last address of a prefix, IPv4 in the low 32 bits.
fn range(net: &IpNet) -> (Family, u128, u128) {
    match net {
        IpNet::V4(net) => {
            let [first, last] = [net.network(), net.broadcast()].map(u32::from);
            (Family::V4, first.into(), last.into())
        }
        IpNet::V6(net) => {
            let [first, last] = [net.network(), net.broadcast()].map(u128::from);
            (Family::V6, first, last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_scan_of_all_prefixes_finds() {
        let nested = [
            (0, 255, 0),
            (16, 31, 1),
            (16, 17, 2),
            (16, 17, 3),
            (24, 24, 4),
            (128, 191, 5),
            (1024, 2047, 6),
        ];
        let prefixes = Prefixes::new(nested);
        for address in 0..3000 {
            let mut scanned: Vec<_> = nested
                .iter()
                .filter(|(first, last, _)| (*first..=*last).contains(&address))
                .map(|(first, last, value)| (last - first, *value))
                .collect();
            let width = |value: &usize| nested.map(|(first, last, _)| last - first)[*value];
            let mut found: Vec<_> = prefixes.holding(address).collect();
            assert!(found.is_sorted_by_key(width), "{address}: {found:?}");
            scanned.sort_unstable();
            found.sort_unstable_by_key(|value| (width(value), *value));
            let values: Vec<_> = scanned.into_iter().map(|(_, value)| value).collect();
            assert_eq!(found, values, "{address}");
        }
        assert!(!Prefixes::default().hold(7));
    }
}
