use super::device::{XdpDevice, XdpMode};
use super::fault;
use super::lane::XdpLane;
use super::program::{Link, Program};
use super::shape::Shape;
use super::socket::{Bind, Socket};
use super::umem::Umem;
use super::{Attach, AttachMode, Options, ZeroCopy};
use crate::io::netdev::Interface;
use crate::io::port::{DeviceError, DeviceFault};
use rustix::net::xdp::SocketAddrXdpFlags;
use std::os::fd::AsFd;
use std::sync::Arc;

/// What [`open`] gives.
#[derive(Debug)]
pub struct Opened {
    /// The access side and the network side. They keep frames coming, so they outlive the workers.
    pub devices: [XdpDevice; 2],
    /// One for each queue, in their order.
    pub lanes: Vec<XdpLane>,
}

/// Opens both interfaces: sockets for all queues, then a program on each that leads to them. From then
/// on frames stand in the rings until a worker takes them.
///
/// Interfaces are those of the calling thread's network namespace.
///
/// # Errors
/// An interface is not there, is not of the shape that the options ask for, is somebody else's, or the
/// system refuses. Then nothing is left behind.
pub fn open(options: &Options) -> Result<Opened, DeviceError> {
    let access = Interface::named(&options.access)?;
    let network = Interface::named(&options.network)?;
    let interfaces = [&access, &network];
    let shape = Shape::of(options, interfaces)?;
    match options.zero_copy {
        ZeroCopy::Auto if options.attach == Attach::Skb => {
            Attempt::new(options, shape, interfaces, ZeroCopy::Never).make()
        }
        ZeroCopy::Auto => Attempt::new(options, shape, interfaces, ZeroCopy::Auto)
            .make()
            // One driver can, and the other cannot.
            .or_else(|error| match error.fault {
                DeviceFault::Driver | DeviceFault::System => {
                    Attempt::new(options, shape, interfaces, ZeroCopy::Never).make()
                }
                _ => Err(error),
            }),
        wanted => Attempt::new(options, shape, interfaces, wanted).make(),
    }
}

/// One way to open both.
struct Attempt<'o> {
    options: &'o Options,
    shape: Shape,
    interfaces: [&'o Interface; 2],
    zero_copy: ZeroCopy,
}

impl<'o> Attempt<'o> {
    fn new(
        options: &'o Options,
        shape: Shape,
        interfaces: [&'o Interface; 2],
        zero_copy: ZeroCopy,
    ) -> Self {
        Self {
            options,
            shape,
            interfaces,
            zero_copy,
        }
    }

    fn make(&self) -> Result<Opened, DeviceError> {
        let programs = self.programs()?;
        let mut lanes = Vec::new();
        for queue in 0..self.options.queues {
            lanes.push(self.lane(queue)?);
        }
        let [access, network] = self.interfaces;
        let [access_program, network_program] = programs;
        let access = self.device(access, &access_program, &lanes, |lane| &lane.access)?;
        let network = self.device(network, &network_program, &lanes, |lane| &lane.network)?;
        let devices = [access, network];
        let behind_the_driver = devices
            .iter()
            .any(|device| device.mode.zero_copy && device.mode.attach == AttachMode::Skb);
        if behind_the_driver {
            return Err(DeviceError::new(
                DeviceFault::Driver,
                format!("{}: zero-copy needs driver mode", devices[0].name()),
            ));
        }
        Ok(Opened { devices, lanes })
    }

    fn programs(&self) -> Result<[Program; 2], DeviceError> {
        let load = |interface| {
            Program::load(interface, self.options.queues, self.shape.segments)
                .map_err(|error| self.explain(error, DeviceFault::System))
        };
        let [access, network] = self.interfaces;
        Ok([load(access)?, load(network)?])
    }

    /// Sockets of a queue of both devices, over one UMEM.
    fn lane(&self, queue: u32) -> Result<XdpLane, DeviceError> {
        let Self {
            options,
            shape,
            interfaces: [access, network],
            ..
        } = self;
        let umem = Umem::new(options.umem_frames, shape.chunk_bytes, shape.segments)
            .map_err(|cause| fault::refused(access, "memory for frames (UMEM)", cause))?;
        let open = |interface, how| {
            Socket::open(interface, queue, &umem, options.ring_frames, how)
                .map_err(|error| self.explain(error, DeviceFault::Driver))
        };
        let access = open(access, Bind::First(self.bind_flags()))?;
        let network = open(network, Bind::Sharing(&access))?;
        Ok(XdpLane {
            access,
            network,
            umem,
        })
    }

    fn bind_flags(&self) -> SocketAddrXdpFlags {
        let mut flags = SocketAddrXdpFlags::XDP_USE_NEED_WAKEUP;
        if self.shape.segments {
            flags |= SocketAddrXdpFlags::XDP_USE_SG;
        }
        match self.zero_copy {
            // The kernel falls back by itself.
            ZeroCopy::Auto => flags,
            ZeroCopy::Never => flags | SocketAddrXdpFlags::XDP_COPY,
            ZeroCopy::Require => flags | SocketAddrXdpFlags::XDP_ZEROCOPY,
        }
    }

    /// Leads the frames of a device to its sockets.
    fn device(
        &self,
        interface: &Interface,
        program: &Program,
        lanes: &[XdpLane],
        socket: impl Fn(&XdpLane) -> &Socket,
    ) -> Result<XdpDevice, DeviceError> {
        for (queue, lane) in (0..).zip(lanes) {
            program.assign(interface, queue, socket(lane).descriptor.as_fd())?;
        }
        let link: Link = program.attach(interface, self.options.attach)?;
        let mode = XdpMode {
            device: interface.name.clone(),
            attach: link.mode,
            zero_copy: lanes.iter().all(|lane| socket(lane).is_zero_copy()),
            segments: self.shape.segments,
            queues: self.options.queues,
            refused: link.refused,
        };
        Ok(XdpDevice {
            name: interface.name.clone(),
            link: Some(link),
            sockets: lanes
                .iter()
                .map(|lane| Arc::clone(&socket(lane).descriptor))
                .collect(),
            mode,
        })
    }

    /// What a refusal of this kind means where something was asked for that not every kernel and
    /// driver has.
    fn explain(&self, error: DeviceError, kind: DeviceFault) -> DeviceError {
        if error.fault != kind {
            return error;
        }
        if self.zero_copy == ZeroCopy::Require {
            return error.remedy("the driver may not have zero-copy, or not for this MTU");
        }
        if self.shape.segments {
            return Shape::without_segments(self.interfaces);
        }
        error
    }
}
