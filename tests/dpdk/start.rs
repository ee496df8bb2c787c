use crate::support::{device, options};
use rustix::thread::sched_getaffinity;
use sekisho::io::dpdk::open;
use sekisho::io::port::{Device, Link};
use std::fs;

#[test]
fn starting_leaves_signals_and_processors_to_the_program() {
    let processors = sched_getaffinity(None).unwrap();
    let opened = open(&options(&device("net_ring", ""), &device("net_ring", ""))).unwrap();
    assert_eq!(sched_getaffinity(None).unwrap(), processors);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .map(|mask| u64::from_str_radix(mask.trim(), 16).unwrap())
        .unwrap();
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        assert_eq!(caught >> (signal - 1) & 1, 0, "signal {signal} is caught");
    }
    drop(opened);
}

#[test]
fn a_device_says_what_it_is_and_whether_its_link_is_up() {
    let name = device("net_ring", "");
    let opened = open(&options(&name, &device("net_null", ""))).unwrap();
    let [mut ring, mut null] = opened.devices;
    assert_eq!(ring.name(), name);
    assert!(ring.shape().starts_with("net_ring, "), "{}", ring.shape());
    assert_eq!(ring.link(), Link::Up);
    ring.set_link(false).unwrap();
    assert_eq!(ring.link(), Link::Down);
    ring.set_link(true).unwrap();
    assert_eq!(ring.link(), Link::Up);
    let losses = ring.losses();
    let counters: Vec<_> = losses.iter().map(|loss| loss.counter.as_str()).collect();
    assert_eq!(counters, ["imissed", "ierrors", "rx_nombuf", "oerrors"]);
    assert!(losses.iter().all(|loss| loss.frames == 0));
    let error = null.set_link(false).unwrap_err();
    assert!(error.message.contains("cannot take it down"), "{error}");
    assert_eq!(null.link(), Link::Up);
}
