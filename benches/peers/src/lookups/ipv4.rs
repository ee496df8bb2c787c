use super::asked;
use crate::contest::{Contest, Goals, Limit, Peer, need_avx512};
use crate::ffi::{BURST, Eal, Fib, Lane, Lpm};
use crate::measure::{Effort, thread_time};
use crate::prefixes::Prefixes;
use crate::queries::{Span, mixes};
use crate::report::Report;
use anyhow::{Context as _, Result, ensure};
use ip_network::Ipv4Network;
use ip_network_table::IpNetworkTable;
use ipnet::Ipv4Net;
use poptrie::Poptrie;
use prefix_trie::PrefixMap;
use sekisho::lpm::Ipv4Table;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

/// Runs all who can hold IPv4 prefixes.
pub(crate) fn ipv4(
    eal: &Eal,
    title: &str,
    prefixes: &Prefixes<Ipv4Net>,
    goals: Goals,
    effort: Effort,
    report: &mut Report,
) {
    let title = format!("{title}: {} prefixes", prefixes.len());
    let mut contest = Contest::new(title, eal);
    contest.enter("sekisho", || {
        Ok(Box::new(Ipv4Table::build(prefixes, u64::MAX)?))
    });
    let mut fib = None;
    contest.enter("rte_fib, AVX-512", || {
        let table = Rc::new(build_fib(eal, prefixes)?);
        fib = Some(Rc::clone(&table));
        Ok(Box::new(FibPeer::new(table, Lane::Avx512)?))
    });
    contest.enter_again("rte_fib, scalar", "rte_fib, AVX-512", || {
        let table = match fib {
            Some(fib) => fib,
            None => Rc::new(build_fib(eal, prefixes)?),
        };
        Ok(Box::new(FibPeer::new(table, Lane::Scalar)?))
    });
    let mut lpm = None;
    contest.enter("rte_lpm, bulk", || {
        let table = Rc::new(build_lpm(eal, prefixes, effort.patience)?);
        lpm = Some(Rc::clone(&table));
        Ok(Box::new(LpmBulk(table)))
    });
    contest.enter_again("rte_lpm, x4", "rte_lpm, bulk", || {
        Ok(Box::new(LpmX4(lpm.context(Limit("as above".into()))?)))
    });
    contest.enter("poptrie", || {
        let table: Poptrie<Ipv4Net, u8> = prefixes.iter().copied().collect();
        Ok(Box::new(table))
    });
    contest.enter("prefix-trie", || {
        let table: PrefixMap<Ipv4Net, u8> = prefixes.iter().copied().collect();
        Ok(Box::new(table))
    });
    contest.enter("ip_network_table", || {
        let mut table = IpNetworkTable::with_capacity(prefixes.len(), 0);
        for (net, value) in prefixes {
            table.insert(Ipv4Network::new(net.network(), net.prefix_len())?, *value);
        }
        Ok(Box::new(TreeBitmap(table)))
    });
    let spans = prefixes.iter().map(|(net, _)| Span {
        first: u32::from(net.network()).into(),
        host_bits: u32::from(net.hostmask()).into(),
        address_bits: 32,
    });
    let asked = asked(mixes(spans.collect()), |address| address as u32);
    contest.run(&asked, goals, effort, report);
}

impl Peer<u32> for Ipv4Table {
    type Answer = u8;

    fn burst(&self, addresses: &[u32], answers: &mut [u8; BURST]) {
        if let Ok(addresses) = addresses.try_into() {
            return self.lookup_each::<BURST>(addresses, answers);
        }
        for (answer, &address) in answers.iter_mut().zip(addresses) {
            *answer = self.lookup(address);
        }
    }

    fn value(answer: u8) -> u8 {
        answer
    }
}

struct FibPeer<'e> {
    table: Rc<Fib<'e>>,
    lane: Lane,
}

impl<'e> FibPeer<'e> {
    fn new(table: Rc<Fib<'e>>, lane: Lane) -> Result<Self> {
        if lane == Lane::Avx512 {
            need_avx512()?;
        }
        table.select(lane)?;
        Ok(Self { table, lane })
    }
}

impl Peer<u32> for FibPeer<'_> {
    type Answer = u64;

    fn prepare(&self) {
        assert!(self.table.select(self.lane).is_ok(), "was selected before");
    }

    fn burst(&self, addresses: &[u32], answers: &mut [u64; BURST]) {
        self.table.bulk(addresses, answers);
    }

    fn value(answer: u64) -> u8 {
        answer as u8
    }
}

struct LpmBulk<'e>(Rc<Lpm<'e>>);

impl Peer<u32> for LpmBulk<'_> {
    type Answer = u32;

    fn burst(&self, addresses: &[u32], answers: &mut [u32; BURST]) {
        self.0.bulk(addresses, answers);
    }

    fn value(answer: u32) -> u8 {
        Lpm::bulk_value(answer)
    }
}

struct LpmX4<'e>(Rc<Lpm<'e>>);

impl Peer<u32> for LpmX4<'_> {
    type Answer = u32;

    fn burst(&self, addresses: &[u32], answers: &mut [u32; BURST]) {
        self.0.x4(addresses, answers);
    }

    fn value(answer: u32) -> u8 {
        answer as u8
    }
}

impl Peer<u32> for Poptrie<Ipv4Net, u8> {
    type Answer = u8;

    fn burst(&self, addresses: &[u32], answers: &mut [u8; BURST]) {
        for (answer, &address) in answers.iter_mut().zip(addresses) {
            *answer = self.lookup(address).copied().unwrap_or(0);
        }
    }

    fn value(answer: u8) -> u8 {
        answer
    }
}

impl Peer<u32> for PrefixMap<Ipv4Net, u8> {
    type Answer = u8;

    fn burst(&self, addresses: &[u32], answers: &mut [u8; BURST]) {
        for (answer, &address) in answers.iter_mut().zip(addresses) {
            let host = Ipv4Net::from(Ipv4Addr::from(address));
            *answer = self.get_lpm(&host).map_or(0, |(_, value)| *value);
        }
    }

    fn value(answer: u8) -> u8 {
        answer
    }
}

/// The crate ip_network_table.
struct TreeBitmap(IpNetworkTable<u8>);

impl Peer<u32> for TreeBitmap {
    type Answer = u8;

    fn burst(&self, addresses: &[u32], answers: &mut [u8; BURST]) {
        for (answer, &address) in answers.iter_mut().zip(addresses) {
            let longest = self.0.longest_match_ipv4(Ipv4Addr::from(address));
            *answer = longest.map_or(0, |(_, value)| *value);
        }
    }

    fn value(answer: u8) -> u8 {
        answer
    }
}

/// How many /24s hold a longer prefix: for each, DPDK's tables take a group of 256 entries.
fn groups(prefixes: &Prefixes<Ipv4Net>) -> usize {
    let long = prefixes.iter().filter(|(net, _)| net.prefix_len() > 24);
    let touched: BTreeSet<_> = long.map(|(net, _)| u32::from(net.network()) >> 8).collect();
    // One is asked for even where none is needed.
    touched.len().max(1)
}

fn build_fib<'e>(eal: &'e Eal, prefixes: &Prefixes<Ipv4Net>) -> Result<Fib<'e>> {
    let mut fib = Fib::new(eal, prefixes.len(), groups(prefixes))?;
    for (net, value) in prefixes {
        fib.add(net.network().into(), net.prefix_len(), *value)?;
    }
    Ok(fib)
}

/// Gives up early when it sees that its patience will not suffice: rte_lpm walks all rules of the
/// same length for each that is added, so the time grows as the square of their number.
fn build_lpm<'e>(
    eal: &'e Eal,
    prefixes: &Prefixes<Ipv4Net>,
    patience: Duration,
) -> Result<Lpm<'e>> {
    let mut lpm = Lpm::new(eal, prefixes.len(), groups(prefixes))?;
    let begin = thread_time();
    for (index, (net, value)) in prefixes.iter().enumerate() {
        lpm.add(net.network().into(), net.prefix_len(), *value)?;
        let taken = thread_time() - begin;
        if index % 1024 != 0 || taken < patience / 20 {
            continue;
        }
        let whole = taken.mul_f64((prefixes.len() as f64 / index as f64).powi(2));
        ensure!(
            whole < patience * 2 && taken < patience,
            Limit(format!(
                "{index} of {} prefixes were added in {:.1} s of CPU time, all would take about \
                 {:.0} s; rte_lpm_add walks all rules of the same length each time",
                prefixes.len(),
                taken.as_secs_f64(),
                whole.as_secs_f64()
            ))
        );
    }
    Ok(lpm)
}
