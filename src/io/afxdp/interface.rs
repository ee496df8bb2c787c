//! The wall around the `ioctl`s that tell of an interface: of the calling thread's namespace, where
//! `/sys` is of whoever mounted it.
#![expect(
    unsafe_code,
    reason = "ioctl() reads and writes what its request says, through a pointer"
)]

use super::fault;
use crate::io::port::{DeviceError, DeviceFault};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};
use std::os::fd::{AsRawFd, OwnedFd};

const ETHTOOL_GCHANNELS: u32 = 0x3c;

/// An interface, as it was when it was looked at.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) mtu_bytes: u32,
    pub(super) rx_queues: u32,
    pub(super) tx_queues: u32,
    /// Whether its queues are counted in pairs.
    paired: bool,
}

impl Interface {
    /// Looks at the interface of this name.
    pub(super) fn find(name: &str) -> Result<Self, DeviceError> {
        let unusable = |cause| DeviceError::new(DeviceFault::System, format!("{name}: {cause}"));
        let kind = SocketType::DGRAM;
        let socket =
            socket_with(AddressFamily::INET, kind, SocketFlags::CLOEXEC, None).map_err(unusable)?;
        let index = match netdevice::name_to_index(&socket, name) {
            Ok(index) => index,
            Err(Errno::NODEV) => return Err(fault::missing(name)),
            Err(cause) => return Err(unusable(cause)),
        };
        let mtu = mtu_bytes(&socket, name).map_err(unusable)?;
        let channels = channels(&socket, name).unwrap_or_else(|_| Channels {
            max_combined: 1,
            rx_count: queues_in_sys(name, "rx-"),
            tx_count: queues_in_sys(name, "tx-"),
            ..Channels::default()
        });
        let with_pairs = |count: u32| count.saturating_add(channels.combined_count).max(1);
        Ok(Self {
            name: name.to_owned(),
            index,
            mtu_bytes: mtu,
            rx_queues: with_pairs(channels.rx_count),
            tx_queues: with_pairs(channels.tx_count),
            paired: channels.max_combined > 0,
        })
    }

    /// The command that gives it so many queues.
    pub(super) fn with_queues(&self, queues: u32) -> String {
        let name = &self.name;
        if self.paired {
            format!("`ethtool -L {name} combined {queues}`")
        } else {
            format!("`ethtool -L {name} rx {queues} tx {queues}`")
        }
    }
}

/// Of a driver that does not tell ethtool.
fn queues_in_sys(name: &str, way: &str) -> u32 {
    let folder = format!("/sys/class/net/{name}/queues");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let queues = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(way));
    queues.map(|_| 1).sum()
}

/// The kernel's `struct ethtool_channels`.
#[repr(C)]
#[derive(Default)]
struct Channels {
    cmd: u32,
    max_rx: u32,
    max_tx: u32,
    max_other: u32,
    max_combined: u32,
    rx_count: u32,
    tx_count: u32,
    other_count: u32,
    combined_count: u32,
}

fn channels(socket: &OwnedFd, name: &str) -> Result<Channels, Errno> {
    let mut channels = Channels {
        cmd: ETHTOOL_GCHANNELS,
        ..Channels::default()
    };
    let mut request = request(name)?;
    request.ifr_ifru.ifru_data = (&raw mut channels).cast();
    ask(socket, libc::SIOCETHTOOL, &mut request)?;
    Ok(channels)
}

fn mtu_bytes(socket: &OwnedFd, name: &str) -> Result<u32, Errno> {
    let mut request = request(name)?;
    ask(socket, libc::SIOCGIFMTU, &mut request)?;
    // SAFETY: the kernel answered, and this is what it answers with; any bits are a number.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    Ok(mtu.unsigned_abs())
}

/// An empty request for an interface.
fn request(name: &str) -> Result<libc::ifreq, Errno> {
    // SAFETY: it is made of numbers and of a pointer that nobody follows yet: all may be 0.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last octet ends it.
    if name.len() >= request.ifr_name.len() {
        return Err(Errno::NODEV);
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    Ok(request)
}

fn ask(socket: &OwnedFd, what: libc::c_ulong, request: &mut libc::ifreq) -> Result<(), Errno> {
    // SAFETY: both requests take a `struct ifreq`. The one for ethtool also writes to what
    // `ifru_data` points to, which `channels` has on its stack and whose size goes with its `cmd`.
    let answer = unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            what as libc::Ioctl,
            std::ptr::from_mut(request),
        )
    };
    if answer == 0 {
        return Ok(());
    }
    let cause = std::io::Error::last_os_error();
    Err(Errno::from_io_error(&cause).unwrap_or(Errno::INVAL))
}
