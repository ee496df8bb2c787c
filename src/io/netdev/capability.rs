use crate::io::port::{DeviceError, DeviceFault};
use rustix::thread::CapabilitySet;
use std::fmt;

/// A right that the kernel asks for, apart from being root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// To set interfaces, and attach programs to them.
    NetAdmin,
    /// To have packet and AF_XDP sockets.
    NetRaw,
    /// To load eBPF programs.
    Bpf,
    /// To lock memory beyond the limit.
    IpcLock,
}

/// Says which of the capabilities this thread has not, if any.
///
/// # Errors
/// Some are missing, or the system does not say.
pub fn capabilities_missing(needed: &[Capability]) -> Result<(), DeviceError> {
    let unknown = |cause| {
        let message = format!("the system does not say what this program may do: {cause}");
        DeviceError::new(DeviceFault::System, message)
    };
    let effective = rustix::thread::capabilities(None)
        .map_err(unknown)?
        .effective;
    let missing: Vec<_> = needed
        .iter()
        .copied()
        .filter(|one| !one.is_in(effective))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(error(&missing))
}

impl Capability {
    fn is_in(self, effective: CapabilitySet) -> bool {
        match self {
            Self::NetAdmin => effective.contains(CapabilitySet::NET_ADMIN),
            Self::NetRaw => effective.contains(CapabilitySet::NET_RAW),
            Self::IpcLock => effective.contains(CapabilitySet::IPC_LOCK),
            // Before CAP_BPF there was only CAP_SYS_ADMIN, which still does.
            Self::Bpf => effective.intersects(CapabilitySet::BPF | CapabilitySet::SYS_ADMIN),
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::NetRaw => "CAP_NET_RAW",
            Self::Bpf => "CAP_BPF",
            Self::IpcLock => "CAP_IPC_LOCK",
        })
    }
}

fn error(missing: &[Capability]) -> DeviceError {
    let names: Vec<_> = missing.iter().map(Capability::to_string).collect();
    let message = format!(
        "this program may not do what it needs to: it lacks {}",
        names.join(", ")
    );
    DeviceError::new(DeviceFault::Permission, message).remedy(format!(
        "run it as root, or `setcap {}+ep` its file, or write AmbientCapabilities={} in its systemd unit",
        names.join(",").to_lowercase(),
        names.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_what_mends_it() {
        let text = error(&[Capability::NetRaw, Capability::Bpf]).to_string();
        assert!(text.contains("lacks CAP_NET_RAW, CAP_BPF;"), "{text}");
        assert!(text.contains("`setcap cap_net_raw,cap_bpf+ep`"), "{text}");
        assert!(
            text.contains("AmbientCapabilities=CAP_NET_RAW CAP_BPF "),
            "{text}"
        );
    }

    #[test]
    fn an_old_kernels_right_stands_for_the_newer_one() {
        assert!(Capability::Bpf.is_in(CapabilitySet::SYS_ADMIN));
        assert!(Capability::Bpf.is_in(CapabilitySet::BPF));
        assert!(!Capability::Bpf.is_in(CapabilitySet::NET_ADMIN));
        assert!(!Capability::IpcLock.is_in(CapabilitySet::SYS_ADMIN));
    }
}
