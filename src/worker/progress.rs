use std::ops::AddAssign;
use std::thread::sleep;
use std::time::Duration;

/// How a worker passes its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Looks at both ports.
    pub polls: u64,
    /// Looks that found nothing at either.
    pub empty_polls: u64,
    /// Bursts; a poll that finds frames is one or two.
    pub bursts: u64,
    /// Frames received.
    pub frames: u64,
}

impl Progress {
    #[inline]
    pub(super) fn count(&mut self, came_out: usize, came_in: usize) {
        self.polls += 1;
        self.empty_polls += u64::from(came_out + came_in == 0);
        self.bursts += u64::from(came_out > 0) + u64::from(came_in > 0);
        self.frames += (came_out + came_in) as u64;
    }
}

/// Of several workers together.
impl AddAssign for Progress {
    fn add_assign(&mut self, other: Self) {
        self.polls += other.polls;
        self.empty_polls += other.empty_polls;
        self.bursts += other.bursts;
        self.frames += other.frames;
    }
}

/// What a worker does when nothing comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// It looks again at once: the core is its own.
    Spin,
    /// It sleeps for a moment after some looks in vain: the core is shared, and the receive rings
    /// are large enough to wait.
    Sleep,
}

/// Looks in vain before a worker sleeps.
const LOOKS: u32 = 64;
/// How long it asks to sleep; the system makes about twice of it.
const NAP: Duration = Duration::from_micros(50);

impl Idle {
    /// After a poll that found so many frames; `empty` is how many before it found none.
    #[inline]
    pub(super) fn after(self, came: usize, empty: &mut u32) {
        match self {
            Self::Spin => {}
            Self::Sleep if came > 0 => *empty = 0,
            Self::Sleep => {
                *empty += 1;
                if *empty >= LOOKS {
                    sleep(NAP);
                }
            }
        }
    }
}
