use super::fault::{refused, system};
use super::link::Described;
use super::netlink::{Netlink, text};
use super::offload::Features;
use super::wall;
use crate::io::port::{DeviceError, DeviceFault};
use rustix::fd::BorrowedFd;
use std::fs;
use std::io;
use std::path::Path;

/// A network interface, as the system described it when it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name; the system may give another one to it, and this one to another.
    pub name: String,
    /// Its number in its network namespace, which stays.
    pub index: u32,
    /// Its hardware address; six octets on Ethernet.
    pub address: Vec<u8>,
    /// The longest packet behind an Ethernet header, tags not counted.
    pub mtu_bytes: u32,
    /// The kernel's driver: `ixgbe`, `veth`.
    pub driver: Option<String>,
    /// Where it is: `0000:01:00.0`. What is not at a bus has no such place.
    pub bus: Option<String>,
    /// The memory that it is near to, where there are several.
    pub numa_node: Option<u32>,
    /// The receive queues that are in use: 0 up to this.
    pub rx_queues: u32,
    /// The transmit queues that are in use.
    pub tx_queues: u32,
    /// The channels that the driver tells of.
    pub channels: Option<Channels>,
    /// The descriptor rings that the driver tells of.
    pub rings: Option<Rings>,
    /// Whether it is set up, by whoever administers it.
    pub admin_up: bool,
    /// Whether there is somebody at the other end.
    pub carrier: bool,
    /// Whether frames can pass, as RFC 2863 has it.
    pub operstate: Operstate,
    /// What it does to frames by itself and sekisho switches off, by the kernel's names.
    pub offloads_on: Vec<String>,
    /// The number of an XDP program that somebody attached.
    pub xdp_program: Option<u32>,
}

/// How many queues are served together, or for one direction only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Queues that only receive.
    pub rx: u32,
    /// Queues that only send.
    pub tx: u32,
    /// Queues for both directions.
    pub combined: u32,
    /// The most of `rx`.
    pub max_rx: u32,
    /// The most of `combined`.
    pub max_combined: u32,
}

/// How many descriptors the device's own rings have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rings {
    /// To receive with.
    pub rx: u32,
    /// To send with.
    pub tx: u32,
    /// The most of `rx`.
    pub max_rx: u32,
    /// The most of `tx`.
    pub max_tx: u32,
}

/// The operational state of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of RFC 2863")]
pub enum Operstate {
    Unknown,
    NotPresent,
    Down,
    LowerLayerDown,
    Testing,
    Dormant,
    Up,
}

impl Interface {
    /// The interface of a name, in the network namespace of this thread.
    ///
    /// # Errors
    /// There is none, or the system does not say.
    pub fn named(name: &str) -> Result<Self, DeviceError> {
        let unknown = |cause| system("the system does not tell of its interfaces", &cause);
        let mut netlink = Netlink::open().map_err(unknown)?;
        // A longer name, or one with a zero in it, nobody has.
        let possible = name.len() < libc::IFNAMSIZ && !name.contains('\0') && !name.is_empty();
        let found = if possible {
            netlink.find(name).map_err(unknown)?
        } else {
            None
        };
        match found {
            Some(found) => Ok(Self::read(&netlink, found)),
            None => {
                let there = netlink.interfaces().map_err(unknown)?;
                let there: Vec<_> = there.into_iter().map(|one| one.name).collect();
                Err(missing(name, &there))
            }
        }
    }

    /// Whether there is a receive queue for each worker and none besides, whose frames would go past
    /// all of them, and a transmit queue for each.
    ///
    /// # Errors
    /// There is not; the remedy is the command that mends it.
    pub fn check_queues(&self, workers: u32) -> Result<(), DeviceError> {
        let Self {
            name,
            rx_queues,
            tx_queues,
            ..
        } = self;
        let message = if *rx_queues != workers {
            format!("{name}: has {rx_queues} receive queues, and there are {workers} lcores")
        } else if *tx_queues < workers {
            format!("{name}: has {tx_queues} transmit queues, and there are {workers} lcores")
        } else {
            return Ok(());
        };
        // Some drivers have no queues that serve both ways.
        let both_ways = self.channels.is_none_or(|found| found.max_combined > 0);
        let remedy = match both_ways {
            true => format!("`ethtool -L {name} combined {workers}`"),
            false => format!("`ethtool -L {name} rx {workers} tx {workers}`"),
        };
        Err(DeviceError::new(DeviceFault::Shape, message).remedy(remedy))
    }

    fn read(netlink: &Netlink, found: Described) -> Self {
        let socket = netlink.socket();
        let name = found.name;
        let driver = wall::driver(socket, &name).ok();
        let part = |at: usize| {
            let octets: Vec<_> = driver
                .iter()
                .flatten()
                .flat_map(|w| w.to_ne_bytes())
                .collect();
            let part = text(octets.get(at..at + 32).unwrap_or_default());
            (!part.is_empty()).then_some(part)
        };
        let bus = part(100);
        let channels = Channels::of(socket, &name);
        let features = Features::of(socket, &name);
        let on = features.iter().flat_map(Features::on);
        Self {
            index: found.index,
            mtu_bytes: found.mtu_bytes,
            driver: part(4),
            numa_node: bus.as_deref().and_then(numa_node),
            bus,
            rx_queues: channels.map_or_else(
                || sysfs_queues(&name, found.index, "rx-").unwrap_or(found.rx_queues),
                |channels| channels.rx + channels.combined,
            ),
            tx_queues: channels.map_or_else(
                || sysfs_queues(&name, found.index, "tx-").unwrap_or(found.rx_queues),
                |channels| channels.tx + channels.combined,
            ),
            channels,
            rings: Rings::of(socket, &name),
            admin_up: found.flags & super::link::UP != 0,
            carrier: found.carrier,
            operstate: Operstate::from_kernel(found.operstate),
            offloads_on: on.map(|(feature, _)| feature.name.clone()).collect(),
            xdp_program: found.xdp_program,
            address: found.address,
            name,
        }
    }

    /// The error that some call about this interface was refused.
    pub(super) fn refused(&self, what: &str, cause: &io::Error) -> DeviceError {
        refused(&self.name, what, cause)
    }
}

impl Channels {
    fn of(socket: BorrowedFd<'_>, name: &str) -> Option<Self> {
        let [_, max_rx, _, _, max_combined, rx, tx, _, combined] =
            wall::channels(socket, name).ok()?;
        Some(Self {
            rx,
            tx,
            combined,
            max_rx,
            max_combined,
        })
    }
}

impl Rings {
    fn of(socket: BorrowedFd<'_>, name: &str) -> Option<Self> {
        let [_, max_rx, _, _, max_tx, rx, _, _, tx] = wall::rings(socket, name).ok()?;
        Some(Self {
            rx,
            tx,
            max_rx,
            max_tx,
        })
    }
}

impl Operstate {
    fn from_kernel(number: u8) -> Self {
        match number {
            1 => Self::NotPresent,
            2 => Self::Down,
            3 => Self::LowerLayerDown,
            4 => Self::Testing,
            5 => Self::Dormant,
            6 => Self::Up,
            _ => Self::Unknown,
        }
    }
}

/// The node of a PCI device; its place is the same in every network namespace.
fn numa_node(bus: &str) -> Option<u32> {
    let file = Path::new("/sys/bus/pci/devices")
        .join(bus)
        .join("numa_node");
    // −1 is a machine with one node.
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// How many queues of a direction `/sys` shows, where it shows this network namespace.
fn sysfs_queues(name: &str, index: u32, direction: &str) -> Option<u32> {
    let folder = Path::new("/sys/class/net").join(name);
    let shown = fs::read_to_string(folder.join("ifindex")).ok()?;
    if shown.trim().parse() != Ok(index) {
        return None;
    }
    let queues = fs::read_dir(folder.join("queues")).ok()?.flatten();
    let is_one = |queue: &fs::DirEntry| {
        let name = queue.file_name();
        name.as_encoded_bytes().starts_with(direction.as_bytes())
    };
    u32::try_from(queues.filter(is_one).count()).ok()
}

fn missing(name: &str, there: &[String]) -> DeviceError {
    let message = format!("there is no interface {name:?} in this network namespace");
    let remedy = if there.is_empty() {
        "it has none at all".to_owned()
    } else {
        format!("there are {}", there.join(", "))
    };
    DeviceError::new(DeviceFault::Missing, message).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_known_everywhere() {
        let lo = Interface::named("lo").unwrap();
        assert_eq!((lo.index, &*lo.name), (1, "lo"));
        assert_eq!(lo.address, [0; 6]);
        assert!(lo.mtu_bytes >= 1280, "{lo:?}");
        assert_eq!(lo.xdp_program, None);
    }

    #[test]
    fn a_wrong_name_is_answered_with_those_that_are_there() {
        for wrong in ["", "no-such", "much-longer-than-any", "a\0b", "lo/../lo"] {
            let error = Interface::named(wrong).unwrap_err();
            assert_eq!(error.fault, DeviceFault::Missing);
            let text = error.to_string();
            assert!(text.contains(&format!("{wrong:?}")), "{text}");
            assert!(text.contains("there are lo"), "{text}");
        }
    }
}
