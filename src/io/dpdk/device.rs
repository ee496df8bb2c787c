use super::ffi::{
    self, Info, Losses, RteDevice, sekisho_free, sekisho_info, sekisho_link, sekisho_losses,
    sekisho_rx_burst,
};
use super::interface::{Gate, Interface};
use super::lane::Shared;
use super::log;
use super::name::Name;
use super::refusal;
use super::taps::{Before, Taps};
use crate::io::port::{Device, DeviceError, DeviceFault, Link, Loss};
use crate::wire::BURST;
use std::io;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Names of devices that are open. DPDK would give the same one out twice.
static OPEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Held where devices are made, changed or taken away: DPDK wants one thread at a time for that.
static CHANGES: Mutex<()> = Mutex::new(());

pub(super) fn one_at_a_time() -> MutexGuard<'static, ()> {
    CHANGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A device of DPDK, as whoever watches it sees it.
#[derive(Debug)]
pub struct DpdkDevice {
    shared: Arc<Shared>,
    of: fn(&Shared) -> &Running,
}

impl DpdkDevice {
    pub(super) fn both(shared: &Arc<Shared>) -> [Self; 2] {
        let ways: [fn(&Shared) -> &Running; 2] =
            [|shared| &shared.access, |shared| &shared.network];
        ways.map(|of| Self {
            shared: Arc::clone(shared),
            of,
        })
    }

    /// What is in use of it, for people: `net_af_packet, 1 queue, 2048 descriptors each way, …`.
    pub fn shape(&self) -> &str {
        &self.running().shape
    }

    fn running(&self) -> &Running {
        (self.of)(&self.shared)
    }
}

impl Device for DpdkDevice {
    fn name(&self) -> &str {
        self.running().name.device()
    }

    fn link(&mut self) -> Link {
        self.running().link()
    }

    fn set_link(&mut self, up: bool) -> Result<(), DeviceError> {
        self.running().set_link(up)
    }

    /// Those of the interface behind it, if there is one, then the device's own: `imissed` are frames that found no free descriptor, `rx_nombuf` no free mbuf; `ierrors` came
    /// damaged, and `oerrors` were taken and could not be sent. Of net_af_packet also `tp_drops`,
    /// which found no place in the ring that it shares with the kernel.
    fn losses(&mut self) -> Vec<Loss> {
        self.running().losses()
    }
}

/// A device of DPDK that this program opened; dropped, it is stopped and closed.
#[derive(Debug)]
pub(super) struct Running {
    name: Name,
    port: u16,
    device: *mut RteDevice,
    queues: u16,
    ring_frames: u32,
    interface: Option<Interface>,
    /// Of net_af_packet.
    taps: Option<Taps>,
    gate: Option<Gate>,
    started: bool,
    before: Losses,
    pub(super) shape: String,
    _claim: Claim,
}

// SAFETY: the pointer is DPDK's own for the device, and only given back to it; what is called for a
// device may be called from any thread.
unsafe impl Send for Running {}
// SAFETY: link and counters may be read while others receive and send. What changes a device is
// called by one thread at a time: `DpdkDevice` takes `&mut self`, and there is one of each.
unsafe impl Sync for Running {}

impl Running {
    /// Finds the device, or has DPDK make it.
    pub(super) fn probe(name: Name) -> Result<(Self, Info), DeviceError> {
        let claim = Claim::of(&name)?;
        let interface = Interface::of(&name)?;
        let _alone = one_at_a_time();
        let _earlier = log::take();
        let before = Before::now();
        let whole = name.whole();
        let port = match port_of(&name) {
            Some(port) => Some(port),
            None => {
                // SAFETY: EAL runs; a string that lives as long as the call.
                let failed = unsafe { ffi::rte_dev_probe(whole.as_ptr()) };
                if failed != 0 {
                    return Err(refusal::of_device(&name, -failed, &log::take()));
                }
                port_of(&name)
            }
        };
        let mut info = Info::none();
        let Some(port) = port.filter(|port| {
            // SAFETY: the shim fills in the struct, which is the same on both sides.
            unsafe { sekisho_info(*port, &raw mut info) == 0 }
        }) else {
            return Err(refusal::of_device(&name, 0, &log::take()));
        };
        let taps = match (name.driver(), &interface) {
            ("net_af_packet", Some(found)) => Some(before.taps_at(found.index)),
            _ => None,
        };
        let gate = taps
            .as_ref()
            .and(interface.as_ref())
            .and_then(Interface::gate);
        let running = Self {
            taps,
            gate,
            name,
            port,
            device: info.device,
            queues: 0,
            ring_frames: 0,
            interface,
            started: false,
            before: Losses::default(),
            shape: String::new(),
            _claim: claim,
        };
        Ok((running, info))
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Whether its driver takes mbufs for its own rings that it does not give back when it is closed,
    /// as that of net_af_xdp does.
    pub(super) fn keeps_mbufs(&self) -> bool {
        self.name.driver() == "net_af_xdp"
    }

    pub(super) fn interface(&self) -> Option<&Interface> {
        self.interface.as_ref()
    }

    /// Asked before frames are given to the driver.
    pub(super) fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    /// Frames may come from now on.
    pub(super) fn start(&mut self, queues: u16, ring_frames: u32) -> Result<(), DeviceError> {
        let _alone = one_at_a_time();
        // SAFETY: the device is set up.
        let failed = unsafe { ffi::rte_eth_dev_start(self.port) };
        if failed != 0 {
            return Err(self.refused("start it", failed));
        }
        (self.queues, self.ring_frames) = (queues, ring_frames);
        self.started = true;
        self.before = self.losses_since_start().unwrap_or_default();
        Ok(())
    }

    /// What DPDK answers to a step of setting up.
    pub(super) fn refused(&self, step: &str, code: i32) -> DeviceError {
        let code = code.saturating_abs();
        let cause = io::Error::from_raw_os_error(code);
        let words = refusal::words(&log::take());
        let message = format!("{}: DPDK cannot {step} ({cause}): {words}", self.name);
        DeviceError::new(fault_of(code), message)
    }

    fn link(&self) -> Link {
        match &self.interface {
            // The driver says "up", whatever happens to the interface.
            Some(interface) => interface.link(),
            // SAFETY: reads what the driver knows.
            None => match unsafe { sekisho_link(self.port) } {
                0 => Link::Down,
                1.. => Link::Up,
                _ => Link::Gone,
            },
        }
    }

    fn set_link(&self, up: bool) -> Result<(), DeviceError> {
        let step = if up { "bring it up" } else { "take it down" };
        if let Some(interface) = &self.interface {
            return interface.set_link(up);
        }
        let _alone = one_at_a_time();
        // SAFETY: the device runs, and nobody else changes it meanwhile.
        let failed = unsafe {
            match up {
                true => ffi::rte_eth_dev_set_link_up(self.port),
                false => ffi::rte_eth_dev_set_link_down(self.port),
            }
        };
        match failed {
            0 => Ok(()),
            code => Err(self.refused(step, code)),
        }
    }

    fn losses(&self) -> Vec<Loss> {
        let now = self.losses_since_start().unwrap_or(self.before);
        let loss = |counter: &str, now: u64, before: u64| Loss {
            counter: counter.to_owned(),
            frames: now.saturating_sub(before),
        };
        let interface = self.interface.as_ref();
        let mut losses = interface.map(Interface::losses).unwrap_or_default();
        if self.taps.is_some() {
            // net_af_packet has had what the host, which sees the same frames, could not use.
            losses.retain(|loss| loss.counter != "rx_dropped");
        }
        losses.extend([
            loss("imissed", now.imissed, self.before.imissed),
            loss("ierrors", now.ierrors, self.before.ierrors),
            loss("rx_nombuf", now.rx_nombuf, self.before.rx_nombuf),
            loss("oerrors", now.oerrors, self.before.oerrors),
        ]);
        if let Some(taps) = &self.taps {
            losses.push(loss("tp_drops", taps.dropped(), 0));
        }
        losses
    }

    fn losses_since_start(&self) -> Option<Losses> {
        let mut losses = Losses::default();
        // SAFETY: the shim fills in the struct, which is the same on both sides.
        let failed = unsafe { sekisho_losses(self.port, &raw mut losses) };
        (failed == 0).then_some(losses)
    }

    /// Takes what still waits to be received. A ring in memory keeps it beyond its own end; a wire
    /// never ends, so as much is taken as its rings hold.
    fn empty(&self) {
        let mut waiting = [ptr::null_mut(); BURST];
        for queue in 0..self.queues {
            let mut taken = 0;
            while taken <= self.ring_frames {
                // SAFETY: nobody serves this queue any more, as all that could has been dropped. The
                // burst has room for so many mbufs; those that come are ours, and are given back.
                let received = unsafe {
                    sekisho_rx_burst(self.port, queue, waiting.as_mut_ptr(), BURST as u16)
                };
                for mbuf in waiting.iter().take(usize::from(received)) {
                    // SAFETY: received just now, and nobody else's.
                    unsafe { sekisho_free(*mbuf) }
                }
                if received == 0 {
                    break;
                }
                taken += u32::from(received);
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _alone = one_at_a_time();
        if self.started {
            self.empty();
            // SAFETY: nobody receives or sends here any more.
            unsafe { ffi::rte_eth_dev_stop(self.port) };
        }
        // SAFETY: the device is stopped. Closed, its number is free for another one; the device
        // behind it is given back, too, so that it can be opened again. DPDK logs what fails here,
        // and there is nothing that could be done about it.
        unsafe {
            ffi::rte_eth_dev_close(self.port);
            ffi::rte_dev_remove(self.device);
        }
    }
}

fn fault_of(code: i32) -> DeviceFault {
    match code {
        libc::ENOMEM => DeviceFault::Memory,
        libc::EPERM | libc::EACCES => DeviceFault::Permission,
        libc::ENODEV | libc::EIO => DeviceFault::Gone,
        libc::EBUSY => DeviceFault::Busy,
        _ => DeviceFault::System,
    }
}

/// The name of a device, as long as it is open.
#[derive(Debug)]
struct Claim(String);

impl Claim {
    fn of(name: &Name) -> Result<Self, DeviceError> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let device = name.device().to_owned();
        if open.contains(&device) {
            let message = format!("{name} is open in this process");
            return Err(DeviceError::new(DeviceFault::Busy, message));
        }
        open.push(device.clone());
        Ok(Self(device))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|device| *device != self.0);
    }
}

fn port_of(name: &Name) -> Option<u16> {
    let mut port = 0;
    let device = name.device_alone();
    // SAFETY: a string that lives as long as the call, and a number to fill in.
    let failed = unsafe { ffi::rte_eth_dev_get_port_by_name(device.as_ptr(), &raw mut port) };
    (failed == 0).then_some(port)
}
