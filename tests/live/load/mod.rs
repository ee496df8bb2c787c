//! Numbered frames at a known pace, and what became of each.
//!
//! A [`Sender`] sends frame 0, 1, 2 … by an `AF_PACKET` socket; each carries its number. A
//! [`Receiver`] reads whatever comes out at the other end, holds each frame octet for octet against
//! what was sent under that number, and notes when it came. Both count what the kernel could not
//! take or give, so that no loss of theirs is put down to the program between them.

mod frames;
mod receiver;
mod ring;
mod sender;
mod socket;

pub(crate) use frames::{Frames, Numbered};
pub(crate) use receiver::{Received, Receiver};
pub(crate) use ring::Ring;
pub(crate) use sender::{Sender, Sent};
pub(crate) use socket::{Hears, Socket};

use crate::net::{Namespace, Veth};
use crate::wrapping::Wrapping;
use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970, as the kernel stamps frames.
pub(crate) fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

/// Keeps the calling thread on the first processor, before others there: workers have the last one.
fn have_first_processor() {
    let mut first = CpuSet::new();
    first.set(0);
    sched_setaffinity(None, &first).unwrap();
    // Of the calling thread alone, on Linux.
    setpriority_process(None, -10).unwrap();
}

#[test]
#[ignore = "needs root and network namespaces"]
fn every_frame_on_a_bare_wire_is_received_once() {
    let (a, b) = (Namespace::new("a"), Namespace::new("b"));
    Veth::new((&a, "wire"), (&b, "wire")).make();
    let frames = Frames::alternating(Wrapping::Plain);
    let receiver = Receiver::start(&b, "wire", frames.clone());
    let sent = Sender::new(&a, "wire", frames).send(100_000, 200_000);
    let received = receiver.finish(Duration::from_millis(200));
    println!("{sent}\n{received}");
    let counted = b.counters("wire");
    assert_eq!(sent.frames, 100_000);
    assert_eq!(counted.rx_packets + counted.rx_dropped, 100_000);
    assert_eq!(
        received.intact + received.lost_by_socket,
        counted.rx_packets
    );
    assert_eq!((received.foreign, received.twice, received.late), (0, 0, 0));
    assert_eq!(received.numbers().count() as u64, received.intact);
}
