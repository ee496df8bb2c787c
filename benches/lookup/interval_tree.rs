//! What was weighed against the exact tables for IPv6: a static search tree over the addresses at
//! which the longest match changes (elementary intervals), nine children a node, eight keys of 64
//! bits in a cache line. Only where every prefix is /64 or shorter; otherwise keys of 128 bits.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

const KEYS: usize = 8;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Node<K>([K; KEYS]);

struct Levels<K> {
    /// From the root down; the last one holds every key.
    levels: Vec<Vec<Node<K>>>,
    values: Vec<u8>,
}

impl<K: Copy + Ord> Levels<K> {
    /// `intervals` begin at the address 0; `highest` fills nodes up.
    fn build(intervals: &[(K, u8)], highest: K) -> Self {
        let node = |keys: &mut dyn Iterator<Item = K>| {
            Node(std::array::from_fn(|_| keys.next().unwrap_or(highest)))
        };
        let leaves: Vec<_> = intervals
            .chunks(KEYS)
            .map(|keys| node(&mut keys.iter().map(|&(key, _)| key)))
            .collect();
        let mut firsts: Vec<K> = leaves.iter().map(|leaf| leaf.0[0]).collect();
        let mut levels = vec![leaves];
        while firsts.len() > 1 {
            let children = firsts.chunks(KEYS + 1);
            levels.push(
                children
                    .clone()
                    .map(|firsts| node(&mut firsts.iter().skip(1).copied()))
                    .collect(),
            );
            firsts = children.map(|firsts| firsts[0]).collect();
        }
        levels.reverse();
        let values = intervals.iter().map(|&(_, value)| value).collect();
        Self { levels, values }
    }

    #[inline]
    fn lookup(&self, address: K) -> u8 {
        let (mut node, mut interval) = (0, 0);
        for level in &self.levels {
            let keys = &level[node.min(level.len() - 1)].0;
            let not_above = keys.iter().map(|key| usize::from(*key <= address));
            let not_above: usize = not_above.sum();
            interval = node * KEYS + not_above;
            node = node * (KEYS + 1) + not_above;
        }
        self.values[(interval - 1).min(self.values.len() - 1)]
    }

    fn bytes(&self) -> usize {
        let nodes: usize = self.levels.iter().map(Vec::len).sum();
        nodes * size_of::<Node<K>>() + self.values.len()
    }
}

/// The tree, with keys as short as the prefixes allow.
pub(crate) struct IntervalTree(Keys);

enum Keys {
    Narrow(Levels<u64>),
    Wide(Levels<u128>),
}

impl IntervalTree {
    pub(crate) fn build(prefixes: &[(Ipv6Net, u8)]) -> Self {
        let intervals = intervals(prefixes);
        Self(if prefixes.iter().all(|(net, _)| net.prefix_len() <= 64) {
            let narrow = intervals
                .iter()
                .map(|&(start, value)| ((start >> 64) as u64, value));
            Keys::Narrow(Levels::build(&narrow.collect::<Vec<_>>(), u64::MAX))
        } else {
            Keys::Wide(Levels::build(&intervals, u128::MAX))
        })
    }

    #[inline]
    pub(crate) fn lookup(&self, address: u128) -> u8 {
        match &self.0 {
            Keys::Narrow(levels) => levels.lookup((address >> 64) as u64),
            Keys::Wide(levels) => levels.lookup(address),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Keys::Narrow(levels) => levels.bytes(),
            Keys::Wide(levels) => levels.bytes(),
        }
    }
}

/// Where each interval starts, and its value; neighbours differ in value.
fn intervals(prefixes: &[(Ipv6Net, u8)]) -> Vec<(u128, u8)> {
    let address = u128::from as fn(Ipv6Addr) -> u128;
    let mut sorted: Vec<_> = prefixes.iter().collect();
    sorted.sort_by_key(|(net, _)| (net.network(), net.prefix_len()));
    let mut found = vec![(0, 0)];
    let mut open: Vec<(u128, u8)> = Vec::new();
    let mut start = |address: u128, value: u8| {
        found.pop_if(|last| last.0 == address);
        if found.last().is_none_or(|last| last.1 != value) {
            found.push((address, value));
        }
    };
    for (net, value) in sorted {
        while let Some((end, _)) = open.pop_if(|(end, _)| *end < address(net.network())) {
            start(end + 1, open.last().map_or(0, |around| around.1));
        }
        start(address(net.network()), *value);
        open.push((address(net.broadcast()), *value));
    }
    while let Some((end, _)) = open.pop() {
        if let Some(next) = end.checked_add(1) {
            start(next, open.last().map_or(0, |around| around.1));
        }
    }
    found
}
