use super::ports::{Ports, RIGHTS, lock};
use super::{Begin, Outcome, RunError, SIDES, Station};
use crate::control::pipeline::{self, Pipeline};
use crate::control::supervisor::{Watched, Weight};
use crate::io::afxdp;
use crate::io::netdev::{self, Capability, Interface, NetDevice};
use crate::io::port::DeviceError;
use std::sync::{Arc, Mutex};

/// Opens both interfaces, and serves them.
pub(super) fn serve(
    pipeline: &Pipeline,
    with: &pipeline::AfXdp,
    begin: Begin<'_>,
) -> Result<Outcome, RunError> {
    let say = begin.say;
    let interfaces = interfaces(pipeline, with)?;
    let ports = Ports::prepare(pipeline, interfaces.to_vec(), say)?;
    let options = options(pipeline, with);
    let afxdp::Opened { devices, lanes } = afxdp::open(&options)?;
    let mut watched = Vec::new();
    let mut opened = Vec::new();
    for ((side, interface), device) in SIDES.into_iter().zip(&interfaces).zip(devices) {
        say(Weight::Note, format_args!("{}", device.mode()));
        let device = Arc::new(Mutex::new(device));
        let losses = Arc::clone(&device);
        let seen = NetDevice::watch(interface)?.with_losses(move || lock(&losses).losses());
        watched.push(Watched::new(side, Box::new(seen)));
        opened.push(device);
    }
    begin.serve(Station {
        lanes,
        devices: watched,
        over: Box::new(|| false),
        links_down: false,
        close: Box::new(|| {
            // What the program no longer takes, the bridge does: no frame falls between.
            for fault in ports.bridge() {
                say(Weight::Warning, format_args!("{fault}"));
            }
            for device in &opened {
                lock(device).detach();
            }
        }),
        leave: Box::new(|| ports.leave()),
    })
}

fn options(pipeline: &Pipeline, with: &pipeline::AfXdp) -> afxdp::Options {
    afxdp::Options {
        access: with.access.clone(),
        network: with.network.clone(),
        queues: queues(pipeline),
        ring_frames: with.ring_frames,
        umem_frames: with.umem_frames,
        attach: match with.attach {
            pipeline::Attach::Auto => afxdp::Attach::Auto,
            pipeline::Attach::Driver => afxdp::Attach::Driver,
            pipeline::Attach::Skb => afxdp::Attach::Skb,
        },
        zero_copy: match with.zero_copy {
            pipeline::ZeroCopy::Auto => afxdp::ZeroCopy::Auto,
            pipeline::ZeroCopy::Never => afxdp::ZeroCopy::Never,
            pipeline::ZeroCopy::Require => afxdp::ZeroCopy::Require,
        },
    }
}

/// One for each lcore, of which there are no more than processors.
fn queues(pipeline: &Pipeline) -> u32 {
    u32::try_from(pipeline.lcores.len()).unwrap_or(u32::MAX)
}

/// The interfaces, if they can be used.
pub(super) fn interfaces(
    pipeline: &Pipeline,
    with: &pipeline::AfXdp,
) -> Result<[Interface; 2], DeviceError> {
    netdev::capabilities_missing(&[RIGHTS, &[Capability::Bpf]].concat())?;
    let interfaces = [
        Interface::named(&with.access)?,
        Interface::named(&with.network)?,
    ];
    for interface in &interfaces {
        interface.check_queues(queues(pipeline))?;
    }
    Ok(interfaces)
}
