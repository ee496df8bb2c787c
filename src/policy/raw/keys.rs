//! The one table of keys. It drives the reader, its messages, and the schema for editors.

/// A mapping with known keys.
pub(crate) struct Table {
    /// What such a mapping is, with its article.
    pub(crate) name: &'static str,
    /// Its keys, in the order in which documents show them.
    pub(crate) keys: &'static [Key],
    /// Pairs of keys that cannot stand together.
    pub(crate) exclusive: &'static [[&'static str; 2]],
}

/// A key of a mapping.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) form: Form,
    /// One sentence for editors.
    pub(crate) text: &'static str,
}

/// What a value must look like.
pub(crate) enum Form {
    /// A name in kebab case.
    Kebab,
    /// A name of a plan or a rule: letters, digits, `-`, `_`, `.`.
    Name,
    /// Anything for people; a number will do.
    Free,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// 4 or 6.
    IpVersion,
    /// A whole number within bounds.
    Number { least: u32, most: u32 },
    /// A number within bounds, with or without a fraction.
    Decimal { least: f64, most: f64 },
    /// Text in a syntax that is read later; the word says which.
    Syntax(&'static str),
    /// A list; `least` is 0 or 1.
    List { of: &'static Form, least: usize },
    /// A mapping with free keys of a form.
    Map {
        key: &'static Form,
        of: &'static Table,
    },
    /// A mapping with known keys.
    Table(&'static Table),
    /// One of a few words, or a mapping with one of a few keys.
    WordOr {
        words: &'static [&'static str],
        of: &'static Table,
    },
}

impl Table {
    /// The key of that name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// A key that may be left out.
pub(crate) const fn key(name: &'static str, form: Form, text: &'static str) -> Key {
    Key {
        name,
        required: false,
        form,
        text,
    }
}

/// A key that must be there.
pub(crate) const fn required(name: &'static str, form: Form, text: &'static str) -> Key {
    Key {
        name,
        required: true,
        form,
        text,
    }
}

const NAMES: Form = Form::List {
    of: &Form::Name,
    least: 1,
};
const CLASSES: Form = Form::List {
    of: &Form::Kebab,
    least: 1,
};
const PREFIXES: Form = Form::List {
    of: &Form::Syntax("a prefix, such as 192.0.2.0/24, or an address"),
    least: 1,
};
const INSTANT: Form = Form::Syntax("a date, such as 2006-11-01, or a date with a time");

/// The words of a plan's `kind`, in the order of [`crate::policy::Kind`].
pub(super) const KINDS: &[&str] = &["dynamic", "fixed", "dialup", "ipv6", "shared"];

/// A policy file.
pub(crate) static POLICY: Table = Table {
    name: "a policy",
    keys: &[
        required(
            "isp",
            Form::Kebab,
            "The provider; every policy of one run has its own.",
        ),
        key("label", Form::Free, "The provider's name for people."),
        required(
            "time_zone",
            Form::Syntax("a time zone, such as Asia/Tokyo"),
            "The IANA time zone in which dates are read.",
        ),
        key(
            "return-path",
            Form::Word(&["mirror", "forward"]),
            "What becomes of a peer's port 25 answering a subscriber: the outbound verdict mirrored (default), or always forwarded.",
        ),
        key(
            "reply-source",
            Form::Table(&REPLY_SOURCE),
            "Whom ICMP errors to rejected connections are from: one address for each IP version.",
        ),
        key(
            "memory-limit-mib",
            Form::Number {
                least: 1,
                most: 1 << 20,
            },
            "What the compiled prefix tables may take, in MiB (default 1024); the smallest of several policies holds.",
        ),
        key(
            "plans",
            Form::Map {
                key: &Form::Name,
                of: &PLAN,
            },
            "What subscribers buy: name → kind and label.",
        ),
        key(
            "subscribers",
            Form::List {
                of: &Form::Table(&SUBSCRIBERS),
                least: 0,
            },
            "Which prefixes are subscribers of which plan; the longest prefix wins.",
        ),
        key(
            "hosts",
            Form::Map {
                key: &Form::Name,
                of: &HOSTS,
            },
            "The provider's own mail hosts, for rules about connections that come in: name → role and prefixes.",
        ),
        key(
            "destinations",
            Form::Map {
                key: &Form::Kebab,
                of: &CLASS,
            },
            "Who runs the other end: class → prefixes. `on-net` and `other` always exist.",
        ),
        key(
            "rules",
            Form::List {
                of: &Form::Table(&RULE),
                least: 0,
            },
            "What happens to port 25; the first rule that matches decides, and without one the frame is forwarded.",
        ),
    ],
    exclusive: &[],
};

/// An entry of `plans`.
static PLAN: Table = Table {
    name: "a plan",
    keys: &[
        required("kind", Form::Word(KINDS), "What kind of plan it is."),
        key("label", Form::Free, "Its name for customers."),
        key(
            "subscriber-length",
            Form::Number {
                least: 1,
                most: 128,
            },
            "The length of the IPv6 prefix that one subscriber has; a limit counts each of these by itself.",
        ),
    ],
    exclusive: &[],
};

/// The value of `reply-source`.
static REPLY_SOURCE: Table = Table {
    name: "a `reply-source`",
    keys: &[
        key(
            "ipv4",
            Form::Syntax("an IPv4 address, such as 192.0.2.1"),
            "The source of ICMP errors over IPv4.",
        ),
        key(
            "ipv6",
            Form::Syntax("an IPv6 address, such as 2001:db8::1"),
            "The source of ICMP errors over IPv6.",
        ),
    ],
    exclusive: &[],
};

/// An entry of `hosts`.
static HOSTS: Table = Table {
    name: "a group of hosts",
    keys: &[
        required(
            "role",
            Form::Word(&["submission", "mx", "other"]),
            "What they do: `submission` takes mail from customers, `mx` from everybody else.",
        ),
        key("label", Form::Free, "Their name for people."),
        key(
            "prefixes",
            PREFIXES,
            "Their prefixes; a bare address is a prefix of its full length.",
        ),
        key(
            "file",
            Form::Syntax("a path"),
            "A prefix file, plain or gzip, beside this policy; only its first column is read.",
        ),
    ],
    exclusive: &[],
};

/// An entry of `subscribers`.
static SUBSCRIBERS: Table = Table {
    name: "an entry of `subscribers`",
    keys: &[
        key(
            "plan",
            Form::Name,
            "The plan; may be left out if every line of the file names one.",
        ),
        key(
            "prefixes",
            PREFIXES,
            "The prefixes; a bare address is a prefix of its full length.",
        ),
        key(
            "file",
            Form::Syntax("a path"),
            "A prefix file, plain or gzip, beside this policy: `prefix [plan] [ticket] [expires]` a line.",
        ),
        key(
            "ticket",
            Form::Free,
            "Why these subscribers have this plan.",
        ),
        key(
            "expires",
            Form::Syntax("a date, such as 2027-03-31"),
            "The last day on which the prefixes give this plan; after it the covering prefix counts.",
        ),
    ],
    exclusive: &[["prefixes", "file"]],
};

/// An entry of `destinations`.
static CLASS: Table = Table {
    name: "a destination class",
    keys: &[
        key("label", Form::Free, "Its name for customers."),
        key(
            "prefixes",
            PREFIXES,
            "Its prefixes; a bare address is a prefix of its full length.",
        ),
        key(
            "file",
            Form::Syntax("a path"),
            "A prefix file, plain or gzip, beside this policy; only its first column is read.",
        ),
    ],
    exclusive: &[],
};

/// An entry of `rules`.
static RULE: Table = Table {
    name: "a rule",
    keys: &[
        required("name", Form::Name, "Its name; counters hang on it."),
        key(
            "kind",
            Form::Word(&["outbound", "inbound-submission", "inbound-to-subscriber"]),
            "Which connections it speaks of: from subscribers to a peer's port 25 (default), from peers to port 25 of `hosts`, or from peers to a subscriber's port 25.",
        ),
        key("ip", Form::IpVersion, "The IP version; both if left out."),
        key(
            "plans",
            NAMES,
            "The plans it speaks of, with those of `kinds`; every plan if both are left out.",
        ),
        key(
            "kinds",
            Form::List {
                of: &Form::Word(KINDS),
                least: 1,
            },
            "The kinds of plan it speaks of, with those of `plans`.",
        ),
        key(
            "to",
            CLASSES,
            "The destination classes it speaks of; every class if left out.",
        ),
        key(
            "to-other-than",
            CLASSES,
            "The destination classes it does not speak of.",
        ),
        key(
            "hosts",
            NAMES,
            "Of `inbound-submission`: the groups of hosts it speaks of; every group of role `submission` if left out.",
        ),
        key(
            "peers",
            CLASSES,
            "Of the inbound kinds: the classes of the callers it speaks of; every class if left out.",
        ),
        key(
            "peers-other-than",
            CLASSES,
            "Of the inbound kinds: the classes of the callers it does not speak of.",
        ),
        key(
            "from",
            INSTANT,
            "The first instant at which it holds; a date means its 00:00:00.",
        ),
        key(
            "before",
            INSTANT,
            "The first instant at which it no longer holds; a date means its 00:00:00.",
        ),
        required(
            "action",
            Form::WordOr {
                words: &["forward", "drop", "count"],
                of: &ACTION,
            },
            "What happens: `count` forwards and counts what a drop would have hit, `reject` also tells the caller, `limit` lets a subscriber open so many connections.",
        ),
        key(
            "mode",
            Form::Word(&["syn", "any"]),
            "`syn` (default) matches new connections, `any` every segment.",
        ),
        key(
            "port",
            Form::Number {
                least: 1,
                most: 65_535,
            },
            "Rules are about port 25; no other value is accepted.",
        ),
    ],
    exclusive: &[["to", "to-other-than"], ["peers", "peers-other-than"]],
};

const REJECT: Key = key(
    "reject",
    Form::Word(&["icmp", "rst"]),
    "Discards, and tells the caller: by an ICMP error (which needs `reply-source`), or by a TCP reset.",
);

/// An `action` that takes particulars.
static ACTION: Table = Table {
    name: "an action",
    keys: &[
        REJECT,
        key(
            "limit",
            Form::Table(&LIMIT),
            "Lets each subscriber open so many connections.",
        ),
    ],
    exclusive: &[["reject", "limit"]],
};

/// The value of `limit`.
static LIMIT: Table = Table {
    name: "a limit",
    keys: &[
        required(
            "rate",
            Form::Number {
                least: 1,
                most: 60_000,
            },
            "Connections a minute, in the long run.",
        ),
        required(
            "burst",
            Form::Number {
                least: 1,
                most: 1_000_000,
            },
            "Connections at once, after a pause; a bucket must be full again within a day.",
        ),
        key(
            "then",
            Form::WordOr {
                words: &["drop", "count"],
                of: &THEN,
            },
            "What becomes of those above it; dropped if left out.",
        ),
    ],
    exclusive: &[],
};

/// A `then` that takes particulars.
static THEN: Table = Table {
    name: "a `then`",
    keys: &[REJECT],
    exclusive: &[],
};
