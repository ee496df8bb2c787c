//! What DPDK refuses, in our words, and what mends it.

use super::name::Name;
use crate::io::port::{DeviceError, DeviceFault};
use std::ffi::CStr;
use std::path::Path;

/// Lines of the log that an error shows, at most.
const SHOWN: usize = 3;

/// EAL does not start.
pub(super) fn of_eal(errno: i32, said: &[String], arguments: &[String]) -> DeviceError {
    let has = |word: &str| said.iter().any(|line| line.contains(word));
    let words = words(said);
    let cause = std::io::Error::from_raw_os_error(errno);
    let error = |fault, message: String| DeviceError::new(fault, message);
    if has("another primary process") || has("Cannot create lock") {
        let message = format!("DPDK is in use by another process: {words}");
        return error(DeviceFault::Busy, message).remedy(
            "end that one, or give each a name by `--file-prefix` (and PCI devices of its own)",
        );
    }
    if has("hugepage") || has("init memory") || has("Not enough memory") {
        let message = format!("DPDK finds no memory: {words}");
        return error(DeviceFault::Memory, message).remedy(
            "reserve hugepages (`dpdk-hugepages.py --setup 2G`), or do without, which is slower, by \
             the `eal` arguments `--no-huge` and `-m 512`",
        );
    }
    if has("Cannot init plugins") {
        let message = format!("DPDK cannot load a plugin: {words}");
        return error(DeviceFault::Driver, message)
            .remedy("name an installed one after `-d`, or leave that out");
    }
    if has("Permission denied") || errno == libc::EACCES || errno == libc::EPERM {
        let message = format!("this program may not use DPDK: {words}");
        return error(DeviceFault::Permission, message).remedy(
            "let its user open /dev/vfio/*, and lock memory without limit (LimitMEMLOCK=infinity)",
        );
    }
    if errno == libc::EINVAL {
        let arguments = arguments.get(1..).unwrap_or_default().join(" ");
        let message = format!("DPDK does not take its arguments ({arguments}): {words}");
        return error(DeviceFault::System, message)
            .remedy("mend the `eal` arguments; `dpdk-testpmd --help` explains them");
    }
    error(
        DeviceFault::System,
        format!("DPDK does not start ({cause}): {words}"),
    )
}

/// A device cannot be had, though EAL runs.
pub(super) fn of_device(name: &Name, errno: i32, said: &[String]) -> DeviceError {
    match name.is_pci() {
        true => of_pci_device(name, Path::new("/sys/bus/pci"), errno, said),
        false => of_virtual_device(name, errno, said),
    }
}

fn of_virtual_device(name: &Name, errno: i32, said: &[String]) -> DeviceError {
    let has = |word: &str| said.iter().any(|line| line.contains(word));
    let words = words(said);
    if has("failed to parse device") || has("no driver found") {
        let driver = name.driver();
        let message = format!("{name}: DPDK has no driver {driver}");
        let package = driver.replace('_', "-");
        return DeviceError::new(DeviceFault::Driver, message).remedy(format!(
            "install its plugin, which is the Debian package lib{}{}",
            package.replacen("net-", "rte-net-", 1),
            abi()
        ));
    }
    if has("Operation not permitted") || has("Permission denied") {
        let message = format!("{name}: this program may not open it: {words}");
        return DeviceError::new(DeviceFault::Permission, message)
            .remedy("give it CAP_NET_RAW and CAP_NET_ADMIN, as the systemd unit does");
    }
    if has("No such device") {
        let what = name.interface().unwrap_or("what its arguments name");
        let message = format!("{name}: there is no {what}: {words}");
        return DeviceError::new(DeviceFault::Missing, message)
            .remedy("`ip link` lists the interfaces");
    }
    if has("Cannot allocate memory") {
        let message = format!("{name}: no memory for it: {words}");
        return DeviceError::new(DeviceFault::Memory, message)
            .remedy("give it smaller rings by its arguments");
    }
    // Its drivers answer -1 for anything.
    let cause = match errno {
        0 | 1 => String::new(),
        errno => format!(" ({})", std::io::Error::from_raw_os_error(errno)),
    };
    let message = format!("{name}: DPDK cannot open it{cause}: {words}");
    DeviceError::new(DeviceFault::System, message)
        .remedy("see DPDK's description of its driver for the arguments that it takes")
}

/// `bus` is where the system shows its PCI devices.
fn of_pci_device(name: &Name, bus: &Path, errno: i32, said: &[String]) -> DeviceError {
    let device = bus.join("devices").join(name.device());
    let words = words(said);
    if !device.exists() {
        let message = format!("there is no PCI device {name}");
        return DeviceError::new(DeviceFault::Missing, message)
            .remedy("`dpdk-devbind.py --status` lists the devices");
    }
    let bound = std::fs::read_link(device.join("driver")).ok();
    let driver = bound
        .as_deref()
        .and_then(Path::file_name)
        .map(|driver| driver.to_string_lossy().into_owned());
    let bind = format!("`dpdk-devbind.py --bind=vfio-pci {name}`");
    match driver.as_deref() {
        None => {
            let message = format!("{name} is bound to no driver");
            DeviceError::new(DeviceFault::Driver, message).remedy(format!("bind it: {bind}"))
        }
        Some("vfio-pci" | "uio_pci_generic" | "igb_uio") => {
            let has = |word: &str| said.iter().any(|line| line.contains(word));
            if has("Permission denied") || has("Operation not permitted") {
                let message = format!("{name}: this program may not open it: {words}");
                return DeviceError::new(DeviceFault::Permission, message)
                    .remedy("let its user open /dev/vfio/*, as the drop-in for systemd does");
            }
            if has("Device or resource busy") || has("is not viable") {
                let message = format!("{name} is in use: {words}");
                return DeviceError::new(DeviceFault::Busy, message).remedy(
                    "end the process that has it, and bind all devices of its IOMMU group to \
                     vfio-pci",
                );
            }
            let message = format!("{name}: DPDK has no driver for it (error {errno}): {words}");
            DeviceError::new(DeviceFault::Driver, message).remedy(format!(
                "install the plugin for it: `apt-cache search 'librte-net-.*{}'`",
                abi()
            ))
        }
        Some(kernel) => {
            let message = format!("{name} is bound to the kernel's driver {kernel}");
            DeviceError::new(DeviceFault::Busy, message).remedy(format!(
                "bind it to DPDK, which takes it away from the kernel: {bind}; for a device whose \
                 driver stays (mlx5), install its plugin librte-net-mlx5-{}",
                abi()
            ))
        }
    }
}

/// The last telling lines of the log, without what EAL says at each start.
pub(super) fn words(said: &[String]) -> String {
    const EVERY_TIME: [&str; 11] = [
        "Detected ",
        "Selected IOVA mode",
        "Static memory layout",
        "Physical addresses",
        "FATAL: ",
        "VFIO support initialized",
        "Unregistering with",
        "Multi-process socket",
        "Probe PCI driver",
        "Driver cannot attach",
        "Failed to attach",
    ];
    let mut lines: Vec<&str> = Vec::new();
    for line in said {
        let line = line.trim_start_matches("EAL: ");
        let telling = !EVERY_TIME.iter().any(|often| line.starts_with(often));
        if telling && !lines.contains(&line) {
            lines.push(line);
        }
    }
    match lines.len() {
        0 => "it does not say why".to_owned(),
        count => lines.split_off(count.saturating_sub(SHOWN)).join("; "),
    }
}

/// The number that Debian ends the names of DPDK's packages with: 22.11 has 23.
fn abi() -> String {
    // SAFETY: DPDK gives a string that is never freed.
    let version = unsafe { CStr::from_ptr(super::ffi::sekisho_version()) };
    let version = version.to_string_lossy();
    let year = version.trim_start_matches("DPDK ").split('.').next();
    let year = year.and_then(|year| year.parse::<u32>().ok());
    // Each November's release breaks the ABI, and counts on for a year.
    year.map_or_else(String::new, |year| (year + 1).to_string())
}
