use super::bits::Bits;
use super::Facing;
use crate::wire::{
    self, AsFrame, BURST, ETHERNET_OCTETS, Family, Frame, Header, IPV4_OCTETS, LINK_OCTETS,
    LinkType, Packet, Shape, Tcp,
};

/// TCP port 25: the only port that rules speak of.
pub(super) const SMTP: u16 = 25;

/// What was parsed of a burst, a column for each field.
///
/// Every frame is in exactly one of `ipv4`, `ipv6` and `others`.
#[derive(Debug)]
pub(super) struct Parsed {
    /// How many frames there are.
    pub(super) all: Bits,
    /// A fast lane read these, and [`Parsed::ipv4_src`] and [`Parsed::ipv4_dst`] hold their ends.
    pub(super) ipv4: Bits,
    /// A fast lane read these, and [`Parsed::ipv6_src`] and [`Parsed::ipv6_dst`] hold their ends.
    pub(super) ipv6: Bits,
    /// These are in [`Parsed::packets`].
    pub(super) others: Bits,
    /// Of those that a fast lane read: TCP segments at the peer's port 25.
    pub(super) port_25: Bits,
    /// Of these: those that open a connection.
    pub(super) opening: Bits,
    pub(super) ipv4_src: [u32; BURST],
    pub(super) ipv4_dst: [u32; BURST],
    pub(super) ipv6_src: [u128; BURST],
    pub(super) ipv6_dst: [u128; BURST],
    pub(super) packets: [Packet; BURST],
    /// Most frames of the last burst were plain Ethernet and IPv4: try that first.
    mostly_plain: bool,
}

impl Default for Parsed {
    fn default() -> Self {
        Self {
            all: Bits::default(),
            ipv4: Bits::default(),
            ipv6: Bits::default(),
            others: Bits::default(),
            port_25: Bits::default(),
            opening: Bits::default(),
            ipv4_src: [0; BURST],
            ipv4_dst: [0; BURST],
            ipv6_src: [0; BURST],
            ipv6_dst: [0; BURST],
            packets: [Packet::bare(Shape::NotIp); BURST],
            mostly_plain: true,
        }
    }
}

/// Parses one frame, in whichever lane reads it; [`Packet::wants_more`] is set only where the
/// capture cut it, and what was cut off could change what is decided.
#[inline]
pub(super) fn packet(frame: &Frame<'_>) -> Packet {
    if frame.link_type == LinkType::ETHERNET
        && let Some(packet) = wire::parse_fast(frame.bytes)
    {
        return packet;
    }
    wire::parse_part(frame.bytes, frame.missing_bytes(), frame.link_type)
}

impl Parsed {
    /// Parses up to 64 frames.
    pub(super) fn parse(&mut self, frames: &[impl AsFrame], facing: Facing) {
        self.all = Bits::first(frames.len());
        (self.ipv4, self.ipv6) = <_>::default();
        (self.port_25, self.opening) = <_>::default();
        match facing {
            Facing::Out => self.fast_lanes::<true, false>(frames),
            Facing::In => self.fast_lanes::<false, true>(frames),
            Facing::Auto => self.fast_lanes::<true, true>(frames),
        }
        if facing == Facing::Auto {
            // Which end is the subscriber is yet to be found: what may matter is judged one by one.
            self.ipv4 = self.ipv4.without(self.port_25);
            self.ipv6 = self.ipv6.without(self.port_25);
            self.port_25 = Bits::default();
        }
        self.others = self.all.without(self.ipv4).without(self.ipv6);
        self.full_lane(frames);
    }

    fn fast_lanes<const OUT: bool, const IN: bool>(&mut self, frames: &[impl AsFrame]) {
        let mut rest = self.all;
        let mut plain = Bits::default();
        if self.mostly_plain {
            let octets = |index| plain_ipv4(frames, index);
            let (src, dst) = (&mut self.ipv4_src, &mut self.ipv4_dst);
            let read = lane::<_, _, OUT, IN>(rest, octets, wire::ipv4, src, dst);
            self.note(read, Family::V4);
            plain = read.fast;
            rest = rest.without(plain);
        }
        if rest.any() {
            let places = Places::find(frames, rest);
            plain = plain.or(places.plain);

            let octets = |index| places.header(frames, index);
            let (src, dst) = (&mut self.ipv4_src, &mut self.ipv4_dst);
            let read = lane::<_, _, OUT, IN>(places.ipv4, octets, wire::ipv4, src, dst);
            self.note(read, Family::V4);

            let octets = |index| places.header(frames, index);
            let (src, dst) = (&mut self.ipv6_src, &mut self.ipv6_dst);
            let read = lane::<_, _, OUT, IN>(places.ipv6, octets, wire::ipv6, src, dst);
            self.note(read, Family::V6);
        }
        self.mostly_plain = plain.count() * 2 >= self.all.count();
    }

    fn note(&mut self, read: Read, family: Family) {
        match family {
            Family::V4 => self.ipv4 = self.ipv4.or(read.fast),
            Family::V6 => self.ipv6 = self.ipv6.or(read.fast),
        }
        self.port_25 = self.port_25.or(read.port_25);
        self.opening = self.opening.or(read.opening);
    }

    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn full_lane(&mut self, frames: &[impl AsFrame]) {
        for index in self.others {
            if let Some(frame) = frames.get(index) {
                self.packets[index] = packet(&frame.as_frame());
            }
        }
    }
}

/// What a lane read.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    fast: Bits,
    port_25: Bits,
    opening: Bits,
}

/// Reads the headers that `octets` finds for each frame of a set, and says beside them whether
/// they are what they seem.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
fn lane<'f, const N: usize, A, const OUT: bool, const IN: bool>(
    set: Bits,
    octets: impl Fn(usize) -> Option<(&'f [u8; N], bool)>,
    read: impl Fn(&[u8; N]) -> Header<A>,
    src: &mut [A; BURST],
    dst: &mut [A; BURST],
) -> Read
where
    A: Into<u128>,
{
    let mut found = Read::default();
    for index in set {
        let Some((octets, announced)) = octets(index) else {
            continue;
        };
        let header = read(octets);
        let fast = header.plain & announced;
        let tcp = fast & header.is_tcp();
        let Tcp {
            src_port,
            dst_port,
            flags,
        } = header.tcp;
        let (out, inward) = (OUT & (dst_port == SMTP), IN & (src_port == SMTP));
        let opens = (OUT & flags.is_new()) | (IN & flags.has_syn());
        found.fast.add_if(index, fast);
        found.port_25.add_if(index, tcp & (out | inward));
        found.opening.add_if(index, tcp & opens);
        src[index] = header.src;
        dst[index] = header.dst;
    }
    found
}

/// The IPv4 header right behind an Ethernet header, and whether that announces it.
#[inline(always)]
fn plain_ipv4<F: AsFrame>(frames: &[F], index: usize) -> Option<(&[u8; IPV4_OCTETS], bool)> {
    let frame = frames.get(index)?.as_frame();
    let octets: &[u8; ETHERNET_OCTETS + IPV4_OCTETS] = frame.bytes.first_chunk()?;
    let announced = u16::from_be_bytes([octets[12], octets[13]]) == 0x0800;
    let ethernet = frame.link_type == LinkType::ETHERNET;
    Some((octets.last_chunk()?, announced & ethernet))
}

/// Where the IP headers of a burst begin.
struct Places {
    offsets: [u8; BURST],
    ipv4: Bits,
    ipv6: Bits,
    /// IPv4 right behind an Ethernet header.
    plain: Bits,
}

impl Places {
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn find(frames: &[impl AsFrame], set: Bits) -> Self {
        let mut places = Self {
            offsets: [0; BURST],
            ipv4: Bits::default(),
            ipv6: Bits::default(),
            plain: Bits::default(),
        };
        for index in set {
            let Some(frame) = frames.get(index).map(AsFrame::as_frame) else {
                continue;
            };
            let Some(head) = frame.bytes.first_chunk::<LINK_OCTETS>() else {
                continue;
            };
            let start = wire::start(head);
            let ethernet = frame.link_type == LinkType::ETHERNET;
            // At most 30.
            places.offsets[index] = start.ip_offset as u8;
            places.ipv4.add_if(index, start.ipv4 & ethernet);
            places.ipv6.add_if(index, start.ipv6 & ethernet);
            let plain = start.ip_offset == ETHERNET_OCTETS;
            places.plain.add_if(index, start.ipv4 & ethernet & plain);
        }
        places
    }

    #[inline(always)]
    fn header<'f, const N: usize>(
        &self,
        frames: &'f [impl AsFrame],
        index: usize,
    ) -> Option<(&'f [u8; N], bool)> {
        let offset = usize::from(*self.offsets.get(index)?);
        let bytes = frames.get(index)?.as_frame().bytes;
        Some((bytes.get(offset..)?.first_chunk()?, true))
    }
}
