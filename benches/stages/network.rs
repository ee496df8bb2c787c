//! A provider's network: one that `sekisho gen` makes up, and its subscribers.

use crate::frames::Random;
use ipnet::IpNet;
use sekisho::loadgen::traffic::{self, Spread, Synthetic};
use sekisho::policy::Tables;
use sekisho::stats::Tally;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

pub(crate) struct Network {
    pub(crate) tables: Arc<Tables>,
    /// By family.
    subscribers: [Vec<IpNet>; 2],
    network: traffic::Network,
}

impl Network {
    /// 100,000 prefixes of IPv4, and 200,000 /56 beside 2,000 shorter prefixes of IPv6.
    pub(crate) fn new(spread: Spread) -> Self {
        let made_up = Synthetic {
            spread,
            v4_prefixes: 100_000,
            v6_prefixes: 202_000,
        };
        let network = traffic::Network::synthetic(&made_up).unwrap();
        let prefixes = made_up.prefixes().into_iter().map(|(prefix, _)| prefix);
        let (v4, v6) = prefixes.partition(|prefix| matches!(prefix, IpNet::V4(_)));
        Self {
            tables: Arc::clone(network.tables()),
            subscribers: [v4, v6],
            network,
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.network.tally()
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
