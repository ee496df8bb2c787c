//! From the header that is a tunnel's own to the IP header within.

use super::full::{Stop, Walk};
use super::{Family, TunnelKind};

/// Extension headers of GTP-U that are followed.
const GTP_EXTENSIONS_CAP: u8 = 8;

impl Walk<'_> {
    /// Enters a tunnel behind its outer IP header.
    pub(super) fn enter(&mut self, kind: TunnelKind) -> Result<Family, Stop> {
        const UDP_OCTETS: usize = 8;
        match kind {
            TunnelKind::Ipv4InIpv6 => Ok(Family::V4),
            TunnelKind::Ipv6InIpv4 => Ok(Family::V6),
            TunnelKind::Gre => self.gre(),
            TunnelKind::L2tp => {
                self.pass(UDP_OCTETS)?;
                self.l2tp()
            }
            TunnelKind::Vxlan => {
                self.pass(UDP_OCTETS)?;
                self.vxlan()
            }
            TunnelKind::GtpU => {
                self.pass(UDP_OCTETS)?;
                self.gtp_u()
            }
        }
    }

    /// A data message of version 2 (RFC 2661, section 3.1): its bits tell which fields it has.
    fn l2tp(&mut self) -> Result<Family, Stop> {
        const CONTROL: u16 = 0x8000;
        const LENGTH: u16 = 0x4000;
        const SEQUENCE: u16 = 0x0800;
        const OFFSET: u16 = 0x0200;
        const VERSION: u16 = 0x000f;
        let bits = u16::from_be_bytes(*self.take()?);
        if bits & VERSION != 2 || bits & CONTROL != 0 {
            return Err(Stop::NotIp);
        }
        let octets = |bit: u16, octets: usize| if bits & bit == 0 { 0 } else { octets };
        const TUNNEL_AND_SESSION_OCTETS: usize = 4;
        self.pass(octets(LENGTH, 2) + TUNNEL_AND_SESSION_OCTETS + octets(SEQUENCE, 4))?;
        if bits & OFFSET != 0 {
            let pad_bytes = u16::from_be_bytes(*self.take()?);
            self.pass(usize::from(pad_bytes))?;
        }
        self.framed_ppp()
    }

    /// GRE with checksum, key and sequence number (RFC 2784, RFC 2890), and the enhanced one of
    /// PPTP (RFC 2637), which acknowledges too.
    fn gre(&mut self) -> Result<Family, Stop> {
        const CHECKSUM: u8 = 0x80;
        const ROUTING: u8 = 0x40;
        const KEY: u8 = 0x20;
        const SEQUENCE: u8 = 0x10;
        const ACKNOWLEDGEMENT: u8 = 0x80;
        const VERSION: u8 = 0x07;
        let [bits, more_bits, high, low] = *self.take()?;
        let acknowledges = match more_bits & VERSION {
            0 => false,
            1 => more_bits & ACKNOWLEDGEMENT != 0,
            _ => return Err(Stop::NotIp),
        };
        if bits & ROUTING != 0 {
            // Of RFC 1701 alone; whoever follows RFC 2784 discards it.
            return Err(Stop::Unreadable);
        }
        let fields = [CHECKSUM, KEY, SEQUENCE].map(|bit| bits & bit != 0);
        let fields = fields.into_iter().chain([acknowledges]);
        self.pass(4 * fields.filter(|there| *there).count())?;
        match u16::from_be_bytes([high, low]) {
            0x6558 => self.ethernet(),
            0x880b => self.framed_ppp(),
            ether_type => self.ether_type(ether_type),
        }
    }

    /// An Ethernet frame behind flags and network identifier (RFC 7348, section 5).
    fn vxlan(&mut self) -> Result<Family, Stop> {
        self.pass(8)?;
        self.ethernet()
    }

    /// A user's packet behind the header of version 1 and its extension headers (3GPP TS 29.281,
    /// section 5).
    fn gtp_u(&mut self) -> Result<Family, Stop> {
        const VERSION_AND_TYPE: u8 = 0xf0;
        const EXTENSION: u8 = 0x04;
        const OPTIONAL_FIELDS: u8 = 0x07;
        const USER_PACKET: u8 = 255;
        let [bits, message, ..] = *self.take::<8>()?;
        if bits & VERSION_AND_TYPE != 0x30 || message != USER_PACKET {
            return Err(Stop::NotIp);
        }
        if bits & OPTIONAL_FIELDS != 0 {
            let [_, _, _, next] = *self.take()?;
            if bits & EXTENSION != 0 {
                self.gtp_extensions(next)?;
            }
        }
        self.version()?.ok_or(Stop::NotIp)
    }

    /// Extension headers, each of which ends with the type of the next: 0 is none.
    fn gtp_extensions(&mut self, first: u8) -> Result<(), Stop> {
        let mut next = first;
        for _ in 0..GTP_EXTENSIONS_CAP {
            if next == 0 {
                return Ok(());
            }
            let [units] = *self.take()?;
            let Some(content_bytes) = (4 * usize::from(units)).checked_sub(2) else {
                return Err(Stop::Unreadable);
            };
            self.pass(content_bytes)?;
            [next] = *self.take()?;
        }
        match next {
            0 => Ok(()),
            _ => Err(Stop::Limit),
        }
    }

    /// Passes so many octets.
    fn pass(&mut self, octets: usize) -> Result<(), Stop> {
        self.rest.take(octets).ok_or(Stop::Short)?;
        let octets = u16::try_from(octets).unwrap_or(u16::MAX);
        self.offset_bytes = self.offset_bytes.saturating_add(octets);
        Ok(())
    }
}
