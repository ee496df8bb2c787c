//! What cannot be opened: each with its own words, and nothing left behind.

use super::{RING_FRAMES, Xdp};
use crate::conformance::{ACCESS, NETWORK};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use sekisho::io::afxdp::{Attach, Opened, Options, ZeroCopy, open};
use sekisho::io::port::{DeviceError, DeviceFault};

const NEEDED: [(CapabilitySet, &str); 3] = [
    (CapabilitySet::NET_RAW, "CAP_NET_RAW"),
    (CapabilitySet::NET_ADMIN, "CAP_NET_ADMIN"),
    (CapabilitySet::BPF, "CAP_BPF"),
];

fn usual() -> Xdp<1_514> {
    Xdp::new(1, Attach::Auto)
}

/// Tries to open with other options; what is said. Then neither interface has a program, and both
/// can be opened.
fn refused<const L: usize>(rig: &Xdp<L>, change: impl FnOnce(&mut Options)) -> DeviceError {
    let mut options = rig.options.clone();
    change(&mut options);
    refused_to(rig, || open(&options))
}

fn refused_to<const L: usize>(
    rig: &Xdp<L>,
    attempt: impl FnOnce() -> Result<Opened, DeviceError> + Send,
) -> DeviceError {
    let error = rig.wires.inside.enter(attempt).unwrap_err();
    println!("{error}");
    assert!(!rig.has_program(ACCESS) && !rig.has_program(NETWORK));
    error
}

fn assert_opens<const L: usize>(rig: &Xdp<L>) {
    rig.open().unwrap_or_else(|error| panic!("{error}"));
}

#[test]
#[ignore = "needs root and network namespaces"]
fn what_is_not_there_or_is_one_and_the_same() {
    let rig = usual();
    let missing = refused(&rig, |options| options.network = "eth7".to_owned());
    assert_eq!(missing.fault, DeviceFault::Missing);
    assert!(missing.message.contains("eth7"));
    let long = "a-name-that-no-interface-can-have".to_owned();
    let missing = refused(&rig, |options| options.access = long);
    assert_eq!(missing.fault, DeviceFault::Missing);
    let same = refused(&rig, |options| options.network = ACCESS.to_owned());
    assert_eq!(same.fault, DeviceFault::Shape);
    assert_opens(&rig);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn queues_that_not_each_have_a_worker_until_the_remedy_is_run() {
    let rig: Xdp<1_514> = Xdp::new(3, Attach::Auto);
    for link in [ACCESS, NETWORK] {
        let few = refused(&rig, |options| options.queues = 1);
        assert_eq!(few.fault, DeviceFault::Shape);
        assert!(few.message.starts_with(link), "{few}");
        let remedy = few.remedy.unwrap();
        let line: Vec<_> = remedy.trim_matches('`').split(' ').collect();
        // The other end of a veth sends to no more queues than this one has.
        crate::net::run(rig.wires.inside.command(line[0]).args(&line[1..]));
    }
    let many = refused(&rig, |options| options.queues = 4);
    assert_eq!(many.fault, DeviceFault::Shape);
    let mut options = rig.options.clone();
    options.queues = 1;
    let opened = rig.wires.inside.enter(|| open(&options)).unwrap();
    assert_eq!(opened.lanes.len(), 1);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn sizes_that_do_not_fit() {
    let rig: Xdp<16_014> = Xdp::new(1, Attach::Auto);
    let mtu = refused(&rig, |_| ());
    assert_eq!(mtu.fault, DeviceFault::Shape);
    assert!(
        mtu.message.contains("16000") && mtu.message.contains("15338"),
        "{mtu}"
    );

    let rig = usual();
    for change in [
        |options: &mut Options| options.ring_frames = 1_000,
        |options: &mut Options| options.umem_frames = 4 * RING_FRAMES - 1,
        |options: &mut Options| options.queues = 0,
        |options: &mut Options| options.umem_frames = 1 << 31,
    ] {
        assert_eq!(refused(&rig, change).fault, DeviceFault::Shape);
    }
    assert_opens(&rig);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn zero_copy_where_the_driver_has_none() {
    let rig = usual();
    let error = refused(&rig, |options| options.zero_copy = ZeroCopy::Require);
    assert_eq!(error.fault, DeviceFault::Driver);
    assert!(error.remedy.unwrap().contains("zero-copy"));
    assert_opens(&rig);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn what_somebody_else_has_until_he_is_gone() {
    let rig = usual();
    let first = rig.open().unwrap();
    let error = rig.open().unwrap_err();
    println!("{error}");
    assert_eq!(error.fault, DeviceFault::Busy);
    assert!(
        error
            .remedy
            .unwrap()
            .contains("ip link set dev access xdp off")
    );
    assert!(rig.has_program(ACCESS), "the first one still has it");
    drop(first);
    for _ in 0..5 {
        assert_opens(&rig);
        assert!(!rig.has_program(ACCESS) && !rig.has_program(NETWORK));
    }
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_missing_capability_is_named() {
    let rig = usual();
    let all = || {
        NEEDED
            .iter()
            .fold(CapabilitySet::empty(), |all, one| all | one.0)
    };
    for (left_out, name) in NEEDED {
        let options = rig.options.clone();
        let error = refused_to(&rig, move || {
            keep_only(all() - left_out);
            open(&options)
        });
        assert_eq!(error.fault, DeviceFault::Permission);
        let remedy = error.remedy.unwrap();
        assert!(
            remedy.starts_with(&format!("the program lacks {name}:")),
            "{remedy}"
        );
    }
    let options = rig.options.clone();
    let opened = rig.wires.inside.enter(move || {
        // How much memory may be locked is another question.
        keep_only(all() | CapabilitySet::IPC_LOCK);
        open(&options)
    });
    opened.unwrap_or_else(|error| panic!("these three are enough: {error}"));
}

#[test]
#[ignore = "needs root and network namespaces"]
fn memory_that_may_not_be_locked() {
    let rig = usual();
    let options = rig.options.clone();
    let error = refused_to(&rig, move || {
        let has = capabilities(None).unwrap().effective;
        keep_only(has - CapabilitySet::IPC_LOCK);
        with_locked_memory(65_536, || open(&options))
    });
    assert_eq!(error.fault, DeviceFault::Memory);
    assert!(error.remedy.unwrap().contains("LimitMEMLOCK"));
    assert_opens(&rig);
}

/// Of the calling thread, until it ends.
fn keep_only(kept: CapabilitySet) {
    let mut sets = capabilities(None).unwrap();
    sets.effective = kept;
    sets.permitted = kept;
    sets.inheritable = CapabilitySet::empty();
    set_capabilities(None, sets).unwrap();
}

/// With a lower limit of the whole process; tests run one at a time.
fn with_locked_memory<T>(limit_bytes: u64, work: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::Memlock);
    let limited = Rlimit {
        current: Some(limit_bytes),
        ..before
    };
    setrlimit(Resource::Memlock, limited).unwrap();
    let done = work();
    setrlimit(Resource::Memlock, before).unwrap();
    done
}
