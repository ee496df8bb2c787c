//! A provider's network: its policy, written as an operator writes it, and compiled.

use crate::frames::Random;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use sekisho::policy::{Program, Tables, load_with};
use sekisho::stats::Tally;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

const POLICY: &str = "\
isp: bench
time_zone: Asia/Tokyo
plans:
  home:     { kind: dynamic }
  shared:   { kind: shared }
  office:   { kind: fixed }
  roaming:  { kind: dynamic }
subscribers:
  - { file: subscribers.txt }
destinations:
  own:    { prefixes: [192.0.2.0/28, 2001:db8:ff00::/48] }
  mobile: { file: mobile-carriers.txt }
rules:
  - { name: roaming,  plans: [roaming], action: drop }
  - { name: carriers, kinds: [dynamic, shared], to: [mobile], action: drop }
  - { name: others,   kinds: [dynamic, shared], to-other-than: [own], action: drop }
";

const PLANS: [&str; 4] = ["home", "shared", "office", "roaming"];

const MOBILE_CARRIERS: &str = include_str!("../../config/prefixes/mobile-carriers.txt");

/// How 100,000 subscribers of each family lie in the address space, besides 2,000 longer-standing
/// blocks.
#[derive(Clone, Copy)]
pub(crate) enum Spread {
    /// IPv4: /32s in some 39,000 /24s. IPv6: /56s all over 1,024 /20s.
    Strewn,
    /// IPv4: two of three addresses in nine pools of 64 /24s. IPv6: nine of ten /56s at the
    /// beginning of four /32s.
    Dense,
}

pub(crate) struct Network {
    pub(crate) tables: Arc<Tables>,
    /// By family.
    subscribers: [Vec<IpNet>; 2],
    rules: usize,
    plans: usize,
}

impl Network {
    pub(crate) fn new(spread: Spread) -> Self {
        let mut random = Random(5);
        let mut subscribers = BTreeMap::new();
        for net in ipv4(spread, &mut random) {
            subscribers.insert(IpNet::V4(net), random.pick(&PLANS));
        }
        for net in ipv6(spread, &mut random) {
            subscribers.insert(IpNet::V6(net), random.pick(&PLANS));
        }
        let mut file = String::new();
        for (net, plan) in &subscribers {
            writeln!(file, "{net} {plan}").unwrap();
        }
        let program = compile(&file);
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        let (v4, v6) = subscribers
            .into_keys()
            .partition(|net| matches!(net, IpNet::V4(_)));
        Self {
            tables: Arc::clone(&program.at(now).unwrap().tables),
            subscribers: [v4, v6],
            rules: program.legend().rule_ids().len(),
            plans: program.legend().plan_ids().len(),
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally::new(self.rules, self.plans)
    }

    /// An address of a subscriber: every prefix is as likely as any other.
    pub(crate) fn subscriber(&self, ipv6: bool, random: &mut Random) -> IpAddr {
        let bits = u128::from(random.next()) << 64 | u128::from(random.next());
        match random.pick(&self.subscribers[usize::from(ipv6)]) {
            IpNet::V4(net) => {
                let host = bits as u32 & u32::from(net.hostmask());
                Ipv4Addr::from(u32::from(net.network()) | host).into()
            }
            IpNet::V6(net) => {
                let host = bits & u128::from(net.hostmask());
                Ipv6Addr::from(u128::from(net.network()) | host).into()
            }
        }
    }
}

fn compile(subscribers: &str) -> Program {
    let read = |path: &Path| match path.to_str() {
        Some("policy.yaml") => Ok(POLICY.into()),
        Some("subscribers.txt") => Ok(subscribers.into()),
        Some("mobile-carriers.txt") => Ok(MOBILE_CARRIERS.into()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let now = "2026-11-01T00:00:00Z".parse().unwrap();
    let loaded = load_with(&["policy.yaml".to_owned()], now, &read);
    let errors = format!("{:?}", loaded.diagnostics.first());
    let resolved = loaded.resolved.unwrap_or_else(|| panic!("{errors}"));
    Program::compile(Arc::new(resolved)).unwrap()
}

fn ipv4(spread: Spread, random: &mut Random) -> Vec<Ipv4Net> {
    let mut nets = Vec::new();
    for _ in 0..2_000 {
        let length = 12 + random.below(13) as u8;
        nets.push(ipv4_net(random.next() as u32, length));
    }
    match spread {
        Spread::Strewn => {
            let blocks: Vec<_> = (0..1_500).map(|_| (random.next() as u32) << 16).collect();
            let touched: Vec<_> = (0..39_499)
                .map(|_| random.pick(&blocks) | (random.below(256) as u32) << 8)
                .collect();
            for _ in 0..98_000 {
                let address = random.pick(&touched) | random.below(256) as u32;
                nets.push(ipv4_net(address, 32));
            }
        }
        Spread::Dense => {
            for _ in 0..9 {
                let pool = (random.next() as u32) << 16;
                let taken = (0..64 * 256).filter(|_| random.below(3) < 2);
                nets.extend(taken.map(|host| ipv4_net(pool | host, 32)));
            }
        }
    }
    nets
}

fn ipv6(spread: Spread, random: &mut Random) -> Vec<Ipv6Net> {
    let block = |random: &mut Random| 0x2400 << 48 | (random.below(1 << 10) as u64) << 44;
    let mut nets = Vec::new();
    for _ in 0..2_000 {
        let length = 28 + random.below(13) as u8;
        let high = block(random) | (random.below(1 << 20) as u64) << 24;
        nets.push(ipv6_net(high, length));
    }
    match spread {
        Spread::Strewn => {
            for _ in 0..98_000 {
                nets.push(ipv6_net(block(random) | random.next() >> 28 << 8, 56));
            }
        }
        Spread::Dense => {
            for pool in 0..4_u64 {
                let pool = 0x2500_1000 << 32 | pool << 32;
                let taken = (0..27_200_u64).filter(|_| random.below(10) < 9);
                nets.extend(taken.map(|index| ipv6_net(pool | index << 8, 56)));
            }
        }
    }
    nets
}

fn ipv4_net(address: u32, length: u8) -> Ipv4Net {
    let net = Ipv4Net::new(Ipv4Addr::from(address), length);
    net.unwrap().trunc()
}

fn ipv6_net(high: u64, length: u8) -> Ipv6Net {
    let net = Ipv6Net::new(Ipv6Addr::from(u128::from(high) << 64), length);
    net.unwrap().trunc()
}
