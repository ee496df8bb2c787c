use super::bridge;
use super::claim::Claim;
use super::fault::system;
use super::interface::Interface;
use super::ipv6;
use super::link::{Address, NO_ARP, PROMISCUOUS, UP};
use super::netlink::Netlink;
use super::offload::{Features, concern};
use super::state::{Folder, Left, State};
use crate::io::port::DeviceError;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// Puts back what runs that were killed left behind, of all interfaces that nobody has now; what they
/// left on purpose (a bridge, a link that is down) too. Says what was done, and what could not be.
///
/// # Errors
/// The folder cannot be read, or the system does not tell of its interfaces.
pub fn recover(folder: &Path) -> Result<Vec<String>, DeviceError> {
    let mut netlink = Netlink::open()
        .map_err(|cause| system("the system does not tell of its interfaces", &cause))?;
    let folder = Folder::open(folder)?;
    let mut notes = Vec::new();
    for state in folder.states(&mut notes) {
        notes.extend(put_back(&mut netlink, &folder, &state));
    }
    Ok(notes)
}

/// What earlier runs left, sorted out.
pub(super) struct Recovered {
    /// Of the interfaces that are about to be prepared: still so, and to be put back at the end.
    pub(super) adopted: Vec<State>,
    pub(super) notes: Vec<String>,
}

impl Recovered {
    /// Sorts out what earlier runs left, for whoever has claimed these interfaces.
    pub(super) fn from(netlink: &mut Netlink, folder: &Folder, claimed: &[Interface]) -> Self {
        let mut notes = Vec::new();
        let states = folder.states(&mut notes);
        let is_claimed = |state: &State| {
            let mut claimed = claimed.iter();
            claimed.any(|interface| interface.index == state.interface.index)
        };
        let (ours, others): (Vec<_>, Vec<_>) = states.into_iter().partition(is_claimed);
        let mut adopted = Vec::new();
        for state in ours {
            match fate(netlink, &state) {
                Ok(Fate::Same(_)) => adopted.push(state),
                Ok(Fate::Lost(why)) => {
                    notes.push(why);
                    notes.extend(
                        folder
                            .remove(state.interface.index)
                            .err()
                            .map(|e| e.to_string()),
                    );
                }
                Err(error) => notes.push(fault(&state, "cannot be looked at", &error)),
            }
        }
        let bridges: BTreeSet<_> = adopted.iter().filter_map(State::bridge).collect();
        for name in &bridges {
            match bridge::take_away(netlink, name) {
                Ok(true) => notes.push(format!(
                    "{name}: the bridge of an earlier run is taken away"
                )),
                Ok(false) => {}
                Err(error) => notes.push(format!("{name}: cannot be taken away: {error}")),
            }
        }
        for state in &adopted {
            if state.left == Left::Prepared {
                notes.push(format!(
                    "{}: an earlier run was killed; what it found is put back when this one ends",
                    state.interface.name
                ));
            }
        }
        for state in others {
            let without_bridge = state.bridge().is_some_and(|name| bridges.contains(name));
            if state.left == Left::Prepared || without_bridge {
                notes.extend(put_back(netlink, folder, &state));
            }
        }
        Self { adopted, notes }
    }
}

impl State {
    fn bridge(&self) -> Option<&str> {
        match &self.left {
            Left::KernelBridge(name) => Some(name),
            Left::Prepared | Left::LinkDown => None,
        }
    }
}

/// Puts back what an interface was like, if nobody has it.
fn put_back(netlink: &mut Netlink, folder: &Folder, state: &State) -> Vec<String> {
    let name = match fate(netlink, state) {
        Ok(Fate::Same(name)) => name,
        Ok(Fate::Lost(why)) => {
            let removed = folder.remove(state.interface.index);
            return [why]
                .into_iter()
                .chain(removed.err().map(|e| e.to_string()))
                .collect();
        }
        Err(error) => return vec![fault(state, "cannot be looked at", &error)],
    };
    let Ok(interface) = Interface::named(&name) else {
        return Vec::new();
    };
    // A run that has it is not over.
    let Ok(_claim) = Claim::of(vec![interface]) else {
        return Vec::new();
    };
    if let Some(bridge) = state.bridge()
        && let Err(error) = bridge::take_away(netlink, bridge)
    {
        return vec![format!("{bridge}: cannot be taken away: {error}")];
    }
    let faults = restore(netlink, folder, &state.clone().left(Left::Prepared));
    if faults.is_empty() {
        return vec![format!("{name}: is as it was before an earlier run")];
    }
    faults
}

/// What became of an interface since.
enum Fate {
    /// It is the same one, and has this name now.
    Same(String),
    /// It is gone, for this reason.
    Lost(String),
}

fn fate(netlink: &mut Netlink, state: &State) -> io::Result<Fate> {
    let interface = &state.interface;
    Ok(match netlink.describe(interface.index)? {
        Some(now) if now.address == interface.address => Fate::Same(now.name),
        Some(_) => Fate::Lost(format!(
            "{}: has another hardware address than in an earlier run; it is taken for another \
             interface, and what was set then is not put back",
            interface.name
        )),
        None => Fate::Lost(format!(
            "{}: was in use by an earlier run, and is no longer there",
            interface.name
        )),
    })
}

/// Makes an interface what it was, down if it is left so, and forgets the state unless it is left on
/// purpose. What is so already is left alone; after a fault it goes on, and the state is kept.
pub(super) fn restore(netlink: &mut Netlink, folder: &Folder, state: &State) -> Vec<String> {
    let index = state.interface.index;
    let now = match netlink.describe(index) {
        Ok(Some(now)) => now,
        Ok(None) => {
            let removed = folder.remove(index);
            return removed.err().iter().map(DeviceError::to_string).collect();
        }
        Err(error) => return vec![fault(state, "cannot be looked at", &error)],
    };
    let found = &state.found;
    let mut faults = Vec::new();
    let mut tried = |what: &str, done: io::Result<()>| {
        let what = format!("{what} cannot be put back");
        faults.extend(done.err().map(|error| fault(state, &what, &error)));
    };
    // First of all: what is down says nothing.
    let up = found.up && state.left != Left::LinkDown;
    let flags = [
        (UP, up),
        (NO_ARP, !found.arp),
        (PROMISCUOUS, found.promiscuous),
    ];
    let set = flags.iter().filter(|(_, is)| *is);
    let set = set.fold(0, |set, (flag, _)| set | flag);
    let all = flags.iter().fold(0, |all, (flag, _)| all | flag);
    if now.flags & all != set {
        tried("its flags", netlink.set_flags(index, set, all));
    }
    if found.ipv6 == Some(true) {
        let here = folder.is_of_this_network();
        tried("IPv6", here.and_then(|()| ipv6::set(&now.name, true)));
        let there = netlink.addresses(index).unwrap_or_default();
        for address in &found.ipv6_addresses {
            let is_it = |other: &Address| other.address == address.address;
            if !there.iter().any(is_it) {
                let added = netlink.add_address(index, address);
                tried(&format!("the address {address}"), added);
            }
        }
    }
    tried("its offloads", restore_features(netlink, &now.name, state));
    let kept = if state.left == Left::LinkDown {
        folder.write(state)
    } else if faults.is_empty() {
        folder.remove(index)
    } else {
        Ok(())
    };
    faults.extend(kept.err().map(|error| error.to_string()));
    faults
}

fn restore_features(netlink: &Netlink, name: &str, state: &State) -> io::Result<()> {
    let features = Features::of(netlink.socket(), name)?;
    features.request(netlink.socket(), name, |feature| {
        concern(feature).map(|_| state.found.features.iter().any(|found| found == feature))
    })
}

fn fault(state: &State, what: &str, error: &io::Error) -> String {
    format!("{}: {what}: {error}", state.interface.name)
}
