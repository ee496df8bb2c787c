//! Prefixes longer than /64, of any length: intervals of addresses, found by a search whose
//! number of steps is the table's, not the query's.
//!
//! ```text
//! /64 ─▶ bin ─▶ its intervals, sorted by where they start ─search─▶ value, or "none here"
//! ```

use super::exact::permute;
use super::ipv6::Prefix;

/// The intervals' word for "no prefix longer than /64 holds this address".
const NONE_HERE: u16 = 256;

/// The prefixes longer than /64.
pub(super) struct Hosts {
    /// Bin *i* owns the intervals from `bins[i]` up to `bins[i + 1]`; a power of two, and one.
    bins: Vec<u32>,
    /// The first address of each interval, sorted within each bin. Interval 0 belongs to no bin
    /// and says [`NONE_HERE`].
    starts: Vec<u128>,
    values: Vec<u16>,
    /// Bits of the number of intervals in the fullest bin: the steps of every search.
    step_count: u32,
}

impl Hosts {
    /// What a table of these prefixes takes; they are sorted, without duplicates.
    pub(super) fn needed_bytes(sorted: &[Prefix]) -> u64 {
        let bins = (bin_count(sorted) + 1) * size_of::<u32>();
        (bins + most_intervals(sorted) * (size_of::<u128>() + size_of::<u16>())) as u64
    }

    /// Builds from sorted prefixes without duplicates, all longer than /64.
    pub(super) fn build(sorted: &[Prefix]) -> Self {
        let bins = bin_count(sorted);
        let mut groups: Vec<_> = sorted
            .chunk_by(|a, b| a.high() == b.high())
            .map(|group| (group.first().map_or(0, |p| bin(p.high(), bins)), group))
            .collect();
        groups.sort_by_key(|&(bin, _)| bin);

        let mut hosts = Self {
            bins: Vec::with_capacity(bins + 1),
            starts: Vec::with_capacity(most_intervals(sorted)),
            values: Vec::with_capacity(most_intervals(sorted)),
            step_count: 0,
        };
        hosts.starts.push(0);
        hosts.values.push(NONE_HERE);
        hosts.bins.push(1);
        let mut groups = groups.into_iter().peekable();
        let mut fullest = 0;
        for bin in 0..bins {
            let first = hosts.starts.len();
            while let Some((_, group)) = groups.next_if(|&(of, _)| of == bin) {
                hosts.add_group(first, group);
            }
            let end = hosts.starts.len();
            fullest = fullest.max(end - first);
            // Two intervals a prefix: memory holds fewer prefixes than would overflow this.
            hosts.bins.push(end as u32);
        }
        hosts.step_count = usize::BITS - fullest.leading_zeros();
        hosts
    }

    /// The value of the longest of these prefixes that holds the address, or `otherwise`.
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "a bin is cut to the number of bins; `at - 1` is an interval of the bin, or 0"
    )]
    pub(super) fn lookup_or(&self, address: u128, otherwise: u8) -> u8 {
        let bin = bin((address >> 64) as u64, self.bins.len() - 1);
        let (first, end) = (self.bins[bin] as usize, self.bins[bin + 1] as usize);
        // `at`: behind the last interval of this bin that is known to start at or before the
        // address. A step is added as a shifted bit: of a choice the compiler makes a jump.
        let mut at = first;
        for step_bits in (0..self.step_count).rev() {
            let next = at + (1 << step_bits);
            let start = self.starts.get(next - 1);
            let not_above = start.is_some_and(|start| *start <= address) & (next <= end);
            at += usize::from(not_above) << step_bits;
        }
        let interval = usize::from(at > first) * (at - 1);
        u8::try_from(self.values[interval]).unwrap_or(otherwise)
    }

    /// What the table takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        (self.bins.capacity() * size_of::<u32>()
            + self.starts.capacity() * size_of::<u128>()
            + self.values.capacity() * size_of::<u16>()) as u64
    }

    /// Appends the intervals of one /64 to the bin that begins at `first`.
    fn add_group(&mut self, first: usize, group: &[Prefix]) {
        let mut open: Vec<&Prefix> = Vec::new();
        for prefix in group {
            while let Some(closed) = open.pop_if(|p| p.last_address() < prefix.address) {
                self.close(first, closed, open.last().copied());
            }
            self.start(first, prefix.address, u16::from(prefix.value));
            open.push(prefix);
        }
        while let Some(closed) = open.pop() {
            self.close(first, closed, open.last().copied());
        }
    }

    /// Behind a prefix, the one around it goes on.
    fn close(&mut self, first: usize, closed: &Prefix, around: Option<&Prefix>) {
        let value = around.map_or(NONE_HERE, |prefix| u16::from(prefix.value));
        if let Some(next) = closed.last_address().checked_add(1) {
            self.start(first, next, value);
        }
    }

    /// Begins an interval; one that begins at the same address is empty and is overwritten.
    fn start(&mut self, first: usize, address: u128, value: u16) {
        if self.starts.len() > first && self.starts.last() == Some(&address) {
            self.values.pop();
        } else {
            self.starts.push(address);
        }
        self.values.push(value);
    }
}

/// A prefix begins an interval, and ends one; and there is interval 0.
fn most_intervals(prefixes: &[Prefix]) -> usize {
    prefixes.len() * 2 + 1
}

/// As many bins as there are /64s, rounded up to a power of two.
fn bin_count(sorted: &[Prefix]) -> usize {
    let subnets = sorted.chunk_by(|a, b| a.high() == b.high());
    subnets.count().next_power_of_two()
}

#[inline(always)]
fn bin(high: u64, bins: usize) -> usize {
    permute(high, 0) as usize & bins.wrapping_sub(1)
}
