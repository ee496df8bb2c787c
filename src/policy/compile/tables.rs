//! What the data plane looks verdicts up in.

use super::legend::Legend;
use super::matrix::Matrix;
use crate::lpm::{Ipv4Table, Ipv6Table};
use crate::policy::{Action, Limit, Reply, RuleKind, Then};
use crate::wire::Family;
use std::net::IpAddr;
use std::sync::Arc;

/// A plan of a tenant, numbered over all tenants; 0 means no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PlanId(pub u8);

impl PlanId {
    /// No subscriber prefix matches.
    pub const NONE: Self = Self(0);
}

/// One distinct combination of (tenant → destination class); 0 is `other` to every tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PeerSetId(pub u8);

impl PeerSetId {
    /// `other` to every tenant.
    pub const OTHER: Self = Self(0);
}

/// A rule of a tenant, numbered over all tenants; 0 means that no rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RuleId(pub u16);

impl RuleId {
    /// No rule matches: forward.
    pub const NONE: Self = Self(0);
}

/// Which way a frame goes, seen from the subscriber of whom a rule speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Direction {
    /// From the subscriber: the peer's port is the destination port.
    Out = 0,
    /// To the subscriber: the peer's port is the source port.
    In = 1,
}

/// Which end's port 25 a question is about, and so which rules answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Path {
    /// A subscriber, to a peer's port 25.
    Outbound = 0,
    /// A peer's port 25, to a subscriber: the mirror of the outbound rules.
    Return = 1,
    /// A peer, to port 25 of a subscriber or of a protected host.
    Inbound = 2,
}

impl Path {
    /// Every path, in the order in which they are looked at.
    pub const ALL: [Self; 3] = [Self::Outbound, Self::Return, Self::Inbound];

    /// Which way its frames go.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Outbound => Direction::Out,
            Self::Return | Self::Inbound => Direction::In,
        }
    }

    /// Of the two ports of a segment, the one that it is about.
    pub const fn port(self, src_port: u16, dst_port: u16) -> u16 {
        match self {
            Self::Outbound | Self::Inbound => dst_port,
            Self::Return => src_port,
        }
    }

    /// Whether a rule of such a kind speaks of it.
    pub(super) const fn is_of(self, kind: RuleKind) -> bool {
        match self {
            Self::Outbound | Self::Return => !kind.is_inbound(),
            Self::Inbound => kind.is_inbound(),
        }
    }
}

/// What the matrix is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// IP version of the header that carries TCP.
    pub family: Family,
    /// Whose port 25.
    pub path: Path,
    /// SYN set and ACK clear; on the return path SYN set (the mirror takes SYN-ACK and bare SYN).
    pub opening: bool,
    /// The subscriber's plan.
    pub plan: PlanId,
    /// Who the peer is.
    pub peer_set: PeerSetId,
}

/// All that a verdict needs, as of one stretch of time.
///
/// Cloning is three reference counts: phases share what did not change.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Address → plan, address → peer set.
    pub prefixes: Arc<PrefixTables>,
    /// Question → rule.
    pub matrix: Arc<Matrix>,
    /// Ids → names, for people.
    pub legend: Arc<Legend>,
}

impl Tables {
    /// The plan of an address; IPv4 addresses stand in the low 32 bits.
    pub fn plan(&self, family: Family, address: u128) -> PlanId {
        PlanId(match family {
            Family::V4 => self.prefixes.v4_subscribers.lookup(address as u32),
            Family::V6 => self.prefixes.v6_subscribers.lookup(address),
        })
    }

    /// The peer set of an address; IPv4 addresses stand in the low 32 bits.
    pub fn peer_set(&self, family: Family, address: u128) -> PeerSetId {
        PeerSetId(match family {
            Family::V4 => self.prefixes.v4_peers.lookup(address as u32),
            Family::V6 => self.prefixes.v6_peers.lookup(address),
        })
    }

    /// The rule that matches; [`RuleId::NONE`] when none does.
    pub fn rule(&self, question: Question) -> RuleId {
        self.matrix.judge(question).0
    }

    /// What a rule does; [`RuleId::NONE`] forwards.
    pub fn action(&self, rule: RuleId) -> Action {
        self.legend.action(rule)
    }

    /// How a rule has senders told, and in whose name over this family.
    pub fn reply(&self, rule: RuleId, family: Family) -> Option<(Reply, Option<IpAddr>)> {
        let reply = match self.action(rule) {
            Action::Reject(reply) => reply,
            Action::Limit(Limit {
                then: Then::Reject(reply),
                ..
            }) => reply,
            _ => return None,
        };
        let (tenant, _) = self.legend.rule(rule)?;
        let [v4, v6] = tenant.reply_source;
        Some(match family {
            Family::V4 => (reply, v4),
            Family::V6 => (reply, v6),
        })
    }
}

/// The four prefix tables, each shared with whoever writes to it.
#[derive(Clone, Debug)]
pub struct PrefixTables {
    /// IPv4 address → plan.
    pub v4_subscribers: Arc<Ipv4Table>,
    /// IPv6 address → plan.
    pub v6_subscribers: Arc<Ipv6Table>,
    /// IPv4 address → peer set.
    pub v4_peers: Arc<Ipv4Table>,
    /// IPv6 address → peer set.
    pub v6_peers: Arc<Ipv6Table>,
}
