//! Mapping of address and port (MAP-E, RFC 7597): an IPv4 address and a set of its ports belong to
//! an IPv6 prefix, by arithmetic alone.

use ipnet::{Ipv4Net, Ipv6Net};
use std::fmt;

/// A basic mapping rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapRule {
    ipv6: Ipv6Net,
    ipv4: Ipv4Net,
    ea_bits: u8,
    psid_offset: u8,
    psid_bits: u8,
    interface_id: Option<InterfaceId>,
}

/// How an address and a port set stand in the interface identifier of a subscriber's tunnel end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InterfaceId {
    /// 16 zeros, address, PSID.
    Rfc7597,
    /// 8 zeros, address, PSID, 8 zeros.
    Draft03,
}

/// The ports of one subscriber: those whose bits behind the first `offset_bits` are its PSID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSet {
    /// Bits before the PSID; ports that have only zeros there are nobody's.
    pub offset_bits: u8,
    /// Bits of the PSID; with none, all ports are in the set.
    pub psid_bits: u8,
    /// Port set identifier.
    pub psid: u16,
}

/// Why numbers make no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapFault {
    /// Prefix and EA bits exceed an IPv6 address.
    TooLong,
    /// PSID offset and length exceed a port.
    TooManyPortBits,
    /// The PSID length that was given is not the one that the lengths give.
    PsidLength {
        /// What they give.
        derived: u8,
    },
}

impl MapRule {
    /// A rule; its PSID is what the EA bits hold behind the rest of the IPv4 address. A length that
    /// is given for it has to be just that.
    pub fn new(
        ipv6: Ipv6Net,
        ipv4: Ipv4Net,
        ea_bits: u8,
        psid_offset: u8,
        psid_bits: Option<u8>,
    ) -> Result<Self, MapFault> {
        let rest_bits = 32 - ipv4.prefix_len();
        let derived = ea_bits.saturating_sub(rest_bits);
        if u32::from(ipv6.prefix_len()) + u32::from(ea_bits) > 128 {
            return Err(MapFault::TooLong);
        }
        if u32::from(psid_offset) + u32::from(derived) > 16 {
            return Err(MapFault::TooManyPortBits);
        }
        if psid_bits.is_some_and(|given| given != derived) {
            return Err(MapFault::PsidLength { derived });
        }
        Ok(Self {
            ipv6: ipv6.trunc(),
            ipv4: ipv4.trunc(),
            ea_bits,
            psid_offset,
            psid_bits: derived,
            interface_id: None,
        })
    }

    /// The same rule, which also demands that interface identifiers have this layout.
    pub fn checking(self, interface_id: InterfaceId) -> Self {
        Self {
            interface_id: Some(interface_id),
            ..self
        }
    }

    /// Its IPv6 prefix.
    pub const fn ipv6(&self) -> Ipv6Net {
        self.ipv6
    }

    /// Its IPv4 prefix.
    pub const fn ipv4(&self) -> Ipv4Net {
        self.ipv4
    }

    /// How many bits behind the IPv6 prefix hold the rest of the IPv4 address, and the PSID.
    pub const fn ea_bits(&self) -> u8 {
        self.ea_bits
    }

    /// How many bits of a port stand before the PSID.
    pub const fn psid_offset(&self) -> u8 {
        self.psid_offset
    }

    /// How many bits the PSID has.
    pub const fn psid_bits(&self) -> u8 {
        self.psid_bits
    }

    /// The layout that it demands of interface identifiers.
    pub const fn interface_id(&self) -> Option<InterfaceId> {
        self.interface_id
    }
}

impl fmt::Display for MapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the IPv6 prefix and the EA bits exceed 128 bits"),
            Self::TooManyPortBits => f.write_str("PSID offset and PSID length exceed 16 bits"),
            Self::PsidLength { derived } => write!(
                f,
                "the PSID length is {derived}: EA bits less what the IPv4 prefix leaves open"
            ),
        }
    }
}

impl std::error::Error for MapFault {}
