use super::bits::Bits;
use super::decide;
use super::parse::Parsed;
use crate::lpm::{Ipv4Table, Ipv6Table};
use crate::policy::{Direction, PeerSetId, PlanId, Tables};
use crate::wire::{BURST, Halves, Packet};

/// Which frames are counted under their plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// Those that a rule may speak of: only these are looked up.
    Candidates,
    /// Every frame of a subscriber: every frame is looked up.
    EveryFrame,
}

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

impl Facing {
    /// The one direction that there is, if there is one.
    pub(super) fn direction(self) -> Option<Direction> {
        match self {
            Self::Auto => None,
            Self::Out => Some(Direction::Out),
            Self::In => Some(Direction::In),
        }
    }
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
    /// The plan and the peer's set, outbound: of the source, and of the destination. Not looked up
    /// where every frame goes in.
    pub out: Passage,
    /// The plan and the peer's set, inbound: of the destination, and of the source. Not looked up
    /// where every frame goes out.
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

impl Passage {
    const NONE: Self = Self {
        plan: PlanId::NONE,
        peer_set: PeerSetId::OTHER,
    };
}

impl Ends {
    /// Of a frame without addresses, or whose ends were not looked up.
    pub(super) const UNKNOWN: Self = Self {
        way: Way::Unknown,
        out: Passage::NONE,
        inward: Passage::NONE,
    };

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

/// Who the ends of a burst's frames are, a column for each answer.
#[derive(Debug)]
pub(super) struct Classified {
    /// Frames that a fast lane read and a rule may speak of. The rest of the fast lanes' is
    /// forwarded.
    pub(super) candidates: Bits,
    /// The subscriber's plan, of candidates and of frames that are counted.
    pub(super) plan: [PlanId; BURST],
    /// The peer's set, of candidates.
    pub(super) peer_set: [PeerSetId; BURST],
    /// Both ends of the others.
    pub(super) ends: [Ends; BURST],
}

impl Default for Classified {
    fn default() -> Self {
        Self {
            candidates: Bits::default(),
            plan: [PlanId::NONE; BURST],
            peer_set: [PeerSetId::OTHER; BURST],
            ends: [Ends::UNKNOWN; BURST],
        }
    }
}

impl Classified {
    #[inline(always)]
    pub(super) fn classify(
        &mut self,
        parsed: &Parsed,
        tables: &Tables,
        facing: Facing,
        account: Account,
    ) {
        let port_25 = parsed.ipv4.port_25.or(parsed.ipv6.port_25);
        self.candidates = match facing.direction() {
            Some(direction) if tables.matrix.judges_running(direction) => port_25,
            _ => port_25.and(parsed.opening()),
        };
        let counted = match account {
            Account::EveryFrame => parsed.all,
            Account::Candidates => {
                self.plan.fill(PlanId::NONE);
                self.candidates
            }
        };
        match facing {
            Facing::Out => self.look_up(parsed, tables, Direction::Out, counted),
            Facing::In => self.look_up(parsed, tables, Direction::In, counted),
            Facing::Auto => self.look_up_either(parsed, tables, counted),
        }
        self.look_up_others(parsed, tables, facing, account);
    }

    /// The subscriber's end of frames that are counted, and the peer's of candidates.
    #[inline(always)]
    fn look_up(&mut self, parsed: &Parsed, tables: &Tables, direction: Direction, counted: Bits) {
        let prefixes = &*tables.prefixes;
        let ipv4 = [&parsed.ipv4.src, &parsed.ipv4.dst];
        let ipv6 = [&parsed.ipv6.src, &parsed.ipv6.dst];
        let ([near4, far4], [near6, far6]) = match direction {
            Direction::Out => (ipv4, ipv6),
            Direction::In => ([ipv4[1], ipv4[0]], [ipv6[1], ipv6[0]]),
        };
        let (counted4, counted6) = (parsed.ipv4.read.and(counted), parsed.ipv6.read.and(counted));
        let plan = &mut self.plan;
        look_up_ipv4(&prefixes.v4_subscribers, counted4, near4, plan, PlanId);
        look_up_ipv6(&prefixes.v6_subscribers, counted6, near6, plan, PlanId);

        let peers = self.candidates;
        let (peers4, peers6) = (parsed.ipv4.read.and(peers), parsed.ipv6.read.and(peers));
        let peer_set = &mut self.peer_set;
        look_up_ipv4(&prefixes.v4_peers, peers4, far4, peer_set, PeerSetId);
        look_up_ipv6(&prefixes.v6_peers, peers6, far6, peer_set, PeerSetId);
    }

    /// The plan of the source, and where it has none, of the destination.
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    #[inline(always)]
    fn look_up_either(&mut self, parsed: &Parsed, tables: &Tables, counted: Bits) {
        let prefixes = &*tables.prefixes;
        for index in parsed.ipv4.read.and(counted) {
            let plan = |address| PlanId(prefixes.v4_subscribers.lookup(address));
            let ends = [parsed.ipv4.src[index], parsed.ipv4.dst[index]];
            self.plan[index] = either(ends.map(plan));
        }
        for index in parsed.ipv6.read.and(counted) {
            let plan = |address: Halves| PlanId(prefixes.v6_subscribers.lookup(address.joined()));
            let ends = [parsed.ipv6.src[index], parsed.ipv6.dst[index]];
            self.plan[index] = either(ends.map(plan));
        }
    }

    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn look_up_others(
        &mut self,
        parsed: &Parsed,
        tables: &Tables,
        facing: Facing,
        account: Account,
    ) {
        for index in parsed.others {
            let packet = &parsed.packets[index];
            let may_match = decide::may_match(packet);
            let wanted = account == Account::EveryFrame || may_match;
            self.ends[index] = if wanted {
                classify(packet, tables, facing, may_match)
            } else {
                Ends::UNKNOWN
            };
        }
    }
}

/// From so many addresses on it pays to look a whole column up, whatever stands in the others.
const MANY: u32 = 24;

/// Looks a column of addresses up.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
fn look_up_ipv4<V>(
    table: &Ipv4Table,
    set: Bits,
    addresses: &[u32; BURST],
    values: &mut [V; BURST],
    value: impl Fn(u8) -> V,
) {
    if set.count() >= MANY {
        let mut found = [0; BURST];
        table.lookup_each(addresses, &mut found);
        put(set, found, values, value);
        return;
    }
    for index in set {
        values[index] = value(table.lookup(addresses[index]));
    }
}

/// Looks a column of addresses up.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
fn look_up_ipv6<V>(
    table: &Ipv6Table,
    set: Bits,
    addresses: &[Halves; BURST],
    values: &mut [V; BURST],
    value: impl Fn(u8) -> V,
) {
    if set.count() >= MANY {
        let mut found = [0; BURST];
        let (high, low) = (addresses.map(|a| a.high), addresses.map(|a| a.low));
        table.lookup_each(&high, &low, &mut found);
        put(set, found, values, value);
        return;
    }
    for index in set {
        values[index] = value(table.lookup(addresses[index].joined()));
    }
}

/// Takes over what was found for a set.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
fn put<V>(set: Bits, found: [u8; BURST], values: &mut [V; BURST], value: impl Fn(u8) -> V) {
    for (index, found) in found.into_iter().enumerate() {
        if set.has(index) {
            values[index] = value(found);
        }
    }
}

/// The first plan that is one; no branch.
#[inline(always)]
fn either([first, second]: [PlanId; 2]) -> PlanId {
    let without = u8::from(first == PlanId::NONE).wrapping_neg();
    PlanId(first.0 | second.0 & without)
}

/// Looks up the ends of one packet, in the directions that it may go; the peers only where they are
/// asked for.
pub(super) fn classify(packet: &Packet, tables: &Tables, facing: Facing, peers: bool) -> Ends {
    let Some(family) = packet.family else {
        return Ends::UNKNOWN;
    };
    let passage = |subscriber, peer| Passage {
        plan: tables.plan(family, subscriber),
        peer_set: if peers {
            tables.peer_set(family, peer)
        } else {
            PeerSetId::OTHER
        },
    };
    let outward = || passage(packet.src, packet.dst);
    let inward = || passage(packet.dst, packet.src);
    let (way, out, inward) = match facing {
        Facing::Out => (Way::Out, outward(), Passage::NONE),
        Facing::In => (Way::In, Passage::NONE, inward()),
        Facing::Auto => {
            let (out, inward) = (outward(), inward());
            let way = match (out.plan != PlanId::NONE, inward.plan != PlanId::NONE) {
                (true, false) => Way::Out,
                (false, true) => Way::In,
                (true, true) => Way::Both,
                (false, false) => Way::Unknown,
            };
            (way, out, inward)
        }
    };
    Ends { way, out, inward }
}
