//! 802.11 data frames, and what drivers put before them.
//!
//! Opened is what anyone may read: data frames with LLC. A protected frame stays closed, one that
//! aggregates several is left alone, and a later fragment begins inside a packet: none of them
//! shows an IP header.

use super::Family;
use super::full::{Stop, Walk};

/// Octets of a Prism header; its length field counts the same by every driver.
const PRISM_OCTETS: usize = 144;

/// Words of a radiotap header that tell which fields are there.
const PRESENT_CAP: usize = 8;

impl Walk<'_> {
    /// Radiotap: version, pad, length, then the words that tell which fields are there.
    pub(super) fn radiotap(&mut self) -> Result<Family, Stop> {
        const DATA_PAD: u8 = 0x20;
        let [version, _, low, high] = *self.peek::<4>()?;
        let len_bytes = u16::from_le_bytes([low, high]);
        if version != 0 || len_bytes < 8 {
            return Err(Stop::Unreadable);
        }
        let header = self.skip(len_bytes.into())?;
        self.ieee802_11(radiotap_flags(header) & DATA_PAD != 0)
    }

    /// A Prism header, or one of AVS under the same number.
    pub(super) fn prism(&mut self) -> Result<Family, Stop> {
        if let [0x80, 0x21, 0x10, ..] = *self.peek::<4>()? {
            return self.avs();
        }
        self.skip(PRISM_OCTETS)?;
        self.ieee802_11(false)
    }

    /// AVS: a magic number that ends with the version, and the length of the header.
    pub(super) fn avs(&mut self) -> Result<Family, Stop> {
        let [0x80, 0x21, 0x10, _, 0, 0, high, low] = *self.peek::<8>()? else {
            return Err(Stop::Unreadable);
        };
        let len_bytes = u16::from_be_bytes([high, low]);
        if len_bytes < 8 {
            return Err(Stop::Unreadable);
        }
        self.skip(len_bytes.into())?;
        self.ieee802_11(false)
    }

    /// From frame control on; `padded` when the driver filled the header to whole words.
    pub(super) fn ieee802_11(&mut self, padded: bool) -> Result<Family, Stop> {
        let [kind, flags] = *self.peek::<2>()?;
        // Version 0, type data; the subtype says whether there is any.
        const DATA: u8 = 0x08;
        const NO_DATA: u8 = 0x40;
        const QOS: u8 = 0x80;
        const BOTH_WAYS: u8 = 0x03;
        const PROTECTED: u8 = 0x40;
        const HT_CONTROL: u8 = 0x80;
        if kind & 0x0f != DATA || kind & NO_DATA != 0 || flags & PROTECTED != 0 {
            return Err(Stop::NotIp);
        }
        let [.., sequence, _] = *self.take::<24>()?;
        let is_later_fragment = sequence & 0x0f != 0;
        let mut len_bytes = 24_usize;
        if flags & BOTH_WAYS == BOTH_WAYS {
            self.take::<6>()?;
            len_bytes += 6;
        }
        if kind & QOS != 0 {
            const AGGREGATE: u8 = 0x80;
            let [control, _] = *self.take::<2>()?;
            if control & AGGREGATE != 0 {
                return Err(Stop::NotIp);
            }
            len_bytes += 2;
            if flags & HT_CONTROL != 0 {
                self.take::<4>()?;
                len_bytes += 4;
            }
        }
        if is_later_fragment {
            return Err(Stop::NotIp);
        }
        if padded {
            self.skip(len_bytes.next_multiple_of(4) - len_bytes)?;
        }
        self.llc()
    }
}

/// The field of that name, 0 where it is not there. Each field stands at a multiple of its size.
fn radiotap_flags(header: &[u8]) -> u8 {
    const TIMER: u32 = 1 << 0;
    const FLAGS: u32 = 1 << 1;
    const MORE: u32 = 1 << 31;
    let (_, rest) = header.split_at_checked(4).unwrap_or_default();
    let (words, _) = rest.as_chunks::<4>();
    let words = words.iter().map(|word| u32::from_le_bytes(*word));
    let Some(further) = words.clone().take(PRESENT_CAP).position(|w| w & MORE == 0) else {
        return 0;
    };
    let present = words.clone().next().unwrap_or(0);
    if present & FLAGS == 0 {
        return 0;
    }
    let mut at = 4 + 4 * (further + 1);
    if present & TIMER != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    header.get(at).copied().unwrap_or(0)
}
