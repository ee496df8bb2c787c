//! Prefix tables: how long a lookup takes, and how much memory a table.
//!
//! Every table is asked 65,536 addresses in each of three mixes: a random prefix and a random
//! address in it (*uniform*), the same with Zipf's law over the prefixes (*zipf*), and the prefixes
//! in order (*sequential*). Criterion's "elem/s" are lookups a second. `peer` is the crate
//! prefix-trie; `intervals` is the structure that lost (see `docs/decisions`).
//!
//! `cargo bench --bench lookup`; with `SEKISHO_SHARED=<the shared folder>`, the real full tables too.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a benchmark"
)]

use std::hint::black_box;
use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use ipnet::{Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;
use sekisho::lpm::{Headroom, Ipv4Table, Ipv4Writer, Ipv6Table, Readers};

#[path = "lookup/interval_tree.rs"]
mod interval_tree;
use interval_tree::IntervalTree;

const QUERIES: usize = 1 << 16;

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600));
    targets = ipv4, ipv6, live
}
criterion_main!(benches);

fn ipv4(criterion: &mut Criterion) {
    let mut tables = vec![
        ("ipv4/a-strewn-32s", strewn_ipv4()),
        ("ipv4/a2-dense-pools", pools_ipv4()),
        ("ipv4/d-4.03M-dense-32s", dense_ipv4()),
    ];
    tables.extend(real("rib-full-ipv4.txt.gz").map(|table| ("ipv4/b-full-table", table)));
    for (name, prefixes) in tables {
        let table = Ipv4Table::build(&prefixes, u64::MAX).unwrap();
        tell_memory(name, prefixes.len(), table.memory_bytes());
        let peer: PrefixMap<Ipv4Net, u8> = prefixes.iter().copied().collect();
        let spread = prefixes.iter().map(|(net, _)| Spread {
            first: u32::from(net.network()).into(),
            host_bits: u32::from(net.hostmask()).into(),
        });
        let mut group = criterion.benchmark_group(name);
        for (mix, queries) in mixes(spread.collect()) {
            let queries: Vec<_> = queries.into_iter().map(|address| address as u32).collect();
            measure(&mut group, "sekisho", mix, &queries, |q| table.lookup(q));
            measure(&mut group, "peer", mix, &queries, |q| {
                let host = Ipv4Net::from(Ipv4Addr::from(q));
                peer.get_lpm(&host).map_or(0, |(_, value)| *value)
            });
        }
        group.finish();
    }
}

fn ipv6(criterion: &mut Criterion) {
    let mut tables = vec![
        ("ipv6/a-strewn-56s", strewn_ipv6()),
        ("ipv6/a2-dense-pools", pools_ipv6()),
    ];
    tables.extend(real("rib-full-ipv6.txt.gz").map(|table| ("ipv6/b-full-table", table)));
    for (name, prefixes) in tables {
        let table = Ipv6Table::build(&prefixes, u64::MAX).unwrap();
        let intervals = IntervalTree::build(&prefixes);
        tell_memory(name, prefixes.len(), table.memory_bytes());
        tell_memory("  as intervals", prefixes.len(), intervals.bytes() as u64);
        let peer: PrefixMap<Ipv6Net, u8> = prefixes.iter().copied().collect();
        let spread = prefixes.iter().map(|(net, _)| Spread {
            first: net.network().into(),
            host_bits: net.hostmask().into(),
        });
        let mut group = criterion.benchmark_group(name);
        for (mix, queries) in mixes(spread.collect()) {
            measure(&mut group, "sekisho", mix, &queries, |q| table.lookup(q));
            measure(&mut group, "intervals", mix, &queries, |q| {
                intervals.lookup(q)
            });
            measure(&mut group, "peer", mix, &queries, |q| {
                let host = Ipv6Net::from(Ipv6Addr::from(q));
                peer.get_lpm(&host).map_or(0, |(_, value)| *value)
            });
        }
        group.finish();
    }
}

/// How long a table of full blocks takes to build, and a change of a /32: its value replaced, or
/// taken out and put in again.
fn live(criterion: &mut Criterion) {
    let dense = dense_ipv4();
    let mut group = criterion.benchmark_group("live/d-4.03M-dense-32s");
    group.bench_function("build", |bencher| {
        bencher.iter(|| Ipv4Table::build(&dense, u64::MAX).unwrap());
    });
    let mut random = Random(9);
    let picked: Vec<_> = (0..1_024)
        .map(|_| dense[random.below(dense.len())].0)
        .collect();
    let headroom = Headroom::default();
    let mut writer = Ipv4Writer::build(&dense, headroom, &Readers::new(), u64::MAX).unwrap();
    group.throughput(Throughput::Elements(picked.len() as u64));
    group.bench_function("replace", |bencher| {
        bencher.iter(|| {
            for net in &picked {
                black_box(writer.insert(*net, 9).unwrap());
            }
        });
    });
    group.bench_function("remove-insert", |bencher| {
        bencher.iter(|| {
            for net in &picked {
                black_box(writer.remove(*net));
                black_box(writer.insert(*net, 8).unwrap());
            }
        });
    });
    group.finish();
}

/// Lookups that do not wait for each other, as in a burst.
fn measure<Address: Copy>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    table: &str,
    mix: &str,
    queries: &[Address],
    lookup: impl Fn(Address) -> u8,
) {
    group.throughput(Throughput::Elements(queries.len() as u64));
    group.bench_function(format!("{mix}/{table}"), |bencher| {
        bencher.iter(|| {
            let values = black_box(queries).iter().map(|&q| u64::from(lookup(q)));
            values.sum::<u64>()
        });
    });
}

fn tell_memory(name: &str, prefixes: usize, bytes: u64) {
    let each = bytes as f64 / prefixes as f64;
    eprintln!("{name}: {prefixes} prefixes, {bytes} bytes, {each:.1} a prefix");
}

/// A prefix as addresses to ask for.
#[derive(Clone, Copy)]
struct Spread {
    first: u128,
    host_bits: u128,
}

impl Spread {
    fn any(self, random: &mut Random) -> u128 {
        let bits = u128::from(random.next()) << 64 | u128::from(random.next());
        self.first | bits & self.host_bits
    }
}

fn mixes(mut prefixes: Vec<Spread>) -> [(&'static str, Vec<u128>); 3] {
    let mut random = Random(7);
    let count = prefixes.len();
    prefixes.sort_by_key(|prefix| prefix.first);
    let sequential = prefixes.iter().cycle().take(QUERIES).map(|p| p.first);
    let sequential = sequential.collect();
    for index in (1..count).rev() {
        prefixes.swap(index, random.below(index + 1));
    }
    let uniform = (0..QUERIES).map(|_| {
        let prefix = prefixes[random.below(count)];
        prefix.any(&mut random)
    });
    let uniform = uniform.collect();
    // The rank of a draw by Zipf's law with exponent 1, nearly: n to the power of a uniform draw.
    let zipf = (0..QUERIES).map(|_| {
        let exponent = random.next() as f64 / u64::MAX as f64;
        let rank = (count as f64).powf(exponent) as usize;
        prefixes[rank.min(count - 1)].any(&mut random)
    });
    let zipf = zipf.collect();
    [
        ("uniform", uniform),
        ("zipf", zipf),
        ("sequential", sequential),
    ]
}

/// 2,000 prefixes of /12–/24, and 98,000 /32 strewn over some 39,000 /24s of 1,500 /16s.
fn strewn_ipv4() -> Vec<(Ipv4Net, u8)> {
    let mut random = Random(5);
    let mut prefixes = covering_ipv4(&mut random);
    let blocks: Vec<_> = (0..1_500).map(|_| (random.next() as u32) << 16).collect();
    let touched: Vec<_> = (0..39_499)
        .map(|_| blocks[random.below(blocks.len())] | (random.below(256) as u32) << 8)
        .collect();
    for _ in 0..98_000 {
        let address = touched[random.below(touched.len())] | random.below(256) as u32;
        prefixes.push((host(address), plan(&mut random)));
    }
    prefixes
}

/// The same number, but two of three addresses in nine pools of 64 /24s.
fn pools_ipv4() -> Vec<(Ipv4Net, u8)> {
    let mut random = Random(5);
    let mut prefixes = covering_ipv4(&mut random);
    for _ in 0..9 {
        let pool = (random.next() as u32) << 16;
        for index in 0..64 * 256 {
            if random.below(3) < 2 {
                prefixes.push((host(pool | index), plan(&mut random)));
            }
        }
    }
    prefixes
}

fn dense_ipv4() -> Vec<(Ipv4Net, u8)> {
    let mut random = Random(5);
    let first = u32::from(Ipv4Addr::new(100, 64, 0, 0));
    (first..first + 4_030_000)
        .map(|address| (host(address), plan(&mut random)))
        .collect()
}

fn covering_ipv4(random: &mut Random) -> Vec<(Ipv4Net, u8)> {
    let net = |random: &mut Random| {
        let length = 12 + random.below(13) as u8;
        let net = Ipv4Net::new(Ipv4Addr::from(random.next() as u32), length).unwrap();
        (net.trunc(), plan(random))
    };
    (0..2_000).map(|_| net(random)).collect()
}

fn host(address: u32) -> Ipv4Net {
    Ipv4Net::from(Ipv4Addr::from(address))
}

/// 2,000 prefixes of /28–/40 and 199,000 strewn /56s, in 1,024 /20s.
fn strewn_ipv6() -> Vec<(Ipv6Net, u8)> {
    let mut random = Random(3);
    let block = |random: &mut Random| 0x2400 << 48 | (random.below(1 << 10) as u64) << 44;
    let mut prefixes = Vec::new();
    for _ in 0..2_000 {
        let length = 28 + random.below(13) as u8;
        let high = block(&mut random) | (random.below(1 << 20) as u64) << 24;
        prefixes.push((high_net(high, length), plan(&mut random)));
    }
    for _ in 0..199_000 {
        let high = block(&mut random) | (random.below(1 << 36) as u64) << 8;
        prefixes.push((high_net(high, 56), plan(&mut random)));
    }
    prefixes
}

/// Nine of ten /56s at the beginning of each of four /32s.
fn pools_ipv6() -> Vec<(Ipv6Net, u8)> {
    let mut random = Random(3);
    let mut prefixes = Vec::new();
    for pool in 0..4_u64 {
        let pool = 0x2400_1000 << 32 | pool << 32;
        prefixes.push((high_net(pool, 32), plan(&mut random)));
        for index in 0..55_000 {
            if random.below(10) < 9 {
                prefixes.push((high_net(pool | index << 8, 56), plan(&mut random)));
            }
        }
    }
    prefixes
}

fn high_net(high: u64, length: u8) -> Ipv6Net {
    let address = Ipv6Addr::from(u128::from(high) << 64);
    Ipv6Net::new(address, length).unwrap().trunc()
}

fn plan(random: &mut Random) -> u8 {
    1 + random.below(7) as u8
}

/// A table of the shared folder, one prefix a line, gzip.
fn real<Net: FromStr<Err: std::fmt::Debug>>(file: &str) -> Option<Vec<(Net, u8)>> {
    let Some(shared) = std::env::var_os("SEKISHO_SHARED") else {
        eprintln!("SEKISHO_SHARED is not set: {file} is not measured");
        return None;
    };
    let path = std::path::Path::new(&shared).join("prefixes").join(file);
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap());
    decoder.read_to_string(&mut text).unwrap();
    let mut random = Random(1);
    let nets = text.lines().filter(|line| !line.starts_with('#'));
    Some(
        nets.map(|line| (line.parse().unwrap(), plan(&mut random)))
            .collect(),
    )
}

/// SplitMix64: the same tables and queries on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}
