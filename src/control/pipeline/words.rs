//! What a pipeline chooses from a few words.

use crate::wire::{self, Family, InterfaceId, Subscriber};

/// Declares a choice: each variant, its word, and what it means.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$text:meta])* $variant:ident $word:literal,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$text])* $variant,)*
        }

        impl $name {
            /// In the order in which pipelines are told of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Their words.
            pub const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The word in pipelines.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            pub(super) fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.label() == word)
            }
        })*
    };
}

words! {
    /// What frames come through.
    DriverKind {
        /// Interfaces of the system, over AF_XDP.
        AfXdp "af-xdp",
        /// Devices that are DPDK's alone.
        Dpdk "dpdk",
        /// Captures.
        Pcap "pcap",
    }

    /// What a worker does when both ports have nothing for it.
    Idle {
        /// Looks again at once: the lcore is the worker's alone.
        Spin "spin",
        /// Sleeps until there is something, or for a moment.
        Sleep "sleep",
    }

    /// Where the kernel hands frames over.
    Attach {
        /// In the device's driver; where that cannot, behind it.
        Auto "auto",
        /// In the device's driver, or not at all.
        Driver "driver",
        /// Behind the driver, in socket buffers: works with every device, and costs a copy.
        Skb "skb",
    }

    /// Whether the device itself writes into the frames' memory.
    ZeroCopy {
        /// Where it can.
        Auto "auto",
        /// The kernel copies.
        Never "never",
        /// It does, or the start fails.
        Require "require",
    }

    /// What stands in front of IP in most frames: what a network card has to see through to spread
    /// frames over its queues.
    Framing {
        /// Ethernet, with one tag at most.
        Ethernet "ethernet",
        /// PPPoE in two tags.
        QinqPppoe "qinq-pppoe",
    }

    /// What is done when one link is lost.
    LinkLoss {
        /// Nothing.
        Ignore "ignore",
        /// The other one is taken down too, until the first is back.
        Propagate "propagate",
    }

    /// In what state the two devices are left.
    OnExit {
        /// As they are: up, and no frame passes between them.
        Leave "leave",
        /// Down, so that neighbours see it and go another way.
        LinkDown "link-down",
        /// Joined by a bridge of the kernel: every frame passes, and nothing is blocked.
        KernelBridge "kernel-bridge",
    }

    /// What is tunnelled, and how.
    TunnelKind {
        /// IPv4 in IPv6 to a border relay, with addresses and ports by rules.
        MapE "map-e",
        /// IPv4 in IPv6 to an AFTR, which translates.
        DsLite "ds-lite",
        /// IPv6 in IPv4 to a border relay.
        SixRd "6rd",
        /// PPP in L2TPv2, between LAC and LNS.
        L2tp "l2tp",
        /// IP or Ethernet in GRE.
        Gre "gre",
        /// Ethernet in VXLAN.
        Vxlan "vxlan",
        /// IP of mobile subscribers in GTP-U.
        GtpU "gtp-u",
    }
}

impl TunnelKind {
    /// How packets are wrapped.
    pub(super) fn wraps(self) -> wire::TunnelKind {
        match self {
            Self::MapE | Self::DsLite => wire::TunnelKind::Ipv4InIpv6,
            Self::SixRd => wire::TunnelKind::Ipv6InIpv4,
            Self::L2tp => wire::TunnelKind::L2tp,
            Self::Gre => wire::TunnelKind::Gre,
            Self::Vxlan => wire::TunnelKind::Vxlan,
            Self::GtpU => wire::TunnelKind::GtpU,
        }
    }

    /// The IP version outside, where there is only one.
    pub(super) fn carrier(self) -> Option<Family> {
        match self {
            Self::MapE | Self::DsLite => Some(Family::V6),
            Self::SixRd => Some(Family::V4),
            Self::L2tp | Self::Gre | Self::Vxlan | Self::GtpU => None,
        }
    }

    /// By what its subscribers can be known; the first is what holds if nothing is said.
    pub(super) fn subscribers(self) -> &'static [Subscriber] {
        match self {
            Self::MapE => &[Subscriber::Inner, Subscriber::Outer, Subscriber::PortSet],
            // Inside, all lines have the same few addresses.
            Self::DsLite => &[Subscriber::Outer],
            Self::SixRd => &[Subscriber::Inner, Subscriber::Outer],
            // Outside are the provider's own ends.
            Self::L2tp | Self::Gre | Self::Vxlan | Self::GtpU => &[Subscriber::Inner],
        }
    }
}

pub(super) const SUBSCRIBERS: &[&str] = &["inner", "outer", "port-set"];
pub(super) const INTERFACE_IDS: &[&str] = &["ignore", "rfc7597", "draft-03"];

pub(super) fn subscriber(word: &str) -> Option<Subscriber> {
    match word {
        "inner" => Some(Subscriber::Inner),
        "outer" => Some(Subscriber::Outer),
        "port-set" => Some(Subscriber::PortSet),
        _ => None,
    }
}

pub(super) fn subscriber_label(subscriber: Subscriber) -> &'static str {
    match subscriber {
        Subscriber::Inner => "inner",
        Subscriber::Outer => "outer",
        Subscriber::PortSet => "port-set",
    }
}

/// `None` is no word of these; what is ignored has no layout.
pub(super) fn interface_id(word: &str) -> Option<Option<InterfaceId>> {
    match word {
        "ignore" => Some(None),
        "rfc7597" => Some(Some(InterfaceId::Rfc7597)),
        "draft-03" => Some(Some(InterfaceId::Draft03)),
        _ => None,
    }
}

pub(super) fn interface_id_label(layout: Option<InterfaceId>) -> &'static str {
    match layout {
        None => "ignore",
        Some(InterfaceId::Rfc7597) => "rfc7597",
        Some(InterfaceId::Draft03) => "draft-03",
    }
}
