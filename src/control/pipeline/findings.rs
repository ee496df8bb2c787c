//! What there is to say about a pipeline beside what is said of every document.

use crate::policy::{Code, Severity};

pub(super) const EMPTY: Code = error("empty-pipeline", "A pipeline that says nothing.");
pub(super) const BAD_RUN_NAME: Code = error("bad-run-name", "A name that cannot name a run.");
pub(super) const BAD_PATH: Code = error("bad-path", "A path that names no file.");
pub(super) const POLICY_UNREADABLE: Code = error(
    "policy-unreadable",
    "A policy that cannot be opened or read.",
);
pub(super) const BAD_DEVICE: Code = error("bad-device", "Not a device of this driver.");
pub(super) const DEVICE_MISSING: Code = error("device-missing", "A side without a device.");
pub(super) const SAME_DEVICE: Code = error("same-device", "One device on both sides.");
pub(super) const NOT_OF_DRIVER: Code = error(
    "not-of-this-driver",
    "A key that means something with another driver only.",
);
pub(super) const NOTHING_TO_READ: Code = error(
    "nothing-to-read",
    "A pipeline over captures that reads none.",
);
pub(super) const BAD_ADDRESS: Code = error("bad-ethernet-address", "Not an Ethernet address.");
pub(super) const SENDER_OF_NOTHING: Code = error(
    "sender-of-nothing",
    "A sender whose frames come, on a side that reads no capture.",
);
pub(super) const FILE_TWICE: Code = error(
    "file-twice",
    "A file that is written, and is read or written by something else too.",
);
pub(super) const LCORE_TWICE: Code = error("lcore-twice", "One lcore for two workers.");
pub(super) const ONE_LCORE: Code = error(
    "one-lcore-only",
    "Several lcores for captures, which one worker reads.",
);
pub(super) const NOT_A_POWER: Code = error(
    "not-a-power-of-two",
    "A ring whose length is no power of two.",
);
pub(super) const TOO_FEW_FRAMES: Code =
    error("too-few-frames", "Less memory than the rings hold frames.");
pub(super) const SKB_COPIES: Code =
    error("skb-copies", "Zero-copy where the kernel can only copy.");
pub(super) const LCORE_IN_EAL: Code = error(
    "lcore-in-eal",
    "An argument of DPDK's environment that places workers.",
);
pub(super) const BAD_GROUP: Code = error("bad-group", "Not a name of a group.");
pub(super) const NO_LINK: Code = error(
    "no-such-link",
    "Something to be done with links that the driver's devices do not have.",
);
pub(super) const NO_TICKET: Code = error("no-ticket", "A ticket that says nothing.");
pub(super) const NOT_OF_TUNNEL: Code = error(
    "not-of-this-tunnel",
    "A key or a word that means something with another kind of tunnel only.",
);
pub(super) const BAD_ENDPOINT: Code = error(
    "bad-endpoint",
    "An endpoint that this kind of tunnel cannot have.",
);
pub(super) const ENDPOINT_TOO_WIDE: Code = error(
    "endpoint-too-wide",
    "An endpoint so wide that it names other people's tunnels.",
);
pub(super) const ENDPOINT_TWICE: Code = error(
    "endpoint-twice",
    "An endpoint that two entries name for the same encapsulation.",
);
pub(super) const MAP_RULES_MISSING: Code = error(
    "map-rules-missing",
    "Something that only mapping rules can tell, without mapping rules.",
);
pub(super) const BAD_MAP_RULE: Code = error(
    "bad-map-rule",
    "A mapping rule whose prefixes and lengths do not go together.",
);
pub(super) const MAP_RULES_OVERLAP: Code = error(
    "map-rules-overlap",
    "Two mapping rules that speak of the same addresses.",
);
pub(super) const NOT_SPREAD: Code = Code {
    name: "not-spread-by-rss",
    severity: Severity::Warning,
    text: "Several lcores for frames that most network cards do not spread.",
};

/// All of them.
pub const FINDINGS: &[Code] = &[
    EMPTY,
    BAD_RUN_NAME,
    BAD_PATH,
    POLICY_UNREADABLE,
    BAD_DEVICE,
    DEVICE_MISSING,
    SAME_DEVICE,
    NOT_OF_DRIVER,
    NOTHING_TO_READ,
    BAD_ADDRESS,
    SENDER_OF_NOTHING,
    FILE_TWICE,
    LCORE_TWICE,
    ONE_LCORE,
    NOT_A_POWER,
    TOO_FEW_FRAMES,
    SKB_COPIES,
    LCORE_IN_EAL,
    BAD_GROUP,
    NO_LINK,
    NO_TICKET,
    NOT_OF_TUNNEL,
    BAD_ENDPOINT,
    ENDPOINT_TOO_WIDE,
    ENDPOINT_TWICE,
    MAP_RULES_MISSING,
    BAD_MAP_RULE,
    MAP_RULES_OVERLAP,
    NOT_SPREAD,
];

const fn error(name: &'static str, text: &'static str) -> Code {
    Code {
        name,
        severity: Severity::Error,
        text,
    }
}
