use super::bridge;
use super::claim::Claim;
use super::fault::system;
use super::interface::Interface;
use super::ipv6;
use super::link::{Address, Described, NO_ARP, PROMISCUOUS, UP};
use super::netlink::Netlink;
use super::offload::{Features, concern};
use super::restore::{Recovered, restore};
use super::state::{Folder, Found, Identity, Left, State};
use super::wall;
use crate::io::port::{DeviceError, DeviceFault};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::io;
use std::path::Path;

/// Interfaces that are set so that frames come as they are on the wire and the host itself neither
/// sends nor answers there. Dropped, they are as they were found.
#[derive(Debug)]
pub struct Prepared {
    netlink: Netlink,
    folder: Folder,
    /// What is to be undone.
    states: Vec<State>,
    notes: Vec<String>,
    /// As long as they are open, the interfaces are promiscuous.
    promiscuous: Vec<OwnedFd>,
    /// Given back last.
    _claim: Claim,
}

/// What becomes of the interfaces when sekisho ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnExit {
    /// They are as they were found, and set down: nothing passes, and both neighbours see it.
    LinkDown,
    /// They are as they were found.
    Leave,
    /// They become the ports of a Linux bridge of this name: traffic goes on, unfiltered.
    KernelBridge(String),
}

impl OnExit {
    /// Whether it can be done when it is time to: for the start. Gives what is to be said of it all
    /// the same.
    ///
    /// # Errors
    /// The bridge cannot have its name.
    pub fn check(&self) -> Result<Vec<String>, DeviceError> {
        match self {
            Self::KernelBridge(name) => bridge::check(name).map(|()| bridge::firewalls()),
            Self::LinkDown | Self::Leave => Ok(Vec::new()),
        }
    }
}

/// Sets interfaces for sekisho:
///
/// - promiscuous, for as long as the program lives;
/// - what strips VLAN tags, merges frames or adds to them is off, and so is what cuts them up;
/// - IPv6 is off (`disable_ipv6`), and ARP (`IFF_NOARP`): the host asks nothing, believes no
///   advertisement and answers nobody there, for no address of its own;
/// - up.
///
/// What is found is first written into the folder. It stays there if the program is killed; then the
/// next one that prepares the same interface ends with what the *first* one found. An earlier run's
/// bridge is taken away, and what it left of other interfaces is put back unless it was left on
/// purpose or somebody has them.
///
/// The folder and the parameters of IPv6 are those of the calling thread's network namespace, which
/// is that of the interfaces.
///
/// # Errors
/// Something cannot be set that must be. Then all is as it was found.
pub fn prepare(claim: Claim, folder: &Path) -> Result<Prepared, DeviceError> {
    let mut netlink = Netlink::open()
        .map_err(|cause| system("the system does not tell of its interfaces", &cause))?;
    let folder = Folder::open(folder)?;
    let Recovered { adopted, notes } = Recovered::from(&mut netlink, &folder, claim.interfaces());
    let interfaces = claim.interfaces().to_vec();
    let mut prepared = Prepared {
        netlink,
        folder,
        states: Vec::with_capacity(interfaces.len()),
        notes,
        promiscuous: Vec::with_capacity(interfaces.len()),
        _claim: claim,
    };
    for interface in &interfaces {
        let earlier = adopted
            .iter()
            .find(|state| state.interface.index == interface.index);
        let state = prepared.look(interface, earlier)?;
        prepared.folder.write(&state)?;
        // From here on there is something to be undone.
        prepared.states.push(state);
    }
    for interface in &interfaces {
        prepared.set(interface)?;
    }
    Ok(prepared)
}

impl Prepared {
    /// What whoever runs it may want to know: what an earlier run left, what stays on.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Ends it on purpose; says what could not be put back.
    ///
    /// A bridge may be made while sekisho still has its sockets, so that no frame is lost between:
    /// what an XDP program takes, the bridge does not see. Then nothing else is undone; the next
    /// start does that.
    ///
    /// # Errors
    /// The bridge cannot be made. Then the interfaces are as they were found.
    pub fn exit(mut self, on_exit: &OnExit) -> Result<Vec<String>, DeviceError> {
        match on_exit {
            OnExit::Leave => Ok(self.undo(&Left::Prepared)),
            OnExit::LinkDown => Ok(self.undo(&Left::LinkDown)),
            OnExit::KernelBridge(name) => self.bridge(name).map(|()| Vec::new()),
        }
    }

    /// What an interface is like before it is set. What an earlier run found, which has not been
    /// put back since, still holds.
    fn look(
        &mut self,
        interface: &Interface,
        earlier: Option<&State>,
    ) -> Result<State, DeviceError> {
        let unread = |cause| interface.refused("cannot be looked at", &cause);
        let addresses = self.netlink.addresses(interface.index).map_err(unread)?;
        self.note_addresses(interface, &addresses);
        let link = self.netlink.describe(interface.index).map_err(unread)?;
        let Some(link) = link else {
            let message = format!("{}: is no longer there", interface.name);
            return Err(DeviceError::new(DeviceFault::Gone, message));
        };
        self.check_kind(interface, &link)?;
        if let Some(earlier) = earlier {
            return Ok(earlier.clone().left(Left::Prepared));
        }
        let features = Features::of(self.netlink.socket(), &interface.name).map_err(unread)?;
        let identity = Identity {
            name: interface.name.clone(),
            index: interface.index,
            address: link.address.clone(),
        };
        let kept = |address: &Address| address.address.is_ipv6() && address.is_permanent();
        let found = Found {
            up: link.is_up(),
            arp: link.flags & NO_ARP == 0,
            promiscuous: link.flags & PROMISCUOUS != 0,
            ipv6: ipv6::is_on(&interface.name).map_err(unread)?,
            ipv6_addresses: addresses.into_iter().filter(kept).collect(),
            features: features.requested().map(str::to_owned).collect(),
        };
        Ok(self.folder.state(identity, found))
    }

    /// Whether whole Ethernet frames come out of it, and to nobody else.
    fn check_kind(&self, interface: &Interface, link: &Described) -> Result<(), DeviceError> {
        let name = &interface.name;
        if link.hardware != libc::ARPHRD_ETHER {
            let message = format!("{name}: is no Ethernet interface");
            return Err(DeviceError::new(DeviceFault::Shape, message)
                .remedy("a port is an interface that Ethernet frames come from"));
        }
        if let Some(program) = link.xdp_program {
            let message = format!("{name}: somebody has attached an XDP program, number {program}");
            return Err(DeviceError::new(DeviceFault::Busy, message).remedy(format!(
                "end whoever did; if nobody is left, `ip link set dev {name} xdp off`"
            )));
        }
        let Some(master) = link.master else {
            return Ok(());
        };
        let master = match self.netlink.name_of(master) {
            Ok(Some(master)) => master,
            Ok(None) | Err(_) => format!("interface {master}"),
        };
        let message = format!("{name}: is a part of {master}, which forwards its frames too");
        Err(DeviceError::new(DeviceFault::Busy, message)
            .remedy(format!("`ip link set dev {name} nomaster`")))
    }

    /// Whoever works on this machine through such an interface is about to lose it.
    fn note_addresses(&mut self, interface: &Interface, addresses: &[Address]) {
        let reachable = addresses.iter().filter(|address| match address.address {
            std::net::IpAddr::V4(_) => true,
            std::net::IpAddr::V6(v6) => !v6.is_unicast_link_local(),
        });
        let reachable: Vec<_> = reachable.map(Address::to_string).collect();
        if !reachable.is_empty() {
            self.notes.push(format!(
                "{}: has the address {}, by which nobody reaches this machine while sekisho has \
                 the interface",
                interface.name,
                reachable.join(", ")
            ));
        }
    }

    fn set(&mut self, interface: &Interface) -> Result<(), DeviceError> {
        let index = interface.index;
        // Who may not do this may not do the rest either, and has changed nothing yet.
        self.netlink
            .set_flags(index, NO_ARP, NO_ARP)
            .map_err(|cause| interface.refused("ARP cannot be switched off", &cause))?;
        // Before it comes up: otherwise it would say something first.
        ipv6::set(&interface.name, false)
            .map_err(|cause| interface.refused("IPv6 cannot be switched off", &cause))?;
        self.set_features(interface)?;
        let held = hold_promiscuous(index)
            .map_err(|cause| interface.refused("cannot be set promiscuous", &cause))?;
        self.promiscuous.push(held);
        self.netlink
            .set_flags(index, UP, UP)
            .map_err(|cause| interface.refused("cannot be set up", &cause))
    }

    fn set_features(&mut self, interface: &Interface) -> Result<(), DeviceError> {
        let socket = self.netlink.socket();
        let unset = |cause| interface.refused("its offloads cannot be switched off", &cause);
        let before = Features::of(socket, &interface.name).map_err(unset)?;
        before
            .request(socket, &interface.name, |name| concern(name).map(|_| false))
            .map_err(unset)?;
        let after = Features::of(socket, &interface.name).map_err(unset)?;
        self.notes.extend(after.judge(&interface.name)?);
        Ok(())
    }

    /// Puts everything back, or all but that they are up; what is not is said, and kept for the next
    /// start.
    fn undo(&mut self, left: &Left) -> Vec<String> {
        let mut faults = Vec::new();
        for state in std::mem::take(&mut self.states) {
            let state = state.left(left.clone());
            faults.extend(restore(&mut self.netlink, &self.folder, &state));
        }
        faults
    }

    fn bridge(&mut self, name: &str) -> Result<(), DeviceError> {
        // First of all it is written down: a bridge that nobody knows of is never taken away.
        for state in &mut self.states {
            state.left = Left::KernelBridge(name.to_owned());
            self.folder.write(state)?;
        }
        let interfaces = self.states.iter().map(|state| &state.interface);
        let ports: Vec<_> = interfaces.map(|one| (&*one.name, one.index)).collect();
        bridge::make(&mut self.netlink, name, &ports)?;
        self.states.clear();
        Ok(())
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // What cannot be put back stays in the folder.
        let _ = self.undo(&Left::Prepared);
    }
}

fn hold_promiscuous(index: u32) -> io::Result<OwnedFd> {
    // Of no protocol: it receives nothing.
    let (family, kind) = (AddressFamily::PACKET, SocketType::RAW);
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    wall::hold_promiscuous(socket.as_fd(), index)?;
    Ok(socket)
}
