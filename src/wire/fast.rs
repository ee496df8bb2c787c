//! The fast lanes: what nearly every frame is, read at fixed offsets from where its IP header
//! begins.
//!
//! Nothing here branches on what a frame holds: a lane reads every field that it may need, and
//! tells beside them whether they mean what they seem to ([`Header::plain`]). So random traffic
//! mispredicts nothing, and frames of a burst are read side by side.

use super::tunnel::Watch;
use super::{Family, Packet, Shape, TRANSPORT_OCTETS, TcpFlags, Unwrap, transport};

const TCP: u8 = 6;
const UDP: u8 = 17;
const AUTHENTICATION: u8 = 51;
const UDP_OCTETS: u8 = 8;

/// What has to be there behind an IP header, whatever it carries, so that one check of the length
/// does for all.
const TCP_OCTETS: usize = TRANSPORT_OCTETS as usize;

/// Octets of an Ethernet header, and of a tag.
const ETHERNET_OCTETS: u8 = 14;
const TAG_OCTETS: u8 = 4;

/// Octets of a PPPoE header and the PPP protocol behind it (RFC 2516, section 4).
const PPPOE_OCTETS: u8 = 8;
const PPP_OCTETS: u16 = 2;

/// Octets of the type field, of Ethernet or PPP, that stands before an IP header.
pub(crate) const TYPE_OCTETS: usize = 2;

/// Where an IP header's type field stands in a frame without tags.
pub(crate) const PLAIN_TYPE_AT: u8 = ETHERNET_OCTETS - TYPE_OCTETS as u8;

/// What has to be there of a frame for [`link_words`].
pub(crate) const LINK_OCTETS: usize = 30;

/// What has to be there from the type field on for [`ipv4_words`] and [`ipv6_words`].
pub(crate) const IPV4_OCTETS: usize = TYPE_OCTETS + 20 + TCP_OCTETS;
pub(crate) const IPV6_OCTETS: usize = TYPE_OCTETS + 40 + TCP_OCTETS;

/// The next-header values below 64 behind which TCP may stand: 0, 43, 44, 51 and 60.
const EXTENSION_HEADERS: u64 = 1 | 1 << 43 | 1 << 44 | 1 << 51 | 1 << 60;

/// Reads an Ethernet frame with at most two tags and a PPPoE session header, a bare IPv4 or IPv6
/// header and at least 14 octets behind it, that lead into no tunnel which is opened; `None` for
/// any other, which [`parse_full`](super::parse_full) reads.
#[inline]
pub fn parse_fast(frame: &[u8], unwrap: &Unwrap) -> Option<Packet> {
    let watch = unwrap.watch();
    let start = start(link_words(frame.first_chunk()?));
    let ip = frame.get(usize::from(start.type_at)..)?;
    if start.ipv4 {
        let header = ipv4_header(ipv4_words(ip.first_chunk()?), watch);
        let ends = [header.src, header.dst].map(u128::from);
        header.packet(Family::V4, ends, start)
    } else if start.ipv6 {
        let header = ipv6_header(ipv6_words(ip.first_chunk()?), watch);
        let ends = [header.src, header.dst].map(Halves::joined);
        header.packet(Family::V6, ends, start)
    } else {
        None
    }
}

/// Where the type field before an IP header stands, and which header it is; neither when it is for
/// the full lane to tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// At most 28.
    pub(crate) type_at: u8,
    pub(crate) ipv4: bool,
    pub(crate) ipv6: bool,
}

/// Octets 12–29 of a frame: type fields, two tags, and a session header.
pub(crate) type LinkWords = [u64; 3];

#[inline(always)]
pub(crate) fn link_words(frame: &[u8; LINK_OCTETS]) -> LinkWords {
    [12, 20, 22].map(|at| word(frame, at))
}

/// Passes up to two tags, and a PPPoE session header.
#[inline(always)]
pub(crate) fn start([first, second, third]: LinkWords) -> Start {
    let octets = |word: u64, at: u32| ((word >> (8 * at)) as u16).swap_bytes();
    let outer = is_tag(octets(first, 0));
    let inner = outer & is_tag(octets(first, 4));
    let choose = |untagged: u16, one_tag: u16, two_tags: u16| {
        let tagged = if inner { two_tags } else { one_tag };
        if outer { tagged } else { untagged }
    };
    let ether_type = choose(octets(first, 0), octets(first, 4), octets(second, 0));
    // Of a session: behind version, type, code and id stands its length, then the PPP protocol
    // that the length counts too.
    let length = choose(octets(first, 6), octets(second, 2), octets(second, 6));
    let protocol = choose(octets(second, 0), octets(second, 4), octets(third, 6));
    let session = ether_type == 0x8864;
    // The PPP protocol stands where a type field would.
    let holds = |octets: usize| session & (length >= (octets - TYPE_OCTETS) as u16 + PPP_OCTETS);
    let tags = u8::from(outer) + u8::from(inner);
    Start {
        type_at: PLAIN_TYPE_AT + tags * TAG_OCTETS + u8::from(session) * PPPOE_OCTETS,
        ipv4: (ether_type == 0x0800) | (holds(IPV4_OCTETS) & (protocol == 0x0021)),
        ipv6: (ether_type == 0x86dd) | (holds(IPV6_OCTETS) & (protocol == 0x0057)),
    }
}

#[inline(always)]
fn is_tag(ether_type: u16) -> bool {
    (ether_type == 0x8100)
        | (ether_type == 0x88a8)
        | (ether_type == 0x9100)
        | (ether_type == 0x9200)
}

/// Eight octets, the first one lowest.
#[inline(always)]
fn word<const N: usize>(octets: &[u8; N], at: usize) -> u64 {
    let eight = octets.get(at..).and_then(|rest| rest.first_chunk());
    // Every place that is asked for lies within, and is known where this is called.
    eight.map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// What a lane reads of an IP header and the 14 octets behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<A> {
    /// It is a bare header, no fragment, and what follows is an upper layer that leads into no
    /// tunnel: the other fields mean what their names say. Otherwise they mean nothing.
    pub(crate) plain: bool,
    pub(crate) src: A,
    pub(crate) dst: A,
    pub(crate) protocol: u8,
    /// Of the 14 octets, if they are TCP.
    pub(crate) tcp: Tcp,
}

/// The octets of a TCP header that decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) flags: TcpFlags,
}

impl Tcp {
    #[inline(always)]
    fn ports(self) -> [u16; 2] {
        [self.src_port, self.dst_port]
    }

    /// From the word that begins with the ports, and the one that ends with the flags.
    #[inline(always)]
    fn of(ports: u64, flags: u64) -> Self {
        Self {
            src_port: (ports as u16).swap_bytes(),
            dst_port: ((ports >> 16) as u16).swap_bytes(),
            flags: transport::flags(((flags >> 48) as u16).to_le_bytes()),
        }
    }
}

/// An IPv6 address: the part that routers see, and the interface identifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Halves {
    pub(crate) high: u64,
    pub(crate) low: u64,
}

impl From<u128> for Halves {
    fn from(address: u128) -> Self {
        Self {
            high: (address >> 64) as u64,
            low: address as u64,
        }
    }
}

impl Halves {
    #[inline(always)]
    pub(crate) fn joined(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }

    #[inline(always)]
    fn of(high: u64, low: u64) -> Self {
        Self {
            high: high.swap_bytes(),
            low: low.swap_bytes(),
        }
    }
}

/// Whether a type field, which every lane loads first, announces this ethertype.
#[inline(always)]
pub(crate) fn announces(type_word: u64, ether_type: u16) -> bool {
    type_word as u16 == ether_type.swap_bytes()
}

/// Octets 0–15 from the type field on, both addresses, ports, and what ends with the TCP flags.
pub(crate) type Ipv4Words = [u64; 5];

#[inline(always)]
pub(crate) fn ipv4_words(octets: &[u8; IPV4_OCTETS]) -> Ipv4Words {
    [0, 8, 14, 22, 28].map(|at| word(octets, at))
}

/// A header without options.
#[inline(always)]
pub(crate) fn ipv4_header(words: Ipv4Words, watch: Watch) -> Header<u32> {
    let [first, second, ends, ports, flags] = words;
    let total_len_bytes = ((first >> 32) as u16).swap_bytes();
    let protocol = (second >> 24) as u8;
    // Reserved bit and Don't Fragment aside.
    let fragment = (second as u16) & 0x3fff_u16.swap_bytes();
    let tcp = Tcp::of(ports, flags);
    Header {
        plain: ((first >> 16) as u8 == 0x45)
            & (fragment == 0)
            & reaches(total_len_bytes, (IPV4_OCTETS - TYPE_OCTETS) as u16)
            & (protocol != AUTHENTICATION)
            & !watch.concerns(Family::V4, protocol, tcp.ports()),
        src: (ends as u32).swap_bytes(),
        dst: ((ends >> 32) as u32).swap_bytes(),
        protocol,
        tcp,
    }
}

/// Octets 0–15 from the type field on, both addresses, ports, and what ends with the TCP flags.
pub(crate) type Ipv6Words = [u64; 8];

#[inline(always)]
pub(crate) fn ipv6_words(octets: &[u8; IPV6_OCTETS]) -> Ipv6Words {
    [0, 8, 10, 18, 26, 34, 42, 48].map(|at| word(octets, at))
}

#[inline(always)]
pub(crate) fn ipv6_header(words: Ipv6Words, watch: Watch) -> Header<Halves> {
    let [
        first,
        second,
        src_high,
        src_low,
        dst_high,
        dst_low,
        ports,
        flags,
    ] = words;
    let payload_len_bytes = ((first >> 48) as u16).swap_bytes();
    let protocol = second as u8;
    let extended = (protocol < 64) & (EXTENSION_HEADERS >> (protocol & 63) & 1 == 1);
    let tcp = Tcp::of(ports, flags);
    Header {
        plain: ((first >> 20) as u8 & 0x0f == 6)
            & reaches(payload_len_bytes, TCP_OCTETS as u16)
            & !extended
            & !watch.concerns(Family::V6, protocol, tcp.ports()),
        src: Halves::of(src_high, src_low),
        dst: Halves::of(dst_high, dst_low),
        protocol,
        tcp,
    }
}

/// Whether a length field lets so many octets be read; 0 means "what is there".
#[inline(always)]
fn reaches(len_bytes: u16, octets: u16) -> bool {
    // 0 becomes the largest.
    len_bytes.wrapping_sub(1) >= octets - 1
}

impl<A> Header<A> {
    /// Whether what follows is TCP.
    #[inline(always)]
    pub(crate) fn is_tcp(&self) -> bool {
        self.protocol == TCP
    }

    fn packet(self, family: Family, [src, dst]: [u128; 2], start: Start) -> Option<Packet> {
        let Tcp {
            src_port,
            dst_port,
            flags,
        } = self.tcp;
        let bare = Packet {
            src,
            dst,
            family: Some(family),
            protocol: self.protocol,
            ip_offset: u16::from(start.type_at) + TYPE_OCTETS as u16,
            ..Packet::bare(Shape::Opaque)
        };
        let packet = match self.protocol {
            TCP => Packet {
                shape: Shape::Tcp,
                src_port,
                dst_port,
                flags,
                transport_len: TRANSPORT_OCTETS,
                ..bare
            },
            UDP => Packet {
                src_port,
                dst_port,
                transport_len: UDP_OCTETS,
                ..bare
            },
            _ => bare,
        };
        self.plain.then_some(packet)
    }
}
