//! Networks that are made up: a provider's plans, and its subscribers in dense pools or strewn.

use super::address::public_v4;
use super::random::Random;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The plans of a made-up network; a prefix takes one of them at random.
pub(super) const PLANS: [&str; 4] = ["home", "shared", "office", "roaming"];

/// Its policy, as an operator writes it; the subscribers are put in afterwards.
pub(super) const POLICY: &str = "\
isp: made-up
time_zone: Asia/Tokyo
plans:
  home:     { kind: dynamic }
  shared:   { kind: shared }
  office:   { kind: fixed }
  roaming:  { kind: dynamic }
destinations:
  own:    { prefixes: [192.0.2.0/28, 2001:db8:ff00::/48] }
  mobile: { file: mobile-carriers.txt }
rules:
  - { name: roaming,  plans: [roaming], action: drop }
  - { name: carriers, kinds: [dynamic, shared], to: [mobile], action: drop }
  - { name: others,   kinds: [dynamic, shared], to-other-than: [own], action: drop }
";

pub(super) const MOBILE_CARRIERS: &str =
    include_str!("../../../config/prefixes/mobile-carriers.txt");

/// How many blocks of each family are shorter than a subscriber's own prefix.
const BLOCKS: u32 = 2_000;

/// How many /32s a touched /24 has where they are strewn, and where they are dense: 98,000 in
/// 39,499 and in 581.
const STREWN_PER_24: f64 = 98_000.0 / 39_499.0;
const DENSE_PER_24: f64 = 98_000.0 / 581.0;

/// A pool of IPv4 addresses that lies in one piece, in /24s.
const POOL_24S: u64 = 64;

/// How subscribers lie in the address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// As providers have them. IPv4: two of three addresses in pools of 64 /24s. IPv6: nine of
    /// ten /56s at the beginning of four /32s.
    Dense,
    /// IPv4: two or three /32s in a /24, all over the space. IPv6: /56s all over 1,024 /20s.
    Strewn,
}

impl Spread {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::Dense, Self::Strewn];

    /// The word in outputs and names.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Strewn => "strewn",
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// A network to make up: so many subscriber prefixes, 2,000 of each family shorter ones (/12 to
/// /24, /28 to /40) and the others /32 and /56; each has one of four plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synthetic {
    /// How they lie.
    pub spread: Spread,
    /// Prefixes of IPv4: 2,000 at least.
    pub v4_prefixes: u32,
    /// Prefixes of IPv6: 2,000 at least.
    pub v6_prefixes: u32,
}

/// No network of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no network `{0}`: there are dense- and strewn-, each with 10k, 100k, 1m or 4m")]
pub struct UnknownNetwork(String);

/// The sizes that have a name: prefixes of IPv4, and of IPv6.
const NAMED: [(&str, u32, u32); 4] = [
    ("10k", 10_000, 202_000),
    ("100k", 100_000, 202_000),
    ("1m", 1_000_000, 1_002_000),
    ("4m", 4_000_000, 1_002_000),
];

impl Synthetic {
    /// Every network that has a name.
    pub fn named() -> impl Iterator<Item = Self> {
        let sizes = NAMED.into_iter();
        sizes.flat_map(|(_, v4_prefixes, v6_prefixes)| {
            [Spread::Dense, Spread::Strewn].map(|spread| Self {
                spread,
                v4_prefixes,
                v6_prefixes,
            })
        })
    }

    /// Its prefixes, IPv4's first, each once, and the place of the plan of each among the plans
    /// of its policy. The same on every run.
    pub fn prefixes(&self) -> Vec<(IpNet, usize)> {
        let mut random = Random::new(5);
        let v4 = self.v4(&mut random);
        let v6 = self.v6(&mut random);
        let nets = v4
            .into_iter()
            .map(IpNet::V4)
            .chain(v6.into_iter().map(IpNet::V6));
        nets.map(|net| (net, random.below(PLANS.len() as u64) as usize))
            .collect()
    }

    fn v4(&self, random: &mut Random) -> BTreeSet<Ipv4Net> {
        let mut nets = BTreeSet::new();
        while nets.len() < BLOCKS as usize {
            let length = 12 + random.below(13) as u8;
            nets.extend(v4_net(public_v4(random), length));
        }
        let hosts = self.v4_prefixes.saturating_sub(BLOCKS);
        let hosts = match self.spread {
            Spread::Dense => dense_hosts(hosts, random),
            Spread::Strewn => strewn_hosts(hosts, random),
        };
        nets.extend(hosts.into_iter().filter_map(|host| v4_net(host, 32)));
        nets
    }

    fn v6(&self, random: &mut Random) -> BTreeSet<Ipv6Net> {
        let block = |random: &mut Random| 0x2400 << 48 | random.below(1 << 10) << 44;
        let mut nets = BTreeSet::new();
        while nets.len() < BLOCKS as usize {
            let length = 28 + random.below(13) as u8;
            let high = block(random) | random.below(1 << 20) << 24;
            nets.extend(v6_net(high, length));
        }
        let sites = u64::from(self.v6_prefixes.saturating_sub(BLOCKS));
        match self.spread {
            Spread::Strewn => {
                let wanted = nets.len() + sites as usize;
                while nets.len() < wanted {
                    nets.extend(v6_net(block(random) | random.next() >> 28 << 8, 56));
                }
            }
            Spread::Dense => {
                for index in 0..4_u64 {
                    let of_pool = (sites + index) / 4;
                    let pool = 0x2500_1000 << 32 | index << 32;
                    let taken = some_of(of_pool * 10 / 9, of_pool, random).into_iter();
                    nets.extend(taken.filter_map(|site| v6_net(pool | site << 8, 56)));
                }
            }
        }
        nets
    }
}

/// As it is typed: `strewn-100k`.
impl fmt::Display for Synthetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spread = self.spread.label();
        let (v4, v6) = (self.v4_prefixes, self.v6_prefixes);
        match NAMED.iter().find(|named| (named.1, named.2) == (v4, v6)) {
            Some((name, ..)) => write!(f, "{spread}-{name}"),
            None => write!(f, "{spread}-{v4}-{v6}"),
        }
    }
}

impl FromStr for Synthetic {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        let found = Self::named().find(|network| network.to_string() == text);
        found.ok_or_else(|| UnknownNetwork(text.to_owned()))
    }
}

/// Addresses in pools of 64 /24s.
fn dense_hosts(hosts: u32, random: &mut Random) -> Vec<u32> {
    let blocks = (f64::from(hosts) / DENSE_PER_24).ceil() as u64;
    // Such a pool is a /18.
    let bases = distinct(blocks.div_ceil(POOL_24S), || public_v4(random) >> 14 << 14);
    let pools = bases.into_iter().flat_map(|base| base..=base | 0x3fff);
    let addresses: Vec<_> = pools.take((blocks * 256) as usize).collect();
    let taken = some_of(addresses.len() as u64, u64::from(hosts), random);
    taken
        .into_iter()
        .filter_map(|place| addresses.get(place as usize).copied())
        .collect()
}

/// Addresses in so many /24s, every one of them touched, which are all over so many /16s.
fn strewn_hosts(hosts: u32, random: &mut Random) -> Vec<u32> {
    let blocks = (f64::from(hosts) / STREWN_PER_24).ceil() as u64;
    let wide = (blocks * 1_500).div_ceil(39_499);
    let wide: Vec<_> = distinct(wide, || public_v4(random) >> 16 << 16)
        .into_iter()
        .collect();
    let block = || random.pick(&wide).unwrap_or(0) | (random.below(256) as u32) << 8;
    let touched: Vec<_> = distinct(blocks, block).into_iter().collect();
    let mut addresses = BTreeSet::new();
    for base in &touched {
        addresses.insert(base | random.below(256) as u32);
    }
    while addresses.len() < hosts as usize {
        let base = random.pick(&touched).unwrap_or(0);
        addresses.insert(base | random.below(256) as u32);
    }
    addresses.into_iter().take(hosts as usize).collect()
}

/// So many different values of a draw.
fn distinct(count: u64, mut draw: impl FnMut() -> u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    while (found.len() as u64) < count {
        found.insert(draw());
    }
    found
}

/// `count` of the numbers below `slots`, each as likely as any other, ascending.
fn some_of(slots: u64, count: u64, random: &mut Random) -> Vec<u64> {
    let mut left = count;
    let mut taken = Vec::with_capacity(count as usize);
    for slot in 0..slots {
        if random.below(slots - slot) < left {
            left -= 1;
            taken.push(slot);
        }
    }
    taken
}

fn v4_net(address: u32, length: u8) -> Option<Ipv4Net> {
    let net = Ipv4Net::new(Ipv4Addr::from(address), length).ok()?;
    Some(net.trunc())
}

fn v6_net(high: u64, length: u8) -> Option<Ipv6Net> {
    let net = Ipv6Net::new(Ipv6Addr::from(u128::from(high) << 64), length).ok()?;
    Some(net.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_that_speed_is_stated_for() {
        for (name, touched) in [("strewn-100k", 39_499), ("dense-100k", 581)] {
            let network: Synthetic = name.parse().unwrap();
            assert_eq!(network.to_string(), name);
            let prefixes = network.prefixes();
            assert_eq!(prefixes.len(), 302_000, "{name}");
            let hosts = prefixes.iter().filter_map(|(net, _)| match net {
                IpNet::V4(net) if net.prefix_len() == 32 => Some(u32::from(net.network()) >> 8),
                _ => None,
            });
            let hosts: Vec<_> = hosts.collect();
            assert_eq!(hosts.len(), 98_000, "{name}");
            let blocks: BTreeSet<_> = hosts.into_iter().collect();
            assert_eq!(blocks.len(), touched, "{name}");
        }
        assert!("dense-2m".parse::<Synthetic>().is_err());
    }
}
