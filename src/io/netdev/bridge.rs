use super::fault::{refused, system};
use super::ipv6;
use super::link::{NO_ARP, UP};
use super::netlink::Netlink;
use crate::io::port::{DeviceError, DeviceFault};
use std::fs;
use std::io;
use std::path::Path;

/// What `ip link` shows of the bridge; by this it is known again.
const ALIAS: &str = "sekisho left this on exit, and takes it away when it starts";

const IFLA_BR_AGEING_TIME: u16 = 4;
const IFLA_BR_STP_STATE: u16 = 5;
const IFLA_BR_MCAST_SNOOPING: u16 = 23;
const IFLA_BRPORT_LEARNING: u16 = 8;
const IFLA_BRPORT_GROUP_FWD_MASK: u16 = 31;

/// Which of the link-local groups 01-80-C2-00-00-0X pass: all that the kernel lets pass. LLDP, LACP,
/// EAPOL and spanning tree do; pause frames (X = 1) never leave the link they are of.
const GROUPS: u16 = !(1 << 1);

/// Makes a bridge of two interfaces, as near to a wire as the kernel's bridge comes, and sets it up.
///
/// Nothing is learned, so that each frame leaves by the other port, whatever its addresses; multicast
/// goes to both without a question; there is no spanning tree. The host says nothing by it: it has no
/// address, no IPv6 and no ARP, and the ports stay as they were prepared.
///
/// It is no wire all the same: pause frames stop at it; frames for the address of a port itself go to
/// the host; broadcasts and multicasts go to the other port and to the host, whose IPv4 sockets may
/// hear them; and the host's firewall may look on ([`firewalls`]).
pub(super) fn make(
    netlink: &mut Netlink,
    name: &str,
    ports: &[(&str, u32)],
) -> Result<(), DeviceError> {
    let settings = [
        (IFLA_BR_AGEING_TIME, &0_u32.to_ne_bytes()[..]),
        (IFLA_BR_STP_STATE, &0_u32.to_ne_bytes()),
        (IFLA_BR_MCAST_SNOOPING, &[0]),
    ];
    netlink
        .add_bridge(name, &settings)
        .map_err(|cause| refused(name, "the bridge cannot be made", &cause))?;
    fill(netlink, name, ports).inspect_err(|_| {
        // Nobody can be told more than the fault that is on its way already.
        let _ = take_away(netlink, name);
    })
}

fn fill(netlink: &mut Netlink, name: &str, ports: &[(&str, u32)]) -> Result<(), DeviceError> {
    let fault = |cause: &io::Error| refused(name, "the bridge cannot be set up", cause);
    let bridge = netlink.index_of(name).map_err(|cause| fault(&cause))?;
    netlink
        .set_alias(bridge, ALIAS)
        .and_then(|()| netlink.set_flags(bridge, NO_ARP, NO_ARP))
        .and_then(|()| ipv6::set(name, false))
        .map_err(|cause| fault(&cause))?;
    let settings = [
        (IFLA_BRPORT_LEARNING, &[0_u8][..]),
        (IFLA_BRPORT_GROUP_FWD_MASK, &GROUPS.to_ne_bytes()),
    ];
    for (port, index) in ports {
        netlink
            .enslave(*index, bridge, &settings)
            .and_then(|()| netlink.set_flags(*index, UP, UP))
            .map_err(|cause| refused(port, format!("cannot be put into {name}"), &cause))?;
    }
    netlink
        .set_flags(bridge, UP, UP)
        .map_err(|cause| fault(&cause))
}

/// Takes a bridge away that an earlier run left; says whether there was one. What has its name and
/// is not ours stays.
pub(super) fn take_away(netlink: &mut Netlink, name: &str) -> io::Result<bool> {
    let Some(found) = netlink.find(name)? else {
        return Ok(false);
    };
    if found.kind.as_deref() != Some("bridge") || found.alias.as_deref() != Some(ALIAS) {
        return Ok(false);
    }
    netlink.delete(found.index).map(|()| true)
}

/// What to say of every bridge of this network: where the kernel hands bridged packets to the host's
/// firewall, that decides about them too, and drops what is no sound IP. Others may rely on it, so
/// that it is left as it is.
pub(super) fn firewalls() -> Vec<String> {
    let switches = ["iptables", "ip6tables", "arptables"].map(|which| {
        let key = format!("bridge-nf-call-{which}");
        let on = fs::read_to_string(Path::new("/proc/sys/net/bridge").join(&key));
        on.is_ok_and(|on| on.trim() != "0")
            .then(|| format!("net.bridge.{key}=0"))
    });
    let on: Vec<_> = switches.into_iter().flatten().collect();
    if on.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "on-exit: this machine's firewall decides about what passes a kernel bridge too; \
         if nothing else needs that: `sysctl {}`",
        on.join(" ")
    )]
}

/// Whether a bridge of this name can be made when it is time to.
pub(super) fn check(name: &str) -> Result<(), DeviceError> {
    let possible = !name.is_empty()
        && name.len() < libc::IFNAMSIZ
        && ![".", ".."].contains(&name)
        && !name.contains(|c: char| c == '/' || c == ':' || c == '\0' || c.is_ascii_whitespace());
    if !possible {
        let message = format!("{name:?} cannot be the name of a bridge");
        return Err(DeviceError::new(DeviceFault::Shape, message)
            .remedy("an interface has a name of 1 to 15 octets, without white space, `/` or `:`"));
    }
    let unknown = |cause| system("the system does not tell of its interfaces", &cause);
    let mut netlink = Netlink::open().map_err(unknown)?;
    match netlink.find(name).map_err(unknown)? {
        Some(found) if found.alias.as_deref() != Some(ALIAS) => {
            let message = format!("{name}: is there already, so that no bridge can have this name");
            Err(DeviceError::new(DeviceFault::Busy, message)
                .remedy("give the bridge of `on-exit` another name"))
        }
        _ => Ok(()),
    }
}
