//! What a device does to frames by itself, and which of it must not be while sekisho has them.

use super::netlink::text;
use super::wall::{self, STRING_BYTES};
use crate::io::port::{DeviceError, DeviceFault};
use rustix::fd::BorrowedFd;
use std::io;

/// Something that a device, or the kernel on its behalf, can do to frames. The name is the kernel's,
/// as `ethtool -k` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Feature {
    pub(super) name: String,
    /// Whether it can be switched.
    pub(super) switchable: bool,
    /// Whether it is wished for; what is on without it cannot be switched.
    pub(super) requested: bool,
    pub(super) on: bool,
}

/// What it means that a feature stays on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    /// Frames would not come as they were on the wire.
    Wrong(&'static str),
    /// It may take frames away; whoever runs the device knows.
    Doubtful(&'static str),
    /// It is for packets that the kernel makes, and sekisho sends whole frames.
    Harmless,
}

/// What a feature is to us; `None` where it is left as it is.
pub(super) fn concern(name: &str) -> Option<Concern> {
    Some(match name {
        "rx-vlan-hw-parse" | "rx-vlan-stag-hw-parse" => {
            Concern::Wrong("takes the VLAN tags out of frames")
        }
        "rx-lro" | "rx-gro" | "rx-gro-hw" => Concern::Wrong("merges frames"),
        "rx-fcs" => Concern::Wrong("leaves the checksum of the wire at the end of frames"),
        "rx-all" => Concern::Doubtful("hands on damaged frames"),
        "rx-vlan-filter" | "rx-vlan-stag-filter" => {
            Concern::Doubtful("may keep back frames of VLANs that the kernel has no interface for")
        }
        "tx-vlan-hw-insert"
        | "tx-vlan-stag-hw-insert"
        | "tx-generic-segmentation"
        | "tx-udp-segmentation" => Concern::Harmless,
        _ if name.starts_with("tx-tcp") && name.ends_with("-segmentation") => Concern::Harmless,
        _ => return None,
    })
}

/// All features of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Features(Vec<Feature>);

impl Features {
    pub(super) fn of(socket: BorrowedFd<'_>, interface: &str) -> io::Result<Self> {
        let names = wall::feature_names(socket, interface)?;
        let names: Vec<_> = names.chunks(STRING_BYTES).map(text).collect();
        let blocks = wall::features(socket, interface, names.len().div_ceil(32))?;
        let bits = blocks
            .iter()
            .flat_map(|block| (0..32).map(move |bit| block.map(|word| word >> bit & 1 == 1)));
        let features = names.into_iter().zip(bits).map(|(name, bits)| {
            let [available, requested, on, never_changed] = bits;
            Feature {
                name,
                switchable: available && !never_changed,
                requested,
                on,
            }
        });
        Ok(Self(features.collect()))
    }

    /// Those that concern us and are on.
    pub(super) fn on(&self) -> impl Iterator<Item = (&Feature, Concern)> {
        let on = self.0.iter().filter(|feature| feature.on);
        on.filter_map(|feature| Some((feature, concern(&feature.name)?)))
    }

    /// Whether frames come as they are on the wire with what is on now; what is to be said of the
    /// interface all the same.
    pub(super) fn judge(&self, interface: &str) -> Result<Vec<String>, DeviceError> {
        let mut notes = Vec::new();
        for (Feature { name, .. }, concern) in self.on() {
            match concern {
                Concern::Harmless => {}
                Concern::Doubtful(what) => notes.push(format!(
                    "{interface}: {name} is on and cannot be switched off; it {what}"
                )),
                Concern::Wrong(what) => {
                    let message =
                        format!("{interface}: {name} cannot be switched off, and it {what}");
                    let remedy = format!(
                        "`ethtool -k {interface}` shows what is fixed; an interface of another \
                         driver may let it be switched"
                    );
                    return Err(DeviceError::new(DeviceFault::Shape, message).remedy(remedy));
                }
            }
        }
        Ok(notes)
    }

    /// Those that concern us and that somebody wishes for.
    pub(super) fn requested(&self) -> impl Iterator<Item = &str> {
        let wished = self
            .0
            .iter()
            .filter(|feature| feature.switchable && feature.requested);
        wished
            .filter(|feature| concern(&feature.name).is_some())
            .map(|feature| &*feature.name)
    }

    /// Wishes for features, or no longer, where they can be switched and that is not so already.
    /// What becomes of the wish, the device decides.
    pub(super) fn request(
        &self,
        socket: BorrowedFd<'_>,
        interface: &str,
        wanted: impl Fn(&str) -> Option<bool>,
    ) -> io::Result<()> {
        let mut blocks = vec![[0, 0]; self.0.len().div_ceil(32)];
        for (block, features) in blocks.iter_mut().zip(self.0.chunks(32)) {
            for (bit, feature) in features.iter().enumerate() {
                let [meant, on] = block;
                if let Some(want) = wanted(&feature.name)
                    && feature.switchable
                    && feature.requested != want
                {
                    *meant |= 1 << bit;
                    *on |= u32::from(want) << bit;
                }
            }
        }
        if blocks.iter().all(|[meant, _]| *meant == 0) {
            return Ok(());
        }
        wall::set_features(socket, interface, &blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_received_frames_is_wrong_and_what_is_for_sent_packets_is_not() {
        assert!(matches!(concern("rx-lro"), Some(Concern::Wrong(_))));
        assert!(matches!(
            concern("rx-vlan-hw-parse"),
            Some(Concern::Wrong(_))
        ));
        assert!(matches!(
            concern("rx-vlan-filter"),
            Some(Concern::Doubtful(_))
        ));
        assert_eq!(concern("tx-tcp6-segmentation"), Some(Concern::Harmless));
        assert_eq!(
            concern("tx-tcp-accecn-segmentation"),
            Some(Concern::Harmless)
        );
        for left in [
            "rx-checksum",
            "tx-checksum-ip-generic",
            "rx-hashing",
            "highdma",
        ] {
            assert_eq!(concern(left), None, "{left}");
        }
    }

    #[test]
    fn a_feature_that_stays_on_is_an_error_a_note_or_nothing() {
        let fixed = |name: &str| {
            Features(vec![Feature {
                name: name.to_owned(),
                switchable: false,
                requested: false,
                on: true,
            }])
        };
        let error = fixed("rx-vlan-hw-parse").judge("eth1").unwrap_err();
        assert_eq!(error.fault, DeviceFault::Shape);
        let text = error.to_string();
        assert!(
            text.contains("takes the VLAN tags out of frames; `ethtool -k eth1`"),
            "{text}"
        );
        let notes = fixed("rx-vlan-filter").judge("eth1").unwrap();
        assert!(notes.concat().contains("may keep back frames"), "{notes:?}");
        for harmless in ["tx-generic-segmentation", "rx-checksum"] {
            assert_eq!(fixed(harmless).judge("eth1").unwrap(), [""; 0]);
        }
        assert_eq!(fixed("rx-gro").requested().count(), 0);
    }
}
