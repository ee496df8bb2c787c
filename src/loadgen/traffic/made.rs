//! What a frame was made as, and how many there were of each.

use crate::policy::PlanId;
use crate::wire::Family;
use serde::Serialize;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// TCP, ACK alone.
    Ack,
    /// TCP, PSH and ACK.
    Push,
    /// TCP, SYN; with ACK inbound.
    Syn,
    /// TCP, FIN and ACK.
    Fin,
    /// TCP, RST.
    Reset,
    /// UDP.
    Udp,
    /// ICMP echo.
    Icmp,
    /// IPsec ESP.
    Esp,
    /// A new connection to port 25.
    Port25Syn,
    /// The answer from port 25.
    Port25SynAck,
    /// A bot's new connection to port 25.
    BotSyn,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 11] = [
        Self::Ack,
        Self::Push,
        Self::Syn,
        Self::Fin,
        Self::Reset,
        Self::Udp,
        Self::Icmp,
        Self::Esp,
        Self::Port25Syn,
        Self::Port25SynAck,
        Self::BotSyn,
    ];

    /// The word in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::Push => "push",
            Self::Syn => "syn",
            Self::Fin => "fin",
            Self::Reset => "reset",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Esp => "esp",
            Self::Port25Syn => "port25-syn",
            Self::Port25SynAck => "port25-syn-ack",
            Self::BotSyn => "bot-syn",
        }
    }

    /// Whether TCP carries it.
    pub const fn is_tcp(self) -> bool {
        !matches!(self, Self::Udp | Self::Icmp | Self::Esp)
    }
}

/// How a frame is made to hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guise {
    /// Not at all.
    Plain,
    /// Its source is any address.
    Spoofed,
    /// 40 octets of IPv4 options.
    Options,
    /// The longest chain of IPv6 extension headers.
    Chain,
    /// The first fragment, with 8 octets of TCP.
    TinyFragment,
    /// Four VLAN tags.
    FourTags,
    /// The longest source route, of which nothing is done yet.
    SourceRouted,
}

impl Guise {
    /// Every guise, in order.
    pub const ALL: [Self; 7] = [
        Self::Plain,
        Self::Spoofed,
        Self::Options,
        Self::Chain,
        Self::TinyFragment,
        Self::FourTags,
        Self::SourceRouted,
    ];

    /// The word in models and outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Spoofed => "spoofed",
            Self::Options => "options",
            Self::Chain => "chain",
            Self::TinyFragment => "tiny-fragments",
            Self::FourTags => "four-tags",
            Self::SourceRouted => "source-routed",
        }
    }
}

/// Which way one frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// From the subscriber.
    Out,
    /// To the subscriber.
    In,
}

impl Way {
    /// The word in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
        }
    }
}

/// What stands between Ethernet and IP in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrapping {
    /// Nothing.
    None,
    /// One tag.
    Vlan,
    /// Two tags.
    Qinq,
    /// Two tags and PPPoE.
    QinqPppoe,
    /// Four tags.
    FourTags,
    /// IPv6, from a subscriber to a border relay; the frame is IPv4.
    MapE,
}

impl Wrapping {
    /// Every wrapping, in order; the first four are those of a mix.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::Vlan,
        Self::Qinq,
        Self::QinqPppoe,
        Self::FourTags,
        Self::MapE,
    ];

    /// The word in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Vlan => "vlan",
            Self::Qinq => "qinq",
            Self::QinqPppoe => "qinq-pppoe",
            Self::FourTags => "four-tags",
            Self::MapE => "map-e",
        }
    }
}

/// What a frame was made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it is.
    pub kind: Kind,
    /// How it hurts.
    pub guise: Guise,
    /// IP version.
    pub family: Family,
    /// Which way it goes.
    pub way: Way,
    /// What stands around it.
    pub wrapping: Wrapping,
    /// The plan of its subscriber; [`PlanId::NONE`] for a spoofed source.
    pub plan: PlanId,
    /// Octets without the check sequence: as many as were appended.
    pub octets: usize,
    /// The size of the sequence had no room for its headers.
    pub enlarged: bool,
}

/// How many frames were made, by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All.
    pub frames: u64,
    /// Of all, without check sequences.
    pub octets: u64,
    /// By [`Kind`].
    pub kinds: [u64; 11],
    /// By [`Guise`].
    pub guises: [u64; 7],
    /// IPv4, IPv6.
    pub families: [u64; 2],
    /// Out, in.
    pub ways: [u64; 2],
    /// By [`Wrapping`].
    pub wrappings: [u64; 6],
    /// By plan id; the first is of spoofed sources.
    pub plans: Vec<u64>,
    /// Larger than the sequence of sizes says.
    pub enlarged: u64,
}

impl Totals {
    /// Counts one frame.
    pub fn add(&mut self, made: &Made) {
        self.frames += 1;
        self.octets += made.octets as u64;
        let plan = usize::from(made.plan.0);
        if self.plans.len() <= plan {
            self.plans.resize(plan + 1, 0);
        }
        let counts = [
            self.kinds.get_mut(made.kind as usize),
            self.guises.get_mut(made.guise as usize),
            self.families.get_mut(made.family as usize),
            self.ways.get_mut(made.way as usize),
            self.wrappings.get_mut(made.wrapping as usize),
            self.plans.get_mut(plan),
        ];
        for count in counts.into_iter().flatten() {
            *count += 1;
        }
        self.enlarged += u64::from(made.enlarged);
    }
}
