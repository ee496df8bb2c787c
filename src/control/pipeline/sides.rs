//! The two sides, and how their devices are opened.

use super::device;
use super::findings::{
    BAD_ADDRESS, BAD_DEVICE, DEVICE_MISSING, FILE_TWICE, LCORE_IN_EAL, NOT_A_POWER, NOT_OF_DRIVER,
    NOTHING_TO_READ, SAME_DEVICE, SENDER_OF_NOTHING, SKB_COPIES, TOO_FEW_FRAMES,
};
use super::read::{Reader, number, word};
use super::words::{Attach, DriverKind, ZeroCopy};
use super::{AfXdp, Dpdk, Driver, Pcap};
use crate::io::port::{CaptureFiles, Senders};
use crate::policy::document::{Diagnostic, Node, Text};
use std::path::PathBuf;

const SIDES: [&str; 2] = ["access", "network"];

/// A queue's rings: two of each port hold frames that came, two those that go.
const RINGS: u32 = 4;

/// Smaller rings lose frames whenever another process takes the lcore for a moment.
const AF_XDP_RING_FRAMES: u32 = 32_768;
const DPDK_RING_FRAMES: u32 = 4096;
const MTU_BYTES: u32 = 1500;

/// Arguments that say where DPDK's own threads run; a letter may have its value behind it.
const PLACING: [&str; 5] = ["-l", "-c", "--lcores", "--main-lcore", "--coremask"];

impl Reader<'_> {
    pub(super) fn driver(&mut self, root: &Node, kind: DriverKind) -> Option<Driver> {
        for other in [DriverKind::AfXdp, DriverKind::Dpdk] {
            if other != kind {
                self.refuse_key(root, other.label(), other.label(), kind);
            }
        }
        match kind {
            DriverKind::AfXdp => self.af_xdp(root).map(Driver::AfXdp),
            DriverKind::Dpdk => self.dpdk(root).map(Driver::Dpdk),
            DriverKind::Pcap => self.pcap(root).map(Driver::Pcap),
        }
    }

    fn af_xdp(&mut self, root: &Node) -> Option<AfXdp> {
        let devices = self.devices(root, DriverKind::AfXdp, |name| {
            device::is_interface(name).then(|| name.to_owned())
        });
        let section = root.get("af-xdp");
        let attach = section.and_then(|section| word(section, "attach", Attach::of));
        let zero_copy = section.and_then(|section| word(section, "zero-copy", ZeroCopy::of));
        if let (Some(Attach::Skb), Some(ZeroCopy::Require), Some(text)) = (
            attach,
            zero_copy,
            section.and_then(|section| section.get_text("zero-copy")),
        ) {
            let message = "in socket buffers, every frame is copied".to_owned();
            let help = "`attach: driver`, or `zero-copy: auto`";
            self.complain(SKB_COPIES, &text, message, help);
        }
        let (ring_frames, umem_frames) =
            self.memory(section, "umem-frames", AF_XDP_RING_FRAMES, RINGS);
        let [access, network] = devices?;
        Some(AfXdp {
            access,
            network,
            attach: attach.unwrap_or(Attach::Auto),
            zero_copy: zero_copy.unwrap_or(ZeroCopy::Auto),
            ring_frames,
            umem_frames,
        })
    }

    fn dpdk(&mut self, root: &Node) -> Option<Dpdk> {
        let devices = self.devices(root, DriverKind::Dpdk, device::dpdk);
        let section = root.get("dpdk");
        let eal = section.and_then(|section| section.get_list("eal"));
        let mut arguments = Vec::new();
        for node in eal.unwrap_or(&[]) {
            let Some(text) = node.scalar() else { continue };
            if places_threads(text) {
                let message = format!("`{text}` says where DPDK's threads run");
                let found = Diagnostic::new(LCORE_IN_EAL, message, &node.origin, "found here");
                self.push(found.help("workers run on `lcores`, and DPDK is told so: leave it out"));
            }
            arguments.push(text.to_owned());
        }
        // Twice what the rings hold: each lcore keeps some at hand for itself.
        let (ring_frames, pool_frames) =
            self.memory(section, "pool-frames", DPDK_RING_FRAMES, 2 * RINGS);
        let [access, network] = devices?;
        Some(Dpdk {
            access,
            network,
            eal: arguments,
            ring_frames,
            pool_frames,
            mtu_bytes: section
                .and_then(|section| number(section, "mtu"))
                .unwrap_or(MTU_BYTES),
        })
    }

    fn pcap(&mut self, root: &Node) -> Option<Pcap> {
        let mut sides = [CaptureFiles::default(), CaptureFiles::default()];
        let mut written: Vec<(Text, PathBuf)> = Vec::new();
        for (name, files) in SIDES.into_iter().zip(&mut sides) {
            let side = root.get(name)?;
            self.refuse_key(side, "device", "af-xdp` or `dpdk", DriverKind::Pcap);
            let read = side.get_text("read").and_then(|text| self.path(text));
            let write = side.get_text("write").and_then(|text| self.path(text));
            files.read = read.map(|(_, path)| path);
            files.senders = self.senders(side);
            files.write = write.as_ref().map(|(_, path)| path.clone());
            written.extend(write);
        }
        let read: Vec<_> = sides
            .iter()
            .filter_map(|files| files.read.clone())
            .collect();
        for (index, (text, path)) in written.iter().enumerate() {
            let mut before = written.iter().take(index).map(|(_, path)| path);
            if read.contains(path) || before.any(|before| before == path) {
                let message = format!(
                    "`{}` is read or written by something else too",
                    path.display()
                );
                let help = "a file of its own for each port to write to";
                self.complain(FILE_TWICE, text, message, help);
            }
        }
        let reads = |side| {
            root.get(side)
                .is_some_and(|side| side.get("read").is_some())
        };
        if !SIDES.into_iter().any(reads) {
            let message = "no side reads a capture: no frame would ever come";
            let driver = root.get("driver")?;
            let found = Diagnostic::new(NOTHING_TO_READ, message, &driver.origin, "from captures");
            self.push(found.help("add `read:` to `access`, to `network` or to both"));
        }
        let [access, network] = sides;
        Some(Pcap { access, network })
    }

    fn senders(&mut self, side: &Node) -> Senders {
        let mut senders = Senders::All;
        for key in ["from", "not-from"] {
            let Some(text) = side.get_text(key) else {
                continue;
            };
            match device::ethernet_address(&text.text) {
                Some(address) if key == "from" => senders = Senders::Only(address),
                Some(address) => senders = Senders::AllBut(address),
                None => {
                    let message = format!("`{}` is no Ethernet address", text.text.escape_debug());
                    self.complain(BAD_ADDRESS, &text, message, "one such as 02:00:00:00:00:0a");
                }
            }
            if side.get("read").is_none() {
                let message = format!("`{key}` chooses frames of a capture, and none is read here");
                self.complain(SENDER_OF_NOTHING, &text, message, "`read:` beside it");
            }
        }
        senders
    }

    /// The devices of both sides, in the driver's own spelling.
    fn devices(
        &mut self,
        root: &Node,
        kind: DriverKind,
        spelled: impl Fn(&str) -> Option<String>,
    ) -> Option<[String; 2]> {
        let [access, network] = SIDES.map(|side| self.device(root, side, kind, &spelled));
        let ((_, access), (text, network)) = (access?, network?);
        if device::identity(&access) == device::identity(&network) {
            let message = format!("`{}` cannot be on both sides", device::identity(&network));
            self.complain(
                SAME_DEVICE,
                &text,
                message,
                "another device than under `access`",
            );
        }
        Some([access, network])
    }

    fn device(
        &mut self,
        root: &Node,
        name: &str,
        kind: DriverKind,
        spelled: impl Fn(&str) -> Option<String>,
    ) -> Option<(Text, String)> {
        let side = root.get(name)?;
        for key in ["read", "from", "not-from", "write"] {
            self.refuse_key(side, key, "pcap", kind);
        }
        let (what, help) = match kind {
            DriverKind::Dpdk => (
                "neither a PCI address nor a virtual device",
                "0000:03:00.0 (`dpdk-devbind.py --status` shows them), or a virtual device such \
                 as \"net_af_packet0,iface=eth0\"; an interface of the system is for \
                 `driver: af-xdp`",
            ),
            _ => (
                "no name of an interface",
                "an interface of at most 15 octets, such as eth0 (`ip link` shows them)",
            ),
        };
        let Some(text) = side.get_text("device") else {
            if side.get("device").is_none() {
                let message = format!("`{name}` has no device");
                let mut place = side.origin.clone();
                place.span.end = place.span.start;
                let found = Diagnostic::new(DEVICE_MISSING, message, &place, "no `device` in here");
                self.push(found.help(format!("add `device:` with {help}")));
            }
            return None;
        };
        let Some(device) = spelled(&text.text) else {
            let message = format!("`{}` is {what}", text.text.escape_debug());
            self.complain(BAD_DEVICE, &text, message, help);
            return None;
        };
        Some((text, device))
    }

    /// The length of a ring, and the memory of an lcore: so many rings long if nothing is said.
    fn memory(
        &mut self,
        section: Option<&Node>,
        memory: &str,
        ring_frames: u32,
        rings: u32,
    ) -> (u32, u32) {
        let given = |name| section.and_then(|section| number(section, name));
        let text = |name| section.and_then(|section| section.get_scalar(name));
        let ring = given("ring-frames").unwrap_or(ring_frames);
        if let (false, Some(text)) = (ring.is_power_of_two(), text("ring-frames")) {
            let message =
                format!("a ring of {ring} frames cannot be: its length is a power of two");
            let (below, above) = (ring.max(1).ilog2(), ring.max(1).ilog2().min(30) + 1);
            let help = format!("{} or {}", 1_u32 << below, 1_u32 << above);
            self.complain(NOT_A_POWER, &text, message, &help);
        }
        let least = ring.saturating_mul(RINGS);
        let frames = given(memory).unwrap_or(ring.saturating_mul(rings));
        if let (true, Some(text)) = (frames < least, text(memory)) {
            let message = format!(
                "memory for {frames} frames, where the rings of one lcore hold {least}: two of \
                 each port, of {ring} frames"
            );
            let help = format!("{least} or more, or a smaller `ring-frames`");
            self.complain(TOO_FEW_FRAMES, &text, message, &help);
        }
        (ring, frames)
    }

    /// Complains of a key that only other drivers give a meaning.
    fn refuse_key(&mut self, node: &Node, key: &str, others: &str, kind: DriverKind) {
        let Some(place) = node.place_of(key) else {
            return;
        };
        let message = format!("`{key}` means nothing with `driver: {}`", kind.label());
        let label = format!("this is for `driver: {others}`");
        let found = Diagnostic::new(NOT_OF_DRIVER, message, place, label);
        self.push(found.help("leave it out, or change `driver`"));
    }
}

fn places_threads(argument: &str) -> bool {
    PLACING.iter().any(|placing| {
        let Some(rest) = argument.strip_prefix(placing) else {
            return false;
        };
        let letter = placing.len() == 2;
        rest.is_empty() || rest.starts_with('=') || letter && !rest.starts_with('-')
    })
}
