//! What the data plane looks verdicts up in.

use crate::wire::Family;

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

/// A rule of a tenant, numbered over all tenants; 0 means that no rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RuleId(pub u16);

impl RuleId {
    /// No rule matches: forward.
    pub const NONE: Self = Self(0);
}

/// Which way a frame goes, seen from the subscriber of whom a rule speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// From the subscriber: the peer's port is the destination port.
    Out = 0,
    /// To the subscriber: the peer's port is the source port.
    In = 1,
}

/// What the matrix is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// IP version of the header that carries TCP.
    pub family: Family,
    /// Which way.
    pub direction: Direction,
    /// Out: SYN set and ACK clear. In: SYN set (the mirror takes SYN-ACK and bare SYN).
    pub opening: bool,
    /// The subscriber's plan.
    pub plan: PlanId,
    /// Who the peer is.
    pub peer_set: PeerSetId,
}
