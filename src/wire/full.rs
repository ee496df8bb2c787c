//! The full lane: every link type and encapsulation down to the IP header.
//!
//! Headers are read by etherparse's slices where those accept what the contract accepts. Its
//! Linux cooked slice refuses packet and hardware types that it does not know, so cooked headers
//! are read here; PPPoE, PPP, MPLS, LLC/SNAP, Cisco HDLC and loopback it does not have.

use super::area::Area;
use super::{Family, LinkType, Packet, Unwrap, unwrap};
use etherparse::{Ethernet2HeaderSlice, SingleVlanHeaderSlice, ether_type};

/// Tags, and labels, that are followed in one frame.
const ENCAPSULATION_CAP: u8 = 4;

/// How far headers may reach whose length a field gives: what comes behind them still has an
/// offset.
const SKIPPED_CAP_BYTES: u16 = 0x7fff;

/// Reads any frame. [`parse`](super::parse) gives the same, faster for the common ones.
pub fn parse_full(frame: &[u8], link_type: LinkType, unwrap: &Unwrap) -> Packet {
    parse_part(frame, usize::MAX, link_type, unwrap)
}

/// Reads a frame of which the capture left out so many octets: [`Packet::wants_more`] is set only
/// where those octets could change what is decided.
pub fn parse_part(
    frame: &[u8],
    missing_bytes: usize,
    link_type: LinkType,
    unwrap: &Unwrap,
) -> Packet {
    unwrap::read(frame, missing_bytes, link_type, unwrap)
}

/// Why no IP header was reached.
pub(super) enum Stop {
    /// A type field names something else.
    NotIp,
    /// The octets end inside a header.
    Short,
    /// IP was announced, and the first nibble is no IP version; or the link type is not read.
    Unreadable,
    /// More tags or labels than the cap.
    Limit,
}

/// The walk over link headers: what is left of the frame, and what was passed.
pub(super) struct Walk<'a> {
    pub(super) rest: Area<'a>,
    pub(super) offset_bytes: u16,
    tags: u8,
    labels: u8,
}

impl<'a> Walk<'a> {
    /// At the beginning of a frame of which so many octets are missing.
    pub(super) fn new(frame: &'a [u8], missing_bytes: usize) -> Self {
        Self {
            rest: Area::frame(frame, missing_bytes),
            offset_bytes: 0,
            tags: 0,
            labels: 0,
        }
    }

    /// The same walk from here on, which counts tags and labels anew.
    pub(super) fn go_on(&mut self, rest: Area<'a>, offset_bytes: u16) {
        *self = Self {
            rest,
            offset_bytes,
            tags: 0,
            labels: 0,
        };
    }

    pub(super) fn link(&mut self, link_type: LinkType) -> Result<Family, Stop> {
        match link_type {
            LinkType::ETHERNET => self.ethernet(),
            LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::RAW => {
                self.version()?.ok_or(Stop::Unreadable)
            }
            LinkType::IPV4 => Ok(Family::V4),
            LinkType::IPV6 => Ok(Family::V6),
            LinkType::NULL => self.loopback(&[u32::from_be_bytes, u32::from_le_bytes]),
            LinkType::LOOP => self.loopback(&[u32::from_be_bytes]),
            LinkType::PPP => self.framed_ppp(),
            LinkType::PPP_HDLC => match self.rest.bytes {
                // The registry lets Cisco HDLC, unicast or broadcast, share this number.
                [0x0f | 0x8f, ..] => self.cisco_hdlc(),
                _ => self.framed_ppp(),
            },
            LinkType::CISCO_HDLC => self.cisco_hdlc(),
            LinkType::LINUX_SLL => self.cooked_v1(),
            LinkType::LINUX_SLL2 => self.cooked_v2(),
            LinkType::TOKEN_RING => self.token_ring(),
            LinkType::FDDI => self.fddi(),
            LinkType::IEEE802_11 => self.ieee802_11(false),
            LinkType::FRAME_RELAY => self.frame_relay(),
            LinkType::PRISM => self.prism(),
            LinkType::RADIOTAP => self.radiotap(),
            LinkType::ARCNET_LINUX => self.arcnet_linux(),
            LinkType::AVS => self.avs(),
            LinkType::JUNIPER_ETHERNET => self.juniper_ethernet(),
            LinkType::PPI => self.per_packet_information(),
            LinkType::NFLOG => self.netfilter_log(),
            LinkType::IPOIB => self.infiniband(),
            LinkType::PKTAP => self.pktap(),
            LinkType::DSA_BROADCOM | LinkType::DSA_MARVELL => self.marked_ethernet::<4>(),
            LinkType::EDSA_MARVELL => self.ether_type_dsa(),
            _ => Err(Stop::Unreadable),
        }
    }

    /// Takes the next header of `N` octets.
    pub(super) fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], Stop> {
        let header = self.rest.take_array().ok_or(Stop::Short)?;
        self.offset_bytes = self.offset_bytes.saturating_add(N as u16);
        Ok(header)
    }

    /// The next `N` octets, which stay.
    pub(super) fn peek<const N: usize>(&self) -> Result<&'a [u8; N], Stop> {
        self.rest.bytes.first_chunk().ok_or(Stop::Short)
    }

    /// Takes a header of a length that a field gives.
    pub(super) fn skip(&mut self, len_bytes: usize) -> Result<&'a [u8], Stop> {
        // Also where the octets are not there: how many come must not turn the answer.
        let len = u16::try_from(len_bytes).map_err(|_| Stop::Unreadable)?;
        let offset_bytes = self.offset_bytes.saturating_add(len);
        if offset_bytes > SKIPPED_CAP_BYTES {
            return Err(Stop::Unreadable);
        }
        let header = self.rest.take(len_bytes).ok_or(Stop::Short)?;
        self.offset_bytes = offset_bytes;
        Ok(header)
    }

    pub(super) fn ethernet(&mut self) -> Result<Family, Stop> {
        let header = self.take::<14>()?;
        let ethernet = Ethernet2HeaderSlice::from_slice(header).map_err(|_| Stop::Short)?;
        self.type_or_length(ethernet.ether_type().0)
    }

    /// The two octets behind the addresses or a tag: a type, or in 802.3 a length before LLC.
    pub(super) fn type_or_length(&mut self, value: u16) -> Result<Family, Stop> {
        match value {
            // Ethertypes begin at 1536. Whatever is below, receivers take for a length.
            0..1536 => self.llc(),
            _ => self.ether_type(value),
        }
    }

    pub(super) fn ether_type(&mut self, value: u16) -> Result<Family, Stop> {
        const IPV4: u16 = ether_type::IPV4.0;
        const IPV6: u16 = ether_type::IPV6.0;
        match value {
            IPV4 => Ok(Family::V4),
            IPV6 => Ok(Family::V6),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => self.tag(),
            0x8847 | 0x8848 => self.mpls(),
            0x8864 => self.pppoe_session(),
            0x88e7 => self.backbone(),
            _ => Err(Stop::NotIp),
        }
    }

    fn tag(&mut self) -> Result<Family, Stop> {
        self.count_tag()?;
        let header = self.take::<4>()?;
        let tag = SingleVlanHeaderSlice::from_slice(header).map_err(|_| Stop::Short)?;
        self.type_or_length(tag.ether_type().0)
    }

    /// Provider backbone bridging (802.1ah): a tag, then the customer's whole Ethernet frame.
    fn backbone(&mut self) -> Result<Family, Stop> {
        self.count_tag()?;
        self.take::<4>()?;
        self.ethernet()
    }

    fn count_tag(&mut self) -> Result<(), Stop> {
        if self.tags == ENCAPSULATION_CAP {
            return Err(Stop::Limit);
        }
        self.tags += 1;
        Ok(())
    }

    /// LLC that announces SNAP with an ethertype; any other LLC is not IP.
    pub(super) fn llc(&mut self) -> Result<Family, Stop> {
        const SNAP: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];
        if self
            .rest
            .bytes
            .iter()
            .zip(SNAP)
            .any(|(have, want)| *have != want)
        {
            return Err(Stop::NotIp);
        }
        let [.., high, low] = *self.take::<8>()?;
        self.ether_type(u16::from_be_bytes([high, low]))
    }

    /// A label stack. Nothing names what lies below it but its first nibble.
    fn mpls(&mut self) -> Result<Family, Stop> {
        loop {
            if self.labels == ENCAPSULATION_CAP {
                return Err(Stop::Limit);
            }
            self.labels += 1;
            let [_, _, bottom_of_stack, _] = *self.take::<4>()?;
            if bottom_of_stack & 1 == 1 {
                return self.version()?.ok_or(Stop::NotIp);
            }
        }
    }

    fn pppoe_session(&mut self) -> Result<Family, Stop> {
        let [_version_type, _code, _, _, high, low] = *self.take::<6>()?;
        let payload_len_bytes = u16::from_be_bytes([high, low]);
        self.rest = self.rest.bounded(usize::from(payload_len_bytes));
        // PPPoE leaves address and control out; concentrators that skip them there too exist.
        self.framed_ppp()
    }

    /// PPP as link types carry it: address and control octets may stand before it.
    pub(super) fn framed_ppp(&mut self) -> Result<Family, Stop> {
        match self.rest.bytes {
            [0xff, 0x03, ..] | [0xff] => {
                self.take::<2>()?;
            }
            _ => {}
        }
        self.ppp()
    }

    /// The protocol field: one octet when the first is odd (RFC 1661, section 2), otherwise two.
    fn ppp(&mut self) -> Result<Family, Stop> {
        let [first] = *self.take::<1>()?;
        let protocol = if first & 1 == 1 {
            u16::from(first)
        } else {
            let [second] = *self.take::<1>()?;
            u16::from_be_bytes([first, second])
        };
        match protocol {
            0x0021 => Ok(Family::V4),
            0x0057 => Ok(Family::V6),
            0x0281 | 0x0283 => self.mpls(),
            _ => Err(Stop::NotIp),
        }
    }

    fn cisco_hdlc(&mut self) -> Result<Family, Stop> {
        let [_address, _control, high, low] = *self.take::<4>()?;
        self.ether_type(u16::from_be_bytes([high, low]))
    }

    fn cooked_v1(&mut self) -> Result<Family, Stop> {
        let header = *self.take::<16>()?;
        let hardware = u16::from_be_bytes([header[2], header[3]]);
        self.cooked(hardware, u16::from_be_bytes([header[14], header[15]]))
    }

    fn cooked_v2(&mut self) -> Result<Family, Stop> {
        let header = *self.take::<20>()?;
        let hardware = u16::from_be_bytes([header[8], header[9]]);
        self.cooked(hardware, u16::from_be_bytes([header[0], header[1]]))
    }

    /// The protocol field of a cooked header, whose meaning hangs on the device.
    fn cooked(&mut self, hardware: u16, protocol: u16) -> Result<Family, Stop> {
        const FRAD: u16 = 770;
        const RADIOTAP: u16 = 803;
        const NETLINK: u16 = 824;
        const LLC: u16 = 4;
        match (hardware, protocol) {
            // Of these devices the field says nothing, or something else.
            (FRAD, _) => self.frame_relay(),
            (RADIOTAP, _) => self.radiotap(),
            (NETLINK, _) => Err(Stop::NotIp),
            (_, LLC) => self.llc(),
            _ => self.ether_type(protocol),
        }
    }

    /// An address family as the capturing system numbers it, in any of these byte orders.
    fn loopback(&mut self, orders: &[fn([u8; 4]) -> u32]) -> Result<Family, Stop> {
        let header = *self.take::<4>()?;
        orders
            .iter()
            .find_map(|order| match order(header) {
                2 => Some(Family::V4),
                // Linux, NetBSD and OpenBSD, FreeBSD, macOS.
                10 | 24 | 28 | 30 => Some(Family::V6),
                _ => None,
            })
            .ok_or(Stop::NotIp)
    }

    /// The family that the first nibble names.
    pub(super) fn version(&self) -> Result<Option<Family>, Stop> {
        let first = self.rest.bytes.first().ok_or(Stop::Short)?;
        Ok(match first >> 4 {
            4 => Some(Family::V4),
            6 => Some(Family::V6),
            _ => None,
        })
    }
}
