use super::fault::system;
use super::interface::Interface;
use super::wall;
use crate::io::port::{DeviceError, DeviceFault};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io;

/// Interfaces that this program has, and no other sekisho.
///
/// Each is a listening socket with an abstract name that holds the interface's number. Such names
/// belong to a network namespace, as interfaces do: whatever folders and containers two programs
/// live in, they meet if their interface is the same one, and only then. The name is free again as
/// soon as the program ends, however it does; and the kernel tells who has it.
#[derive(Debug)]
pub struct Claim {
    interfaces: Vec<Interface>,
    _names: Vec<OwnedFd>,
}

impl Claim {
    /// Takes interfaces: all, or none.
    ///
    /// # Errors
    /// Somebody else has one of them, or one is named twice.
    pub fn of(interfaces: Vec<Interface>) -> Result<Self, DeviceError> {
        for (position, interface) in interfaces.iter().enumerate() {
            let mut before = interfaces.iter().take(position);
            if before.any(|other| other.index == interface.index) {
                let message = format!("{}: is named twice", interface.name);
                return Err(DeviceError::new(DeviceFault::Shape, message)
                    .remedy("the two ports of a pipeline are two interfaces"));
            }
        }
        let taken = interfaces.iter().map(take).collect::<Result<_, _>>();
        Ok(Self {
            _names: taken?,
            interfaces,
        })
    }

    /// The interfaces, in the order in which they were given.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }
}

/// The name of an interface for all programs in its network namespace.
fn name(index: u32) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new_abstract_name(format!("sekisho-port-{index}").as_bytes())
}

fn take(interface: &Interface) -> Result<OwnedFd, DeviceError> {
    let index = interface.index;
    match listen(index) {
        Ok(socket) => Ok(socket),
        Err(Errno::ADDRINUSE) => {
            let who = match holder(index) {
                Some(process) => format!("process {process}"),
                None => "a process that cannot be seen from here".to_owned(),
            };
            let message = format!("{}: another sekisho has it: {who}", interface.name);
            Err(DeviceError::new(DeviceFault::Busy, message)
                .remedy("end that one first, or give this one other interfaces"))
        }
        Err(cause) => {
            let cause = io::Error::from(cause);
            Err(system(
                format!("{}: cannot be claimed", interface.name),
                &cause,
            ))
        }
    }
}

fn socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

fn listen(index: u32) -> Result<OwnedFd, Errno> {
    let socket = socket()?;
    rustix::net::bind(&socket, &name(index)?)?;
    rustix::net::listen(&socket, 1)?;
    Ok(socket)
}

/// The process that listens at the name of an interface, if this one may see it. It never accepts:
/// who it is, the kernel knows.
fn holder(index: u32) -> Option<i32> {
    let socket = socket().ok()?;
    rustix::net::connect(&socket, &name(index).ok()?).ok()?;
    let process = wall::peer_process(socket.as_fd()).ok()?;
    (process != 0).then_some(process)
}
