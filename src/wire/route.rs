//! Source routes that are not yet exhausted: options of IPv4 (RFC 791), routing headers of IPv6.
//!
//! A stack that meets options which it cannot walk drops the packet, so what stands behind such an
//! option is not looked for; a source route that is itself such an option leads anywhere.

use super::{Family, Packet, Route};

const LOOSE: u8 = 131;
const STRICT: u8 = 137;

/// Routing header types whose lists are read: RFC 5095 and RFC 6275, and RFC 8754.
const SOURCE_ROUTE: u8 = 0;
const HOME_ADDRESS: u8 = 2;
const SEGMENT_ROUTING: u8 = 4;

/// Octets of a routing header before its list.
const BEFORE_LIST_OCTETS: usize = 8;
const IPV6_OCTETS: usize = 16;

/// The addresses that a packet is yet to pass, the last of which it is for, in no order that
/// matters; none where its route is not [`Route::Listed`]. The frame is the one that the packet was
/// parsed from.
pub fn route_addresses<'a>(
    frame: &'a [u8],
    packet: &Packet,
) -> impl Iterator<Item = u128> + Clone + 'a {
    let octets = match packet.family {
        Some(Family::V6) => IPV6_OCTETS,
        Some(Family::V4) | None => 4,
    };
    let list = match packet.route {
        Route::Listed { at, addresses } => {
            let at = usize::from(at);
            frame.get(at..at + usize::from(addresses) * octets)
        }
        Route::None | Route::Unreadable => None,
    };
    list.unwrap_or_default().chunks_exact(octets).map(|octets| {
        octets
            .iter()
            .fold(0, |address, octet| address << 8 | u128::from(*octet))
    })
}

impl Route {
    /// Of the options of an IPv4 header that begin `at` octets into the frame. Of `on_wire_bytes` of
    /// them the capture may hold fewer: what it left out may be any route.
    pub(super) fn of_options(options: &[u8], on_wire_bytes: usize, at: usize) -> Self {
        let mut route = Self::None;
        let mut rest = options;
        loop {
            let passed = options.len() - rest.len();
            let left_bytes = on_wire_bytes.saturating_sub(passed);
            let len_bytes = match *rest {
                [] | [_] if left_bytes > rest.len() && !matches!(rest, [0 | 1]) => {
                    return Self::Unreadable;
                }
                [] | [0, ..] => return route,
                [1, ..] => 1,
                [LOOSE | STRICT, ..] => {
                    route = route.and(Self::of_option(rest, at + passed));
                    rest.get(1).copied().unwrap_or(0).max(2)
                }
                [_, len_bytes, ..] if len_bytes >= 2 => len_bytes,
                _ => return route,
            };
            let len_bytes = usize::from(len_bytes);
            match rest.get(len_bytes..) {
                Some(behind) => rest = behind,
                None if len_bytes < left_bytes => return Self::Unreadable,
                None => return route,
            }
        }
    }

    /// Of a loose or strict source route: type, length, pointer, addresses. The pointer counts from
    /// the type, which is 1.
    fn of_option(option: &[u8], at: usize) -> Self {
        let [_, len_bytes, pointer, ..] = *option else {
            return Self::Unreadable;
        };
        let [len_bytes, pointer] = [len_bytes, pointer].map(usize::from);
        if len_bytes < 3 || len_bytes > option.len() || pointer < 4 {
            return Self::Unreadable;
        }
        match (len_bytes + 1).saturating_sub(pointer) {
            0 => Self::None,
            left_bytes if left_bytes % 4 == 0 => Self::listed(at + pointer - 1, left_bytes / 4),
            _ => Self::Unreadable,
        }
    }

    /// Of an IPv6 routing header that begins `at` octets into the frame, or as much of it as is
    /// there.
    pub(super) fn of_routing_header(header: &[u8], at: usize) -> Self {
        let [_, units, kind, segments_left, ref rest @ ..] = *header else {
            return Self::Unreadable;
        };
        let segments_left = usize::from(segments_left);
        let list_bytes = usize::from(units) * 8;
        let addresses = list_bytes / IPV6_OCTETS;
        if segments_left == 0 {
            return Self::None;
        }
        if header.len() < BEFORE_LIST_OCTETS + list_bytes {
            return Self::Unreadable;
        }
        // Which of the addresses are yet to be passed: the last of a list in the order of travel,
        // the first of one that is turned round.
        let passed = match (kind, rest) {
            (SOURCE_ROUTE | HOME_ADDRESS, _) if list_bytes % IPV6_OCTETS == 0 => {
                addresses.checked_sub(segments_left)
            }
            (SEGMENT_ROUTING, [last_entry, ..])
                if segments_left <= usize::from(*last_entry) + 1
                    && usize::from(*last_entry) < addresses =>
            {
                Some(0)
            }
            _ => None,
        };
        passed.map_or(Self::Unreadable, |passed| {
            Self::listed(
                at + BEFORE_LIST_OCTETS + passed * IPV6_OCTETS,
                segments_left,
            )
        })
    }

    /// Both of two routes in one packet: two that are not exhausted cannot be told in one list.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (route, Self::None) | (Self::None, route) => route,
            _ => Self::Unreadable,
        }
    }

    fn listed(at: usize, addresses: usize) -> Self {
        match (u16::try_from(at), u8::try_from(addresses)) {
            (Ok(at), Ok(addresses)) => Self::Listed { at, addresses },
            _ => Self::Unreadable,
        }
    }
}
