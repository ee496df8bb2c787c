//! AF_XDP: the suite over veth in each mode, and what is its own.

use super::suite::{self, Check, Link, Rig};
use super::{ACCESS, NETWORK, Wires};
use crate::load::{Frames, Receiver, Sender};
use crate::net::{Namespace, Veth};
use sekisho::io::afxdp::{Attach, Opened, Options, ZeroCopy, open};
use sekisho::io::port::{self, DeviceError, Lane, Port, Work};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

struct Xdp {
    wires: Wires,
    options: Options,
}

impl Xdp {
    fn new(queues: u32, mtu_bytes: u32, attach: Attach) -> Self {
        Self {
            wires: Wires::new(queues, mtu_bytes),
            options: Options {
                ring_frames: 1_024,
                umem_frames: 4_096,
                attach,
                ..Options::new(ACCESS, NETWORK, queues)
            },
        }
    }

    fn open(&self) -> Result<Opened, DeviceError> {
        self.wires.inside.enter(|| open(&self.options))
    }
}

impl Rig for Xdp {
    const RING_FRAMES: usize = 1_024;

    fn serve(&mut self, coming: &[Vec<u8>], link: Link, check: impl Check) -> Vec<Vec<u8>> {
        self.wires.set_link(link);
        let Opened { devices, mut lanes } = self.open().unwrap_or_else(|error| panic!("{error}"));
        let set_link = |link| self.wires.set_link(link);
        let left = self.wires.send_while(coming, || {
            let work = Checked(check, &set_link);
            lanes.pop().unwrap().serve(work);
        });
        for device in &devices {
            assert!(
                device.losses().iter().all(|loss| loss.frames == 0),
                "{:?}",
                device.losses()
            );
        }
        left
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
    let mut rig = Xdp::new(1, 1_500, Attach::Driver);
    suite::every_live_port(&mut rig);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn in_skb_mode() {
    let mut rig = Xdp::new(1, 1_500, Attach::Skb);
    suite::every_live_port(&mut rig);
}
