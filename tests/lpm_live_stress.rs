//! Tables that are changed while threads look up in them, one of which stalls: a lookup only ever
//! finds the value from before or from after the change that is being made.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::thread;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;
use sekisho::lpm::{
    Headroom, Ipv4Table, Ipv4Writer, Ipv6Table, Ipv6Writer, Reader, Readers, Refused,
};

const CHANGES: usize = 1_500;
const READERS: usize = 2;

type Model = BTreeMap<IpNet, u8>;
type Lookup = Arc<dyn Fn(IpAddr) -> u8 + Send + Sync>;

fn scan(model: &Model, address: IpAddr) -> u8 {
    let holding = model.iter().filter(|(net, _)| net.contains(&address));
    let longest = holding.max_by_key(|(net, _)| net.prefix_len());
    longest.map_or(0, |(_, value)| *value)
}

/// An address, and what a lookup of it may find now: the values before and after the change that
/// is being made, below a number that grows with every change of them.
struct Watched {
    address: IpAddr,
    allowed: AtomicU64,
}

impl Watched {
    fn new(address: IpAddr, value: u8) -> Self {
        let allowed = AtomicU64::new(u64::from(value) << 8 | u64::from(value));
        Self { address, allowed }
    }

    fn allow(&self, before: u8, after: u8) {
        let number = (self.allowed.load(Ordering::Relaxed) >> 16) + 1;
        let values = u64::from(before) << 8 | u64::from(after);
        self.allowed.store(number << 16 | values, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Looks up, and compares unless what is allowed has changed meanwhile.
    fn check(&self, lookup: &Lookup) {
        let allowed = self.allowed.load(Ordering::SeqCst);
        let found = lookup(self.address);
        fence(Ordering::SeqCst);
        if self.allowed.load(Ordering::SeqCst) == allowed {
            let [.., before, after] = allowed.to_be_bytes();
            assert!(
                [before, after].contains(&found),
                "{}: {found} is neither {before} nor {after}",
                self.address
            );
        }
    }
}

fn read(watched: &[Watched], lookup: &Lookup, mut reader: Reader, done: &AtomicBool) -> u64 {
    let mut bursts = 0;
    while !done.load(Ordering::Relaxed) {
        for burst in watched.chunks(16) {
            reader.announce();
            burst.iter().for_each(|watched| watched.check(lookup));
            bursts += 1;
        }
        if bursts % 5 == 0 {
            reader = reader.park().resume();
        }
        thread::yield_now();
    }
    bursts
}

/// Ends the readers, also when the writer panics.
struct Done<'d>(&'d AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Change = (IpNet, Option<u8>);

/// Makes a change, which may have to wait for the stalled reader; what it returned, and how often
/// it was refused.
fn retried(
    mut change: impl FnMut() -> Result<Option<u8>, Refused>,
    stalled: &mut Reader,
) -> (Option<u8>, usize) {
    for refusals in 0.. {
        match change() {
            Ok(found) => return (found, refusals),
            Err(Refused::Waiting { waiting, readers }) => {
                assert!(waiting > 0 && (1..=READERS + 1).contains(&readers));
                stalled.announce();
                thread::yield_now();
            }
            Err(refused) => panic!("{refused}"),
        }
    }
    unreachable!("the loop has no end");
}

/// Changes prefixes at random while others read; how often a change had to wait.
fn stress(
    mut model: Model,
    pool: &[IpNet],
    readers: &Arc<Readers>,
    lookup: &Lookup,
    mut change: impl FnMut(Change) -> Result<Option<u8>, Refused>,
) -> (Model, usize) {
    let addresses = pool.iter().flat_map(|net| [net.network(), net.broadcast()]);
    let watched: Vec<_> = addresses
        .map(|address| Watched::new(address, scan(&model, address)))
        .collect();
    let done = AtomicBool::new(false);
    let mut waited = 0;
    thread::scope(|scope| {
        let ends = Done(&done);
        let threads: Vec<_> = (0..READERS)
            .map(|_| {
                let reader = readers.register();
                scope.spawn(|| read(&watched, lookup, reader, &done))
            })
            .collect();
        let mut stalled = readers.register();
        let mut random = Pcg64Mcg::new(17);
        for number in 0..CHANGES {
            let net = pool[random.random_range(0..pool.len())];
            let value = random.random_bool(0.6).then(|| random.random_range(0..200));
            let mut after = model.clone();
            let before = match value {
                Some(value) => after.insert(net, value),
                None => after.remove(&net),
            };
            let touched: Vec<_> = watched
                .iter()
                .filter(|watched| net.contains(&watched.address))
                .map(|watched| (watched, scan(&after, watched.address)))
                .collect();
            for (watched, after) in &touched {
                watched.allow(scan(&model, watched.address), *after);
            }
            let (found, refusals) = retried(|| change((net, value)), &mut stalled);
            assert_eq!(found, before, "{net}, change {number}");
            waited += refusals;
            for (watched, after) in touched {
                watched.allow(after, after);
            }
            model = after;
        }
        drop(ends);
        for thread in threads {
            assert!(thread.join().unwrap() > 0, "every reader has read");
        }
    });
    for watched in &watched {
        assert_eq!(lookup(watched.address), scan(&model, watched.address));
    }
    (model, waited)
}

#[test]
fn ipv4_lookups_find_the_old_value_or_the_new_one() {
    // Twelve /24s, in each of which prefixes nest, and few pages to move between them.
    let nets = (0..12_u32).flat_map(|block| {
        let at = 0x0A00_0000 | (block % 4) << 16 | (block / 4) << 8;
        [12, 16, 22, 24, 25, 30, 32, 32]
            .into_iter()
            .zip(0..)
            .map(move |(length, index)| {
                let net = Ipv4Net::new((at | (index * 36)).into(), length).unwrap();
                IpNet::V4(net.trunc())
            })
    });
    let pool: Vec<_> = nets.collect();
    let readers = Readers::new();
    let spare = Headroom {
        inner_pages: 5,
        leaf_pages: 14,
        keys: 0,
    };
    let mut writer = Ipv4Writer::build(&[], spare, &readers, u64::MAX).unwrap();
    let table = Arc::clone(writer.table());
    let lookup: Lookup = Arc::new(move |address| match address {
        IpAddr::V4(address) => table.lookup(address.into()),
        IpAddr::V6(_) => 0,
    });
    let change = |(net, value): Change| match (net, value) {
        (IpNet::V4(net), Some(value)) => writer.insert(net, value),
        (IpNet::V4(net), None) => Ok(writer.remove(net)),
        (IpNet::V6(_), _) => Ok(None),
    };
    let (model, waited) = stress(Model::new(), &pool, &readers, &lookup, change);
    assert!(waited > 0, "the stalled reader was never waited for");

    let v4 = |(net, value): (&IpNet, &u8)| match net {
        IpNet::V4(net) => Some((*net, *value)),
        IpNet::V6(_) => None,
    };
    let kept: Vec<_> = model.iter().filter_map(v4).collect();
    let anew = Ipv4Table::build(&kept, u64::MAX).unwrap();
    for address in 0x09FF_FF00..0x0A04_0100_u32 {
        assert_eq!(writer.table().lookup(address), anew.lookup(address));
    }
}

#[test]
fn ipv6_lookups_find_the_old_value_or_the_new_one() {
    // Few addresses and all lengths; and so many /56s that groups of keys must move.
    let net = |high: u64, length| {
        let net = Ipv6Net::new((u128::from(high) << 64).into(), length).unwrap();
        net.trunc()
    };
    let block = |index: u64| 0x2001_0DB8 << 32 | (index % 3) << 30 | (index / 3 * 0x0101_0100);
    let nested = (0..12).flat_map(|index| {
        let lengths = [16, 20, 32, 40, 48, 52, 56, 60, 64];
        lengths.map(|length| IpNet::V6(net(block(index), length)))
    });
    let strewn =
        (1..60_u64).map(|index| 0x2400 << 48 | index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16);
    let pool: Vec<_> = nested
        .chain(strewn.map(|high| IpNet::V6(net(high, 56))))
        .collect();
    let filling =
        (1..6_000_u64).map(|index| index.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 4 | 3 << 62);
    let first: Vec<_> = filling
        .map(|high| (net(high, 56), 1))
        .chain([(net(0, 48), 1), (net(0, 64), 1)])
        .collect();

    let readers = Readers::new();
    let spare = Headroom {
        inner_pages: 40,
        leaf_pages: 40,
        keys: 1,
    };
    let mut writer = Ipv6Writer::build(&first, spare, &readers, u64::MAX).unwrap();
    let table = Arc::clone(writer.table());
    let lookup: Lookup = Arc::new(move |address| match address {
        IpAddr::V4(_) => 0,
        IpAddr::V6(address) => table.lookup(address.into()),
    });
    let change = |(net, value): Change| match (net, value) {
        (IpNet::V4(_), _) => Ok(None),
        (IpNet::V6(net), Some(value)) => writer.insert(net, value),
        (IpNet::V6(net), None) => writer.remove(net),
    };
    stress(Model::new(), &pool, &readers, &lookup, change);

    let kept = writer.prefixes();
    let anew = Ipv6Table::build(&kept, u64::MAX).unwrap();
    for (net, _) in kept {
        let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
        for address in [
            first,
            last,
            first.wrapping_sub(1),
            last.wrapping_add(1),
            first ^ 1 << 119,
        ] {
            assert_eq!(writer.table().lookup(address), anew.lookup(address));
        }
    }
}
