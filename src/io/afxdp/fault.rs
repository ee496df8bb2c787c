//! What the system says, as [`DeviceError`]s that say what mends them.

use super::Attach;
use crate::io::netdev::Interface;
use crate::io::port::{DeviceError, DeviceFault};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, capabilities};

/// Of which kind a refusal is.
pub(super) fn kind(cause: Errno) -> DeviceFault {
    match cause {
        Errno::PERM | Errno::ACCESS => DeviceFault::Permission,
        Errno::BUSY | Errno::EXIST => DeviceFault::Busy,
        Errno::NOMEM | Errno::NOBUFS => DeviceFault::Memory,
        Errno::NODEV | Errno::NXIO => DeviceFault::Gone,
        Errno::AFNOSUPPORT | Errno::NOSYS => DeviceFault::Driver,
        _ => DeviceFault::System,
    }
}

/// The system refuses something that every device needs.
pub(super) fn refused(interface: &Interface, what: &str, cause: Errno) -> DeviceError {
    let name = &interface.name;
    let fault = kind(cause);
    let error = DeviceError::new(fault, format!("{name}: the kernel refuses {what}: {cause}"));
    match fault {
        DeviceFault::Permission => permission(error),
        DeviceFault::Memory => error.remedy(
            "locked memory may be limited: run with LimitMEMLOCK=infinity (ulimit -l unlimited) or \
             CAP_IPC_LOCK, or with fewer UMEM frames",
        ),
        DeviceFault::Busy => busy(error, name),
        DeviceFault::Driver => error
            .remedy("AF_XDP needs a kernel built with CONFIG_XDP_SOCKETS and CONFIG_BPF_SYSCALL"),
        _ => error,
    }
}

/// The system refuses to attach a program.
pub(super) fn attach(interface: &Interface, wanted: Attach, cause: Errno) -> DeviceError {
    let error = refused(interface, "to attach an XDP program", cause);
    match (error.fault, wanted) {
        (DeviceFault::System, Attach::Driver) => DeviceError {
            fault: DeviceFault::Driver,
            ..error
        }
        .remedy(
            "its driver may not have XDP, or not for this MTU; SKB mode works with every driver",
        ),
        _ => error,
    }
}

fn busy(error: DeviceError, name: &str) -> DeviceError {
    error.remedy(format!(
        "another program has it, maybe another sekisho: end that one; a program that was left \
         attached goes with `ip link set dev {name} xdp off`"
    ))
}

/// Names the capabilities that are missing.
fn permission(error: DeviceError) -> DeviceError {
    let has = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    let needed = [
        (CapabilitySet::NET_RAW, "CAP_NET_RAW"),
        (CapabilitySet::NET_ADMIN, "CAP_NET_ADMIN"),
        (CapabilitySet::BPF, "CAP_BPF"),
    ];
    let missing: Vec<_> = needed
        .iter()
        .filter(|(capability, _)| !has.contains(*capability))
        .map(|(_, name)| *name)
        .collect();
    if missing.is_empty() {
        return error.remedy(
            "the program has its capabilities, so a security module or a kernel locked down is in \
             the way, or it runs in a user namespace",
        );
    }
    error.remedy(format!(
        "the program lacks {}: it needs CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF, or root",
        missing.join(" and ")
    ))
}
