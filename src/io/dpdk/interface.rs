//! The system's interface behind a virtual device, of which DPDK's driver says little.

use super::name::Name;
use crate::io::netdev::{self, NetDevice};
use crate::io::port::{Device as _, DeviceError, Link, Loss};
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::net::netdevice::index_to_name;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use std::ffi::c_short;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An interface of the system that a device is a way to.
#[derive(Debug)]
pub(super) struct Interface {
    name: String,
    pub(super) index: u32,
    pub(super) mtu_bytes: u32,
    watched: Mutex<NetDevice>,
}

/// Whether frames may be given to net_af_packet: not while its interface is down, as that driver then
/// fills a ring that nothing empties, and waits for a place in it without an end.
#[derive(Debug)]
pub(super) struct Gate {
    index: u32,
    socket: OwnedFd,
}

impl Interface {
    /// # Errors
    /// There is none of that name.
    pub(super) fn of(device: &Name) -> Result<Option<Self>, DeviceError> {
        let Some(name) = device.interface() else {
            return Ok(None);
        };
        let found = netdev::Interface::named(name)?;
        let watched = Mutex::new(NetDevice::watch(&found)?);
        Ok(Some(Self {
            name: found.name,
            index: found.index,
            mtu_bytes: found.mtu_bytes,
            watched,
        }))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn link(&self) -> Link {
        self.watched().link()
    }

    pub(super) fn set_link(&self, up: bool) -> Result<(), DeviceError> {
        self.watched().set_link(up)
    }

    pub(super) fn losses(&self) -> Vec<Loss> {
        self.watched().losses()
    }

    pub(super) fn gate(&self) -> Option<Gate> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None).ok()?;
        let index = self.index;
        Some(Gate { index, socket })
    }

    fn watched(&self) -> MutexGuard<'_, NetDevice> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    pub(super) fn is_open(&self) -> bool {
        // It may have another name than before.
        let Ok(name) = index_to_name(&self.socket, self.index) else {
            return false;
        };
        // SAFETY: a struct of numbers, for which zeros are values.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (place, octet) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *place = octet.cast_signed();
        }
        // SAFETY: this question reads a name that ends with a zero, as the system's own do, and
        // writes flags, of which any octets are a number.
        let flags = unsafe {
            match libc::ioctl(
                self.socket.as_raw_fd(),
                libc::SIOCGIFFLAGS,
                &raw mut request,
            ) {
                0 => request.ifr_ifru.ifru_flags,
                _ => 0,
            }
        };
        flags & libc::IFF_UP as c_short != 0
    }
}
