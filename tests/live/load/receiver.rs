use super::frames::Frames;
use super::have_first_processor;
use super::ring::Ring;
use crate::net::Namespace;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Room for two seconds of a load, while the receiver has no processor.
const RING_BLOCKS: usize = 64;

/// Receives on a link until it is told that no more comes.
#[derive(Debug)]
pub(crate) struct Receiver {
    thread: JoinHandle<Received>,
    no_more: Arc<AtomicBool>,
    seen: Arc<AtomicU64>,
}

/// What was received.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Frames that are octet for octet what was sent under their number.
    pub(crate) intact: u64,
    /// Frames that are not, or that nobody sent.
    pub(crate) foreign: u64,
    /// Frames whose number had come before.
    pub(crate) twice: u64,
    /// Frames that came behind one with a higher number.
    pub(crate) late: u64,
    /// Frames that the receiving socket had no room for.
    pub(crate) lost_by_socket: u64,
    /// The first foreign frame.
    pub(crate) stranger: Option<Vec<u8>>,
    /// When each number came, in nanoseconds since 1970; 0 for those that did not.
    at_ns: Vec<u64>,
}

impl Receiver {
    pub(crate) fn start(namespace: &Namespace, link: &str, frames: Frames) -> Self {
        let ring = Ring::open(namespace, link, RING_BLOCKS);
        let no_more = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(AtomicU64::new(0));
        let (told, tally) = (Arc::clone(&no_more), Arc::clone(&seen));
        Self {
            thread: thread::spawn(move || receive(ring, &frames, &told, &tally)),
            no_more,
            seen,
        }
    }

    /// How many frames came so far.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// Waits until nothing has come for a while; gives what came.
    pub(crate) fn finish(self, quiet: Duration) -> Received {
        let (mut seen, mut since) = (self.seen(), Instant::now());
        while since.elapsed() < quiet {
            thread::sleep(Duration::from_millis(10));
            if self.seen() != seen {
                (seen, since) = (self.seen(), Instant::now());
            }
        }
        self.no_more.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn receive(mut ring: Ring, frames: &Frames, no_more: &AtomicBool, tally: &AtomicU64) -> Received {
    have_first_processor();
    let mut received = Received::default();
    let (mut scratch, mut whole) = (Vec::new(), Vec::new());
    let (mut highest, mut seen) = (None, 0);
    loop {
        let came = ring.read(Duration::from_millis(20), |frame| {
            frame.write(&mut whole);
            received.note(
                frames.number(&whole, &mut scratch),
                frame.at_ns,
                &whole,
                &mut highest,
            );
            seen += 1;
        });
        received.lost_by_socket += ring.lost();
        tally.store(seen, Ordering::Relaxed);
        if !came && no_more.load(Ordering::Relaxed) {
            return received;
        }
    }
}

impl Received {
    /// The numbers that came, in their order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        let came = (0..).zip(&self.at_ns).filter(|(_, at_ns)| **at_ns != 0);
        came.map(|(number, _)| number)
    }

    /// When a number came.
    pub(crate) fn at_ns(&self, number: u64) -> Option<u64> {
        let at_ns = *self.at_ns.get(usize::try_from(number).unwrap())?;
        (at_ns != 0).then_some(at_ns)
    }

    fn note(&mut self, number: Option<u64>, at_ns: u64, frame: &[u8], highest: &mut Option<u64>) {
        let Some(number) = number else {
            self.foreign += 1;
            self.stranger.get_or_insert_with(|| frame.to_vec());
            return;
        };
        let place = usize::try_from(number).unwrap();
        if self.at_ns.len() <= place {
            self.at_ns.resize(place + 1, 0);
        }
        if self.at_ns[place] != 0 {
            self.twice += 1;
            return;
        }
        self.at_ns[place] = at_ns;
        self.intact += 1;
        self.late += u64::from(highest.is_some_and(|highest| number < highest));
        *highest = (*highest).max(Some(number));
    }
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "received {} frames intact, {} foreign, {} twice, {} out of order; \
             lost by the receiving socket: {}",
            self.intact, self.foreign, self.twice, self.late, self.lost_by_socket
        )
    }
}
