//! What traffic looks like: every number that a [`Generator`](super::Generator) goes by.

use super::Sizes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// The model. Shares are of 1, and of all frames unless they say otherwise; each frame is drawn
/// by itself, so kinds come in random order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Octets of each frame, in exact repetition.
    pub sizes: Sizes,
    /// What each draw of a subscriber is among.
    pub among: Among,
    /// The exponent of the Zipf law by which some subscribers send more than others of their
    /// plan; without it, all send alike.
    pub zipf: Option<f64>,
    /// Plans (`plan`, or `isp/plan`) → share of the frames of each family in which the plan has
    /// subscribers. Plans that are not named divide the rest, each by what it has of `among`.
    pub plans: BTreeMap<String, f64>,
    /// Destination classes (`class`, or `isp/class`) → share of the peers. The rest are of the
    /// whole address space without its special ranges, and as a rule in no class.
    pub classes: BTreeMap<String, f64>,
    /// Which way frames go.
    pub direction: Direction,
    /// IPv6's share.
    pub ipv6: f64,
    /// Shares of the frames that have nothing to do with port 25: together 1.
    pub protocols: Protocols,
    /// Shares of TCP's: together 1.
    pub tcp_flags: TcpFlags,
    /// New connections to port 25, from any subscriber: SYN outbound, and its answer (SYN and
    /// ACK, from port 25) inbound.
    pub port_25: f64,
    /// Subscribers that do little else than open connections to port 25.
    pub bots: Bots,
    /// What stands between Ethernet and IP.
    pub encapsulation: Encapsulation,
    /// Frames made to hurt.
    pub hostile: Hostile,
}

/// What a draw of a subscriber is among.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Among {
    /// The listed prefixes, whatever their lengths; then the addresses of the one drawn.
    #[default]
    Prefixes,
    /// The addresses: each of IPv4, each /56 of IPv6.
    Addresses,
}

/// Which way frames go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From subscribers to peers.
    #[default]
    Out,
    /// From peers to subscribers.
    In,
    /// Half of the frames each way; bots and spoofed sources only outbound.
    Both,
}

/// What carries the frames that have nothing to do with port 25.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Protocols {
    /// Web (27 of 32 to port 443, 3 to 80), 1 of 32 each to 993 and 587.
    pub tcp: f64,
    /// QUIC (25 of 32 to port 443), DNS (5 to 53), 1 of 32 each to 123 and 3478.
    pub udp: f64,
    /// Echo requests, and replies inbound.
    pub icmp: f64,
    /// IPsec ESP.
    pub esp: f64,
}

/// Which flags TCP segments have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TcpFlags {
    /// ACK alone.
    pub ack: f64,
    /// PSH and ACK.
    pub push: f64,
    /// SYN; with ACK inbound.
    pub syn: f64,
    /// FIN and ACK.
    pub fin: f64,
    /// RST.
    pub reset: f64,
}

/// Subscribers of plans whose connections to port 25 are dropped, that try all the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bots {
    /// How many of each family, drawn once.
    pub count: u32,
    /// Their share: each frame a SYN to port 25 of another peer in no class.
    pub share: f64,
}

/// The border relay of made-up tunnels (RFC 3849).
pub const RELAY: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xfffe, 0, 0, 0, 0, 1);

/// What stands between Ethernet and IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encapsulation {
    /// Nothing.
    #[default]
    None,
    /// One 802.1Q tag.
    Vlan,
    /// An 802.1ad tag, then an 802.1Q tag.
    Qinq,
    /// The same, then a PPPoE session.
    QinqPppoe,
    /// Each of these as often as any other.
    Mixed,
    /// MAP-E: IPv4 in IPv6, to and from a border relay at [`RELAY`]. IPv6 stands as it is.
    MapE,
}

/// Shares of frames made to hurt: together 1 at most. Ports, flags and sizes are drawn for them
/// as for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hostile {
    /// The source is any address of the whole space, outbound.
    pub spoofed: f64,
    /// IPv4 with 40 octets of options.
    pub options: f64,
    /// IPv6 with 8 extension headers of 32 octets each.
    pub chain: f64,
    /// IPv4, the first fragment with only 8 octets of TCP.
    pub tiny_fragments: f64,
    /// Four VLAN tags.
    pub four_tags: f64,
    /// The longest source route, with all of it yet to go: IPv4's loose one with 9 addresses,
    /// IPv6's routing header of type 0 with 15; the peer is the last one, and the first.
    pub source_routed: f64,
}

/// A model that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum ModelError {
    #[error("{what}: a share is a number from 0 to 1, not {found}")]
    Share { what: String, found: f64 },
    #[error("{what}: the shares make {found} together, where at most 1 is possible")]
    Over { what: &'static str, found: f64 },
    #[error("{what}: the shares make {found} together, where 1 is needed")]
    NotOne { what: &'static str, found: f64 },
    #[error("the exponent of a Zipf law is a number from 0 to 20, not {0}")]
    Zipf(f64),
    #[error("bots with a share of the frames need a count above 0")]
    NoBots,
    #[error("there is no {what} `{name}`: there are {known}")]
    Unknown {
        what: &'static str,
        name: String,
        known: String,
    },
    #[error("the {what} `{name}` may be one of several: {known}")]
    Ambiguous {
        what: &'static str,
        name: String,
        known: String,
    },
    #[error("the plan `{0}` has no subscribers in the IP versions of this traffic")]
    PlanWithoutSubscribers(String),
    #[error("the class `{0}` has no {1} addresses")]
    ClassWithoutAddresses(String, &'static str),
    #[error("there are no {0} subscribers for the {0} frames that are asked for")]
    NoSubscribers(&'static str),
    #[error("bots need {0} subscribers whose connections to port 25 are dropped: there are none")]
    NoBlockedPlan(&'static str),
}

impl Default for Model {
    fn default() -> Self {
        Self {
            sizes: Sizes::default(),
            among: Among::default(),
            zipf: None,
            plans: BTreeMap::new(),
            classes: BTreeMap::new(),
            direction: Direction::default(),
            ipv6: 0.0,
            protocols: Protocols::default(),
            tcp_flags: TcpFlags::default(),
            port_25: 0.01,
            bots: Bots::default(),
            encapsulation: Encapsulation::default(),
            hostile: Hostile::default(),
        }
    }
}

impl Default for Protocols {
    fn default() -> Self {
        Self {
            tcp: 0.8,
            udp: 0.18,
            icmp: 0.01,
            esp: 0.01,
        }
    }
}

impl Default for TcpFlags {
    fn default() -> Self {
        Self {
            ack: 0.75,
            push: 0.2,
            syn: 0.02,
            fin: 0.02,
            reset: 0.01,
        }
    }
}

impl Default for Bots {
    fn default() -> Self {
        Self {
            count: 10,
            share: 0.0,
        }
    }
}

impl Protocols {
    /// In the order of [`Kind`](super::Kind), TCP first.
    pub(super) fn shares(&self) -> [f64; 4] {
        [self.tcp, self.udp, self.icmp, self.esp]
    }
}

impl TcpFlags {
    /// In the order of [`Kind`](super::Kind).
    pub(super) fn shares(&self) -> [f64; 5] {
        [self.ack, self.push, self.syn, self.fin, self.reset]
    }
}

impl Hostile {
    /// In the order of [`Guise`](super::Guise), after the plain one.
    pub(super) fn shares(&self) -> [f64; 6] {
        [
            self.spoofed,
            self.options,
            self.chain,
            self.tiny_fragments,
            self.four_tags,
            self.source_routed,
        ]
    }

    pub(super) fn total(&self) -> f64 {
        self.shares().iter().sum()
    }
}

impl Model {
    /// Holds every number against its limits; names are held against a network by
    /// [`Generator::new`](super::Generator::new).
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check(&self) -> Result<(), ModelError> {
        part("the IPv6 share", &[self.ipv6])?;
        part("port 25 and bots", &[self.port_25, self.bots.share])?;
        part("hostile frames", &self.hostile.shares())?;
        whole("protocols", &self.protocols.shares())?;
        whole("TCP flags", &self.tcp_flags.shares())?;
        named("plans", &self.plans)?;
        named("classes", &self.classes)?;
        match self.zipf {
            Some(exponent) if !(0.0..=20.0).contains(&exponent) => Err(ModelError::Zipf(exponent)),
            _ if self.bots.share > 0.0 && self.bots.count == 0 => Err(ModelError::NoBots),
            _ => Ok(()),
        }
    }
}

/// What sums of decimal fractions may miss by.
const ROUNDING: f64 = 1e-9;

/// Shares that leave something to others.
fn part(what: &'static str, shares: &[f64]) -> Result<(), ModelError> {
    let share = |found: &f64| share(what.to_owned(), *found);
    shares.iter().try_for_each(share)?;
    let found: f64 = shares.iter().sum();
    if found > 1.0 + ROUNDING {
        return Err(ModelError::Over { what, found });
    }
    Ok(())
}

/// Shares that are all there is.
fn whole(what: &'static str, shares: &[f64]) -> Result<(), ModelError> {
    part(what, shares)?;
    let found: f64 = shares.iter().sum();
    if found < 1.0 - ROUNDING {
        return Err(ModelError::NotOne { what, found });
    }
    Ok(())
}

fn named(what: &'static str, shares: &BTreeMap<String, f64>) -> Result<(), ModelError> {
    for (name, found) in shares {
        share(format!("{what}: `{name}`"), *found)?;
    }
    let all: Vec<_> = shares.values().copied().collect();
    part(what, &all)
}

fn share(what: String, found: f64) -> Result<(), ModelError> {
    if (0.0..=1.0).contains(&found) {
        Ok(())
    } else {
        Err(ModelError::Share { what, found })
    }
}
