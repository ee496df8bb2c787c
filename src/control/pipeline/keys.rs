//! The keys of a pipeline.

use super::words::{
    Attach, DriverKind, Framing, INTERFACE_IDS, Idle, LinkLoss, OnExit, SUBSCRIBERS, TunnelKind,
    ZeroCopy,
};
use crate::policy::document::{self, Form, Key, Table, key, required};
use serde_json::Value;

pub(super) const GUIDE: &str = "docs/pipelines.md";

const PATH: Form = Form::Syntax("a path, relative to the folder of this file");
const MAC: Form = Form::Syntax("an Ethernet address, such as 02:00:00:00:00:0a");
const ENDPOINT: Form = Form::Syntax("an address or a prefix, such as 2001:db8:ffff::1");
const RING: Form = Form::Number {
    least: 64,
    most: 65_536,
};
const MEMORY: Form = Form::Number {
    least: 256,
    most: 1 << 24,
};

pub(super) static PIPELINE: Table = Table {
    name: "a pipeline",
    keys: &[
        key(
            "name",
            Form::Syntax("a name such as `bump-in-the-wire`"),
            "Names the run and its files (default: the file's name without its ending).",
        ),
        required(
            "policies",
            Form::List {
                of: &PATH,
                least: 1,
            },
            "The policies, one for each provider.",
        ),
        required(
            "driver",
            Form::Word(DriverKind::WORDS),
            "What frames come through: interfaces of the system, devices of DPDK, or captures.",
        ),
        required(
            "access",
            Form::Table(&ACCESS),
            "The side where subscribers are.",
        ),
        required("network", Form::Table(&NETWORK), "The other side."),
        required(
            "lcores",
            Form::List {
                of: &Form::Number {
                    least: 0,
                    most: 1023,
                },
                least: 1,
            },
            "The processors that workers are pinned to: one worker and one queue pair each.",
        ),
        key(
            "account",
            Form::Word(&["every-frame", "candidates"]),
            "Which frames are counted under their plans (default every-frame).",
        ),
        key(
            "idle",
            Form::Word(Idle::WORDS),
            "What a worker does when nothing comes (default: spin with dpdk, else sleep).",
        ),
        key(
            "af-xdp",
            Form::Table(&AF_XDP),
            "How interfaces are opened, with driver af-xdp.",
        ),
        key(
            "dpdk",
            Form::Table(&DPDK),
            "How devices are opened, with driver dpdk.",
        ),
        key(
            "frames",
            Form::Word(Framing::WORDS),
            "What stands in front of IP in most frames (default ethernet).",
        ),
        key(
            "unwrap",
            Form::List {
                of: &Form::Table(&TUNNEL),
                least: 0,
            },
            "Tunnels that are looked into (default none: whatever is tunnelled is forwarded).",
        ),
        key(
            "unparsed",
            Form::Word(&["forward", "drop"]),
            "What becomes of IP that cannot be read, and of too many tags or labels (default forward).",
        ),
        key(
            "replies",
            Form::Table(&REPLIES),
            "How many answers `reject` sends at most.",
        ),
        key(
            "limit-subscribers",
            Form::Number {
                least: 1024,
                most: 1 << 26,
            },
            "How many subscribers `limit` remembers at once (default 1048576).",
        ),
        key(
            "control",
            Form::Table(&CONTROL),
            "Where the running pipeline is asked and told.",
        ),
        key(
            "watchdog",
            Form::Table(&WATCHDOG),
            "When a worker is taken for stalled.",
        ),
        key(
            "link-loss",
            Form::Word(LinkLoss::WORDS),
            "What is done when one link is lost (default ignore).",
        ),
        key(
            "on-exit",
            Form::Word(OnExit::WORDS),
            "In what state the two devices are left at the end (default leave).",
        ),
        key(
            "record-destinations",
            Form::Table(&RECORD),
            "Lets live traces name destinations (default: they name subscribers only).",
        ),
    ],
    exclusive: &[],
};

const DEVICE: Key = key(
    "device",
    Form::Syntax("an interface, a PCI address or a virtual device"),
    "The interface (af-xdp), or the PCI address or virtual device (dpdk).",
);
const READ: Key = key(
    "read",
    PATH,
    "The capture whose frames the port receives (pcap; default: none come).",
);
const FROM: Key = key(
    "from",
    MAC,
    "Of that capture, only the frames of this sender (pcap; default: of all).",
);
const NOT_FROM: Key = key(
    "not-from",
    MAC,
    "Of that capture, the frames of all others than this sender (pcap).",
);
const WRITE: Key = key(
    "write",
    PATH,
    "The capture that is written of what the port sends (pcap; default: none is).",
);

static ACCESS: Table = Table {
    name: "the access side",
    keys: &[
        DEVICE,
        READ,
        FROM,
        NOT_FROM,
        WRITE,
        key(
            "source",
            Form::Word(&["any", "known"]),
            "Whose frames are taken: anybody's, or only those of subscribers (default any).",
        ),
    ],
    exclusive: &[["from", "not-from"]],
};

static NETWORK: Table = Table {
    name: "the network side",
    keys: &[DEVICE, READ, FROM, NOT_FROM, WRITE],
    exclusive: &[["from", "not-from"]],
};

static AF_XDP: Table = Table {
    name: "an `af-xdp` section",
    keys: &[
        key(
            "attach",
            Form::Word(Attach::WORDS),
            "Where the kernel hands frames over (default auto).",
        ),
        key(
            "zero-copy",
            Form::Word(ZeroCopy::WORDS),
            "Whether the device writes into the frames' memory itself (default auto).",
        ),
        key(
            "ring-frames",
            RING,
            "Descriptors of each of the four rings of a queue, a power of two (default 32768).",
        ),
        key(
            "umem-frames",
            MEMORY,
            "Frames of memory for each lcore (default: four times ring-frames).",
        ),
    ],
    exclusive: &[],
};

static DPDK: Table = Table {
    name: "a `dpdk` section",
    keys: &[
        key(
            "eal",
            Form::List {
                of: &Form::Free,
                least: 0,
            },
            "Further arguments of DPDK's environment (default none).",
        ),
        key(
            "ring-frames",
            RING,
            "Descriptors of each receive and transmit ring, a power of two (default 4096).",
        ),
        key(
            "pool-frames",
            MEMORY,
            "Frames of memory for each lcore (default: eight times ring-frames).",
        ),
        key(
            "mtu",
            Form::Number {
                least: 1280,
                most: 9216,
            },
            "The longest packet behind Ethernet and its tags, in octets (default 1500).",
        ),
    ],
    exclusive: &[],
};

static TUNNEL: Table = Table {
    name: "a tunnel",
    keys: &[
        required(
            "kind",
            Form::Word(TunnelKind::WORDS),
            "What is tunnelled, and how.",
        ),
        required(
            "endpoints",
            Form::List {
                of: &ENDPOINT,
                least: 1,
            },
            "The provider's ends: border relays, AFTRs, LNSs, gateways. No others are looked into.",
        ),
        key(
            "subscriber",
            Form::Word(SUBSCRIBERS),
            "By what the subscriber is known (default: outer with ds-lite, else inner).",
        ),
        key(
            "rules",
            Form::List {
                of: &Form::Table(&MAP_RULE),
                least: 1,
            },
            "The mapping rules: which IPv6 prefix has which shared IPv4 address and ports (map-e).",
        ),
        key(
            "interface-id",
            Form::Word(INTERFACE_IDS),
            "How the outer source's lower 64 bits must look under the rules (map-e; default ignore).",
        ),
    ],
    exclusive: &[],
};

static MAP_RULE: Table = Table {
    name: "a mapping rule",
    keys: &[
        required(
            "ipv6",
            Form::Syntax("an IPv6 prefix"),
            "The rule's IPv6 prefix.",
        ),
        required(
            "ipv4",
            Form::Syntax("an IPv4 prefix"),
            "The rule's IPv4 prefix.",
        ),
        required(
            "ea-bits",
            Form::Number { least: 0, most: 48 },
            "How many bits behind the IPv6 prefix hold the rest of the IPv4 address, and the PSID.",
        ),
        required(
            "psid-offset",
            Form::Number { least: 0, most: 15 },
            "How many bits of a port stand before the PSID: 6 by RFC 7597, 4 with v6 Plus.",
        ),
        key(
            "psid-length",
            Form::Number { least: 0, most: 16 },
            "How many bits the PSID has (default: the EA bits behind the IPv4 address).",
        ),
    ],
    exclusive: &[],
};

static REPLIES: Table = Table {
    name: "a `replies` section",
    keys: &[
        key(
            "per-second",
            Form::Number {
                least: 1,
                most: 1_000_000,
            },
            "Of the whole box, for as long as it lasts (default 1000).",
        ),
        key(
            "burst",
            Form::Number {
                least: 1,
                most: 1_000_000,
            },
            "So many may leave at once after a quiet time (default 100).",
        ),
    ],
    exclusive: &[],
};

static CONTROL: Table = Table {
    name: "a `control` section",
    keys: &[
        key(
            "run-dir",
            PATH,
            "The folder for what one run leaves for the next to find (default /run/sekisho).",
        ),
        key(
            "socket",
            PATH,
            "The socket of `sekisho ctl` (default: NAME.sock in run-dir).",
        ),
        key(
            "group",
            Form::Syntax("the name of a group"),
            "The group that may use the socket (default: the program's own).",
        ),
        key(
            "journal",
            PATH,
            "The file of changes that hold over restarts (default /var/lib/sekisho/NAME.journal).",
        ),
    ],
    exclusive: &[],
};

static WATCHDOG: Table = Table {
    name: "a `watchdog` section",
    keys: &[key(
        "stall-ms",
        Form::Number {
            least: 100,
            most: 60_000,
        },
        "After how long without an answer, in milliseconds (default 1000).",
    )],
    exclusive: &[],
};

static RECORD: Table = Table {
    name: "a `record-destinations` section",
    keys: &[required("ticket", Form::Free, "Who asked for it, and why.")],
    exclusive: &[],
};

/// The schema of a pipeline file, for editors.
pub fn schema() -> Value {
    document::schema(
        "sekisho pipeline",
        "How frames flow in one deployment.",
        &PIPELINE,
    )
}

/// Whether a text is more likely a pipeline than a policy: told by its first key that is a key of
/// either, whatever else is wrong with it.
pub fn could_be_one(text: &[u8]) -> bool {
    let known = |line: &[u8]| {
        let line = std::str::from_utf8(line).ok()?;
        let line = line.trim_start_matches(['\u{feff}', '{']);
        // What is indented stands in something else.
        let (name, _) = line.split_once(':')?;
        let name = name.trim_end().trim_matches('"');
        let in_pipeline = PIPELINE.key(name).is_some();
        (in_pipeline || document::POLICY.key(name).is_some()).then_some(in_pipeline)
    };
    text.split(|octet| *octet == b'\n')
        .find_map(known)
        .unwrap_or(false)
}
