use crate::io::port::{DeviceError, DeviceFault};
use std::ffi::CString;
use std::fmt;

/// A device as a pipeline names it: a PCI address (`0000:03:00.0`) or a virtual device of DPDK
/// (`net_af_packet0,iface=eth0`), either with arguments for its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The whole, as DPDK takes it.
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pci,
    Virtual,
}

impl Name {
    /// # Errors
    /// It is neither.
    pub(super) fn new(text: &str) -> Result<Self, DeviceError> {
        let (device, arguments) = text.split_once(',').unwrap_or((text, ""));
        let named = |kind, device: &str| {
            let text = match arguments {
                "" => device.to_owned(),
                _ => format!("{device},{arguments}"),
            };
            Self { text, kind }
        };
        if let Some(address) = pci_address(device) {
            return Ok(named(Kind::Pci, &address));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let named_by_driver = device.contains('_') && device.chars().all(plain);
        if named_by_driver && !text.contains(['\0', '\n']) {
            return Ok(named(Kind::Virtual, device));
        }
        let message = format!("`{text}` is no device of DPDK");
        Err(DeviceError::new(DeviceFault::Missing, message).remedy(
            "name a PCI address, such as 0000:03:00.0, or a virtual device with its arguments, such \
             as net_af_packet0,iface=eth0",
        ))
    }

    /// Without its arguments.
    pub(super) fn device(&self) -> &str {
        self.text.split(',').next().unwrap_or_default()
    }

    pub(super) fn is_pci(&self) -> bool {
        self.kind == Kind::Pci
    }

    /// The value of one of its arguments.
    pub(super) fn argument(&self, key: &str) -> Option<&str> {
        self.text
            .split(',')
            .skip(1)
            .filter_map(|argument| argument.split_once('='))
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    /// The interface of the system that it is a way to, if it is one.
    pub(super) fn interface(&self) -> Option<&str> {
        self.argument("iface")
            .filter(|_| self.driver() != "net_tap" && !self.is_pci())
    }

    /// The driver of a virtual device, as its name begins.
    pub(super) fn driver(&self) -> &str {
        self.device().trim_end_matches(|c: char| c.is_ascii_digit())
    }

    /// As DPDK's functions take it.
    pub(super) fn whole(&self) -> CString {
        CString::new(self.text.clone()).unwrap_or_default()
    }

    /// The same of the device alone.
    pub(super) fn device_alone(&self) -> CString {
        CString::new(self.device()).unwrap_or_default()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.device())
    }
}

/// `3:00.0` and `0000:03:00.0` are the same; written in full.
fn pci_address(text: &str) -> Option<String> {
    let (bus_and_slot, function) = text.rsplit_once('.')?;
    let mut parts = bus_and_slot.rsplit(':');
    let (slot, bus) = (parts.next()?, parts.next()?);
    let domain = parts.next().unwrap_or("0");
    if parts.next().is_some() {
        return None;
    }
    let number = |text: &str, most: u32| {
        let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit());
        let value = plain.then(|| u32::from_str_radix(text, 16).ok())?;
        value.filter(|value| *value <= most)
    };
    let (domain, bus) = (number(domain, u32::MAX)?, number(bus, 0xff)?);
    let (slot, function) = (number(slot, 0x1f)?, number(function, 7)?);
    Some(format!("{domain:04x}:{bus:02x}:{slot:02x}.{function}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_in_full() {
        for (text, device) in [
            ("0000:03:00.0", "0000:03:00.0"),
            ("3:0.1", "0000:03:00.1"),
            ("10000:e1:1f.7", "10000:e1:1f.7"),
            ("af:00.0,txq_inline_max=128", "0000:af:00.0"),
        ] {
            let name = Name::new(text).unwrap();
            assert!(name.is_pci(), "{text}");
            assert_eq!(name.device(), device);
        }
    }

    #[test]
    fn virtual_devices_have_arguments() {
        let name = Name::new("net_af_packet12,iface=eth0,framecnt=32768").unwrap();
        assert!(!name.is_pci());
        assert_eq!(name.driver(), "net_af_packet");
        assert_eq!(name.interface(), Some("eth0"));
        assert_eq!(name.argument("framecnt"), Some("32768"));
        assert_eq!(name.argument("qpairs"), None);
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "",
            "eth0",
            "03:00",
            "0000:03:20.0",
            "net ring0",
            "net_ring0,a\0b",
        ] {
            let error = Name::new(text).unwrap_err();
            assert_eq!(error.fault, DeviceFault::Missing, "{text}");
        }
    }
}
