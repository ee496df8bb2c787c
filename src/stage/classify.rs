use super::bits::Bits;
use super::ends::ends_of;
use super::parse::{End, Parsed};
use super::{Account, Facing, Settings, decide};
use crate::lpm::{Ipv4Table, Ipv6Table};
use crate::policy::{Direction, Path, PeerSetId, PlanId, PrefixTables, Tables};
use crate::wire::{BURST, Family, Halves};

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
    pub(super) const NONE: Self = Self {
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

    /// Of a frame with addresses, seen from a side.
    pub(super) fn between(
        facing: Facing,
        out: impl FnOnce() -> Passage,
        inward: impl FnOnce() -> Passage,
    ) -> Self {
        let (way, out, inward) = match facing {
            Facing::Out => (Way::Out, out(), Passage::NONE),
            Facing::In => (Way::In, Passage::NONE, inward()),
            Facing::Auto => {
                let (out, inward) = (out(), inward());
                let way = match (out.plan != PlanId::NONE, inward.plan != PlanId::NONE) {
                    (true, false) => Way::Out,
                    (false, true) => Way::In,
                    (true, true) => Way::Both,
                    (false, false) => Way::Unknown,
                };
                (way, out, inward)
            }
        };
        Self { way, out, inward }
    }

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
    /// Likewise, where every frame goes in: those at the subscriber's own port 25.
    pub(super) inbound: Bits,
    /// Those that come from the subscribers' side and are nobody's there, where that matters.
    pub(super) strangers: Bits,
    /// The subscriber's plan, of candidates and of frames that are counted.
    pub(super) plan: [PlanId; BURST],
    /// The peer's set, of candidates.
    pub(super) peer_set: [PeerSetId; BURST],
    /// Both ends of the others.
    pub(super) ends: [Ends; BURST],
    src: Found,
    dst: Found,
}

/// What was found of one end of each frame, for either part that it may have; 0 is nothing.
#[derive(Debug)]
struct Found {
    as_subscriber: [u8; BURST],
    as_peer: [u8; BURST],
}

impl Default for Found {
    fn default() -> Self {
        Self {
            as_subscriber: [0; BURST],
            as_peer: [0; BURST],
        }
    }
}

impl Default for Classified {
    fn default() -> Self {
        Self {
            candidates: Bits::default(),
            inbound: Bits::default(),
            strangers: Bits::default(),
            plan: [PlanId::NONE; BURST],
            peer_set: [PeerSetId::OTHER; BURST],
            ends: [Ends::UNKNOWN; BURST],
            src: Found::default(),
            dst: Found::default(),
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
        settings: &Settings,
    ) {
        self.select(parsed, tables, facing);
        let asked = self.candidates.or(self.inbound).or(parsed.may_match);
        let only_known = settings.only_known(facing);
        let counted = match settings.account {
            Account::Candidates if !only_known => asked,
            Account::EveryFrame | Account::Candidates => parsed.all,
        };
        let Self { src, dst, .. } = self;
        let (src_addresses, dst_addresses) =
            (parsed.addresses(End::Src), parsed.addresses(End::Dst));
        let prefixes = &*tables.prefixes;
        if facing != Facing::In {
            src_addresses.find_subscribers(counted, prefixes, &mut src.as_subscriber);
            dst_addresses.find_peers(asked, prefixes, &mut dst.as_peer);
        }
        if facing != Facing::Out {
            dst_addresses.find_subscribers(counted, prefixes, &mut dst.as_subscriber);
            src_addresses.find_peers(asked, prefixes, &mut src.as_peer);
        }
        match facing {
            Facing::Out => {
                self.plan = src.as_subscriber.map(PlanId);
                self.peer_set = dst.as_peer.map(PeerSetId);
            }
            Facing::In => {
                self.plan = dst.as_subscriber.map(PlanId);
                self.peer_set = src.as_peer.map(PeerSetId);
            }
            Facing::Auto => {
                let either = src.as_subscriber.iter().zip(&dst.as_subscriber);
                for (plan, (src, dst)) in self.plan.iter_mut().zip(either) {
                    *plan = PlanId(if *src == 0 { *dst } else { *src });
                }
            }
        }
        self.strangers = if only_known {
            self.nobodys(parsed)
        } else {
            Bits::default()
        };
        if parsed.others.any() {
            self.join_ends(parsed, facing, counted, tables, settings);
        }
    }

    /// Of the frames that a fast lane read, those that a rule may speak of.
    #[inline(always)]
    fn select(&mut self, parsed: &Parsed, tables: &Tables, facing: Facing) {
        let port_25 = parsed.ipv4.port_25.or(parsed.ipv6.port_25);
        let matrix = &*tables.matrix;
        let judged = |path, opening: Bits, set: Bits| {
            if matrix.judges_running(path) {
                set
            } else {
                set.and(opening)
            }
        };
        self.candidates = match facing {
            Facing::Out => judged(Path::Outbound, parsed.opening(), port_25),
            Facing::In => judged(Path::Return, parsed.opening(), port_25),
            // What a rule may speak of is among the others.
            Facing::Auto => Bits::default(),
        };
        self.inbound = if matrix.judges_inbound() {
            let local_25 = parsed.ipv4.local_25.or(parsed.ipv6.local_25);
            judged(Path::Inbound, parsed.opening_inbound(), local_25)
        } else {
            Bits::default()
        };
    }

    /// Frames that a fast lane read, whose source is in no subscriber prefix and may leave the link.
    #[inline(never)]
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn nobodys(&self, parsed: &Parsed) -> Bits {
        let nobody = self.plan.map(|plan| u8::from(plan == PlanId::NONE));
        let mut nobodys = Bits::of(&nobody).and(parsed.ipv4.read.or(parsed.ipv6.read));
        for index in nobodys {
            let stays = if parsed.ipv4.read.has(index) {
                decide::stays_on_link(Family::V4, parsed.ipv4.src[index].into())
            } else {
                decide::stays_on_link(Family::V6, parsed.ipv6.src[index].joined())
            };
            if stays {
                nobodys = nobodys.without(Bits::one(index));
            }
        }
        nobodys
    }

    /// Joins what was found of the frames that are decided one by one.
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn join_ends(
        &mut self,
        parsed: &Parsed,
        facing: Facing,
        counted: Bits,
        tables: &Tables,
        settings: &Settings,
    ) {
        let passage = |subscriber: &Found, peer: &Found, index: usize| Passage {
            plan: PlanId(subscriber.as_subscriber[index]),
            peer_set: PeerSetId(peer.as_peer[index]),
        };
        for index in parsed.apart {
            let route = &parsed.routes[index];
            self.ends[index] = ends_of(&parsed.packets[index], route, tables, facing, settings);
        }
        for index in parsed.others.without(parsed.apart) {
            let known = counted.has(index) && parsed.packets[index].family.is_some();
            self.ends[index] = if known {
                Ends::between(
                    facing,
                    || passage(&self.src, &self.dst, index),
                    || passage(&self.dst, &self.src, index),
                )
            } else {
                Ends::UNKNOWN
            };
        }
    }
}

/// One end of a burst's packets: their addresses, and which packets are of which family.
#[derive(Clone, Copy)]
pub(super) struct Addresses<'a> {
    pub(super) ipv4: (Bits, &'a [u32; BURST]),
    pub(super) ipv6: (Bits, &'a [Halves; BURST]),
}

impl Addresses<'_> {
    #[inline(always)]
    fn find_subscribers(self, set: Bits, tables: &PrefixTables, values: &mut [u8; BURST]) {
        let PrefixTables {
            v4_subscribers,
            v6_subscribers,
            ..
        } = tables;
        self.find(set, v4_subscribers, v6_subscribers, values);
    }

    #[inline(always)]
    fn find_peers(self, set: Bits, tables: &PrefixTables, values: &mut [u8; BURST]) {
        self.find(set, &tables.v4_peers, &tables.v6_peers, values);
    }

    /// Looks a set up; the values of all others are 0.
    #[inline(always)]
    fn find(self, set: Bits, ipv4: &Ipv4Table, ipv6: &Ipv6Table, values: &mut [u8; BURST]) {
        values.fill(0);
        let (of_ipv4, addresses) = self.ipv4;
        look_up(ipv4, set.and(of_ipv4), addresses, values);
        let (of_ipv6, addresses) = self.ipv6;
        look_up(ipv6, set.and(of_ipv6), addresses, values);
    }
}

/// A table of either family.
trait Table {
    type Address: Copy + Default;

    fn one(&self, address: Self::Address) -> u8;

    fn many<const N: usize>(&self, addresses: &[Self::Address; N], values: &mut [u8; N]);
}

impl Table for Ipv4Table {
    type Address = u32;

    #[inline(always)]
    fn one(&self, address: u32) -> u8 {
        self.lookup(address)
    }

    #[inline(always)]
    fn many<const N: usize>(&self, addresses: &[u32; N], values: &mut [u8; N]) {
        self.lookup_each(addresses, values);
    }
}

impl Table for Ipv6Table {
    type Address = Halves;

    #[inline(always)]
    fn one(&self, address: Halves) -> u8 {
        self.lookup(address.joined())
    }

    #[inline(always)]
    fn many<const N: usize>(&self, addresses: &[Halves; N], values: &mut [u8; N]) {
        let (high, low) = (addresses.map(|a| a.high), addresses.map(|a| a.low));
        self.lookup_each(&high, &low, values);
    }
}

/// Fewer than this are looked up one by one.
const MANY: u32 = 8;

/// Up to so many are looked up as if they were half a burst.
const HALF: usize = BURST / 2;

/// Looks a set of a column up, together where they are many.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
fn look_up<T: Table>(
    table: &T,
    set: Bits,
    addresses: &[T::Address; BURST],
    values: &mut [u8; BURST],
) {
    match set.count() {
        0..MANY => {
            for index in set {
                values[index] = table.one(addresses[index]);
            }
        }
        64 => table.many(addresses, values),
        count if count as usize <= HALF => together::<T, HALF>(table, set, addresses, values),
        _ => together::<T, BURST>(table, set, addresses, values),
    }
}

/// Brings a set of a column together, and looks it up.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
fn together<T: Table, const N: usize>(
    table: &T,
    set: Bits,
    addresses: &[T::Address; BURST],
    values: &mut [u8; BURST],
) {
    let (mut together, mut found) = ([T::Address::default(); N], [0; N]);
    for (address, index) in together.iter_mut().zip(set) {
        *address = addresses[index];
    }
    table.many(&together, &mut found);
    for (found, index) in found.into_iter().zip(set) {
        values[index] = found;
    }
}
