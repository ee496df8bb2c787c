//! What the stages are told for each setting, and the ends of the tunnels that are opened then.

use super::Setting;
use super::build::Ends;
use super::scene::{Party, Scene, Side, v4, v6};
use crate::stage::{Account, Settings, Source, Unparsed};
use crate::wire::{Family, MapRule, Subscriber, Tunnel, TunnelKind, Unwrap};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The EA bits of the mapping rules: 8 of the address, 8 of the port set; offset 4, as in v6 Plus.
const EA_BITS: u8 = 16;
const OFFSET_BITS: u8 = 4;
const PSID_BITS: u8 = 8;

/// Which of the provider's ends a tunnel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A border relay of MAP-E: the shared address and the port tell the subscriber.
    BorderRelay,
    /// An AFTR of DS-Lite: the outer address tells.
    Aftr,
    /// A relay of 6rd, an LNS, and the ends of GRE, VXLAN and GTP-U: the inner address tells.
    Relay,
}

impl Setting {
    /// What the stages are told.
    pub(super) fn settings(self) -> Result<Settings, String> {
        let plain = Settings::new(Account::Candidates);
        Ok(match self {
            Self::Plain => plain,
            Self::Tunnels => Settings {
                unwrap: Arc::new(unwrap()?),
                ..plain
            },
            Self::KnownSources => Settings {
                source: Source::Known,
                ..plain
            },
            Self::UnparsedDropped => Settings {
                unparsed: Unparsed::Drop,
                ..plain
            },
        })
    }
}

impl End {
    fn network(self) -> u16 {
        match self {
            Self::BorderRelay => 0xf001,
            Self::Aftr => 0xf002,
            Self::Relay => 0xf003,
        }
    }

    /// The end over IPv6.
    pub(super) fn ipv6(self) -> IpAddr {
        v6(self.network(), 1)
    }

    /// The end over IPv4.
    pub(super) fn ipv4(self) -> IpAddr {
        v4([198, 18, 0, self.network() as u8])
    }
}

impl Scene {
    /// The outer ends of a tunnel between a subscriber's end and one of the provider's.
    pub(super) fn outer(&self, subscribers: IpAddr, end: IpAddr) -> Ends {
        match self.side {
            Side::Access => (subscribers, end),
            Side::Network => (end, subscribers),
        }
    }

    /// The subscriber's own end of a tunnel over IPv6.
    pub(super) fn customer_edge(&self) -> IpAddr {
        let network = self.party.network();
        // The EA bits, as written: 12 of the address, 34 of the port set.
        let address = Ipv6Addr::new(0x2001, 0xdb8, network, 0x1234, 0, 0, 0, 1);
        IpAddr::V6(address)
    }

    /// The address that the subscriber shares with others under the mapping rules.
    pub(super) fn shared_address(&self) -> IpAddr {
        v4([100, 64, third_octet(self.party), 0x12])
    }
}

/// A port of the set 0x34: four bits that are not 0, the set, and four bits of any kind.
pub(super) const SHARED_PORT: u16 = 0x1345;

fn third_octet(party: Party) -> u8 {
    (party.network() >> 8) as u8
}

/// Every kind of tunnel, toward the provider's ends.
fn unwrap() -> Result<Unwrap, String> {
    let both = |end: End| vec![IpNet::from(end.ipv4()), IpNet::from(end.ipv6())];
    let tunnel = |kind, end, subscriber| Tunnel {
        kind,
        endpoints: both(end),
        subscriber,
        rules: Vec::new(),
    };
    let plans = [
        Party::Blocked,
        Party::Rejected,
        Party::Counted,
        Party::Exempt,
    ];
    let rules = plans.map(rule);
    let border_relay = Tunnel {
        rules: rules.into_iter().collect::<Result<_, _>>()?,
        ..tunnel(
            TunnelKind::Ipv4InIpv6,
            End::BorderRelay,
            Subscriber::PortSet,
        )
    };
    let mut tunnels = vec![
        border_relay,
        tunnel(TunnelKind::Ipv4InIpv6, End::Aftr, Subscriber::Outer),
    ];
    let by_inner = [
        TunnelKind::Ipv4InIpv6,
        TunnelKind::Ipv6InIpv4,
        TunnelKind::L2tp,
        TunnelKind::Gre,
        TunnelKind::Vxlan,
        TunnelKind::GtpU,
    ];
    tunnels.extend(by_inner.map(|kind| tunnel(kind, End::Relay, Subscriber::Inner)));
    Ok(Unwrap::new(tunnels))
}

/// The mapping rule of one party's subscribers.
fn rule(party: Party) -> Result<MapRule, String> {
    let scene = Scene {
        family: Family::V6,
        side: Side::Access,
        party,
    };
    let IpAddr::V6(edge) = scene.customer_edge() else {
        return Err("a customer edge is an IPv6 address".to_owned());
    };
    let shared = Ipv4Addr::new(100, 64, third_octet(party), 0);
    let said = |error: ipnet::PrefixLenError| error.to_string();
    let ipv6 = Ipv6Net::new(edge, 48).map_err(said)?.trunc();
    let ipv4 = Ipv4Net::new(shared, 24).map_err(said)?;
    MapRule::new(ipv6, ipv4, EA_BITS, OFFSET_BITS, Some(PSID_BITS)).map_err(|e| e.to_string())
}
