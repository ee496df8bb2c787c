//! The tables that everyone is given: prefixes, each with a value of 1–7.

use crate::random::Random;
use anyhow::{Context as _, Result};
use flate2::read::GzDecoder;
use ipnet::{Ipv4Net, Ipv6Net};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::str::FromStr;

/// In the order of addresses, each prefix once.
pub(crate) type Prefixes<Net> = Vec<(Net, u8)>;

/// 2,000 prefixes of /12–/24, and 98,000 /32 strewn over some 39,000 /24s of 1,500 /16s.
pub(crate) fn strewn_ipv4() -> Prefixes<Ipv4Net> {
    let mut random = Random(5);
    let mut nets = covering_ipv4(&mut random);
    let blocks: Vec<_> = (0..1_500).map(|_| (random.next() as u32) << 16).collect();
    let touched: Vec<_> = (0..39_499)
        .map(|_| random.pick(&blocks) | (random.below(256) as u32) << 8)
        .collect();
    for _ in 0..98_000 {
        let address = random.pick(&touched) | random.below(256) as u32;
        nets.push(host(address));
    }
    valued(nets)
}

/// The same number, but two of three addresses in nine pools of 64 /24s.
pub(crate) fn dense_ipv4() -> Prefixes<Ipv4Net> {
    let mut random = Random(5);
    let mut nets = covering_ipv4(&mut random);
    for _ in 0..9 {
        let pool = (random.next() as u32) << 16;
        let taken = (0..64 * 256).filter(|_| random.below(3) < 2);
        nets.extend(taken.map(|index| host(pool | index)));
    }
    valued(nets)
}

/// 4,030,000 /32 without a gap.
pub(crate) fn full_ipv4() -> Prefixes<Ipv4Net> {
    let first = u32::from(Ipv4Addr::new(100, 64, 0, 0));
    valued((first..first + 4_030_000).map(host))
}

/// 2,000 prefixes of /28–/40 and 199,000 strewn /56s, in 1,024 /20s.
pub(crate) fn strewn_ipv6() -> Prefixes<Ipv6Net> {
    let mut random = Random(3);
    let block = |random: &mut Random| 0x2400 << 48 | (random.below(1 << 10) as u64) << 44;
    let mut nets = Vec::new();
    for _ in 0..2_000 {
        let length = 28 + random.below(13) as u8;
        let high = block(&mut random) | (random.below(1 << 20) as u64) << 24;
        nets.push(high_net(high, length));
    }
    for _ in 0..199_000 {
        let high = block(&mut random) | (random.below(1 << 36) as u64) << 8;
        nets.push(high_net(high, 56));
    }
    valued(nets)
}

/// A real table: gzip, one prefix a line. It is in the folder that SEKISHO_SHARED names.
pub(crate) fn real<Net>(shared: Option<&OsString>, file: &str) -> Result<Prefixes<Net>>
where
    Net: FromStr<Err: std::error::Error + Send + Sync + 'static> + Ord,
{
    let shared = shared.context("SEKISHO_SHARED is not set")?;
    let path = Path::new(shared).join("prefixes").join(file);
    let opened = File::open(&path).with_context(|| path.display().to_string())?;
    let mut text = String::new();
    GzDecoder::new(opened).read_to_string(&mut text)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let nets: Result<Vec<Net>, _> = lines.map(str::parse).collect();
    Ok(valued(nets?))
}

fn valued<Net: Ord>(nets: impl IntoIterator<Item = Net>) -> Prefixes<Net> {
    let mut random = Random(1);
    let valued = nets.into_iter().map(|net| (net, 1 + random.below(7) as u8));
    valued.collect::<BTreeMap<_, _>>().into_iter().collect()
}

fn covering_ipv4(random: &mut Random) -> Vec<Ipv4Net> {
    let net = |random: &mut Random| {
        let length = 12 + random.below(13) as u8;
        Ipv4Net::new_assert(Ipv4Addr::from(random.next() as u32), length).trunc()
    };
    (0..2_000).map(|_| net(random)).collect()
}

fn host(address: u32) -> Ipv4Net {
    Ipv4Net::from(Ipv4Addr::from(address))
}

fn high_net(high: u64, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from(u128::from(high) << 64), length).trunc()
}
