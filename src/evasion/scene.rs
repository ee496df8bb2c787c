//! Who sends to whom, and the frames that this leads to.

use super::build::{Ends, Ip, Segment, TCP};
use super::{Attempt, Fate, Setting};
use crate::wire::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whose frames they are, and to whom: `policy.yaml` beside this file has their prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// A subscriber whose plan is blocked, and a stranger.
    Blocked,
    /// A subscriber whose plan is blocked with an answer, and a stranger.
    Rejected,
    /// A subscriber whose plan is only counted, and a stranger.
    Counted,
    /// A subscriber whose plan is exempt, and a stranger.
    Exempt,
    /// A subscriber whose plan is blocked, and the provider's own server, which stays open.
    OwnServer,
}

impl Party {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Blocked,
        Self::Rejected,
        Self::Counted,
        Self::Exempt,
        Self::OwnServer,
    ];

    /// The last octet of the subscriber's IPv4 address.
    fn first_host(self) -> u8 {
        match self {
            Self::Blocked | Self::OwnServer => 1,
            Self::Rejected => 65,
            Self::Exempt => 129,
            Self::Counted => 193,
        }
    }

    /// The 16 bits that tell the subscriber's IPv6 prefix from others.
    pub(super) fn network(self) -> u16 {
        match self {
            Self::Blocked | Self::OwnServer => 0x0b00,
            Self::Rejected => 0x0d00,
            Self::Exempt => 0x0e00,
            Self::Counted => 0x1100,
        }
    }

    /// The words in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Blocked => "blocked plan",
            Self::Rejected => "rejected plan",
            Self::Counted => "counted plan",
            Self::Exempt => "exempt plan",
            Self::OwnServer => "blocked plan to the own server",
        }
    }
}

/// From which side frames come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// From the subscriber: a SYN to port 25.
    Access,
    /// To the subscriber: a SYN-ACK from port 25.
    Network,
}

impl Side {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Access, Self::Network];

    /// The word in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Access => "out",
            Self::Network => "in",
        }
    }
}

/// What a trick's frames are built for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) family: Family,
    pub(super) side: Side,
    pub(super) party: Party,
}

pub(super) const FIN: u16 = 0x001;
pub(super) const SYN: u16 = 0x002;
pub(super) const RST: u16 = 0x004;
pub(super) const ACK: u16 = 0x010;

const SMTP: u16 = 25;
const LOCAL: u16 = 49_152;

/// The ethertypes of IP.
pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;

impl Scene {
    /// Every party, family and side.
    pub(super) fn all() -> Vec<Self> {
        let mut scenes = Vec::new();
        for party in Party::ALL {
            for family in [Family::V4, Family::V6] {
                scenes.extend(Side::ALL.map(|side| Self {
                    family,
                    side,
                    party,
                }));
            }
        }
        scenes
    }

    pub(super) fn is_v4(&self) -> bool {
        self.family == Family::V4
    }

    pub(super) fn is_out(&self) -> bool {
        self.side == Side::Access
    }

    pub(super) fn subscriber(&self) -> IpAddr {
        match self.family {
            Family::V4 => v4([192, 0, 2, self.party.first_host()]),
            Family::V6 => v6(self.party.network(), 1),
        }
    }

    pub(super) fn peer(&self) -> IpAddr {
        match self.party {
            Party::OwnServer => self.own_server(),
            Party::Blocked | Party::Rejected | Party::Counted | Party::Exempt => self.stranger(),
        }
    }

    /// A server of the provider's own, which every plan reaches.
    pub(super) fn own_server(&self) -> IpAddr {
        match self.family {
            Family::V4 => v4([198, 51, 100, 25]),
            Family::V6 => v6(0x0a00, 25),
        }
    }

    /// A server that no blocked plan reaches.
    pub(super) fn stranger(&self) -> IpAddr {
        match self.family {
            Family::V4 => v4([203, 0, 113, 9]),
            Family::V6 => v6(0x0c00, 9),
        }
    }

    /// Source and destination.
    pub(super) fn ends(&self) -> Ends {
        match self.side {
            Side::Access => (self.subscriber(), self.peer()),
            Side::Network => (self.peer(), self.subscriber()),
        }
    }

    /// A segment between a port of the subscriber's and one of the peer's.
    pub(super) fn segment(&self, peer_port: u16, flags: u16) -> Segment {
        match self.side {
            Side::Access => Segment::new(LOCAL, peer_port, flags),
            Side::Network => Segment::new(peer_port, LOCAL, flags),
        }
    }

    /// What opens a connection at the peer's port 25: a SYN out, or the SYN-ACK that answers one.
    pub(super) fn opening(&self) -> Segment {
        self.segment(SMTP, self.opening_flags())
    }

    /// The same at port 80.
    pub(super) fn innocent(&self) -> Segment {
        self.segment(80, self.opening_flags())
    }

    fn opening_flags(&self) -> u16 {
        match self.side {
            Side::Access => SYN,
            Side::Network => SYN | ACK,
        }
    }

    /// The opening segment's octets.
    pub(super) fn syn(&self) -> Vec<u8> {
        self.opening().octets(self.ends())
    }

    /// A packet between the two.
    pub(super) fn ip(&self, protocol: u8, body: impl Into<Vec<u8>>) -> Ip {
        Ip::new(self.ends(), protocol, body)
    }

    /// The packet of a segment.
    pub(super) fn tcp(&self, segment: &Segment) -> Ip {
        self.ip(TCP, segment.octets(self.ends()))
    }

    /// The packet of the opening segment.
    pub(super) fn plain(&self) -> Ip {
        self.tcp(&self.opening())
    }

    /// The ethertype of the scene's family.
    pub(super) fn ethertype(&self) -> u16 {
        match self.family {
            Family::V4 => IPV4,
            Family::V6 => IPV6,
        }
    }

    /// An attempt with a packet.
    pub(super) fn attempt(&self, ip: &Ip, fate: Fate) -> Attempt {
        self.carried(self.ethertype(), ip.octets(), fate)
    }

    /// An attempt with what an ethertype announces.
    pub(super) fn carried(&self, announced: u16, octets: Vec<u8>, fate: Fate) -> Attempt {
        Attempt {
            announced,
            octets,
            padding_bytes: 0,
            missing_bytes: 0,
            setting: Setting::Plain,
            wraps: true,
            fate,
        }
    }

    /// The only attempt of a trick: a packet.
    pub(super) fn one(&self, ip: &Ip, fate: Fate) -> Vec<Attempt> {
        vec![self.attempt(ip, fate)]
    }
}

impl Attempt {
    /// Only where nothing else stands in front of it.
    pub(super) fn bare(self) -> Self {
        Self {
            wraps: false,
            ..self
        }
    }

    /// Where something must be set for it.
    pub(super) fn under(self, setting: Setting) -> Self {
        Self { setting, ..self }
    }

    pub(super) fn padded(self, padding_bytes: usize) -> Self {
        Self {
            padding_bytes,
            ..self
        }
    }

    /// Of which a capture kept so many octets behind the link header.
    pub(super) fn cut(mut self, kept_bytes: usize) -> Self {
        self.missing_bytes = self.octets.len().saturating_sub(kept_bytes);
        self.octets.truncate(kept_bytes);
        self
    }
}

pub(super) fn v4(octets: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(octets))
}

/// A host in one of the documentation prefix's networks.
pub(super) fn v6(network: u16, host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0, 0, 0, host))
}
