//! Half a load to port 25: that half stays, the other leaves, and everything is accounted for.

use crate::line::Line;
use crate::load::{Frames, Receiver, Sender};
use crate::program::{Driver, Pipeline, Policy, losses};
use crate::wrapping::Wrapping;
use std::time::Duration;

const FRAMES: u64 = 600_000;
const PPS: u32 = 100_000;
/// Enough to see what a wrapping does.
const SOME: u64 = 20_000;

#[test]
#[ignore = "needs root and network namespaces"]
fn af_xdp_turns_back_half_of_600_000_frames_and_loses_none() {
    half_of_all(Driver::AfXdp, Wrapping::Plain, FRAMES);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn af_xdp_keeps_tags_and_pppoe_as_they_are() {
    half_of_all(Driver::AfXdp, Wrapping::Vlan, SOME);
    half_of_all(Driver::AfXdp, Wrapping::QinqPppoe, SOME);
}

#[cfg(feature = "dpdk")]
#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn dpdk_turns_back_half_of_600_000_frames_and_loses_none() {
    half_of_all(Driver::Dpdk, Wrapping::Plain, FRAMES);
}

#[cfg(feature = "dpdk")]
#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn dpdk_keeps_tags_and_pppoe_as_they_are() {
    half_of_all(Driver::Dpdk, Wrapping::Vlan, SOME);
    half_of_all(Driver::Dpdk, Wrapping::StackedPppoe, SOME);
}

fn half_of_all(driver: Driver, wrapping: Wrapping, frames: u64) {
    let line = Line::new(Wrapping::Plain);
    let policy = Policy::new(None, &[]);
    let pipeline = Pipeline::new(driver, &[&policy.file()]);
    let program = pipeline.start(&line);

    let load = Frames::alternating(wrapping);
    let receiver = Receiver::start(&line.internet, "wire", load.clone());
    let sent = Sender::new(&line.subscriber, "wire", load).send(frames, PPS);
    let received = receiver.finish(Duration::from_millis(500));
    let stats = pipeline.control().ask("stats");
    let end = program.end();
    println!("{driver:?}, {wrapping:?}: {sent}\n{received}");
    println!("devices: {}", losses(&stats));
    println!("kernel: {:?}", line.losses());

    let balance = end.balance();
    println!("{balance:?}");
    // Those to port 587 have the odd numbers.
    let odd: Vec<_> = (1..frames).step_by(2).collect();
    let came: Vec<_> = received.numbers().collect();
    println!("missing: {:?}", gaps(&odd, &came));
    assert_eq!(sent.frames, frames);
    assert_eq!((balance.rx, balance.discarded), (frames, frames / 2));
    assert_eq!((balance.transmitted, balance.held), (frames / 2, 0));
    let stranger = received.stranger.as_deref();
    assert_eq!(
        (received.foreign, stranger),
        (0, None),
        "octets were changed"
    );
    assert_eq!((received.twice, received.late), (0, 0));
    assert!(came == odd, "other frames than those to port 587 came out");
}

/// The first and the last of each stretch of numbers that did not come.
fn gaps(expected: &[u64], came: &[u64]) -> Vec<[u64; 2]> {
    let mut came = came.iter().peekable();
    let mut gaps: Vec<[u64; 2]> = Vec::new();
    let mut in_gap = false;
    for number in expected {
        if came.next_if_eq(&number).is_some() {
            in_gap = false;
            continue;
        }
        match gaps.last_mut() {
            Some(last) if in_gap => last[1] = *number,
            _ => gaps.push([*number; 2]),
        }
        in_gap = true;
    }
    gaps
}

#[test]
fn gaps_are_stretches_of_missing_numbers() {
    assert_eq!(gaps(&[1, 3, 5, 7, 9], &[1, 7]), [[3, 5], [9, 9]]);
    assert_eq!(gaps(&[1, 3], &[1, 3]), [[0; 2]; 0]);
}
