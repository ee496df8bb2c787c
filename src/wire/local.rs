//! Local networks other than Ethernet, Ethernet that a switch chip marked, and Frame Relay.

use super::Family;
use super::full::{Stop, Walk};

impl Walk<'_> {
    /// Token Ring: access and frame control, two addresses, and a route when the source's first
    /// bit says so.
    pub(super) fn token_ring(&mut self) -> Result<Family, Stop> {
        let [_, control, _, _, _, _, _, _, source, ..] = *self.take::<14>()?;
        const LLC: u8 = 0x40;
        const ROUTED: u8 = 0x80;
        if control & 0xc0 != LLC {
            return Err(Stop::NotIp);
        }
        if source & ROUTED != 0 {
            let [control] = *self.peek::<1>()?;
            // Of the whole route, this octet too: never less than two.
            let len_bytes = usize::from(control & 0x1f);
            if len_bytes < 2 {
                return Err(Stop::Unreadable);
            }
            self.skip(len_bytes)?;
        }
        self.llc()
    }

    /// FDDI: frame control, two addresses of six octets.
    pub(super) fn fddi(&mut self) -> Result<Family, Stop> {
        let [control, ..] = *self.take::<13>()?;
        // Long addresses and LLC, whether asynchronous or synchronous.
        const LLC: u8 = 0x50;
        if control & 0x70 != LLC {
            return Err(Stop::NotIp);
        }
        self.llc()
    }

    /// ARCNET as Linux captures it: reassembled, with two octets of its own before the type.
    pub(super) fn arcnet_linux(&mut self) -> Result<Family, Stop> {
        let [.., protocol] = *self.take::<5>()?;
        let family = match protocol {
            // RFC 1051: the datagram follows at once.
            240 => return Ok(Family::V4),
            // RFC 1201, and the same for IPv6.
            212 => Family::V4,
            196 => Family::V6,
            _ => return Err(Stop::NotIp),
        };
        let [split, ..] = *self.take::<3>()?;
        // 0 is a whole one, odd is the first part of several.
        match split {
            0 => Ok(family),
            _ if split & 1 == 1 => Ok(family),
            _ => Err(Stop::NotIp),
        }
    }

    /// Ethernet with a tag of `N` octets between the addresses and the type.
    pub(super) fn marked_ethernet<const N: usize>(&mut self) -> Result<Family, Stop> {
        self.take::<12>()?;
        self.take::<N>()?;
        self.type_field()
    }

    /// Ethernet whose type field may announce a tag of Marvell's switches.
    pub(super) fn ether_type_dsa(&mut self) -> Result<Family, Stop> {
        self.take::<12>()?;
        if let [0xda, 0xda] = *self.peek::<2>()? {
            self.take::<8>()?;
        }
        self.type_field()
    }

    /// IP over InfiniBand: a global route header, then a type and two reserved octets.
    pub(super) fn infiniband(&mut self) -> Result<Family, Stop> {
        self.take::<40>()?;
        let [high, low, _, _] = *self.take::<4>()?;
        self.ether_type(u16::from_be_bytes([high, low]))
    }

    /// Frame Relay: an address of two to four octets, then what RFC 2427 puts there, or, as Cisco
    /// does, a type.
    pub(super) fn frame_relay(&mut self) -> Result<Family, Stop> {
        const LAST: u8 = 0x01;
        const UNNUMBERED: u8 = 0x03;
        const IPV4: u8 = 0xcc;
        const IPV6: u8 = 0x8e;
        const SNAP: u8 = 0x80;
        let mut octets = 1;
        while self.take::<1>()?[0] & LAST == 0 {
            octets += 1;
            if octets > 4 {
                return Err(Stop::Unreadable);
            }
        }
        if octets == 1 {
            return Err(Stop::Unreadable);
        }
        if self.peek::<1>()?[0] != UNNUMBERED {
            return self.type_field();
        }
        self.take::<1>()?;
        if self.peek::<1>()?[0] == 0 {
            self.take::<1>()?;
        }
        match *self.take::<1>()? {
            [IPV4] => Ok(Family::V4),
            [IPV6] => Ok(Family::V6),
            [SNAP] => match *self.take::<5>()? {
                [0, 0, 0, high, low] => self.ether_type(u16::from_be_bytes([high, low])),
                _ => Err(Stop::NotIp),
            },
            _ => Err(Stop::NotIp),
        }
    }

    fn type_field(&mut self) -> Result<Family, Stop> {
        let value = u16::from_be_bytes(*self.take()?);
        self.type_or_length(value)
    }
}
