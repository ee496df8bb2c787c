use super::bits::Bits;
use super::classify::Addresses;
use super::{Facing, decide};
use crate::wire::{
    self, AsFrame, BURST, Family, Frame, Halves, Header, LINK_OCTETS, LinkType, PLAIN_TYPE_AT,
    Packet, Route, Shape, Tcp, Unwrap, Watch,
};
use arrayvec::ArrayVec;

/// TCP port 25: the only port that rules speak of.
pub(super) const SMTP: u16 = 25;

/// One end of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Src,
    Dst,
}

/// What was parsed of a burst, a column for each field.
///
/// Every frame is in exactly one of `ipv4.read`, `ipv6.read` and `others`.
#[derive(Debug)]
pub(super) struct Parsed {
    /// How many frames there are.
    pub(super) all: Bits,
    pub(super) ipv4: Lane<u32, 5>,
    pub(super) ipv6: Lane<Halves, 8>,
    /// These are in `packets`.
    pub(super) others: Bits,
    /// Of these: those of which a rule may speak.
    pub(super) may_match: Bits,
    pub(super) packets: [Packet; BURST],
    /// Of these: those that more addresses stand for than the two of their header.
    pub(super) apart: Bits,
    /// Their source routes.
    pub(super) routes: Box<[RouteAddresses; BURST]>,
    places: Places,
    /// What most frames of the last burst were, right behind an Ethernet header: that is tried
    /// first.
    mostly: Option<Family>,
}

/// What the fast lane of one family read.
///
/// The words come first and at a cache line's start: they are read as wide as a line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Lane<A, const WORDS: usize> {
    /// Of each frame, a column a word.
    words: [[u64; BURST]; WORDS],
    pub(super) src: [A; BURST],
    pub(super) dst: [A; BURST],
    /// Which frames it read: no field but the ends means anything for the others.
    pub(super) read: Bits,
    /// Which frames have their ends here.
    placed: Bits,
    /// TCP segments at the peer's port 25.
    pub(super) port_25: Bits,
    /// TCP segments that open a connection.
    pub(super) opening: Bits,
    /// Where every frame goes in: TCP segments at the subscriber's port 25.
    pub(super) local_25: Bits,
    /// Of these: those that open a connection (SYN set and ACK clear).
    pub(super) opening_local: Bits,
}

impl Default for Parsed {
    fn default() -> Self {
        Self {
            all: Bits::default(),
            ipv4: Lane::default(),
            ipv6: Lane::default(),
            others: Bits::default(),
            may_match: Bits::default(),
            packets: [Packet::bare(Shape::NotIp); BURST],
            apart: Bits::default(),
            routes: Box::new([const { RouteAddresses::new_const() }; BURST]),
            places: Places::default(),
            mostly: None,
        }
    }
}

impl<A: Copy + Default, const WORDS: usize> Default for Lane<A, WORDS> {
    fn default() -> Self {
        Self {
            read: Bits::default(),
            placed: Bits::default(),
            port_25: Bits::default(),
            opening: Bits::default(),
            local_25: Bits::default(),
            opening_local: Bits::default(),
            src: [A::default(); BURST],
            dst: [A::default(); BURST],
            words: [[0; BURST]; WORDS],
        }
    }
}

/// Parses one frame, in whichever lane reads it; [`Packet::wants_more`] is set only where the
/// capture cut it, and what was cut off could change what is decided.
#[inline]
pub(super) fn packet(frame: &Frame<'_>, unwrap: &Unwrap) -> Packet {
    if frame.link_type == LinkType::ETHERNET
        && let Some(packet) = wire::parse_fast(frame.bytes, unwrap)
    {
        return packet;
    }
    wire::parse_part(frame.bytes, frame.missing_bytes(), frame.link_type, unwrap)
}

/// The addresses that a source route names; nearly always none.
pub(super) type RouteAddresses = ArrayVec<u128, 16>;

/// Reads the source route of a frame that was parsed.
#[inline]
pub(super) fn route(frame: &Frame<'_>, packet: &Packet) -> RouteAddresses {
    match packet.route {
        Route::None | Route::Unreadable => RouteAddresses::new_const(),
        // A chain of headers that is followed has room for no more.
        Route::Listed { .. } => wire::route_addresses(frame.bytes, packet)
            .take(16)
            .collect(),
    }
}

impl Parsed {
    /// Parses up to 64 frames.
    #[inline(always)]
    pub(super) fn parse(&mut self, frames: &[impl AsFrame], facing: Facing, unwrap: &Unwrap) {
        self.all = Bits::first(frames.len());
        self.ipv4.clear();
        self.ipv6.clear();
        let watch = unwrap.watch();
        match facing {
            Facing::Out => self.fast_lanes::<true, false>(frames, watch),
            Facing::In => self.fast_lanes::<false, true>(frames, watch),
            Facing::Auto => {
                self.fast_lanes::<true, true>(frames, watch);
                // Which end is the subscriber is yet to be found: what may matter is judged one by
                // one.
                self.ipv4.leave_port_25();
                self.ipv6.leave_port_25();
            }
        }
        self.others = self.all.without(self.ipv4.read).without(self.ipv6.read);
        (self.ipv4.placed, self.ipv6.placed) = (self.ipv4.read, self.ipv6.read);
        (self.may_match, self.apart) = <_>::default();
        if self.others.any() {
            self.full_lane(frames, unwrap);
        }
    }

    /// One end of all packets that have addresses.
    #[inline(always)]
    pub(super) fn addresses(&self, end: End) -> Addresses<'_> {
        let (ipv4, ipv6) = match end {
            End::Src => (&self.ipv4.src, &self.ipv6.src),
            End::Dst => (&self.ipv4.dst, &self.ipv6.dst),
        };
        Addresses {
            ipv4: (self.ipv4.placed, ipv4),
            ipv6: (self.ipv6.placed, ipv6),
        }
    }

    /// TCP segments that open a connection.
    #[inline(always)]
    pub(super) fn opening(&self) -> Bits {
        self.ipv4.opening.or(self.ipv6.opening)
    }

    /// TCP segments that open a connection to a subscriber's port 25.
    #[inline(always)]
    pub(super) fn opening_inbound(&self) -> Bits {
        self.ipv4.opening_local.or(self.ipv6.opening_local)
    }

    #[inline(always)]
    fn fast_lanes<const OUT: bool, const IN: bool>(
        &mut self,
        frames: &[impl AsFrame],
        watch: Watch,
    ) {
        let ipv4_header = |words| wire::ipv4_header(words, watch);
        let ipv6_header = |words| wire::ipv6_header(words, watch);
        let untagged = |_| PLAIN_TYPE_AT;
        match self.mostly {
            Some(Family::V4) => {
                let set = self.ipv4.load(frames, self.all, untagged, wire::ipv4_words);
                let announced = |[first, ..]: [u64; 5]| wire::announces(first, 0x0800);
                self.ipv4.read::<OUT, IN>(set, announced, ipv4_header);
            }
            Some(Family::V6) => {
                let set = self.ipv6.load(frames, self.all, untagged, wire::ipv6_words);
                let announced = |[first, ..]: [u64; 8]| wire::announces(first, 0x86dd);
                self.ipv6.read::<OUT, IN>(set, announced, ipv6_header);
            }
            None => {}
        }
        let tried = self.ipv4.read.or(self.ipv6.read);
        let rest = self.all.without(tried);
        if rest.any() {
            self.anywhere::<OUT, IN>(frames, rest, watch);
        }
        let half = self.all.count().div_ceil(2);
        let untagged = tried.or(self.places.untagged.and(rest));
        self.mostly = if self.ipv4.read.and(untagged).count() >= half {
            Some(Family::V4)
        } else if self.ipv6.read.and(untagged).count() >= half {
            Some(Family::V6)
        } else {
            None
        };
    }

    /// Finds where the IP headers of these frames begin, and reads them there.
    #[inline(always)]
    fn anywhere<const OUT: bool, const IN: bool>(
        &mut self,
        frames: &[impl AsFrame],
        rest: Bits,
        watch: Watch,
    ) {
        let places = &mut self.places;
        places.find(frames, rest);
        let type_at = |index| places.type_at(index);
        let set = self
            .ipv4
            .load(frames, places.ipv4, type_at, wire::ipv4_words);
        self.ipv4
            .read::<OUT, IN>(set, |_| true, |words| wire::ipv4_header(words, watch));
        let set = self
            .ipv6
            .load(frames, places.ipv6, type_at, wire::ipv6_words);
        self.ipv6
            .read::<OUT, IN>(set, |_| true, |words| wire::ipv6_header(words, watch));
    }

    #[inline(never)]
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn full_lane(&mut self, frames: &[impl AsFrame], unwrap: &Unwrap) {
        for index in self.others {
            let Some(frame) = frames.get(index) else {
                continue;
            };
            let frame = frame.as_frame();
            let packet = packet(&frame, unwrap);
            if packet.identity.is_some() || packet.route != Route::None {
                self.apart = self.apart.or(Bits::one(index));
                self.routes[index] = route(&frame, &packet);
            }
            if decide::may_match(&packet) {
                self.may_match = self.may_match.or(Bits::one(index));
            }
            match packet.family {
                Some(Family::V4) => {
                    let ends = [packet.src as u32, packet.dst as u32];
                    self.ipv4.place(index, ends);
                }
                Some(Family::V6) => {
                    let ends = [packet.src, packet.dst].map(Halves::from);
                    self.ipv6.place(index, ends);
                }
                None => {}
            }
            self.packets[index] = packet;
        }
    }
}

impl<A, const WORDS: usize> Lane<A, WORDS> {
    #[inline(always)]
    fn clear(&mut self) {
        (self.read, self.port_25, self.opening) = <_>::default();
        (self.local_25, self.opening_local) = <_>::default();
    }

    /// Puts the ends of a packet that another lane read beside those of this one.
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn place(&mut self, index: usize, [src, dst]: [A; 2]) {
        (self.src[index], self.dst[index]) = (src, dst);
        self.placed = self.placed.or(Bits::one(index));
    }

    #[inline(always)]
    fn leave_port_25(&mut self) {
        self.read = self.read.without(self.port_25);
        self.port_25 = Bits::default();
    }

    /// Loads the words of a set of frames, each from its type field on; which frames hold them.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn load<const N: usize>(
        &mut self,
        frames: &[impl AsFrame],
        set: Bits,
        type_at: impl Fn(usize) -> u8,
        words: impl Fn(&[u8; N]) -> [u64; WORDS],
    ) -> Bits {
        let mut loaded = set;
        for index in set {
            let octets = frames.get(index).and_then(|frame| {
                let Frame {
                    bytes, link_type, ..
                } = frame.as_frame();
                let octets = bytes.get(usize::from(type_at(index))..)?.first_chunk();
                octets.filter(|_| link_type == LinkType::ETHERNET)
            });
            match octets {
                Some(octets) => {
                    for (column, word) in self.words.iter_mut().zip(words(octets)) {
                        column[index] = word;
                    }
                }
                None => loaded = loaded.without(Bits::one(index)),
            }
        }
        loaded
    }

    /// Reads what was loaded, and is announced as what it is read as: a loop over columns, the same
    /// work for each frame.
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "all columns are as long as a burst"
    )]
    fn read<const OUT: bool, const IN: bool>(
        &mut self,
        loaded: Bits,
        announced: impl Fn([u64; WORDS]) -> bool,
        header: impl Fn([u64; WORDS]) -> Header<A>,
    ) {
        let (mut read, mut port_25, mut opening) = ([0; BURST], [0; BURST], [0; BURST]);
        let (mut local_25, mut opening_local) = ([0; BURST], [0; BURST]);
        for index in 0..BURST {
            let words = std::array::from_fn(|word| self.words[word][index]);
            let header = header(words);
            let plain = header.plain & announced(words);
            let tcp = plain & header.is_tcp();
            let Tcp {
                src_port,
                dst_port,
                flags,
            } = header.tcp;
            let at_peer = (OUT & (dst_port == SMTP)) | (IN & (src_port == SMTP));
            let opens = (OUT & flags.is_new()) | (IN & flags.has_syn());
            read[index] = u8::from(plain);
            port_25[index] = u8::from(tcp & at_peer);
            opening[index] = u8::from(tcp & opens);
            if IN && !OUT {
                let local = tcp & (dst_port == SMTP);
                local_25[index] = u8::from(local);
                opening_local[index] = u8::from(local & flags.is_new());
            }
            self.src[index] = header.src;
            self.dst[index] = header.dst;
        }
        self.read = self.read.or(Bits::of(&read).and(loaded));
        self.port_25 = self.port_25.or(Bits::of(&port_25).and(loaded));
        self.opening = self.opening.or(Bits::of(&opening).and(loaded));
        if IN && !OUT {
            self.local_25 = self.local_25.or(Bits::of(&local_25).and(loaded));
            self.opening_local = self.opening_local.or(Bits::of(&opening_local).and(loaded));
        }
    }
}

/// Where the IP headers of a burst begin.
#[derive(Debug)]
#[repr(C, align(64))]
struct Places {
    words: [[u64; BURST]; 3],
    /// Of the type field.
    offsets: [u8; BURST],
    ipv4: Bits,
    ipv6: Bits,
    /// An IP header right behind an Ethernet header.
    untagged: Bits,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            words: [[0; BURST]; 3],
            offsets: [0; BURST],
            ipv4: Bits::default(),
            ipv6: Bits::default(),
            untagged: Bits::default(),
        }
    }
}

impl Places {
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn find(&mut self, frames: &[impl AsFrame], set: Bits) {
        let mut loaded = set;
        for index in set {
            let head = frames.get(index).map(|frame| frame.as_frame().bytes);
            match head.and_then(<[u8]>::first_chunk::<LINK_OCTETS>) {
                Some(head) => {
                    for (column, word) in self.words.iter_mut().zip(wire::link_words(head)) {
                        column[index] = word;
                    }
                }
                None => loaded = loaded.without(Bits::one(index)),
            }
        }
        let (mut ipv4, mut ipv6, mut untagged) = ([0; BURST], [0; BURST], [0; BURST]);
        for index in 0..BURST {
            let start = wire::start(std::array::from_fn(|word| self.words[word][index]));
            self.offsets[index] = start.type_at;
            ipv4[index] = u8::from(start.ipv4);
            ipv6[index] = u8::from(start.ipv6);
            untagged[index] = u8::from(start.type_at == PLAIN_TYPE_AT);
        }
        self.ipv4 = Bits::of(&ipv4).and(loaded);
        self.ipv6 = Bits::of(&ipv6).and(loaded);
        self.untagged = Bits::of(&untagged).and(loaded);
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn type_at(&self, index: usize) -> u8 {
        self.offsets[index]
    }
}
