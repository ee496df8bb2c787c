use std::fmt;

/// A link-layer type, numbered as the pcap formats do (the tcpdump group's LINKTYPE_ registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a 4-byte address family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// Ethernet II, 802.3.
    pub const ETHERNET: Self = Self(1);
    /// IEEE 802.5 Token Ring.
    pub const TOKEN_RING: Self = Self(6);
    /// PPP, with or without the HDLC-like address and control octets.
    pub const PPP: Self = Self(9);
    /// FDDI.
    pub const FDDI: Self = Self(10);
    /// Raw IP as some BSDs number it.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC-like framing (RFC 1662).
    pub const PPP_HDLC: Self = Self(50);
    /// Raw IP: the version nibble tells the family.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const CISCO_HDLC: Self = Self(104);
    /// IEEE 802.11, from frame control on.
    pub const IEEE802_11: Self = Self(105);
    /// Frame Relay (RFC 2427).
    pub const FRAME_RELAY: Self = Self(107);
    /// OpenBSD loopback: a 4-byte address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// IEEE 802.11 behind a Prism header.
    pub const PRISM: Self = Self(119);
    /// IEEE 802.11 behind a radiotap header.
    pub const RADIOTAP: Self = Self(127);
    /// ARCNET as Linux captures it.
    pub const ARCNET_LINUX: Self = Self(129);
    /// IEEE 802.11 behind an AVS header.
    pub const AVS: Self = Self(163);
    /// Ethernet behind a Juniper header.
    pub const JUNIPER_ETHERNET: Self = Self(178);
    /// Per-Packet Information, before a frame of the link type that it names.
    pub const PPI: Self = Self(192);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux netfilter log records.
    pub const NFLOG: Self = Self(239);
    /// IP over InfiniBand, with a global route header.
    pub const IPOIB: Self = Self(242);
    /// Apple's pktap, before a frame of the link type that it names.
    pub const PKTAP: Self = Self(258);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
    /// Ethernet with a tag of Broadcom's switches.
    pub const DSA_BROADCOM: Self = Self(281);
    /// Ethernet with a tag of Marvell's switches.
    pub const DSA_MARVELL: Self = Self(284);
    /// Ethernet with a tag of Marvell's switches that has a type of its own.
    pub const EDSA_MARVELL: Self = Self(285);

    /// What [`parse`](super::parse) reads, each with its name for people.
    pub const READ: [(Self, &'static str); 29] = [
        (Self::NULL, "BSD loopback"),
        (Self::ETHERNET, "Ethernet"),
        (Self::TOKEN_RING, "Token Ring"),
        (Self::PPP, "PPP"),
        (Self::FDDI, "FDDI"),
        (Self::RAW_BSD, "raw IP"),
        (Self::RAW_OPENBSD, "raw IP"),
        (Self::PPP_HDLC, "PPP in HDLC-like framing"),
        (Self::RAW, "raw IP"),
        (Self::CISCO_HDLC, "Cisco HDLC"),
        (Self::IEEE802_11, "802.11"),
        (Self::FRAME_RELAY, "Frame Relay"),
        (Self::LOOP, "OpenBSD loopback"),
        (Self::LINUX_SLL, "Linux cooked v1"),
        (Self::PRISM, "Prism"),
        (Self::RADIOTAP, "radiotap"),
        (Self::ARCNET_LINUX, "ARCNET"),
        (Self::AVS, "AVS"),
        (Self::JUNIPER_ETHERNET, "Juniper Ethernet"),
        (Self::PPI, "PPI"),
        (Self::IPV4, "raw IPv4"),
        (Self::IPV6, "raw IPv6"),
        (Self::NFLOG, "netfilter log"),
        (Self::IPOIB, "IP over InfiniBand"),
        (Self::PKTAP, "pktap"),
        (Self::LINUX_SLL2, "Linux cooked v2"),
        (Self::DSA_BROADCOM, "Ethernet with a Broadcom tag"),
        (Self::DSA_MARVELL, "Ethernet with a DSA tag"),
        (Self::EDSA_MARVELL, "Ethernet with an EDSA tag"),
    ];

    /// Its name, when it is one that is read.
    pub fn name(self) -> Option<&'static str> {
        Self::READ
            .iter()
            .find(|(link_type, _)| *link_type == self)
            .map(|(_, name)| *name)
    }

    /// Whether frames of this type are read; frames of any other are [`Shape::Unparsed`].
    ///
    /// [`Shape::Unparsed`]: super::Shape::Unparsed
    pub fn is_read(self) -> bool {
        self.name().is_some()
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
