//! AF_XDP: the suite over veth in each mode, and what is its own.

mod life;
mod refused;

use super::suite::{self, Check, Link, Rig};
use super::{ACCESS, NETWORK, Wires};
use sekisho::io::afxdp::{Attach, Opened, Options, XdpDevice, open};
use sekisho::io::port::{DeviceError, Lane, Port, Work};

/// Small enough to be filled, and large enough for a test that shares its processor.
const RING_FRAMES: u32 = 4_096;

/// A box whose interfaces take frames of up to so many octets.
struct Xdp<const LONGEST_BYTES: usize> {
    wires: Wires,
    options: Options,
}

impl<const LONGEST_BYTES: usize> Xdp<LONGEST_BYTES> {
    fn new(queues: u32, attach: Attach) -> Self {
        let mtu_bytes = u32::try_from(LONGEST_BYTES - 14).unwrap();
        Self {
            wires: Wires::new(queues, mtu_bytes),
            options: Options {
                ring_frames: RING_FRAMES,
                umem_frames: 4 * RING_FRAMES,
                attach,
                ..Options::new(ACCESS, NETWORK, queues)
            },
        }
    }

    fn open(&self) -> Result<Opened, DeviceError> {
        self.wires.inside.enter(|| open(&self.options))
    }

    /// Whether the kernel knows of a program at an interface.
    fn has_program(&self, link: &str) -> bool {
        let text = self.wires.inside.ip(&["-j", "link", "show", "dev", link]);
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        found[0].get("xdp").is_some()
    }
}

impl<const LONGEST_BYTES: usize> Rig for Xdp<LONGEST_BYTES> {
    const RING_FRAMES: usize = RING_FRAMES as usize;
    const LONGEST_BYTES: usize = LONGEST_BYTES;

    fn serve(&mut self, coming: &[Vec<u8>], link: Link, check: impl Check) -> Vec<Vec<u8>> {
        self.wires.set_link(link);
        let Opened { devices, mut lanes } = self.open().unwrap_or_else(|error| panic!("{error}"));
        let devices = Devices(devices);
        let set_link = |link| self.wires.set_link(link);
        let left = self.wires.send_while(coming, || {
            let work = Checked(check, &set_link);
            lanes.pop().unwrap().serve(work);
        });
        for device in &devices.0 {
            let losses = device.losses();
            assert!(losses.iter().all(|loss| loss.frames == 0), "{losses:?}");
        }
        left
    }
}

/// When a check fails, what the kernel lost may be why.
struct Devices([XdpDevice; 2]);

impl Drop for Devices {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for device in &self.0 {
                println!("{}: {:?}", device.mode(), device.losses());
            }
        }
    }
}

struct Checked<'c, C>(C, &'c dyn Fn(Link));

impl<C: Check> Work for Checked<'_, C> {
    type Output = ();

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, mut access: A, mut network: N) {
        self.0.check(&mut access, &mut network, self.1);
    }
}

#[test]
#[ignore = "needs root and network namespaces"]
fn in_driver_mode() {
    suite::every_port(&mut Xdp::<1_514>::new(1, Attach::Driver));
}

#[test]
#[ignore = "needs root and network namespaces"]
fn in_skb_mode() {
    suite::every_port(&mut Xdp::<1_514>::new(1, Attach::Skb));
}

#[test]
#[ignore = "needs root and network namespaces"]
fn frames_of_nine_kilobytes_in_driver_mode() {
    suite::every_port(&mut Xdp::<9_014>::new(1, Attach::Driver));
}

#[test]
#[ignore = "needs root and network namespaces"]
fn frames_of_nine_kilobytes_in_skb_mode() {
    suite::every_port(&mut Xdp::<9_014>::new(1, Attach::Skb));
}
