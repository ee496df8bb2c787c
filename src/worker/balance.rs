use std::fmt;
use std::ops::AddAssign;

/// The law of a live run, at rest: every frame that was received or generated was sent, was
/// discarded, was refused by a full ring, or is held somewhere.
///
/// Each figure is counted where it happens: `rx`, `generated`, `discarded` and `tx_full` by the worker,
/// `transmitted` by the ports, `held` by looking at the pools. What the stages decided is counted
/// once more, by verdict and reason, in [`Counters`](crate::stats::Counters).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Frames received.
    pub rx: u64,
    /// Replies to frames that were received.
    pub generated: u64,
    /// Frames with a verdict other than forward.
    pub discarded: u64,
    /// Frames that were to be forwarded, and replies, that a transmit ring had no room for.
    pub tx_full: u64,
    /// Frames that left.
    pub transmitted: u64,
    /// Frames that are neither gone nor in their pool.
    pub held: u64,
}

impl Balance {
    /// Frames received or generated and found nowhere; negative when more were found than that.
    pub fn missing(&self) -> i128 {
        let found = [self.transmitted, self.discarded, self.tx_full, self.held];
        i128::from(self.rx) + i128::from(self.generated)
            - found.map(i128::from).iter().sum::<i128>()
    }

    /// Whether no frame is missing.
    pub fn holds(&self) -> bool {
        self.missing() == 0
    }
}

/// Of several workers together.
impl AddAssign for Balance {
    fn add_assign(&mut self, other: Self) {
        self.rx += other.rx;
        self.generated += other.generated;
        self.discarded += other.discarded;
        self.tx_full += other.tx_full;
        self.transmitted += other.transmitted;
        self.held += other.held;
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rx,
            generated,
            transmitted,
            discarded,
            tx_full,
            held,
        } = self;
        write!(f, "{rx} received")?;
        if *generated > 0 {
            write!(f, " + {generated} generated")?;
        }
        write!(
            f,
            " = {transmitted} transmitted + {discarded} discarded + {tx_full} tx-full \
             + {held} held"
        )?;
        match self.missing() {
            0 => Ok(()),
            missing => write!(f, ", {missing} missing"),
        }
    }
}
