use super::suite::Link;
use crate::load::{Hears, Ring, Socket};
use crate::net::{Namespace, Veth};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The links in the box.
pub(crate) const ACCESS: &str = "access";
pub(crate) const NETWORK: &str = "network";

/// The link at the other ends.
const WIRE: &str = "wire";

/// Room for what leaves while the receiver has no processor.
const RING_BLOCKS: usize = 64;

/// A box with a wire on each side, and somebody at the other end of both.
#[derive(Debug)]
pub(crate) struct Wires {
    pub(crate) inside: Namespace,
    subscriber: Namespace,
    internet: Namespace,
}

impl Wires {
    /// Of so many queues each way, and frames of up to so many bytes behind their link headers.
    pub(crate) fn new(queues: u32, mtu_bytes: u32) -> Self {
        let [subscriber, inside, internet] = ["subscriber", "box", "internet"].map(Namespace::new);
        Veth::new((&subscriber, WIRE), (&inside, ACCESS)).make_with(queues, mtu_bytes);
        Veth::new((&internet, WIRE), (&inside, NETWORK)).make_with(queues, mtu_bytes);
        Self {
            inside,
            subscriber,
            internet,
        }
    }

    /// Takes the box's end of the wire to the internet down, or up.
    pub(crate) fn set_link(&self, link: Link) {
        let state = match link {
            Link::Up => "up",
            Link::Down => "down",
        };
        self.inside.ip(&["link", "set", "dev", NETWORK, state]);
    }

    /// Does something while the subscriber sends these frames; gives what came to the internet.
    pub(crate) fn send_while(&self, frames: &[Vec<u8>], work: impl FnOnce()) -> Vec<Vec<u8>> {
        let mut receiver = Ring::open(&self.internet, WIRE, RING_BLOCKS);
        let sender = Socket::open(&self.subscriber, WIRE, Hears::Nothing);
        let done = AtomicBool::new(false);
        let came = thread::scope(|scope| {
            let _done = SaysSo(&done);
            scope.spawn(|| send(&sender, frames, &done));
            let came = scope.spawn(|| receive(&mut receiver, &done));
            work();
            done.store(true, Ordering::Relaxed);
            came.join().unwrap()
        });
        assert_eq!(receiver.lost(), 0, "by the receiver itself");
        came
    }
}

/// The others end, too, when the work panics.
struct SaysSo<'d>(&'d AtomicBool);

impl Drop for SaysSo<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Frames that are sent at once.
const BURST: usize = 32;

/// Sends as slowly as the drivers' smallest rings need on a processor that others use too.
fn send(sender: &Socket, mut frames: &[Vec<u8>], done: &AtomicBool) {
    while !frames.is_empty() && !done.load(Ordering::Relaxed) {
        let burst = &frames[..frames.len().min(BURST)];
        frames = &frames[sender.send(burst).unwrap_or(0)..];
        thread::sleep(Duration::from_millis(1));
    }
}

/// What comes until nothing has for a while.
fn receive(receiver: &mut Ring, done: &AtomicBool) -> Vec<Vec<u8>> {
    let (mut came, mut whole) = (Vec::new(), Vec::new());
    loop {
        let last = done.load(Ordering::Relaxed);
        let some = receiver.read(Duration::from_millis(100), |frame| {
            frame.write(&mut whole);
            came.push(whole.clone());
        });
        if last && !some {
            return came;
        }
    }
}
