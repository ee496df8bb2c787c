//! Ports at work: what the kernel loses is counted, a device may vanish, a program goes with whoever
//! attached it.

use super::{RING_FRAMES, Xdp};
use crate::conformance::suite::{self, Check, Link, Rig};
use crate::conformance::{ACCESS, NETWORK};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use sekisho::io::afxdp::{Attach, XdpLane, open};
use sekisho::io::port::{DeviceFault, Frames, Lane, Port, Work};
use sekisho::limit::Moment;
use sekisho::loadgen::traffic::{Direction, Encapsulation, Generator, Hostile, Model, Network};
use sekisho::stage::{Account, Burst, Decision, Facing, Settings};
use sekisho::stats::Verdict;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Forwards from access to network until it is told to stop and nothing comes any more.
#[derive(Clone, Copy)]
struct Forward<'s> {
    stop: &'s AtomicBool,
    received: &'s AtomicU64,
}

/// What a lane did: received, transmitted, held.
impl Work for Forward<'_> {
    type Output = [u64; 3];

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, mut access: A, mut network: N) -> [u64; 3] {
        let mut frames = Frames::new();
        let mut received = 0;
        loop {
            let last = self.stop.load(Ordering::Relaxed);
            let came = access.rx_burst(&mut frames);
            received += came as u64;
            self.received.fetch_add(came as u64, Ordering::Relaxed);
            while !frames.is_empty() && network.tx_burst(&mut frames) > 0 {}
            frames.clear();
            network.reap();
            if last && came == 0 {
                break;
            }
        }
        network.drain();
        [
            received,
            network.transmitted(),
            access.held() + network.held(),
        ]
    }
}

/// Serves lanes while something is done.
fn serve_while(lanes: Vec<XdpLane>, work: impl FnOnce(&AtomicU64)) -> Vec<[u64; 3]> {
    let (stop, received) = (AtomicBool::new(false), AtomicU64::new(0));
    let forward = Forward {
        stop: &stop,
        received: &received,
    };
    thread::scope(|scope| {
        let lanes = lanes.into_iter();
        let started: Vec<_> = lanes
            .map(|lane| scope.spawn(move || lane.serve(forward)))
            .collect();
        work(&received);
        stop.store(true, Ordering::Relaxed);
        started
            .into_iter()
            .map(|lane| lane.join().unwrap())
            .collect()
    })
}

fn plain(count: u32) -> Vec<Vec<u8>> {
    let frame = |number: u32| {
        let mut octets = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5];
        octets.extend(number.to_be_bytes());
        octets.resize(60, 0);
        octets
    };
    (0..count).map(frame).collect()
}

#[test]
#[ignore = "needs root and network namespaces"]
fn modes_are_reported_and_programs_go_with_their_device() {
    for (attach, mode) in [(Attach::Auto, "driver mode"), (Attach::Skb, "SKB mode")] {
        let rig: Xdp<1_514> = Xdp::new(2, attach);
        let mut opened = rig.open().unwrap();
        let said: Vec<_> = opened
            .devices
            .iter()
            .map(|d| d.mode().to_string())
            .collect();
        let expected = [ACCESS, NETWORK].map(|link| format!("{link}: {mode}, copy, 2 queues"));
        assert_eq!(said, expected);
        assert!(rig.has_program(ACCESS) && rig.has_program(NETWORK));
        opened.devices[0].detach();
        assert!(!rig.has_program(ACCESS) && rig.has_program(NETWORK));
        drop(opened);
        assert!(!rig.has_program(NETWORK));
    }
}

/// veth takes whole pages less what it needs itself: with this MTU its driver refuses a program for
/// frames in one piece.
#[test]
#[ignore = "needs root and network namespaces"]
fn where_the_driver_refuses_there_is_skb_mode() {
    let mut rig: Xdp<3_714> = Xdp::new(1, Attach::Auto);
    let opened = rig.open().unwrap();
    let said = opened.devices[0].mode().to_string();
    assert!(
        said.starts_with("access: SKB mode, copy, 1 queue (driver mode refused: "),
        "{said}"
    );
    drop(opened);
    suite::every_port(&mut rig);

    rig.options.attach = Attach::Driver;
    let error = rig.open().unwrap_err();
    println!("{error}");
    assert_eq!(error.fault, DeviceFault::Driver);
    assert!(error.remedy.unwrap().contains("SKB mode"));
}

/// veth has a queue for each processor that frames are sent from.
#[test]
#[ignore = "needs root and network namespaces"]
fn each_queue_has_its_lane() {
    let rig: Xdp<1_514> = Xdp::new(2, Attach::Driver);
    let opened = rig.open().unwrap();
    let frames = plain(1_000);
    let usable = sched_getaffinity(None).unwrap();
    let did = serve_while(opened.lanes, |received| {
        for processor in [0, 1] {
            let mut one = CpuSet::new();
            one.set(processor);
            sched_setaffinity(None, &one).unwrap();
            let left = rig.wires.send_while(&frames, || {
                while received.load(Ordering::Relaxed) < 1_000 * (processor as u64 + 1) {
                    thread::sleep(Duration::from_millis(1));
                }
            });
            assert!(left == frames);
        }
        sched_setaffinity(None, &usable).unwrap();
    });
    assert_eq!(did, [[1_000, 1_000, 0]; 2]);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn what_finds_no_room_is_the_kernels_loss_and_said_so() {
    let rig: Xdp<1_514> = Xdp::new(1, Attach::Driver);
    let mut opened = rig.open().unwrap();
    let came = rig.wires.send_while(&plain(RING_FRAMES + 476), || {
        while opened.devices[0]
            .losses()
            .iter()
            .all(|loss| loss.frames < 476)
        {
            thread::sleep(Duration::from_millis(1));
        }
    });
    assert!(came.is_empty(), "nobody is at work yet");
    // Nothing more comes; the worker finds what stands in the ring.
    opened.devices[0].detach();
    let did = serve_while(opened.lanes, |_| ());
    let found = u64::from(RING_FRAMES);
    assert_eq!(did, [[found, found, 0]]);
    let [access, network] = opened.devices.each_ref().map(|device| device.losses());
    let lost: Vec<_> = access
        .iter()
        .map(|loss| (&*loss.counter, loss.frames))
        .collect();
    let expected = [
        ("xsk_rx_dropped", 476),
        ("xsk_rx_ring_full", 0),
        ("xsk_tx_invalid_descs", 0),
    ];
    assert_eq!(lost, expected);
    assert!(network.iter().all(|loss| loss.frames == 0));
}

#[test]
#[ignore = "needs root and network namespaces"]
fn an_interface_may_vanish_at_work() {
    for vanishing in [ACCESS, NETWORK] {
        let rig: Xdp<1_514> = Xdp::new(1, Attach::Driver);
        let opened = rig.open().unwrap();
        let mut did = Vec::new();
        rig.wires.send_while(&plain(3_000), || {
            did = serve_while(opened.lanes, |received| {
                while received.load(Ordering::Relaxed) < 100 {
                    thread::sleep(Duration::from_millis(1));
                }
                rig.wires.inside.ip(&["link", "delete", "dev", vanishing]);
                thread::sleep(Duration::from_millis(100));
            });
        });
        let [received, transmitted, held] = did[0];
        assert!(received >= transmitted + held, "{did:?}");
        assert_eq!(
            opened
                .devices
                .each_ref()
                .map(|device| device.losses().len()),
            [3, 3]
        );
        drop(opened.devices);
        let error = rig.wires.inside.enter(|| open(&rig.options)).unwrap_err();
        assert_eq!(error.fault, DeviceFault::Missing);
        let other = if vanishing == ACCESS { NETWORK } else { ACCESS };
        assert!(!rig.has_program(other));
    }
}

/// Decides frames as they come, and forwards all of them.
struct Decide<'d> {
    network: &'d Network,
    count: usize,
    decided: &'d mut Vec<Decision>,
}

impl Check for Decide<'_> {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        _: &dyn Fn(Link),
    ) {
        let mut burst = Burst::new(Facing::Out, Settings::new(Account::EveryFrame));
        let mut frames = Frames::new();
        while self.decided.len() < self.count {
            access.rx_burst(&mut frames);
            burst.run(&frames, self.network.tables(), Moment::default());
            self.decided.extend(burst.decisions());
            while !frames.is_empty() {
                network.tx_burst(&mut frames);
            }
        }
        network.drain();
    }
}

/// The first segment is enough: verdicts are those of the whole frames.
#[test]
#[ignore = "needs root and network namespaces"]
fn a_frame_in_segments_is_decided_as_if_it_lay_in_one() {
    let network = Network::synthetic(&"dense-10k".parse().unwrap()).unwrap();
    let model = Model {
        ipv6: 0.4,
        direction: Direction::Out,
        port_25: 0.3,
        encapsulation: Encapsulation::QinqPppoe,
        hostile: Hostile {
            tiny_fragments: 0.1,
            chain: 0.05,
            ..Hostile::default()
        },
        ..Model::default()
    };
    let mut generator = Generator::new(&model, &network, 1).unwrap();
    let frame = |_| {
        let mut frame = Vec::new();
        generator.append_frame(&mut frame);
        frame.resize(9_000, 0);
        frame
    };
    let frames: Vec<_> = (0..500).map(frame).collect();
    let mut burst = Burst::new(Facing::Out, Settings::new(Account::EveryFrame));
    let mut expected = Vec::new();
    for whole in &frames {
        burst.run(&[whole.as_slice()], network.tables(), Moment::default());
        expected.extend(burst.decisions());
    }
    assert!(
        expected
            .iter()
            .any(|decision| decision.verdict == Verdict::Drop)
    );

    let mut decided = Vec::new();
    let check = Decide {
        network: &network,
        count: frames.len(),
        decided: &mut decided,
    };
    let left = Xdp::<9_014>::new(1, Attach::Driver).serve(&frames, Link::Up, check);
    assert_eq!(decided, expected);
    assert!(left == frames);
}
