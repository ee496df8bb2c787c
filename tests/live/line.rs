//! The place where the box stands: between subscribers and the internet.
//!
//! ```text
//!  subscriber ──────────────── access [middle] network ─────────────── internet
//!  subscriber ── switch ══tags═ access [middle] network ═tags══ switch ── internet
//! ```

use crate::load::{Hears, Ring, Socket};
use crate::net::{Namespace, Veth};
use crate::wrapping::Wrapping;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What hosts may send in a packet when more stands around it on the way.
const WRAPPED_MTU_BYTES: u32 = 1400;
const MTU_BYTES: u32 = 1500;

/// Three namespaces in a row; in the middle one stand two links with nothing between them yet.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) subscriber: Namespace,
    pub(crate) middle: Namespace,
    pub(crate) internet: Namespace,
    _switches: Vec<Switch>,
}

impl Line {
    /// Hosts whose frames reach the middle in a wrapping.
    ///
    /// The wrapping is done by a switch of the test's own, so that it needs no VLAN links or PPP of
    /// the kernel, which not every one has.
    pub(crate) fn new(wrapping: Wrapping) -> Self {
        let [subscriber, middle, internet] =
            ["subscriber", "middle", "internet"].map(Namespace::new);
        let mut switches = Vec::new();
        for (host, port) in [(&subscriber, "access"), (&internet, "network")] {
            if wrapping == Wrapping::Plain {
                Veth::new((host, "wire"), (&middle, port)).make();
            } else {
                switches.push(Switch::new(host, (&middle, port), wrapping));
            }
        }
        Self {
            subscriber,
            middle,
            internet,
            _switches: switches,
        }
    }
}

/// Frames that links of the line lost, as the kernel counts them. What an AF_XDP socket had no room
/// for is among them: its link counts it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) before_the_box: u64,
    pub(crate) behind_the_box: u64,
}

impl Losses {
    pub(crate) fn total(self) -> u64 {
        self.before_the_box + self.behind_the_box
    }
}

impl Line {
    /// What the kernel's links lost of frames from the subscriber to the internet.
    pub(crate) fn losses(&self) -> Losses {
        let [from, access] = [(&self.subscriber, "wire"), (&self.middle, "access")]
            .map(|(namespace, link)| namespace.counters(link));
        let [network, to] = [(&self.middle, "network"), (&self.internet, "wire")]
            .map(|(namespace, link)| namespace.counters(link));
        Losses {
            before_the_box: from.tx_dropped + access.rx_dropped,
            behind_the_box: network.tx_dropped + to.rx_dropped,
        }
    }
}

/// Puts the wrapping around what a host sends, and takes it off what it gets.
#[derive(Debug)]
struct Switch {
    _namespace: Namespace,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Switch {
    fn new(host: &Namespace, trunk: (&Namespace, &str), wrapping: Wrapping) -> Self {
        let namespace = Namespace::new("switch");
        let over = Arc::new(AtomicBool::new(false));
        Veth::new((host, "wire"), (&namespace, "host")).make_with(1, WRAPPED_MTU_BYTES);
        Veth::new((&namespace, "trunk"), trunk).make_with(1, MTU_BYTES);
        let pass = |from, to, change: fn(Wrapping, &[u8]) -> Option<Vec<u8>>| {
            let ring = Ring::open(&namespace, from, 4);
            let socket = Socket::open(&namespace, to, Hears::Nothing);
            let over = Arc::clone(&over);
            let change = move |frame: &[u8]| change(wrapping, frame);
            thread::spawn(move || pass(ring, &socket, change, &over))
        };
        let threads = vec![
            pass("host", "trunk", |wrapping, frame| {
                Some(wrapping.wrap(frame))
            }),
            pass("trunk", "host", Wrapping::unwrap),
        ];
        Self {
            _namespace: namespace,
            over,
            threads,
        }
    }
}

fn pass(
    mut ring: Ring,
    socket: &Socket,
    change: impl Fn(&[u8]) -> Option<Vec<u8>>,
    over: &AtomicBool,
) {
    let mut whole = Vec::new();
    while !over.load(Ordering::Relaxed) {
        ring.read(Duration::from_millis(50), |frame| {
            frame.write(&mut whole);
            if let Some(changed) = change(&whole) {
                // A link that is down or full loses frames, as any does.
                let _ = socket.send(&[changed]);
            }
        });
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
