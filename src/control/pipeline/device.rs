//! Devices as drivers name them.

/// What the kernel takes for the name of an interface, without its final zero.
const INTERFACE_BYTES: usize = 15;

/// Whether an interface of the system can have this name.
pub(super) fn is_interface(name: &str) -> bool {
    let strange = |octet: u8| octet.is_ascii_whitespace() || matches!(octet, b'/' | b':' | 0);
    (1..=INTERFACE_BYTES).contains(&name.len())
        && !matches!(name, "." | "..")
        && !name.bytes().any(strange)
}

/// An Ethernet address: six octets in hexadecimal with `:` or `-` between them.
pub(super) fn ethernet_address(text: &str) -> Option<[u8; 6]> {
    let mut address = [0; 6];
    let mut octets = text.split([':', '-']);
    for place in &mut address {
        let octet = octets.next().filter(|octet| hex(octet, 2))?;
        *place = u8::from_str_radix(octet, 16).ok()?;
    }
    octets.next().is_none().then_some(address)
}

/// A device as DPDK names it, with arguments for its driver or without; a PCI address with its
/// domain and in small letters.
pub(super) fn dpdk(name: &str) -> Option<String> {
    if name
        .bytes()
        .any(|octet| octet.is_ascii_whitespace() || octet == 0)
    {
        return None;
    }
    let device = identity(name);
    let address = pci_address(device).or_else(|| is_virtual(device).then(|| device.to_owned()))?;
    Some(name.replacen(device, &address, 1))
}

/// What makes two devices of DPDK the same: each is itself whatever its arguments are.
pub(super) fn identity(device: &str) -> &str {
    device.split(',').next().unwrap_or(device)
}

/// `0000:03:00.0`, or without the domain, which is then 0000.
fn pci_address(name: &str) -> Option<String> {
    let (slot, function) = name.rsplit_once('.')?;
    let mut parts = slot.rsplit(':');
    let (device, bus) = (parts.next()?, parts.next()?);
    let domain = parts.next().unwrap_or("0000");
    let well_formed = hex(device, 2)
        && hex(bus, 2)
        && (4..=8).any(|digits| hex(domain, digits))
        && parts.next().is_none()
        && matches!(function.as_bytes(), [b'0'..=b'7']);
    well_formed.then(|| format!("{domain}:{bus}:{device}.{function}").to_ascii_lowercase())
}

fn hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

/// A driver's name and a number: `net_af_packet0`.
fn is_virtual(device: &str) -> bool {
    let drivers = ["net_", "eth_", "virtio_user"];
    let number = drivers
        .iter()
        .find_map(|driver| device.strip_prefix(driver));
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_named_as_the_kernel_lets_them_be() {
        for name in ["eth0", "enp3s0f1np1", "veth-a.100", "x", "fifteen-letters"] {
            assert!(is_interface(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "sixteen-letters-",
            "a b",
            "a/b",
            "a:1",
            "a\0",
        ] {
            assert!(!is_interface(name), "{name}");
        }
    }

    #[test]
    fn ethernet_addresses_have_six_octets() {
        let address = Some([2, 0, 0xab, 0, 0, 0x0a]);
        assert_eq!(ethernet_address("02:00:AB:00:00:0a"), address);
        assert_eq!(ethernet_address("02-00-ab-00-00-0a"), address);
        for text in [
            "",
            "02:00:ab:00:00",
            "02:00:ab:00:00:0a:1",
            "2:0:ab:0:0:a",
            "+2:00:ab:00:00:0a",
        ] {
            assert_eq!(ethernet_address(text), None, "{text}");
        }
    }

    #[test]
    fn devices_of_dpdk_are_addresses_or_virtual() {
        for (name, device) in [
            ("0000:03:00.0", "0000:03:00.0"),
            ("3B:00.1", "0000:3b:00.1"),
            ("10000:e1:00.0", "10000:e1:00.0"),
            ("003:e1:00.0", ""),
            ("03:00.8", ""),
            ("03:00", ""),
            ("1:2:03:00.0", ""),
            ("net_null0", "net_null0"),
            ("net_pcap0,rx_pcap=a.pcap", "net_pcap0,rx_pcap=a.pcap"),
            ("eth_ring1", "eth_ring1"),
            ("net_", ""),
            ("net_null0, x=1", ""),
            ("3B:00.1,representor=vf0", "0000:3b:00.1,representor=vf0"),
            (
                "virtio_user0,path=/dev/vhost-net",
                "virtio_user0,path=/dev/vhost-net",
            ),
            ("eth0", ""),
            ("", ""),
        ] {
            assert_eq!(dpdk(name).unwrap_or_default(), device, "{name}");
        }
        assert_eq!(identity("net_ring0,a=1"), identity("net_ring0"));
    }
}
