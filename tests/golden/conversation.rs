//! A TCP connection, from its handshake to its end.

use crate::case::FrameSpec;

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Subscriber,
    Peer,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Subscriber => Self::Peer,
            Self::Peer => Self::Subscriber,
        }
    }
}

/// Two ends, who opens, and what is said.
pub(crate) struct Conversation<'a> {
    pub(crate) subscriber: (&'a str, u16),
    pub(crate) peer: (&'a str, u16),
    pub(crate) opener: Side,
    pub(crate) letters: &'a [(Side, String)],
}

/// Its segments: microseconds after the first, the sender, the frame.
pub(crate) fn frames(conversation: &Conversation<'_>) -> Vec<(u64, Side, FrameSpec)> {
    let opener = conversation.opener;
    let mut exchange = Exchange {
        conversation,
        next: [1000, 5000],
        frames: Vec::new(),
        later_us: 0,
    };
    exchange.send(opener, "S", "");
    exchange.send(opener.other(), "SA", "");
    exchange.send(opener, "A", "");
    for (side, text) in conversation.letters {
        exchange.send(*side, "PA", text);
    }
    exchange.send(opener, "FA", "");
    exchange.send(opener.other(), "FA", "");
    exchange.send(opener, "A", "");
    exchange.frames
}

struct Exchange<'a> {
    conversation: &'a Conversation<'a>,
    /// The next sequence number of the subscriber and of the peer.
    next: [u32; 2],
    frames: Vec<(u64, Side, FrameSpec)>,
    later_us: u64,
}

impl Exchange<'_> {
    fn send(&mut self, side: Side, flags: &str, text: &str) {
        let Conversation {
            subscriber, peer, ..
        } = *self.conversation;
        let (from, to) = match side {
            Side::Subscriber => (subscriber, peer),
            Side::Peer => (peer, subscriber),
        };
        let (own, others) = (side as usize, side.other() as usize);
        let spec = FrameSpec {
            ip: Some(format!("{} > {}", from.0, to.0)),
            tcp: Some(format!("{} > {} {flags}", from.1, to.1)),
            seq: self.next[own],
            ack: if flags.contains('A') {
                self.next[others]
            } else {
                0
            },
            data: Some(text.to_owned()),
            ..FrameSpec::default()
        };
        let opens_or_ends = u32::from(flags.contains(['S', 'F']));
        self.next[own] += opens_or_ends + u32::try_from(text.len()).expect("a letter");
        self.frames.push((self.later_us, side, spec));
        // An answer takes a while, a second segment does not.
        self.later_us += if side == self.conversation.opener {
            9_000
        } else {
            300
        };
    }
}
