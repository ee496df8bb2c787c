//! What a pipeline chooses from a few words.

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
}
