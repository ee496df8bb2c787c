//! What each driver opens for a run.

use super::{Begin, Outcome, RunError};
use crate::control::pipeline::{self, Driver, Pipeline};
use crate::control::supervisor::{Say, Watched, Weight};
use crate::io::netdev::{self, Capability, Claim, Interface, NetDevice, OnExit, Prepared, Side};
use crate::io::port::{CaptureDevice, CaptureLane, Device, DeviceError, DeviceFault};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What a driver has opened.
pub(super) struct Station<'d, L> {
    /// One for each lcore.
    pub(super) lanes: Vec<L>,
    /// The devices, as they are watched.
    pub(super) devices: Vec<Watched>,
    /// Whether there is nothing more to receive.
    pub(super) over: Box<dyn Fn() -> bool + 'd>,
    /// Lets no more frames come, where that is possible; workers still run.
    pub(super) close: Box<dyn FnOnce() + 'd>,
    /// Leaves the devices, when the workers are done; says what went wrong.
    pub(super) leave: Box<dyn FnOnce() -> Vec<String> + 'd>,
}

/// Opens what a pipeline names, and serves it.
pub(super) fn with(
    pipeline: &Pipeline,
    say: Say<'_>,
    begin: Begin<'_>,
) -> Result<Outcome, RunError> {
    match &pipeline.driver {
        Driver::AfXdp(with) => af_xdp(pipeline, with, say, begin),
        Driver::Dpdk(with) => dpdk(pipeline, with, say, begin),
        Driver::Pcap(with) => pcap(with, begin),
    }
}

/// Looks whether it could be opened.
pub(super) fn check(pipeline: &Pipeline, say: Say<'_>) -> Result<(), RunError> {
    match &pipeline.driver {
        Driver::AfXdp(with) => {
            netdev::capabilities_missing(FOR_AF_XDP)?;
            for name in [&with.access, &with.network] {
                let interface = Interface::named(name)?;
                check_queues(&interface, pipeline.lcores.len())?;
                let (driver, mtu) = (interface.driver.as_deref(), interface.mtu_bytes);
                let driver = driver.unwrap_or("no driver");
                say(Weight::Note, format_args!("{name}: {driver}, MTU {mtu}"));
            }
            Ok(())
        }
        Driver::Dpdk(_) if !cfg!(feature = "dpdk") => Err(without_dpdk().into()),
        // Its environment cannot be looked at without beginning it.
        Driver::Dpdk(_) => Ok(()),
        Driver::Pcap(with) => {
            for read in [&with.access.read, &with.network.read]
                .into_iter()
                .flatten()
            {
                crate::io::CaptureReader::open(read)
                    .map_err(|why| DeviceError::new(DeviceFault::Missing, why.to_string()))?;
            }
            Ok(())
        }
    }
}

const SIDES: [Side; 2] = [Side::Access, Side::Network];

/// Interfaces of the system that are prepared, and what becomes of them.
struct Ports {
    prepared: Mutex<Option<Prepared>>,
    on_exit: OnExit,
}

impl Ports {
    /// None.
    #[cfg(feature = "dpdk")]
    fn none() -> Self {
        Self {
            prepared: Mutex::new(None),
            on_exit: OnExit::Leave,
        }
    }

    fn prepare(
        pipeline: &Pipeline,
        interfaces: Vec<Interface>,
        say: Say<'_>,
    ) -> Result<Self, DeviceError> {
        let on_exit = on_exit(pipeline);
        for note in on_exit.check()? {
            say(Weight::Note, format_args!("{note}"));
        }
        let prepared = netdev::prepare(Claim::of(interfaces)?, &run_dir(pipeline))?;
        for note in prepared.notes() {
            say(Weight::Note, format_args!("{note}"));
        }
        Ok(Self {
            prepared: Mutex::new(Some(prepared)),
            on_exit,
        })
    }

    /// Makes the bridge, if one is to take over, while sekisho still has its sockets; says what went
    /// wrong.
    fn bridge(&self) -> Vec<String> {
        match self.on_exit {
            OnExit::KernelBridge(_) => self.leave(),
            OnExit::Leave | OnExit::LinkDown => Vec::new(),
        }
    }

    /// Leaves them, unless that was done; says what went wrong.
    fn leave(&self) -> Vec<String> {
        match lock(&self.prepared).take().map(|it| it.exit(&self.on_exit)) {
            None => Vec::new(),
            Some(Ok(left)) => left,
            Some(Err(why)) => vec![why.to_string()],
        }
    }
}

/// What ports over AF_XDP ask for.
const FOR_AF_XDP: &[Capability] = &[Capability::NetAdmin, Capability::NetRaw, Capability::Bpf];

#[cfg(not(feature = "af-xdp"))]
fn af_xdp(
    _: &Pipeline,
    _: &pipeline::AfXdp,
    _: Say<'_>,
    _: Begin<'_>,
) -> Result<Outcome, RunError> {
    let message = "this sekisho was built without AF_XDP";
    let error = DeviceError::new(DeviceFault::Driver, message);
    Err(error.remedy("build it with the feature `af-xdp`").into())
}

#[cfg(feature = "af-xdp")]
fn af_xdp(
    pipeline: &Pipeline,
    with: &pipeline::AfXdp,
    say: Say<'_>,
    begin: Begin<'_>,
) -> Result<Outcome, RunError> {
    use crate::io::afxdp;

    netdev::capabilities_missing(FOR_AF_XDP)?;
    let interfaces = [
        Interface::named(&with.access)?,
        Interface::named(&with.network)?,
    ];
    for interface in &interfaces {
        check_queues(interface, pipeline.lcores.len())?;
    }
    let ports = Ports::prepare(pipeline, interfaces.to_vec(), say)?;
    let options = xdp_options(pipeline, with);
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

#[cfg(feature = "af-xdp")]
fn xdp_options(pipeline: &Pipeline, with: &pipeline::AfXdp) -> crate::io::afxdp::Options {
    use crate::io::afxdp;

    afxdp::Options {
        access: with.access.clone(),
        network: with.network.clone(),
        queues: u32::try_from(pipeline.lcores.len()).unwrap_or(u32::MAX),
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

/// Nothing that could panic is done under these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every receive queue leads to a worker, or frames would pass by.
fn check_queues(interface: &Interface, lcores: usize) -> Result<(), DeviceError> {
    let queues = interface.rx_queues as usize;
    if queues == lcores {
        return Ok(());
    }
    let name = &interface.name;
    let message = format!("{name}: has {queues} receive queues, and the pipeline {lcores} lcores");
    let remedy = format!("`ethtool -L {name} combined {lcores}`, or name {queues} lcores");
    Err(DeviceError::new(DeviceFault::Shape, message).remedy(remedy))
}

#[cfg(not(feature = "dpdk"))]
fn dpdk(_: &Pipeline, _: &pipeline::Dpdk, _: Say<'_>, _: Begin<'_>) -> Result<Outcome, RunError> {
    Err(without_dpdk().into())
}

#[cfg(feature = "dpdk")]
fn dpdk(
    pipeline: &Pipeline,
    with: &pipeline::Dpdk,
    say: Say<'_>,
    begin: Begin<'_>,
) -> Result<Outcome, RunError> {
    use crate::io::dpdk;

    // Virtual devices may be ways to interfaces of the system, which the host must leave alone too.
    let names = [&with.access, &with.network].map(|device| interface_of(device));
    let interfaces = names.into_iter().flatten().map(Interface::named);
    let interfaces = interfaces.collect::<Result<Vec<_>, _>>()?;
    let ports = if interfaces.is_empty() {
        Ports::none()
    } else {
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
        // What its queues hold when it ends is all that can be taken from a device of DPDK.
        close: Box::new(|| {}),
        leave: Box::new(|| {
            let lost = owner.close().err().map(|why| why.to_string());
            lost.into_iter().chain(ports.leave()).collect()
        }),
    })
}

/// The interface of the system that a virtual device is a way to.
#[cfg(feature = "dpdk")]
fn interface_of(device: &str) -> Option<&str> {
    let mut arguments = device.split(',').skip(1);
    arguments.find_map(|argument| argument.strip_prefix("iface="))
}

fn without_dpdk() -> DeviceError {
    DeviceError::new(DeviceFault::Driver, "this sekisho was built without DPDK")
        .remedy("build it with `--features dpdk`, where libdpdk is installed")
}

fn pcap(with: &pipeline::Pcap, begin: Begin<'_>) -> Result<Outcome, RunError> {
    let (lane, captures) = CaptureLane::open(&with.access, &with.network)?;
    let device = |side, name| {
        let device: Box<dyn Device> = Box::new(CaptureDevice::new(name));
        Watched::new(side, device)
    };
    begin.serve(Station {
        lanes: vec![lane],
        devices: vec![
            device(Side::Access, "access"),
            device(Side::Network, "network"),
        ],
        over: Box::new(|| captures.are_over()),
        close: Box::new(|| {}),
        leave: Box::new(|| captures.faults().iter().map(ToString::to_string).collect()),
    })
}

fn on_exit(pipeline: &Pipeline) -> OnExit {
    match pipeline.on_exit {
        pipeline::OnExit::Leave => OnExit::Leave,
        pipeline::OnExit::LinkDown => OnExit::LinkDown,
        pipeline::OnExit::KernelBridge => OnExit::KernelBridge(bridge_name(&pipeline.name)),
    }
}

/// What an interface may be called: 15 octets.
fn bridge_name(pipeline: &str) -> String {
    format!("sk-{pipeline}").chars().take(15).collect()
}

fn run_dir(pipeline: &Pipeline) -> PathBuf {
    let run_dir = pipeline.control.run_dir.as_deref();
    run_dir.unwrap_or(Path::new("/run/sekisho")).to_owned()
}
