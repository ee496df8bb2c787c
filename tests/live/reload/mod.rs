//! Policies and plans that change while frames flow: none is lost, none wrongly judged.

mod changes;
mod model;
mod timeline;

use crate::line::Line;
use crate::load::{Frames, Numbered, Received, Receiver, Sender, Sent};
use crate::program::{Driver, Pipeline, Policy, by_packet_sockets, losses};
use crate::wrapping::Wrapping;
use changes::{change_plans, reload_often};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use timeline::Timeline;

const PPS: u32 = 100_000;
const CHANGES: usize = 100_000;
const RELOADS: usize = 200;
/// More than are sent before everything is changed, on the slowest machine.
const FRAMES_AT_MOST: u64 = 30_000_000;

/// Subscribers whose plan is changed one by one, half of each family.
const SINGLES: usize = 2048;
/// Subscribers that every reload moves from one plan to the other.
const MOVED: usize = 16;

/// The lines of the load, and the prefix by which the plan of each is changed.
#[derive(Clone, Debug)]
struct Subscriber {
    address: IpAddr,
    prefix: String,
}

/// First those that are changed one by one, then those that reloads move.
fn subscribers() -> Vec<Subscriber> {
    let mut subscribers: Vec<_> = (0..SINGLES)
        .map(|number| {
            let (high, low) = (number / 512, number / 2 % 256);
            if number % 2 == 0 {
                Subscriber::new(&format!("100.64.{high}.{low}"), "32")
            } else {
                Subscriber::new(&format!("2001:db8:100:{high:x}{low:02x}::1"), "64")
            }
        })
        .collect();
    let moved = (0..MOVED).map(|number| Subscriber::new(&format!("100.127.0.{number}"), "32"));
    subscribers.extend(moved);
    subscribers
}

impl Subscriber {
    fn new(address: &str, length: &str) -> Self {
        let whole = address.strip_suffix('1').filter(|_| length == "64");
        Self {
            address: address.parse().unwrap(),
            prefix: format!("{}/{length}", whole.unwrap_or(address)),
        }
    }
}

/// Of each subscriber one frame to port 25 and one to port 587, in turns.
fn frames(subscribers: &[Subscriber]) -> Frames {
    let pairs = subscribers.iter().flat_map(|subscriber| {
        let to = if subscriber.address.is_ipv4() {
            "203.0.113.25"
        } else {
            "2001:db8:e::25"
        };
        [25, 587].map(|port| {
            Numbered::syn(
                subscriber.address,
                to.parse().unwrap(),
                port,
                Wrapping::Plain,
            )
        })
    });
    Frames::new(pairs.collect())
}

#[test]
#[ignore = "needs root and network namespaces"]
fn af_xdp_judges_every_frame_by_the_plan_before_or_after_each_change() {
    change_under_load(Driver::AfXdp, CHANGES, RELOADS);
}

#[cfg(feature = "dpdk")]
#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn dpdk_judges_every_frame_by_the_plan_before_or_after_each_change() {
    // The changes are the same code: what differs is where workers find frames.
    change_under_load(Driver::Dpdk, CHANGES / 10, RELOADS / 10);
}

fn change_under_load(driver: Driver, changes: usize, reloads: usize) {
    let line = Line::new(Wrapping::Plain);
    let policy = Policy::new(None, &[]);
    let pipeline = Pipeline::new(driver, &[&policy.file()]);
    let program = pipeline.start(&line);
    let subscribers = subscribers();
    let load = frames(&subscribers);
    let receiver = Receiver::start(&line.internet, "wire", load.clone());
    let mut sender = Sender::new(&line.subscriber, "wire", load);

    let over = AtomicBool::new(false);
    let (sent, timelines) = thread::scope(|scope| {
        let sending = scope
            .spawn(|| sender.send_while(PPS, |_| !over.load(Ordering::Relaxed), FRAMES_AT_MOST));
        let singles = scope.spawn(|| change_plans(&pipeline, &subscribers[..SINGLES], changes));
        let moved = reload_often(&pipeline, &policy, &subscribers[SINGLES..], reloads);
        let mut timelines = singles.join().unwrap();
        timelines.extend(vec![moved; MOVED]);
        thread::sleep(Duration::from_millis(100));
        over.store(true, Ordering::Relaxed);
        (sending.join().unwrap(), timelines)
    });
    let received = receiver.finish(Duration::from_millis(500));
    let stats = pipeline.control().ask("stats");
    let end = program.end();
    println!(
        "{driver:?}: {sent}\n{received}\ndevices: {}",
        losses(&stats)
    );

    let balance = end.balance();
    let lost = sent.frames - received.intact - balance.discarded;
    let kernel = line.losses();
    println!("lost: {lost}, by the kernel's links: {kernel:?}; {balance:?}");
    assert_eq!((received.foreign, received.twice, received.late), (0, 0, 0));
    assert_eq!(
        (balance.tx_full, balance.held),
        (0, 0),
        "sekisho's share of losses is nothing"
    );
    assert_eq!(
        balance.transmitted,
        received.intact + received.lost_by_socket
    );
    let verdicts = judge(&sent, &received, &timelines);
    println!("{verdicts:?}");
    assert_eq!(verdicts.passed_wrongly, 0);
    // What is missing was lost on the way, not turned back: sekisho knows nothing of it.
    let by_kernel = kernel.total() + received.lost_by_socket + by_packet_sockets(&stats);
    assert_eq!(
        lost, by_kernel,
        "the kernel's counters do not account for what is missing"
    );
    assert!(verdicts.missing <= lost);
    assert!(
        verdicts.decided * 10 > verdicts.right * 9,
        "too little is certain: {verdicts:?}"
    );
}

/// What became of the frames of a load, held against the plans of their time.
#[derive(Clone, Copy, Debug, Default)]
struct Verdicts {
    /// Frames to port 25 that left, or did not, as a plan of that time says.
    right: u64,
    /// Of those, the ones for which only one plan came into question.
    decided: u64,
    /// Frames to port 25 that left though every plan of that time forbids it.
    passed_wrongly: u64,
    /// Frames that did not leave though every plan of that time allows it.
    missing: u64,
}

/// Order is kept: a frame that did not leave was judged before the next one that did was received.
fn judge(sent: &Sent, received: &Received, timelines: &[Timeline]) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let mut next_ns = u64::MAX;
    let mut calls = sent.calls.iter().rev().peekable();
    let mut refused = sent.refused.iter().rev().peekable();
    for number in (0..sent.end).rev() {
        while calls.next_if(|(first, _)| *first > number).is_some() {}
        let (_, sent_ns) = **calls.peek().unwrap();
        let came_ns = received.at_ns(number);
        next_ns = came_ns.unwrap_or(next_ns);
        if refused.next_if(|refused| **refused == number).is_some() {
            continue;
        }
        let allows = |blocked| {
            let at = usize::try_from(number / 2).unwrap() % timelines.len();
            let to_port_25 = number % 2 == 0;
            if to_port_25 {
                timelines[at].allows(blocked, sent_ns..=next_ns)
            } else {
                !blocked
            }
        };
        let blocked = came_ns.is_none();
        match (allows(blocked), blocked) {
            (true, _) => {
                verdicts.right += 1;
                verdicts.decided += u64::from(!allows(!blocked));
            }
            (false, true) => verdicts.missing += 1,
            (false, false) => verdicts.passed_wrongly += 1,
        }
    }
    verdicts
}
