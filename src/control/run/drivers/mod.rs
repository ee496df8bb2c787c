//! What each driver opens for a run.

#[cfg(feature = "af-xdp")]
mod af_xdp;
mod captures;
#[cfg(feature = "dpdk")]
mod dpdk;
#[cfg(any(feature = "af-xdp", feature = "dpdk"))]
mod ports;

use super::{Begin, Outcome, RunError};
use crate::control::pipeline::{Driver, Pipeline};
use crate::control::supervisor::Watched;
#[cfg(not(all(feature = "af-xdp", feature = "dpdk")))]
use crate::io::port::{DeviceError, DeviceFault};

#[cfg(any(feature = "af-xdp", feature = "dpdk"))]
const SIDES: [crate::io::netdev::Side; 2] = [
    crate::io::netdev::Side::Access,
    crate::io::netdev::Side::Network,
];

/// What a driver has opened.
pub(super) struct Station<'d, L> {
    /// One for each lcore.
    pub(super) lanes: Vec<L>,
    /// The devices, as they are watched.
    pub(super) devices: Vec<Watched>,
    /// Whether there is nothing more to receive.
    pub(super) over: Box<dyn Fn() -> bool + 'd>,
    /// Whether the links of these devices are to be taken down at the end: of devices that nobody
    /// else would.
    pub(super) links_down: bool,
    /// Lets no more frames come, where that is possible; workers still run.
    pub(super) close: Box<dyn FnOnce() + 'd>,
    /// Leaves the devices, when the workers are done; says what went wrong.
    pub(super) leave: Box<dyn FnOnce() -> Vec<String> + 'd>,
}

/// Opens what a pipeline names, and serves it.
pub(super) fn with(pipeline: &Pipeline, begin: Begin<'_>) -> Result<Outcome, RunError> {
    match &pipeline.driver {
        #[cfg(feature = "af-xdp")]
        Driver::AfXdp(with) => af_xdp::serve(pipeline, with, begin),
        #[cfg(not(feature = "af-xdp"))]
        Driver::AfXdp(_) => Err(not_built("af-xdp").into()),
        #[cfg(feature = "dpdk")]
        Driver::Dpdk(with) => dpdk::serve(pipeline, with, begin),
        #[cfg(not(feature = "dpdk"))]
        Driver::Dpdk(_) => Err(not_built("dpdk").into()),
        Driver::Pcap(with) => captures::serve(with, begin),
    }
}

/// Looks whether it could be opened.
pub(super) fn check(pipeline: &Pipeline) -> Result<(), RunError> {
    match &pipeline.driver {
        #[cfg(feature = "af-xdp")]
        Driver::AfXdp(with) => Ok(af_xdp::interfaces(pipeline, with).map(drop)?),
        #[cfg(not(feature = "af-xdp"))]
        Driver::AfXdp(_) => Err(not_built("af-xdp").into()),
        // Its environment cannot be looked at without beginning it.
        #[cfg(feature = "dpdk")]
        Driver::Dpdk(_) => Ok(()),
        #[cfg(not(feature = "dpdk"))]
        Driver::Dpdk(_) => Err(not_built("dpdk").into()),
        Driver::Pcap(with) => Ok(captures::check(with)?),
    }
}

#[cfg(not(all(feature = "af-xdp", feature = "dpdk")))]
fn not_built(feature: &str) -> DeviceError {
    let message = format!("this sekisho was built without the driver `{feature}`");
    let remedy = format!("build it with `--features {feature}` (docs/pipelines.md)");
    DeviceError::new(DeviceFault::Driver, message).remedy(remedy)
}
