//! Headers that whoever captured put before a frame: they name the frame's own link type, or hold
//! the packet among other attributes.

use super::full::{Stop, Walk};
use super::{Family, LinkType};

/// Attributes of a netfilter log record that are passed. The kernel knows some twenty.
const ATTRIBUTES_CAP: u8 = 32;

impl Walk<'_> {
    /// Per-Packet Information: version, flags, length, and the link type of what follows.
    pub(super) fn per_packet_information(&mut self) -> Result<Family, Stop> {
        let [version, _, low, high, a, b, c, d] = *self.peek::<8>()?;
        let len_bytes = u16::from_le_bytes([low, high]);
        if version != 0 || len_bytes < 8 {
            return Err(Stop::Unreadable);
        }
        self.skip(len_bytes.into())?;
        self.inner(u32::from_le_bytes([a, b, c, d]))
    }

    /// Apple's pktap: the header's length, what follows it, and the link type of that.
    pub(super) fn pktap(&mut self) -> Result<Family, Stop> {
        let words = self.peek::<12>()?;
        let [len_bytes, kind, link_type] = [0, 4, 8].map(|at| {
            let octets = words.get(at..).and_then(|rest| rest.first_chunk());
            octets.map_or(0, |octets| u32::from_le_bytes(*octets))
        });
        const PACKET: u32 = 1;
        if kind != PACKET {
            return Err(Stop::NotIp);
        }
        if len_bytes < 12 {
            return Err(Stop::Unreadable);
        }
        self.skip(usize::try_from(len_bytes).unwrap_or(usize::MAX))?;
        self.inner(link_type)
    }

    /// Juniper's header before Ethernet: a magic number, flags, and extensions where one of them
    /// says so. Without a link header, four octets stand in its place.
    pub(super) fn juniper_ethernet(&mut self) -> Result<Family, Stop> {
        const EXTENDED: u8 = 0x80;
        const NO_LINK_HEADER: u8 = 0x02;
        let [b'M', b'G', b'C', flags] = *self.take::<4>()? else {
            return Err(Stop::Unreadable);
        };
        if flags & EXTENDED != 0 {
            let len_bytes = u16::from_be_bytes(*self.take()?);
            self.skip(len_bytes.into())?;
        }
        if flags & NO_LINK_HEADER != 0 {
            self.take::<4>()?;
            return self.version()?.ok_or(Stop::NotIp);
        }
        self.ethernet()
    }

    /// A netfilter log record: an address family, then attributes; one of them is the packet.
    pub(super) fn netfilter_log(&mut self) -> Result<Family, Stop> {
        const PAYLOAD: u8 = 9;
        let [family, version, _, _] = *self.take::<4>()?;
        let family = match (version, family) {
            (0, 2) => Family::V4,
            (0, 10) => Family::V6,
            (0, _) => return Err(Stop::NotIp),
            _ => return Err(Stop::Unreadable),
        };
        for _ in 0..ATTRIBUTES_CAP {
            let header = *self.take::<4>()?;
            // In the byte order of whoever wrote the file; no kind needs more than one octet.
            let (len_bytes, kind) = match header {
                [a, b, kind, 0] => (u16::from_le_bytes([a, b]), kind),
                [a, b, 0, kind] => (u16::from_be_bytes([a, b]), kind),
                _ => return Err(Stop::Unreadable),
            };
            let len_bytes = usize::from(len_bytes)
                .checked_sub(header.len())
                .ok_or(Stop::Unreadable)?;
            if kind == PAYLOAD {
                self.rest = self.rest.bounded(len_bytes);
                return Ok(family);
            }
            self.skip(len_bytes.next_multiple_of(header.len()))?;
        }
        Err(Stop::Limit)
    }

    /// The frame inside, which is no wrapped one again.
    fn inner(&mut self, link_type: u32) -> Result<Family, Stop> {
        match u16::try_from(link_type).map(LinkType) {
            Ok(LinkType::PPI | LinkType::PKTAP) | Err(_) => Err(Stop::Unreadable),
            Ok(link_type) => self.link(link_type),
        }
    }
}
