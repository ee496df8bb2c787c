use super::fault::{refused, system};
use super::interface::Interface;
use super::link::{LOSS_COUNTERS, UP, loss_counters};
use super::netlink::Netlink;
use crate::io::port::{Device, DeviceError, DeviceFault, Link, Loss};
use std::fmt;

/// An interface that is watched while workers have its queues.
///
/// It is known by its number: one that takes over its name is another one.
pub struct NetDevice {
    name: String,
    index: u32,
    netlink: Netlink,
    counters: Counters,
    /// What the driver counts by itself.
    driver: Option<Box<dyn FnMut() -> Vec<Loss> + Send>>,
}

/// The kernel's counters, from when they were looked at first.
#[derive(Clone, Copy, Debug)]
struct Counters {
    last: [u64; LOSS_COUNTERS],
    since: [u64; LOSS_COUNTERS],
}

impl NetDevice {
    /// Watches an interface from now on.
    ///
    /// # Errors
    /// It is gone, or the system does not tell of it.
    pub fn watch(interface: &Interface) -> Result<Self, DeviceError> {
        let unknown = |cause| system("the system does not tell of its interfaces", &cause);
        let mut netlink = Netlink::open().map_err(unknown)?;
        match netlink.describe(interface.index).map_err(unknown)? {
            Some(found) => Ok(Self {
                name: interface.name.clone(),
                index: interface.index,
                netlink,
                counters: Counters::new(found.losses),
                driver: None,
            }),
            None => Err(gone(&interface.name)),
        }
    }

    /// The same with losses that the driver counts, behind the kernel's.
    #[must_use]
    pub fn with_losses(self, driver: impl FnMut() -> Vec<Loss> + Send + 'static) -> Self {
        Self {
            driver: Some(Box::new(driver)),
            ..self
        }
    }
}

impl Device for NetDevice {
    fn name(&self) -> &str {
        &self.name
    }

    /// The operational state; the kernel may tell of a lost carrier up to a second late.
    fn link(&mut self) -> Link {
        match self.netlink.is_running(self.index) {
            Ok(Some(true)) => Link::Up,
            Ok(None) => Link::Gone,
            Ok(Some(false)) | Err(_) => Link::Down,
        }
    }

    fn set_link(&mut self, up: bool) -> Result<(), DeviceError> {
        let set = self
            .netlink
            .set_flags(self.index, if up { UP } else { 0 }, UP);
        set.map_err(|cause| {
            let which = if up { "up" } else { "down" };
            refused(&self.name, format!("cannot be set {which}"), &cause)
        })
    }

    fn losses(&mut self) -> Vec<Loss> {
        // What is gone keeps what it had lost.
        if let Ok(Some(found)) = self.netlink.describe(self.index) {
            self.counters.take(found.losses);
        }
        let kernel = loss_counters().into_iter().zip(self.counters.since);
        let kernel = kernel.map(|(counter, frames)| Loss {
            counter: counter.to_owned(),
            frames,
        });
        let driver = self.driver.as_mut().map(|driver| driver());
        kernel.chain(driver.into_iter().flatten()).collect()
    }
}

impl fmt::Debug for NetDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetDevice")
            .field("name", &self.name)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Counters {
    fn new(now: [u64; LOSS_COUNTERS]) -> Self {
        Self {
            last: now,
            since: [0; LOSS_COUNTERS],
        }
    }

    /// A counter that went back began at 0 again, as with a driver that was reset.
    fn take(&mut self, now: [u64; LOSS_COUNTERS]) {
        for ((last, since), now) in self.last.iter_mut().zip(&mut self.since).zip(now) {
            *since = since.saturating_add(now.checked_sub(*last).unwrap_or(now));
            *last = now;
        }
    }
}

fn gone(name: &str) -> DeviceError {
    DeviceError::new(DeviceFault::Gone, format!("{name}: is no longer there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_of_the_run_and_may_begin_again() {
        let mut counters = Counters::new([100; LOSS_COUNTERS]);
        counters.take([100; LOSS_COUNTERS]);
        assert_eq!(counters.since, [0; LOSS_COUNTERS]);
        counters.take([103; LOSS_COUNTERS]);
        counters.take([2; LOSS_COUNTERS]);
        assert_eq!(counters.since, [5; LOSS_COUNTERS]);
        counters.take([u64::MAX; LOSS_COUNTERS]);
        counters.take([u64::MAX - 1; LOSS_COUNTERS]);
        assert_eq!(counters.since, [u64::MAX; LOSS_COUNTERS]);
    }

    #[test]
    fn the_loopback_is_watched_without_any_right() {
        let lo = Interface::named("lo").unwrap();
        let mut device = NetDevice::watch(&lo).unwrap().with_losses(|| {
            vec![Loss {
                counter: "ring_full".to_owned(),
                frames: 3,
            }]
        });
        assert_eq!(device.name(), "lo");
        assert_ne!(device.link(), Link::Gone);
        let losses = device.losses();
        assert_eq!(losses.first().unwrap().counter, "rx_errors");
        assert_eq!(losses.last().unwrap().frames, 3);
    }

    #[test]
    fn what_is_not_there_cannot_be_watched() {
        let mut lo = Interface::named("lo").unwrap();
        lo.index = 0x7fff_fff0;
        assert_eq!(NetDevice::watch(&lo).unwrap_err().fault, DeviceFault::Gone);
    }
}
