//! Source routes that are not yet exhausted.

use super::{Family, Packet, Route};

/// The addresses that a packet is yet to pass, in no order that matters; none where its route is
/// not [`Route::Listed`]. The frame is the one that the packet was parsed from.
pub fn route_addresses<'a>(frame: &'a [u8], packet: &Packet) -> impl Iterator<Item = u128> + 'a {
    let octets = match packet.family {
        Some(Family::V6) => 16,
        Some(Family::V4) | None => 4,
    };
    let list = match packet.route {
        Route::Listed { at, addresses } => {
            let at = usize::from(at);
            frame.get(at..at + usize::from(addresses) * octets)
        }
        Route::None | Route::Unreadable => None,
    };
    list.unwrap_or_default()
        .chunks_exact(octets)
        .map(|address| {
            address
                .iter()
                .fold(0, |sum, octet| sum << 8 | u128::from(*octet))
        })
}
