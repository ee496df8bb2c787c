//! The keys of a description of traffic.

use crate::policy::document::{Form, Table, key, required};

const DATE: Form = Form::Syntax("a date, such as 2027-01-01");
const SHARE: Form = Form::Decimal {
    least: 0.0,
    most: 1.0,
};
const GROWTH: Form = Form::Decimal {
    least: -0.9,
    most: 10.0,
};
const FRAME_BYTES: Form = Form::Number {
    least: 64,
    most: 9216,
};

pub(super) static TRAFFIC: Table = Table {
    name: "a description of traffic",
    keys: &[
        required("name", Form::Free, "What people call it."),
        required("start", DATE, "The day that the figures speak of."),
        key(
            "target-date",
            DATE,
            "The last day on which the hardware must suffice (default: three years after `start`).",
        ),
        required(
            "links",
            Form::List {
                of: &Form::Table(&LINK),
                least: 1,
            },
            "The links that the boxes stand in.",
        ),
        required(
            "frames",
            Form::Table(&FRAMES),
            "The frames' sizes, with the frame check sequence.",
        ),
        required(
            "subscribers",
            Form::List {
                of: &Form::Table(&SUBSCRIBERS),
                least: 1,
            },
            "Who sends.",
        ),
        key(
            "port-25-share",
            SHARE,
            "The share of frames that open a connection to port 25 (default 0.01).",
        ),
        key(
            "account",
            Form::Word(&["candidates", "every-frame"]),
            "Which frames are counted under their plan (default every-frame).",
        ),
        key(
            "attacks",
            Form::List {
                of: &Form::Table(&ATTACK),
                least: 0,
            },
            "What must be survived on top of the peak, one at a time.",
        ),
        key(
            "growth",
            Form::Table(&GROWTHS),
            "By how much it grows in a year.",
        ),
        key(
            "headroom",
            Form::Decimal {
                least: 1.0,
                most: 100.0,
            },
            "How many times the peak must fit (default 1.25).",
        ),
        key(
            "redundancy",
            Form::Syntax("carrying boxes and spare boxes, such as 1+1 or 2+1"),
            "The first number carries everything while the second has failed (default 1+0).",
        ),
        key(
            "io-ns-per-frame",
            Form::Decimal {
                least: 0.0,
                most: 100_000.0,
            },
            "What a port's driver takes for a frame, received and sent (default 30).",
        ),
        key(
            "imbalance",
            Form::Decimal {
                least: 1.0,
                most: 100.0,
            },
            "The load of the busiest worker in loads of the mean worker (default 1.1).",
        ),
        key(
            "scaling",
            Form::Decimal {
                least: 0.05,
                most: 1.0,
            },
            "What each worker after the first adds, in workers, instead of what the export says.",
        ),
        key(
            "cores",
            Form::Number {
                least: 2,
                most: 4096,
            },
            "The lcores of one box, if there is a box; one of them is for control.",
        ),
        key(
            "ring-frames",
            Form::Number {
                least: 64,
                most: 65_536,
            },
            "Descriptors of each ring of a queue (default 1024).",
        ),
        key(
            "buffer-bytes",
            Form::Number {
                least: 64,
                most: 65_536,
            },
            "What one frame's buffer takes (default 2304).",
        ),
    ],
    exclusive: &[],
};

static LINK: Table = Table {
    name: "a link",
    keys: &[
        required("name", Form::Name, "Its name."),
        required(
            "rate",
            Form::Syntax("a rate, such as 100G"),
            "In each direction: bits a second with k, M, G or T.",
        ),
        key(
            "count",
            Form::Number {
                least: 1,
                most: 10_000,
            },
            "How many such links there are (default 1).",
        ),
        required(
            "up",
            SHARE,
            "The share of the rate that is in use at the peak, from subscribers.",
        ),
        required("down", SHARE, "The same, to subscribers."),
    ],
    exclusive: &[],
};

static FRAMES: Table = Table {
    name: "a frame-size mix",
    keys: &[
        key(
            "mix",
            Form::Word(&["imix"]),
            "A mix by name: 64, 594 and 1,518 octets at 7 : 4 : 1.",
        ),
        key(
            "sequence",
            Form::List {
                of: &FRAME_BYTES,
                least: 1,
            },
            "An exact repeating sequence of sizes.",
        ),
        key(
            "shares",
            Form::List {
                of: &Form::Table(&SIZE_SHARE),
                least: 1,
            },
            "Sizes and their shares, which add up to 1.",
        ),
    ],
    exclusive: &[
        ["mix", "sequence"],
        ["mix", "shares"],
        ["sequence", "shares"],
    ],
};

static SIZE_SHARE: Table = Table {
    name: "a size with its share",
    keys: &[
        required("bytes", FRAME_BYTES, "The size."),
        required("share", SHARE, "Its share of the frames."),
    ],
    exclusive: &[],
};

static SUBSCRIBERS: Table = Table {
    name: "an entry of `subscribers`",
    keys: &[
        required("plan", Form::Name, "What they bought."),
        required(
            "count",
            Form::Number {
                least: 1,
                most: 1_000_000_000,
            },
            "How many there are.",
        ),
        key(
            "family",
            Form::Word(&["ipv4", "ipv6", "dual"]),
            "Which addresses they have (default ipv4).",
        ),
        key(
            "ipv6-share",
            SHARE,
            "Of `dual`: the share of their frames that are IPv6 (default 0.5).",
        ),
        key(
            "encapsulation",
            Form::Word(&["none", "vlan", "qinq", "qinq-pppoe"]),
            "What stands between Ethernet and IP (default none).",
        ),
        key(
            "spread",
            Form::Word(&["dense", "strewn"]),
            "Whether their addresses fill pools, or lie all over (default dense).",
        ),
    ],
    exclusive: &[],
};

static ATTACK: Table = Table {
    name: "an attack",
    keys: &[
        required("name", Form::Free, "What people call it."),
        required(
            "kind",
            Form::Word(&["adversarial", "spoofed", "port-25-flood"]),
            "What its frames are.",
        ),
        required(
            "share",
            Form::Decimal {
                least: 0.0,
                most: 0.99,
            },
            "Its share of all frames while it lasts; the ordinary frames go on.",
        ),
        key(
            "frame-bytes",
            FRAME_BYTES,
            "The size of its frames (default 64).",
        ),
    ],
    exclusive: &[],
};

static GROWTHS: Table = Table {
    name: "growth",
    keys: &[
        key(
            "subscribers",
            GROWTH,
            "Of the number of subscribers in a year: 0.05 is 5 % (default 0).",
        ),
        key(
            "traffic",
            GROWTH,
            "Of the traffic of all in a year (default 0).",
        ),
    ],
    exclusive: &[],
};
