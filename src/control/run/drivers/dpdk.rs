use super::ports::{Ports, RIGHTS};
use super::{Begin, Outcome, RunError, SIDES, Station};
use crate::control::pipeline::{self, Pipeline};
use crate::control::supervisor::{Watched, Weight};
use crate::io::dpdk;
use crate::io::netdev::{self, Interface};
use crate::io::port::Device as _;

/// Opens both devices, and serves them.
pub(super) fn serve(
    pipeline: &Pipeline,
    with: &pipeline::Dpdk,
    begin: Begin<'_>,
) -> Result<Outcome, RunError> {
    let say = begin.say;
    // Virtual devices may be ways to interfaces of the system, which the host must leave alone too.
    let names = [&with.access, &with.network].map(|device| interface_of(device));
    let interfaces = names.into_iter().flatten().map(Interface::named);
    let interfaces = interfaces.collect::<Result<Vec<_>, _>>()?;
    let ports = if interfaces.is_empty() {
        Ports::none()
    } else {
        netdev::capabilities_missing(RIGHTS)?;
        Ports::prepare(pipeline, interfaces, say)?
    };
    let options = dpdk::Options {
        access: with.access.clone(),
        network: with.network.clone(),
        queues: u32::try_from(pipeline.lcores.len()).unwrap_or(u32::MAX),
        ring_frames: with.ring_frames,
        pool_frames: with.pool_frames,
        mtu_bytes: with.mtu_bytes,
        eal: with.eal.clone(),
    };
    let dpdk::Opened {
        devices,
        lanes,
        owner,
    } = dpdk::open(&options)?;
    let mut watched = Vec::new();
    for (side, device) in SIDES.into_iter().zip(devices) {
        say(
            Weight::Note,
            format_args!("{}: {}", device.name(), device.shape()),
        );
        watched.push(Watched::new(side, Box::new(device)));
    }
    begin.serve(Station {
        lanes,
        devices: watched,
        over: Box::new(|| false),
        links_down: pipeline.on_exit == pipeline::OnExit::LinkDown,
        // What its queues hold when it ends is all that can be taken from a device of DPDK.
        close: Box::new(|| {}),
        leave: Box::new(|| {
            let lost = owner.close().err().map(|why| why.to_string());
            lost.into_iter().chain(ports.leave()).collect()
        }),
    })
}

/// The interface of the system that a virtual device is a way to. A tap's is made by DPDK.
fn interface_of(device: &str) -> Option<&str> {
    if device.starts_with("net_tap") {
        return None;
    }
    let mut arguments = device.split(',').skip(1);
    arguments.find_map(|argument| argument.strip_prefix("iface="))
}
