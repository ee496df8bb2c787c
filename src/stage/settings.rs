//! How a run looks at frames: what is the same for all of them, and does not hang on the policy.

use crate::limit::Buckets;
use crate::wire::Unwrap;
use std::sync::Arc;

/// Which frames are counted under their plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// Those that a rule may speak of: only these are looked up.
    Candidates,
    /// Every frame of a subscriber: every frame is looked up.
    EveryFrame,
}

/// From where a run looks at frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Facing {
    /// The addresses tell: whoever is in a subscriber prefix is the subscriber.
    Auto,
    /// Every frame goes from a subscriber to a peer.
    Out,
    /// Every frame goes from a peer to a subscriber.
    In,
}

/// What becomes of frames that are announced as IP and cannot be read as that, or that have more tags
/// or labels than are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unparsed {
    /// They pass.
    Forward,
    /// They are discarded.
    Drop,
}

/// Which sources may come from the subscribers' side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Any.
    Any,
    /// Those in a subscriber prefix (RFC 2827), and those that no router passes on: hosts that have no
    /// address yet, and neighbour discovery.
    Known,
}

/// How a run looks at frames, from whichever side.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which are counted under their plans.
    pub account: Account,
    /// Which tunnels are opened.
    pub unwrap: Arc<Unwrap>,
    /// What becomes of those that cannot be read.
    pub unparsed: Unparsed,
    /// Whose may come from the subscribers' side.
    pub source: Source,
    /// What is left of each subscriber's rate; one table for all workers of a run.
    pub buckets: Arc<Buckets>,
}

/// Subscribers remembered where nobody says how many: enough to look at single frames.
const FEW: u32 = 64;

impl Settings {
    /// How many subscribers' buckets a run keeps where nothing else is said.
    pub const LIMIT_SUBSCRIBERS: u32 = 1 << 20;

    /// No tunnel is opened, nothing is dropped but by rules, and the rates of hardly any subscriber are
    /// remembered: for single frames. A run has buckets of its own.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            unwrap: Arc::default(),
            unparsed: Unparsed::Forward,
            source: Source::Any,
            buckets: Arc::new(Buckets::new(FEW)),
        }
    }

    /// Whether sources are to be known of frames that are seen from this side.
    pub(super) fn only_known(&self, facing: Facing) -> bool {
        self.source == Source::Known && facing == Facing::Out
    }
}
