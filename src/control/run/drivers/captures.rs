use super::{Begin, Outcome, RunError, Station};
use crate::control::pipeline;
use crate::control::supervisor::Watched;
use crate::io::CaptureReader;
use crate::io::netdev::Side;
use crate::io::port::{CaptureDevice, CaptureLane, Device, DeviceError, DeviceFault};

/// Opens the captures, and serves them.
pub(super) fn serve(with: &pipeline::Pcap, begin: Begin<'_>) -> Result<Outcome, RunError> {
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
        links_down: false,
        close: Box::new(|| {}),
        leave: Box::new(|| captures.faults().iter().map(ToString::to_string).collect()),
    })
}

/// Looks whether the captures are there.
pub(super) fn check(with: &pipeline::Pcap) -> Result<(), DeviceError> {
    let sides = [&with.access, &with.network];
    for read in sides.iter().filter_map(|side| side.read.as_deref()) {
        CaptureReader::open(read)
            .map_err(|why| DeviceError::new(DeviceFault::Missing, why.to_string()))?;
    }
    Ok(())
}
