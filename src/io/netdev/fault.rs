use crate::io::port::{DeviceError, DeviceFault};
use std::fmt::Display;
use std::io;

/// What to do where the system says that the program may not.
const MAY_NOT: &str = "run it as root, or give it CAP_NET_ADMIN and CAP_NET_RAW";
/// What to do where the kernel's parameters cannot be written to.
const READ_ONLY: &str = "in a systemd unit, ProtectKernelTunables= needs ReadWritePaths=/proc/sys/net/ipv6/conf beside \
     it, and in a container /proc/sys/net must be writable";

/// What the system's refusal of something means.
pub(super) fn refused(interface: &str, what: impl Display, cause: &io::Error) -> DeviceError {
    let message = format!("{interface}: {what}: {cause}");
    match cause.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            DeviceError::new(DeviceFault::Permission, message).remedy(MAY_NOT)
        }
        Some(libc::EROFS) => DeviceError::new(DeviceFault::Permission, message).remedy(READ_ONLY),
        Some(libc::ENODEV | libc::ENXIO) => DeviceError::new(DeviceFault::Gone, message),
        Some(libc::EBUSY) => DeviceError::new(DeviceFault::Busy, message),
        Some(libc::ENOMEM | libc::ENOBUFS) => DeviceError::new(DeviceFault::Memory, message),
        _ => DeviceError::new(DeviceFault::System, message),
    }
}

/// The same for something that is no one interface's.
pub(super) fn system(what: impl Display, cause: &io::Error) -> DeviceError {
    let DeviceError { fault, remedy, .. } = refused("", "", cause);
    DeviceError {
        fault,
        message: format!("{what}: {cause}"),
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_has_a_kind_and_what_can_be_mended_a_remedy() {
        for (code, fault, remedy) in [
            (libc::EPERM, DeviceFault::Permission, "CAP_NET_ADMIN"),
            (
                libc::EROFS,
                DeviceFault::Permission,
                "ProtectKernelTunables=",
            ),
            (libc::ENODEV, DeviceFault::Gone, ""),
            (libc::EBUSY, DeviceFault::Busy, ""),
            (libc::ENOBUFS, DeviceFault::Memory, ""),
            (libc::EIO, DeviceFault::System, ""),
        ] {
            let cause = io::Error::from_raw_os_error(code);
            let error = refused("eth1", "cannot be set up", &cause);
            assert_eq!(error.fault, fault);
            assert!(
                error.message.starts_with("eth1: cannot be set up: "),
                "{error}"
            );
            assert!(error.remedy.unwrap_or_default().contains(remedy), "{code}");
            assert_eq!(system("no", &cause).fault, fault);
        }
    }
}
