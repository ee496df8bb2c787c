use crate::policy::{Direction, PeerSetId, PlanId, Tables};
use crate::wire::Packet;

/// From where a run looks at frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Facing {
    /// The addresses tell: whoever is in a subscriber prefix is the subscriber.
    Auto,
    /// Every frame goes from a subscriber to a peer.
    Out,
    /// Every frame goes from a peer to a subscriber.
    In,
}

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// The source is the subscriber.
    Out,
    /// The destination is the subscriber.
    In,
    /// Both are: judged outbound by the source's plan, inbound by the destination's.
    Both,
    /// Neither is.
    Unknown,
}

impl Way {
    /// The word in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Both => "both",
            Self::Unknown => "unknown",
        }
    }
}

/// Who the two ends of a packet are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Which way it goes.
    pub way: Way,
    /// The plan and the peer's set, outbound: of the source, and of the destination.
    pub out: Passage,
    /// The plan and the peer's set, inbound: of the destination, and of the source.
    pub inward: Passage,
}

/// A subscriber and a peer, for one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Passage {
    /// Of the subscriber's side; [`PlanId::NONE`] when it is in no subscriber prefix.
    pub plan: PlanId,
    /// Of the peer's side.
    pub peer_set: PeerSetId,
}

impl Ends {
    /// The passage that names the subscriber: inbound only where the frame goes just that way.
    pub fn named(&self) -> Passage {
        match self.way {
            Way::Out | Way::Both | Way::Unknown => self.out,
            Way::In => self.inward,
        }
    }

    /// The passage of one direction.
    pub fn passage(&self, direction: Direction) -> Passage {
        match direction {
            Direction::Out => self.out,
            Direction::In => self.inward,
        }
    }
}

/// Looks both ends up.
pub(super) fn classify(packet: &Packet, tables: &Tables, facing: Facing) -> Ends {
    let Some(family) = packet.family else {
        return Ends {
            way: Way::Unknown,
            out: Passage::default(),
            inward: Passage::default(),
        };
    };
    let passage = |subscriber, peer| Passage {
        plan: tables.plan(family, subscriber),
        peer_set: tables.peer_set(family, peer),
    };
    let (out, inward) = (
        passage(packet.src, packet.dst),
        passage(packet.dst, packet.src),
    );
    let way = match facing {
        Facing::Out => Way::Out,
        Facing::In => Way::In,
        Facing::Auto => match (out.plan != PlanId::NONE, inward.plan != PlanId::NONE) {
            (true, false) => Way::Out,
            (false, true) => Way::In,
            (true, true) => Way::Both,
            (false, false) => Way::Unknown,
        },
    };
    Ends { way, out, inward }
}
