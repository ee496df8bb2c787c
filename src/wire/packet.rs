use super::LinkType;
use std::fmt;
use std::net::IpAddr;

/// Frames that are handled together, at most.
pub const BURST: usize = 64;

/// A frame as it came: the octets that are there, and how many there were on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The captured octets, from the first octet of the link header.
    pub bytes: &'a [u8],
    /// Octets on the wire; more than `bytes.len()` when the capture cut the frame.
    pub original_len: u32,
    /// What the first octet belongs to.
    pub link_type: LinkType,
}

impl Frame<'_> {
    /// Whether the capture holds less than what was on the wire.
    pub fn is_cut(&self) -> bool {
        self.missing_bytes() > 0
    }

    /// Octets that were on the wire and are not in the capture.
    pub fn missing_bytes(&self) -> usize {
        (self.original_len as usize).saturating_sub(self.bytes.len())
    }
}

/// What the stages take: whatever holds a frame.
pub trait AsFrame {
    /// The frame that it holds.
    fn as_frame(&self) -> Frame<'_>;

    /// When it came, in nanoseconds of a clock of its own: of a capture's frames. `None` is now.
    #[inline(always)]
    fn at_ns(&self) -> Option<u64> {
        None
    }
}

impl AsFrame for Frame<'_> {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        *self
    }
}

/// A whole Ethernet frame, as a port receives it.
impl AsFrame for &[u8] {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        Frame {
            bytes: self,
            // No port receives 4 GiB at once.
            original_len: self.len() as u32,
            link_type: LinkType::ETHERNET,
        }
    }
}

/// IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Family {
    /// IPv4
    V4 = 0,
    /// IPv6
    V6 = 1,
}

/// Where a packet stands in its datagram. An IPv6 atomic fragment (RFC 6946) is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fragment {
    /// Not a fragment.
    None,
    /// Offset 0, more to come.
    First,
    /// Offset above 0: holds no transport header that may be read.
    Later,
}

/// How far the walk from the link header to TCP came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// No IP header: ARP, LLDP, PPPoE discovery, PPP control, an unknown ethertype.
    NotIp,
    /// Announced as IP (or as an encapsulation of it) and not readable as that: a runt, IHL < 5, a
    /// wrong version, a length smaller than the header itself, a link type that is not read.
    Unparsed,
    /// More tags or labels than the cap.
    EncapsulationLimit,
    /// IP that cannot be TCP: UDP, ICMP, ESP, tunnels, no next header.
    Opaque,
    /// TCP with its first 14 octets there.
    Tcp,
    /// A fragment with an offset above 0 (and not [`Shape::OverlappingFragment`]).
    LaterFragment,
    /// The extension headers pass the cap (8 headers, 256 bytes) and could lead to TCP.
    HeaderChainLimit,
    /// The headers end before the TCP header begins.
    IncompleteHeaders,
    /// A TCP fragment at offset 1 (RFC 3128).
    OverlappingFragment,
    /// A first fragment with 1 to 13 octets of TCP (RFC 1858).
    TinyFragment,
    /// No fragment, and 1 to 13 octets of TCP.
    Malformed,
}

/// Octets of a TCP header that decide: ports (0–3) and flags (12–13).
pub const TRANSPORT_OCTETS: u8 = 14;

/// The nine TCP flags, as in octets 12 and 13 of the header: bit 0 FIN … bit 7 CWR, bit 8 the
/// former NS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// FIN
    pub const FIN: u16 = 0x001;
    /// SYN
    pub const SYN: u16 = 0x002;
    /// RST
    pub const RST: u16 = 0x004;
    /// ACK
    pub const ACK: u16 = 0x010;

    /// One letter a flag, in the order they are written and printed.
    const LETTERS: [(char, u16); 9] = [
        ('S', Self::SYN),
        ('F', Self::FIN),
        ('R', Self::RST),
        ('P', 0x008),
        ('A', Self::ACK),
        ('U', 0x020),
        ('E', 0x040),
        ('C', 0x080),
        ('N', 0x100),
    ];

    /// A new connection: SYN set and ACK clear; every other flag is ignored.
    pub fn is_new(self) -> bool {
        self.0 & (Self::SYN | Self::ACK) == Self::SYN
    }

    /// Whether SYN is set.
    pub fn has_syn(self) -> bool {
        self.0 & Self::SYN != 0
    }

    /// Reads letters in any order and case, as in `SA` or `sec`; the empty string is no flag.
    pub fn from_letters(text: &str) -> Option<Self> {
        text.chars().try_fold(Self(0), |flags, letter| {
            let upper = letter.to_ascii_uppercase();
            Self::LETTERS
                .iter()
                .find(|(l, _)| *l == upper)
                .map(|(_, bit)| Self(flags.0 | bit))
        })
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::LETTERS
            .iter()
            .filter(|(_, bit)| self.0 & bit != 0)
            .try_for_each(|(letter, _)| write!(f, "{letter}"))
    }
}

/// What was parsed of a frame: small, plain, and all that the later stages look at.
///
/// Fields beyond what `shape` promises are zero, so that two parses of one frame compare equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Source address of the judged IP header; IPv4 in the low 32 bits. 0 without IP header.
    pub src: u128,
    /// Destination address, likewise.
    pub dst: u128,
    /// TCP or UDP source port, when `transport_len` ≥ 2.
    pub src_port: u16,
    /// TCP or UDP destination port, when `transport_len` ≥ 4.
    pub dst_port: u16,
    /// TCP flags, when `shape` is [`Shape::Tcp`].
    pub flags: TcpFlags,
    /// Offset of the judged IP header in the frame; 0 without one or for raw IP.
    pub ip_offset: u16,
    /// How far the walk came.
    pub shape: Shape,
    /// IP version of the judged header; `None` where no address could be read.
    pub family: Option<Family>,
    /// Where in its datagram.
    pub fragment: Fragment,
    /// Upper-layer protocol number where the walk reached it, else the last next-header value read.
    pub protocol: u8,
    /// Octets of the TCP or UDP header that are there, at most [`TRANSPORT_OCTETS`].
    pub transport_len: u8,
    /// The walk needed octets that the length fields promise and the captured bytes do not hold:
    /// if the capture cut the frame, the missing octets could change what is decided. Not set where
    /// they are too few for that: a first fragment that is tiny by its IP length stays evasive.
    pub wants_more: bool,
    /// A source port outside the port set, or a source address, that the tunnel's outer source does
    /// not give; only toward the tunnel's endpoint.
    pub spoofed_port: bool,
    /// The addresses that it is to pass yet, which its header's destination does not name.
    pub route: Route,
    /// The ends by which the subscriber is known, where these are not `src` and `dst`: those of a
    /// tunnel's outer header, or the end-user prefix that a port set belongs to.
    pub identity: Option<Identity>,
}

/// The ends of a packet by which its subscriber is known: the source of a frame that goes out, the
/// destination of one that comes in. The peer is an end of the packet all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Of both.
    pub family: Family,
    /// IPv4 in the low 32 bits.
    pub src: u128,
    /// Likewise.
    pub dst: u128,
}

/// A source route: IPv4's loose or strict option, or IPv6's routing header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// None, or one that is exhausted: the header's destination is where the packet ends.
    None,
    /// Not exhausted: so many addresses of the packet's family stand in the frame from this offset
    /// on, and are yet to be passed. [`route_addresses`](super::route_addresses) reads them.
    Listed {
        /// Of the first address.
        at: u16,
        /// At least one.
        addresses: u8,
    },
    /// Not exhausted, as far as one can tell, and where it leads cannot be read.
    Unreadable,
}

impl Family {
    /// `IPv4`, `IPv6`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    /// An address that is held as a number, IPv4 in the low 32 bits.
    pub fn address(self, number: u128) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4((number as u32).into()),
            Self::V6 => IpAddr::V6(number.into()),
        }
    }
}

impl Packet {
    /// The source address, where one could be read.
    pub fn src_addr(&self) -> Option<IpAddr> {
        Some(self.family?.address(self.src))
    }

    /// The destination address, where one could be read.
    pub fn dst_addr(&self) -> Option<IpAddr> {
        Some(self.family?.address(self.dst))
    }

    /// The source by which the subscriber is known, of a frame that goes out.
    pub fn subscriber_src(&self) -> Option<(Family, u128)> {
        match self.identity {
            Some(Identity { family, src, .. }) => Some((family, src)),
            None => Some((self.family?, self.src)),
        }
    }

    /// The destination by which the subscriber is known, of a frame that comes in.
    pub fn subscriber_dst(&self) -> Option<(Family, u128)> {
        match self.identity {
            Some(Identity { family, dst, .. }) => Some((family, dst)),
            None => Some((self.family?, self.dst)),
        }
    }

    /// Whether it is in a tunnel that is opened, and evades before it shows who its ends are. (Somebody who
    /// evades between two addresses of zeros is nobody either.)
    pub fn hides_its_ends(&self) -> bool {
        let evades = matches!(
            self.shape,
            Shape::IncompleteHeaders | Shape::OverlappingFragment | Shape::HeaderChainLimit
        );
        evades && self.identity.is_some() && self.src == 0 && self.dst == 0
    }

    /// A packet of which nothing but its shape is known.
    pub const fn bare(shape: Shape) -> Self {
        Self {
            src: 0,
            dst: 0,
            src_port: 0,
            dst_port: 0,
            flags: TcpFlags(0),
            ip_offset: 0,
            shape,
            family: None,
            fragment: Fragment::None,
            protocol: 0,
            transport_len: 0,
            wants_more: false,
            spoofed_port: false,
            route: Route::None,
            identity: None,
        }
    }
}
