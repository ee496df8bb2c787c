//! A flood of connections that are rejected does not become one of replies.

use super::{Answer, SUBSCRIBER};
use crate::line::Line;
use crate::load::{Frames, Numbered, Receiver, Sender};
use crate::program::{Driver, Pipeline};
use crate::wrapping::Wrapping;
use std::time::{Duration, Instant};

/// Of SYNs to port 25, for some two seconds.
const FRAMES: u64 = 40_000;
const PPS: u32 = 20_000;

/// What a box replies at most: so many a second, and so many at once.
const PER_SECOND: u64 = 1_000;
const AT_ONCE: u64 = 100;

fn most_are_withheld(driver: Driver, answer: Answer) {
    let line = Line::new(Wrapping::Plain);
    let policy = answer.policy();
    let pipeline = Pipeline::new(driver, &[&policy.file()]);
    let program = pipeline.start(&line);
    let ends = [SUBSCRIBER[0], "203.0.113.25"].map(|address| address.parse().unwrap());
    let syn = Numbered::syn(ends[0], ends[1], 25, Wrapping::Plain);
    let load = Frames::new(vec![syn]);
    let receiver = Receiver::start(&line.subscriber, "wire", load.clone());
    let begun = Instant::now();
    let sent = Sender::new(&line.subscriber, "wire", load).send(FRAMES, PPS);
    let received = receiver.finish(Duration::from_millis(300));
    // From the first SYN to after the last reply.
    let most = AT_ONCE + (PER_SECOND as f64 * begun.elapsed().as_secs_f64()).ceil() as u64;
    let took = begun.elapsed();
    let end = program.end();
    let balance = end.balance();
    println!("{driver:?}, {answer:?}: {sent}\n{balance:?}\n{received}");
    let replies = |name: &str| end.report["stats"]["replies"][name].as_u64().unwrap();
    let generated = replies("generated");
    println!("{generated} replies in {took:.2?}, at most {most}");
    assert_eq!(balance.rx, FRAMES);
    assert_eq!(balance.discarded, FRAMES);
    assert_eq!(generated + replies("withheld"), FRAMES);
    assert_eq!(replies("impossible"), 0);
    assert!(generated > AT_ONCE && generated <= most);
    assert_eq!(balance.transmitted + balance.tx_full, generated);
    // The receiver knows them for frames that nobody sent.
    assert_eq!(
        (received.foreign, received.intact),
        (balance.transmitted, 0)
    );
}

#[cfg(feature = "dpdk")]
#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn most_are_withheld_over_dpdk() {
    most_are_withheld(Driver::Dpdk, Answer::Icmp);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn most_are_withheld_over_af_xdp() {
    most_are_withheld(Driver::AfXdp, Answer::Icmp);
    most_are_withheld(Driver::AfXdp, Answer::Rst);
}
