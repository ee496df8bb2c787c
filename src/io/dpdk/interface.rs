//! What a virtual device of DPDK does not say of the system's interface behind it.

use super::name::Name;
use crate::io::port::{DeviceError, DeviceFault, Link};
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use std::ffi::{c_int, c_short};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// An interface that a device is a way to, and which nobody else of this program has.
#[derive(Debug)]
pub(super) struct Interface {
    name: String,
    socket: OwnedFd,
    /// A name in this network namespace that one socket can have, until its process ends. DPDK's
    /// drivers would let two processes forward the same frames.
    _claim: UnixDatagram,
}

impl Interface {
    /// # Errors
    /// There is none of that name, or another process has it.
    pub(super) fn of(device: &Name) -> Result<Option<Self>, DeviceError> {
        let Some(name) = device.interface() else {
            return Ok(None);
        };
        let of_system = |cause: io::Error| {
            let message = format!("{device}: the system says nothing of {name}: {cause}");
            DeviceError::new(DeviceFault::System, message)
        };
        if name.len() >= libc::IFNAMSIZ {
            return Err(missing(device, name));
        }
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)
            .map_err(|cause| of_system(cause.into()))?;
        let claim = SocketAddr::from_abstract_name(format!("sekisho/dpdk/{name}"))
            .and_then(|address| UnixDatagram::bind_addr(&address))
            .map_err(|cause| match cause.kind() {
                io::ErrorKind::AddrInUse => {
                    let message = format!("{device}: another process of sekisho has {name}");
                    DeviceError::new(DeviceFault::Busy, message).remedy("end that one first")
                }
                _ => of_system(cause),
            })?;
        let interface = Self {
            name: name.to_owned(),
            socket,
            _claim: claim,
        };
        match interface.flags() {
            Ok(_) => Ok(Some(interface)),
            Err(cause) if cause.raw_os_error() == Some(libc::ENODEV) => Err(missing(device, name)),
            Err(cause) => Err(of_system(cause)),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn link(&self) -> Link {
        match self.flags() {
            Ok(flags) if flags & libc::IFF_RUNNING as c_short != 0 => Link::Up,
            Ok(_) => Link::Down,
            Err(_) => Link::Gone,
        }
    }

    /// Whether the system lets frames leave; not whether they arrive.
    pub(super) fn is_up(&self) -> bool {
        self.flags()
            .is_ok_and(|flags| flags & libc::IFF_UP as c_short != 0)
    }

    pub(super) fn index(&self) -> Option<c_int> {
        let mut request = self.request();
        self.ask(libc::SIOCGIFINDEX, &mut request).ok()?;
        // SAFETY: the kernel has filled in the index; any octets are a number.
        Some(unsafe { request.ifr_ifru.ifru_ifindex })
    }

    pub(super) fn set_link(&self, up: bool) -> io::Result<()> {
        let up_flag = libc::IFF_UP as c_short;
        let flags = match (self.flags()?, up) {
            (flags, true) => flags | up_flag,
            (flags, false) => flags & !up_flag,
        };
        let mut request = self.request();
        request.ifr_ifru.ifru_flags = flags;
        self.ask(libc::SIOCSIFFLAGS, &mut request)
    }

    pub(super) fn mtu_bytes(&self) -> io::Result<u32> {
        let mut request = self.request();
        self.ask(libc::SIOCGIFMTU, &mut request)?;
        // SAFETY: the kernel has filled in the MTU; any octets are a number.
        let mtu = unsafe { request.ifr_ifru.ifru_mtu };
        Ok(u32::try_from(mtu).unwrap_or(0))
    }

    fn flags(&self) -> io::Result<c_short> {
        let mut request = self.request();
        self.ask(libc::SIOCGIFFLAGS, &mut request)?;
        // SAFETY: the kernel has filled in the flags; any octets are a number.
        Ok(unsafe { request.ifr_ifru.ifru_flags })
    }

    /// A question about the interface, whose name is shorter than its place.
    fn request(&self) -> libc::ifreq {
        // SAFETY: a struct of numbers, for which zeros are values.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (place, octet) in request.ifr_name.iter_mut().zip(self.name.bytes()) {
            *place = octet.cast_signed();
        }
        request
    }

    fn ask(&self, question: libc::Ioctl, request: &mut libc::ifreq) -> io::Result<()> {
        // SAFETY: each question that is asked here reads and writes one `ifreq`, which is there.
        match unsafe { libc::ioctl(self.socket.as_raw_fd(), question, request) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn missing(device: &Name, interface: &str) -> DeviceError {
    let message = format!("{device}: there is no interface {interface}");
    DeviceError::new(DeviceFault::Missing, message).remedy("`ip link` lists the interfaces")
}
