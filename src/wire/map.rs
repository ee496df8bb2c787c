//! Mapping of address and port (MAP-E, RFC 7597): an IPv4 address and a set of its ports belong to
//! an IPv6 prefix, by arithmetic alone.

use ipnet::{Ipv4Net, Ipv6Net};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A basic mapping rule (RFC 7597, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapRule {
    ipv6: Ipv6Net,
    ipv4: Ipv4Net,
    ea_bits: u8,
    offset_bits: u8,
    psid_bits: u8,
    /// That of a rule whose EA bits hold none.
    psid: Option<u16>,
    interface_id: Option<InterfaceId>,
}

/// How an address and a port set stand in the interface identifier of a subscriber's tunnel end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InterfaceId {
    /// 16 zeros, address, PSID (RFC 7597, section 6).
    Rfc7597,
    /// 8 zeros, address, PSID, 8 zeros: draft-ietf-softwire-map-03, which v6 Plus follows.
    Draft03,
}

/// The ports of one subscriber (RFC 7597, section 5.1): those whose bits behind the first
/// `offset_bits` are its PSID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSet {
    /// Bits before the PSID. Ports that have only zeros there are nobody's.
    pub offset_bits: u8,
    /// Bits of the PSID; with none, all ports are in the set.
    pub psid_bits: u8,
    /// Port set identifier.
    pub psid: u16,
}

/// What a subscriber may use as its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Usually one address.
    pub ipv4: Ipv4Net,
    /// Of that address.
    pub ports: PortSet,
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
    /// A PSID that does not fit its length.
    PsidTooLarge,
}

impl PortSet {
    /// The PSID that a port has; `None` where its first bits are all zero, which keeps the system
    /// ports from everybody.
    pub fn psid_of(port: u16, offset_bits: u8, psid_bits: u8) -> Option<u16> {
        if psid_bits == 0 {
            return Some(0);
        }
        let excluded = offset_bits > 0 && top_bits(port, offset_bits) == 0;
        let behind_offset = top_bits(port, offset_bits.saturating_add(psid_bits));
        (!excluded).then_some(behind_offset & ones(psid_bits) as u16)
    }

    /// Whether the port is in the set.
    pub fn contains(self, port: u16) -> bool {
        Self::psid_of(port, self.offset_bits, self.psid_bits) == Some(self.psid)
    }
}

impl MapRule {
    /// A rule; its PSID is what the EA bits hold behind the rest of the IPv4 address. A length that
    /// is given for it has to be just that.
    pub fn new(
        ipv6: Ipv6Net,
        ipv4: Ipv4Net,
        ea_bits: u8,
        offset_bits: u8,
        psid_bits: Option<u8>,
    ) -> Result<Self, MapFault> {
        let derived = ea_bits.saturating_sub(32 - ipv4.prefix_len());
        if psid_bits.is_some_and(|given| given != derived) {
            return Err(MapFault::PsidLength { derived });
        }
        Self {
            ipv6: ipv6.trunc(),
            ipv4: ipv4.trunc(),
            ea_bits,
            offset_bits,
            psid_bits: derived,
            psid: None,
            interface_id: None,
        }
        .checked()
    }

    /// A rule for one subscriber alone: no EA bits, and a PSID that is given.
    pub fn of_one(
        ipv6: Ipv6Net,
        ipv4: Ipv4Addr,
        offset_bits: u8,
        psid_bits: u8,
        psid: u16,
    ) -> Result<Self, MapFault> {
        if u64::from(psid) > ones(psid_bits) {
            return Err(MapFault::PsidTooLarge);
        }
        Self {
            ipv6: ipv6.trunc(),
            ipv4: ipv4.into(),
            ea_bits: 0,
            offset_bits,
            psid_bits,
            psid: Some(psid),
            interface_id: None,
        }
        .checked()
    }

    /// The same rule, which also demands that interface identifiers have this layout.
    pub fn checking(self, interface_id: InterfaceId) -> Self {
        Self {
            interface_id: Some(interface_id),
            ..self
        }
    }

    /// Rule IPv6 prefix.
    pub fn ipv6(&self) -> Ipv6Net {
        self.ipv6
    }

    /// Rule IPv4 prefix.
    pub fn ipv4(&self) -> Ipv4Net {
        self.ipv4
    }

    /// How many bits behind the IPv6 prefix hold the rest of the IPv4 address, and the PSID.
    pub const fn ea_bits(&self) -> u8 {
        self.ea_bits
    }

    /// How many bits of a port stand before the PSID.
    pub const fn psid_offset(&self) -> u8 {
        self.offset_bits
    }

    /// How many bits the PSID has.
    pub const fn psid_bits(&self) -> u8 {
        self.psid_bits
    }

    /// The layout that it demands of interface identifiers.
    pub const fn interface_id(&self) -> Option<InterfaceId> {
        self.interface_id
    }

    /// What the subscriber with this address may use as its source; `None` where the address is
    /// not one of this rule.
    pub fn share(&self, ipv6: Ipv6Addr) -> Option<Share> {
        if !self.ipv6.contains(&ipv6) {
            return None;
        }
        let ea = u128::from(ipv6)
            .checked_shr(self.behind_ea_bits())
            .unwrap_or(0) as u64
            & ones(self.ea_bits);
        let rest_bits = self.rest_bits();
        let (suffix, psid) = match rest_bits.checked_sub(self.ea_bits) {
            // The EA bits are the first of what the IPv4 prefix leaves open.
            Some(open_bits) => (ea << open_bits, self.psid.unwrap_or(0)),
            None => (ea >> self.psid_bits, (ea & ones(self.psid_bits)) as u16),
        };
        let address = u32::from(self.ipv4.network()) | suffix as u32;
        let length = self.ipv4.prefix_len() + self.ea_bits.min(rest_bits);
        Some(Share {
            ipv4: Ipv4Net::new(address.into(), length).ok()?,
            ports: PortSet {
                offset_bits: self.offset_bits,
                psid_bits: self.psid_bits,
                psid,
            },
        })
    }

    /// The end-user prefix to which an IPv4 address and a port belong; `None` where they are not of
    /// this rule. Without a port, only where addresses are not shared.
    pub fn end_user(&self, ipv4: Ipv4Addr, port: Option<u16>) -> Option<Ipv6Net> {
        if !self.ipv4.contains(&ipv4) {
            return None;
        }
        let psid = match (port, self.psid_bits) {
            (_, 0) => 0,
            (port, psid_bits) => PortSet::psid_of(port?, self.offset_bits, psid_bits)?,
        };
        if self.psid.is_some_and(|only| only != psid) {
            return None;
        }
        let rest_bits = self.rest_bits();
        let suffix = u64::from(u32::from(ipv4)) & ones(rest_bits);
        let ea = match rest_bits.checked_sub(self.ea_bits) {
            Some(open_bits) => suffix >> open_bits,
            None => suffix << self.psid_bits | u64::from(psid),
        };
        let address = u128::from(self.ipv6.network())
            | u128::from(ea)
                .checked_shl(self.behind_ea_bits())
                .unwrap_or(0);
        Ipv6Net::new(address.into(), self.ipv6.prefix_len() + self.ea_bits).ok()
    }

    /// Whether the address has the interface identifier that the rule demands, if it demands one.
    pub fn has_interface_id(&self, ipv6: Ipv6Addr, share: &Share) -> bool {
        let address = u64::from(u32::from(share.ipv4.network()));
        let psid = u64::from(share.ports.psid);
        let wanted = match self.interface_id {
            None => return true,
            Some(InterfaceId::Rfc7597) => address << 16 | psid,
            Some(InterfaceId::Draft03) => address << 24 | psid << 8,
        };
        // A prefix beyond 64 bits overwrites the identifier's first.
        let compared = ones(self.behind_ea_bits().min(64) as u8);
        (u128::from(ipv6) as u64 ^ wanted) & compared == 0
    }

    fn checked(self) -> Result<Self, MapFault> {
        if u32::from(self.offset_bits) + u32::from(self.psid_bits) > 16 {
            return Err(MapFault::TooManyPortBits);
        }
        if u32::from(self.ipv6.prefix_len()) + u32::from(self.ea_bits) > 128 {
            return Err(MapFault::TooLong);
        }
        Ok(self)
    }

    /// Bits of an address that the rule's IPv4 prefix leaves open.
    fn rest_bits(&self) -> u8 {
        32 - self.ipv4.prefix_len()
    }

    /// Bits of an IPv6 address behind the EA bits.
    fn behind_ea_bits(&self) -> u32 {
        128 - u32::from(self.ipv6.prefix_len()) - u32::from(self.ea_bits)
    }
}

/// So many low bits set.
fn ones(bits: u8) -> u64 {
    1_u64
        .checked_shl(bits.into())
        .map_or(u64::MAX, |bit| bit - 1)
}

/// The first bits of a port, as a number.
fn top_bits(port: u16, bits: u8) -> u16 {
    let rest_bits = 16_u32.saturating_sub(bits.into());
    port.checked_shr(rest_bits).unwrap_or(0)
}

impl fmt::Display for MapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the IPv6 prefix and the EA bits exceed 128 bits"),
            Self::TooManyPortBits => f.write_str("PSID offset and PSID length exceed 16 bits"),
            Self::PsidLength { derived } => write!(
                f,
                "the PSID length is {derived}: the EA bits less what the IPv4 prefix leaves open"
            ),
            Self::PsidTooLarge => f.write_str("the PSID does not fit its length"),
        }
    }
}

impl std::error::Error for MapFault {}
