use super::asked;
use crate::contest::{Contest, Goals, Peer, need_avx512};
use crate::ffi::{BURST, Eal, Fib6, Lane};
use crate::measure::Effort;
use crate::prefixes::Prefixes;
use crate::queries::{Span, mixes};
use crate::report::Report;
use anyhow::Result;
use ip_network::Ipv6Network;
use ip_network_table::IpNetworkTable;
use ipnet::Ipv6Net;
use poptrie::Poptrie;
use prefix_trie::PrefixMap;
use sekisho::lpm::Ipv6Table;
use std::net::Ipv6Addr;
use std::rc::Rc;

/// An address as it lies in a frame.
type Address = [u8; 16];

/// Runs all who can hold IPv6 prefixes.
pub(crate) fn ipv6(
    eal: &Eal,
    title: &str,
    prefixes: &Prefixes<Ipv6Net>,
    goals: Goals,
    effort: Effort,
    report: &mut Report,
) {
    let title = format!("{title}: {} prefixes", prefixes.len());
    let mut contest = Contest::new(title, eal);
    contest.enter("sekisho", || {
        Ok(Box::new(Ipv6Table::build(prefixes, u64::MAX)?))
    });
    let mut fib = None;
    contest.enter("rte_fib6, AVX-512", || {
        let table = Rc::new(build_fib(eal, prefixes)?);
        fib = Some(Rc::clone(&table));
        Ok(Box::new(FibPeer::new(table, Lane::Avx512)?))
    });
    contest.enter_again("rte_fib6, scalar", "rte_fib6, AVX-512", || {
        let table = match fib {
            Some(fib) => fib,
            None => Rc::new(build_fib(eal, prefixes)?),
        };
        Ok(Box::new(FibPeer::new(table, Lane::Scalar)?))
    });
    contest.enter("poptrie", || {
        let table: Poptrie<Ipv6Net, u8> = prefixes.iter().copied().collect();
        Ok(Box::new(table))
    });
    contest.enter("prefix-trie", || {
        let table: PrefixMap<Ipv6Net, u8> = prefixes.iter().copied().collect();
        Ok(Box::new(table))
    });
    contest.enter("ip_network_table", || {
        let mut table = IpNetworkTable::with_capacity(0, prefixes.len());
        for (net, value) in prefixes {
            table.insert(Ipv6Network::new(net.network(), net.prefix_len())?, *value);
        }
        Ok(Box::new(TreeBitmap(table)))
    });
    let spans = prefixes.iter().map(|(net, _)| Span {
        first: net.network().into(),
        host_bits: net.hostmask().into(),
        address_bits: 128,
    });
    let asked = asked(mixes(spans.collect()), u128::to_be_bytes);
    contest.run(&asked, goals, effort, report);
}

impl Peer<Address> for Ipv6Table {
    type Answer = u8;

    fn burst(&self, addresses: &[Address], answers: &mut [u8; BURST]) {
        if let Ok(addresses) = <&[Address; BURST]>::try_from(addresses) {
            let numbers = addresses.map(u128::from_be_bytes);
            let high = numbers.map(|number| (number >> 64) as u64);
            let low = numbers.map(|number| number as u64);
            return self.lookup_each(&high, &low, answers);
        }
        for (answer, &address) in answers.iter_mut().zip(addresses) {
            *answer = self.lookup(u128::from_be_bytes(address));
        }
    }

    fn value(answer: u8) -> u8 {
        answer
    }
}

struct FibPeer<'e> {
    table: Rc<Fib6<'e>>,
    lane: Lane,
}

impl<'e> FibPeer<'e> {
    fn new(table: Rc<Fib6<'e>>, lane: Lane) -> Result<Self> {
        if lane == Lane::Avx512 {
            need_avx512()?;
        }
        table.select(lane)?;
        Ok(Self { table, lane })
    }
}

impl Peer<Address> for FibPeer<'_> {
    type Answer = u64;

    fn prepare(&self) {
        assert!(self.table.select(self.lane).is_ok(), "was selected before");
    }

    fn burst(&self, addresses: &[Address], answers: &mut [u64; BURST]) {
        self.table.bulk(addresses, answers);
    }

    fn value(answer: u64) -> u8 {
        answer as u8
    }
}

impl Peer<Address> for Poptrie<Ipv6Net, u8> {
    type Answer = u8;

    fn burst(&self, addresses: &[Address], answers: &mut [u8; BURST]) {
        for (answer, &address) in answers.iter_mut().zip(addresses) {
            let found = self.lookup(u128::from_be_bytes(address));
            *answer = found.copied().unwrap_or(0);
        }
    }

    fn value(answer: u8) -> u8 {
        answer
    }
}

impl Peer<Address> for PrefixMap<Ipv6Net, u8> {
    type Answer = u8;

    fn burst(&self, addresses: &[Address], answers: &mut [u8; BURST]) {
        for (answer, &address) in answers.iter_mut().zip(addresses) {
            let host = Ipv6Net::from(Ipv6Addr::from(address));
            *answer = self.get_lpm(&host).map_or(0, |(_, value)| *value);
        }
    }

    fn value(answer: u8) -> u8 {
        answer
    }
}

/// The crate ip_network_table.
struct TreeBitmap(IpNetworkTable<u8>);

impl Peer<Address> for TreeBitmap {
    type Answer = u8;

    fn burst(&self, addresses: &[Address], answers: &mut [u8; BURST]) {
        for (answer, &address) in answers.iter_mut().zip(addresses) {
            let longest = self.0.longest_match_ipv6(Ipv6Addr::from(address));
            *answer = longest.map_or(0, |(_, value)| *value);
        }
    }

    fn value(answer: u8) -> u8 {
        answer
    }
}

/// How many groups of 256 entries rte_fib6 reserves when prefixes come in order: for each, one for
/// every eight bits by which it is longer than the prefix around it and than 24. What neighbours
/// share it counts only where they lie within the same eight bits.
fn groups(prefixes: &Prefixes<Ipv6Net>) -> usize {
    let mut around: Vec<Ipv6Net> = Vec::new();
    let mut before: Option<Ipv6Net> = None;
    let mut groups = 0;
    for &(net, _) in prefixes {
        while around.last().is_some_and(|last| !last.contains(&net)) {
            around.pop();
        }
        let parent = around.last().map_or(24, |last| last.prefix_len().max(24));
        let length = net.prefix_len();
        let block = Ipv6Net::new_assert(net.network(), length / 8 * 8).trunc();
        let shared = before.is_some_and(|before| block.contains(&before) && before != block);
        if length > 24 && !shared {
            groups += usize::from(length.div_ceil(8) - parent.div_ceil(8));
        }
        around.push(net);
        before = Some(net);
    }
    groups.max(1)
}

fn build_fib<'e>(eal: &'e Eal, prefixes: &Prefixes<Ipv6Net>) -> Result<Fib6<'e>> {
    let mut fib = Fib6::new(eal, prefixes.len(), groups(prefixes))?;
    for (net, value) in prefixes {
        fib.add(net.network().octets(), net.prefix_len(), *value)?;
    }
    Ok(fib)
}
