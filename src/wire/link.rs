use std::fmt;

/// A link-layer type, numbered as the pcap formats do (the tcpdump group's LINKTYPE_ registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a 4-byte address family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// Ethernet II, 802.3.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without the HDLC-like address and control octets.
    pub const PPP: Self = Self(9);
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
    /// OpenBSD loopback: a 4-byte address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// What [`parse`](super::parse) reads, each with its name for people.
    pub const READ: [(Self, &'static str); 13] = [
        (Self::NULL, "BSD loopback"),
        (Self::ETHERNET, "Ethernet"),
        (Self::PPP, "PPP"),
        (Self::RAW_BSD, "raw IP"),
        (Self::RAW_OPENBSD, "raw IP"),
        (Self::PPP_HDLC, "PPP in HDLC-like framing"),
        (Self::RAW, "raw IP"),
        (Self::CISCO_HDLC, "Cisco HDLC"),
        (Self::LOOP, "OpenBSD loopback"),
        (Self::LINUX_SLL, "Linux cooked v1"),
        (Self::IPV4, "raw IPv4"),
        (Self::IPV6, "raw IPv6"),
        (Self::LINUX_SLL2, "Linux cooked v2"),
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
