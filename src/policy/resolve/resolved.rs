//! What a set of policies means: names are indices, dates are instants, prefixes are networks.

use ipnet::IpNet;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::net::IpAddr;
use std::ops::Range;

/// Which source text (policy or prefix file), counted over all that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The text.
    pub source: SourceId,
    /// Line, 1-based.
    pub line: u32,
    /// Bytes of the text.
    pub span: Range<usize>,
}

/// All tenants of one box, free of errors.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// One for each policy file, in the order given.
    pub tenants: Vec<Tenant>,
    /// What the compiled prefix tables may take, in bytes.
    pub memory_limit_bytes: u64,
}

/// One policy file: an ISP, its plans, its subscribers, its rules.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// `isp:`, unique among the tenants.
    pub name: String,
    /// Its name for people.
    pub label: Option<String>,
    /// The policy file.
    pub origin: Origin,
    /// The zone in which dates are read.
    pub zone: TimeZone,
    /// In the order written.
    pub plans: Vec<Plan>,
    /// Declared classes in the order written, then `on-net` and `other` (always present, last).
    pub classes: Vec<Class>,
    /// Prefix → plan.
    pub subscribers: Vec<SubscriberPrefix>,
    /// Prefix → class, as listed. That subscriber prefixes are `on-net` is not listed here.
    pub destinations: Vec<ClassPrefix>,
    /// First match wins.
    pub rules: Vec<Rule>,
    /// What becomes of a peer's port 25 answering a subscriber.
    pub return_path: ReturnPath,
    /// Whom ICMP errors to rejected frames are from, by `Family as usize`.
    pub reply_source: [Option<IpAddr>; 2],
}

/// What a subscriber bought, or a group of protected hosts.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its key in the policy.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its name for customers.
    pub label: Option<String>,
    /// The length of the prefix that one subscriber has over IPv6: a rate is for each of these.
    pub subscriber_length: Option<u8>,
    /// What the hosts of a [`Kind::Server`] do; `None` of a plan that is sold.
    pub role: Option<Role>,
    /// Where it is declared.
    pub origin: Origin,
}

/// What hosts of the provider do with mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// They take mail from customers.
    Submission,
    /// They take mail from everybody else: mail exchangers.
    Mx,
    /// Anything else.
    Other,
}

impl Role {
    /// The word in policies and outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Mx => "mx",
            Self::Other => "other",
        }
    }
}

/// The kinds of plan that ISPs tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An address that changes.
    Dynamic,
    /// An address of one's own.
    Fixed,
    /// Telephone dial-up.
    Dialup,
    /// IPv6 by itself.
    Ipv6,
    /// An IPv4 address shared by port sets (MAP-E).
    Shared,
    /// No plan that is sold: the provider's own hosts, to which other networks connect.
    Server,
}

impl Kind {
    /// The word in policies and outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dynamic => "dynamic",
            Self::Fixed => "fixed",
            Self::Dialup => "dialup",
            Self::Ipv6 => "ipv6",
            Self::Shared => "shared",
            Self::Server => "server",
        }
    }
}

/// Who runs the other end.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its key in the policy, or `on-net`, `other`.
    pub name: String,
    /// Its name for customers.
    pub label: Option<String>,
    /// Where it is declared; `None` for the two that need no declaration.
    pub origin: Option<Origin>,
}

/// A prefix whose addresses are subscribers of a plan.
#[derive(Clone, Debug)]
pub struct SubscriberPrefix {
    /// Without host bits.
    pub prefix: IpNet,
    /// Index in [`Tenant::plans`].
    pub plan: usize,
    /// Why it was given.
    pub ticket: Option<String>,
    /// From this instant on, the covering prefix counts.
    pub until: Option<Timestamp>,
    /// Where it is written.
    pub origin: Origin,
}

/// A prefix whose addresses are of a destination class.
#[derive(Clone, Debug)]
pub struct ClassPrefix {
    /// Without host bits.
    pub prefix: IpNet,
    /// Index in [`Tenant::classes`].
    pub class: usize,
    /// Where it is written.
    pub origin: Origin,
}

/// One line of a policy: who, to whom, when → what.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique in its tenant; counters hang on it.
    pub name: String,
    /// Which connections it speaks of.
    pub kind: RuleKind,
    /// IPv4, IPv6: indexed by `Family as usize`.
    pub families: [bool; 2],
    /// Indices in [`Tenant::plans`], ascending; "every plan" is written out.
    pub plans: Vec<usize>,
    /// To whom; of an inbound rule, from whom.
    pub to: ClassMatch,
    /// First instant at which it holds.
    pub from: Option<Timestamp>,
    /// First instant at which it no longer holds.
    pub before: Option<Timestamp>,
    /// What happens.
    pub action: Action,
    /// To which segments.
    pub mode: Mode,
    /// Where it is written.
    pub origin: Origin,
}

/// Which destination classes a rule speaks of: indices in [`Tenant::classes`], ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassMatch {
    /// All.
    Any,
    /// Just these.
    In(Vec<usize>),
    /// All but these.
    NotIn(Vec<usize>),
}

impl ClassMatch {
    /// Whether a class is spoken of.
    pub fn holds(&self, class: usize) -> bool {
        match self {
            Self::Any => true,
            Self::In(classes) => classes.contains(&class),
            Self::NotIn(classes) => !classes.contains(&class),
        }
    }
}

/// Which connections a rule speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// From a subscriber to a peer's port 25, and its mirror.
    Outbound,
    /// From a peer to port 25 of a protected host.
    InboundSubmission,
    /// From a peer to a subscriber's port 25.
    InboundToSubscriber,
}

impl RuleKind {
    /// Every one.
    pub const ALL: [Self; 3] = [
        Self::Outbound,
        Self::InboundSubmission,
        Self::InboundToSubscriber,
    ];

    /// The word in policies and outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::InboundSubmission => "inbound-submission",
            Self::InboundToSubscriber => "inbound-to-subscriber",
        }
    }

    /// Whether it speaks of the subscriber's own port 25.
    pub const fn is_inbound(self) -> bool {
        match self {
            Self::Outbound => false,
            Self::InboundSubmission | Self::InboundToSubscriber => true,
        }
    }
}

/// What a rule does with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Let it pass.
    Forward,
    /// Discard it.
    Drop,
    /// Let it pass, and count what a drop would have hit.
    Count,
    /// Discard it, and tell its sender.
    Reject(Reply),
    /// Let as many pass as a subscriber's rate allows.
    Limit(Limit),
}

impl Action {
    /// The word in policies and outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Drop => "drop",
            Self::Count => "count",
            Self::Reject(_) => "reject",
            Self::Limit(_) => "limit",
        }
    }
}

/// How the sender of a rejected frame is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// Destination unreachable, administratively prohibited.
    Icmp,
    /// A reset, as if from the peer.
    Rst,
}

impl Reply {
    /// The word in policies and outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Rst => "rst",
        }
    }
}

/// How many connections each subscriber may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// SYNs a minute, in the long run.
    pub per_minute: u32,
    /// SYNs at once, after a pause.
    pub burst: u32,
    /// What becomes of those above.
    pub then: Then,
}

/// What becomes of a SYN above the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    /// Discard it.
    Drop,
    /// Let it pass, and count what would have been hit.
    Count,
    /// Discard it, and tell its sender.
    Reject(Reply),
}

/// Which segments a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// New connections: SYN set, ACK clear.
    Syn,
    /// Every segment.
    Any,
}

impl Mode {
    /// The word in policies and outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Syn => "syn",
            Self::Any => "any",
        }
    }
}

/// What becomes of segments from a peer's port 25 to a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReturnPath {
    /// The verdict of the outbound rule, mirrored.
    Mirror,
    /// They pass.
    Forward,
}

impl ReturnPath {
    /// The word in policies and outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Forward => "forward",
        }
    }
}
