//! DPDK: the suite over veth by net_af_packet, net_af_xdp, and what is their own.

use super::suite::{self, Check, Link, Rig};
use super::{ACCESS, NETWORK, Wires};
use sekisho::io::dpdk::{Opened, Options, open};
use sekisho::io::port::{self, Device, DeviceError, DeviceFault, Frames, Lane, Loss, Port, Work};
use sekisho::wire::AsFrame;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A box between whose interfaces frames of up to so many octets pass.
struct Dpdk<const LONGEST_BYTES: usize> {
    wires: Wires,
    options: Options,
}

/// The driver's rings are larger than what any test sends.
const AF_PACKET: &str = "net_af_packet,framecnt=32768";

impl<const LONGEST_BYTES: usize> Dpdk<LONGEST_BYTES> {
    /// By a driver with such arguments.
    fn new(driver: &str) -> Self {
        let mtu_bytes = u32::try_from(LONGEST_BYTES - 14).unwrap();
        Self {
            wires: Wires::new(1, mtu_bytes),
            options: Options {
                mtu_bytes,
                // EAL is initialised once, for all tests of this process.
                eal: ["--no-huge", "-m", "1024"].map(str::to_owned).to_vec(),
                ..Options::new(device(driver, ACCESS), device(driver, NETWORK))
            },
        }
    }

    fn open(&self) -> Result<Opened, DeviceError> {
        self.wires.inside.enter(|| open(&self.options))
    }
}

/// A device that no other test has.
fn device(driver: &str, link: &str) -> String {
    static DEVICES: AtomicU32 = AtomicU32::new(0);
    let number = DEVICES.fetch_add(1, Ordering::Relaxed);
    let (name, arguments) = driver.split_once(',').unwrap_or((driver, ""));
    format!("{name}{number},iface={link},{arguments}")
        .trim_end_matches(',')
        .to_owned()
}

impl<const LONGEST_BYTES: usize> Rig for Dpdk<LONGEST_BYTES> {
    const RING_FRAMES: usize = 0;
    const SEES_ITS_RING: bool = false;
    const LONGEST_BYTES: usize = LONGEST_BYTES;

    fn serve(&mut self, coming: &[Vec<u8>], link: Link, check: impl Check) -> Vec<Vec<u8>> {
        self.wires.set_link(link);
        let mut opened = self.open().unwrap_or_else(|error| panic!("{error}"));
        let lane = opened.lanes.pop().unwrap();
        let set_link = |link| self.wires.set_link(link);
        let left = self.wires.send_while(coming, || {
            lane.serve(Checked(check, &set_link));
        });
        let lost = opened.devices.iter_mut().flat_map(Device::losses);
        let lost: Vec<_> = lost.filter(|loss| loss.frames > 0).collect();
        close(opened);
        if link == Link::Up {
            assert_eq!(lost, []);
        }
        left
    }
}

fn close(opened: Opened) {
    drop((opened.devices, opened.lanes));
    opened
        .owner
        .close()
        .unwrap_or_else(|error| panic!("{error}"));
}

struct Checked<'c, C>(C, &'c dyn Fn(Link));

impl<C: Check> Work for Checked<'_, C> {
    type Output = ();

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, mut access: A, mut network: N) {
        self.0.check(&mut access, &mut network, self.1);
    }
}

#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn by_net_af_packet() {
    suite::every_port(&mut Dpdk::<1_514>::new(AF_PACKET));
}

#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn frames_of_nine_kilobytes_by_net_af_packet() {
    let places = "net_af_packet,framesz=16384,blocksz=16384,framecnt=4096";
    suite::every_port(&mut Dpdk::<9_014>::new(places));
}

#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn net_af_xdp_keeps_order_and_octets() {
    // Its driver opens an interface once in a process: the suite does so often.
    let frame = |number: u32| {
        let mut octets = numbered(number);
        octets.resize(60 + number as usize % 1_455, number as u8);
        octets
    };
    let frames: Vec<_> = (0..1_000).map(frame).collect();
    let left = pass(&mut Dpdk::<1_514>::new("net_af_xdp"), &frames);
    assert!(left == frames, "{} of {} frames", left.len(), frames.len());
}

/// 802.1Q tags come through net_af_packet as they were, and so does every tag through net_af_xdp.
#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn tags_stay_in_their_frames() {
    let tagged = |tags: &[[u8; 4]]| {
        let mut octets = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        octets.extend(tags.iter().flatten());
        octets.extend([0x88, 0xb5]);
        octets.extend([7; 100]);
        octets
    };
    let customer = [0x81, 0x00, 0x60, 0x65];
    let service = [0x88, 0xa8, 0x20, 0xc8];
    let frames = [tagged(&[customer]), tagged(&[customer, customer])];
    let left = pass(&mut Dpdk::<1_514>::new(AF_PACKET), &frames);
    assert!(left == frames, "{left:x?}");
    let mut frames = frames.to_vec();
    frames.push(tagged(&[service, customer]));
    let left = pass(&mut Dpdk::<1_514>::new("net_af_xdp"), &frames);
    assert!(left == frames, "{left:x?}");
}

/// Frames are taken from port to port until none has come for a while.
fn pass<const L: usize>(rig: &mut Dpdk<L>, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    rig.serve(frames, Link::Up, Patient(Duration::from_millis(500)))
}

struct Patient(Duration);

impl Check for Patient {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        _: &dyn Fn(Link),
    ) {
        let (mut frames, mut last) = (Frames::new(), Instant::now());
        while last.elapsed() < self.0 {
            if access.rx_burst(&mut frames) > 0 {
                last = Instant::now();
            }
            network.tx_burst(&mut frames);
        }
    }
}

/// A worker is not kept waiting by a link that is down, however many frames come.
#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn a_link_that_goes_down_holds_nobody_up() {
    let mut rig = Dpdk::<1_514>::new("net_af_packet,framecnt=64,blocksz=4096");
    let frames = vec![numbered(0); 1_000];
    // More than both rings hold; the receive ring loses some where it finds no reader.
    let left = rig.serve(&frames, Link::Down, NothingLeaves(300));
    assert!(left.is_empty());
    let left = pass(&mut rig, &frames[..10]);
    assert!(left == frames[..10], "{} frames", left.len());
}

struct NothingLeaves(usize);

impl Check for NothingLeaves {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        _: &dyn Fn(Link),
    ) {
        let (mut frames, mut came) = (Frames::new(), 0);
        let deadline = Instant::now() + Duration::from_secs(20);
        while came < self.0 {
            assert!(Instant::now() < deadline, "{came} of {} came", self.0);
            came += access.rx_burst(&mut frames);
            assert_eq!(network.tx_burst(&mut frames), 0);
            frames.clear();
        }
        assert_eq!((network.transmitted(), access.held()), (0, 0));
    }
}

/// It does while a worker takes frames from it and to it.
#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn an_interface_that_vanishes_is_gone_and_nothing_else_happens() {
    for driver in [AF_PACKET, "net_af_xdp"] {
        let rig = Dpdk::<1_514>::new(driver);
        let mut opened = rig.open().unwrap_or_else(|error| panic!("{error}"));
        let lane = opened.lanes.pop().unwrap();
        let [access, network] = &mut opened.devices;
        assert_eq!([access.link(), network.link()], [port::Link::Up; 2]);
        let vanish = |_: Link| {
            rig.wires.inside.ip(&["link", "delete", "dev", NETWORK]);
        };
        let frames = vec![numbered(0); 1_000];
        rig.wires
            .send_while(&frames, || lane.serve(Checked(Vanishing, &vanish)));
        assert_eq!(
            [access.link(), network.link()],
            [port::Link::Up, port::Link::Gone]
        );
        assert_eq!(network.set_link(true).unwrap_err().fault, DeviceFault::Gone);
        network.losses();
        close(opened);
    }
}

struct Vanishing;

impl Check for Vanishing {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        vanish: &dyn Fn(Link),
    ) {
        let (mut frames, mut came) = (Frames::new(), 0);
        let deadline = Instant::now() + Duration::from_secs(20);
        while came < 900 {
            assert!(Instant::now() < deadline, "{came} frames came");
            let before = came;
            came += access.rx_burst(&mut frames);
            network.rx_burst(&mut frames);
            network.tx_burst(&mut frames);
            frames.clear();
            if before < 300 && came >= 300 {
                vanish(Link::Down);
            }
        }
        assert_eq!(access.held(), 0);
    }
}

#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn a_device_takes_its_link_down_and_up() {
    let rig = Dpdk::<1_514>::new(AF_PACKET);
    let mut opened = rig.open().unwrap_or_else(|error| panic!("{error}"));
    let [access, _] = &mut opened.devices;
    for (up, link) in [(false, port::Link::Down), (true, port::Link::Up)] {
        access.set_link(up).unwrap();
        assert_eq!(access.link(), link);
    }
    close(opened);
}

/// What a ring without a reader has no room for is found with the name of its counter.
#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn what_the_kernel_dropped_is_counted() {
    let rig = Dpdk::<1_514>::new("net_af_packet,framecnt=64,blocksz=4096");
    let mut opened = rig.open().unwrap_or_else(|error| panic!("{error}"));
    let lane = opened.lanes.pop().unwrap();
    let frames: Vec<_> = (0..500).map(numbered).collect();
    let mut came = Vec::new();
    let left = rig.wires.send_while(&frames, || {
        std::thread::sleep(Duration::from_secs(2));
        came = lane.serve(Collect);
    });
    assert!(left.is_empty());
    let drops = |losses: Vec<Loss>| losses.into_iter().find(|loss| loss.counter == "tp_drops");
    let [access, _] = &mut opened.devices;
    let lost = drops(access.losses()).unwrap().frames;
    assert_eq!(came.len() as u64 + lost, frames.len() as u64);
    assert!(came == frames[..came.len()], "the first ones are kept");
    assert_eq!(drops(access.losses()).unwrap().frames, lost, "once each");
    close(opened);
}

/// The octets of what has come.
struct Collect;

impl Work for Collect {
    type Output = Vec<Vec<u8>>;

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, mut access: A, _: N) -> Self::Output {
        let (mut came, mut frames) = (Vec::new(), Frames::new());
        while access.rx_burst(&mut frames) > 0 {
            came.extend(
                frames
                    .drain(..)
                    .map(|frame| frame.as_frame().bytes.to_vec()),
            );
        }
        came
    }
}

fn numbered(number: u32) -> Vec<u8> {
    let mut octets = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5];
    octets.extend(number.to_be_bytes());
    octets.resize(60, 0);
    octets
}

#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn frames_that_would_be_cut_are_refused_with_what_holds_them() {
    let rig = Dpdk::<9_014>::new(AF_PACKET);
    let error = rig.open().unwrap_err();
    assert_eq!(error.fault, DeviceFault::Shape, "{error}");
    let remedy = error.remedy.unwrap();
    assert!(remedy.contains("framesz=16384,blocksz=16384"), "{remedy}");
}

#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn an_mtu_above_the_pipelines_is_refused_with_both() {
    let mut rig = Dpdk::<2_014>::new(AF_PACKET);
    rig.options.mtu_bytes = 1_500;
    let error = rig.open().unwrap_err();
    assert_eq!(error.fault, DeviceFault::Shape, "{error}");
    assert!(
        error.message.contains("MTU of 2000, above the 1500"),
        "{error}"
    );
}
