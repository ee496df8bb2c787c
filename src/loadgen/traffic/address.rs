//! Addresses of the whole space, without the ranges that are no host's on the Internet.

use super::random::Random;
use crate::wire::Family;

/// First addresses and lengths of IPv4's special ranges (RFC 6890, multicast and class E).
const SPECIAL_V4: [(u32, u32); 14] = [
    (0x0000_0000, 8),
    (0x0a00_0000, 8),
    (0x6440_0000, 10),
    (0x7f00_0000, 8),
    (0xa9fe_0000, 16),
    (0xac10_0000, 12),
    (0xc000_0000, 24),
    (0xc000_0200, 24),
    (0xc058_6300, 24),
    (0xc0a8_0000, 16),
    (0xc612_0000, 15),
    (0xc633_6400, 24),
    (0xcb00_7100, 24),
    (0xe000_0000, 3),
];

/// The same within 2000::/3: Teredo and other protocol assignments, documentation, 6to4.
const SPECIAL_V6: [(u128, u32); 4] = [
    (0x2001_0000 << 96, 23),
    (0x2001_0db8 << 96, 32),
    (0x2002_0000 << 96, 16),
    (0x3fff_0000 << 96, 20),
];

/// Any address but the special ones.
#[inline]
pub(super) fn public(family: Family, random: &mut Random) -> u128 {
    match family {
        Family::V4 => u128::from(public_v4(random)),
        Family::V6 => public_v6(random),
    }
}

#[inline]
pub(super) fn public_v4(random: &mut Random) -> u32 {
    loop {
        let address = (random.next() >> 32) as u32;
        let special = |(first, length): &(u32, u32)| (address ^ first) >> (32 - length) == 0;
        if !SPECIAL_V4.iter().any(special) {
            return address;
        }
    }
}

#[inline]
fn public_v6(random: &mut Random) -> u128 {
    loop {
        let high = 0x2 << 60 | random.next() >> 3;
        let address = u128::from(high) << 64 | u128::from(random.next());
        let special = |(first, length): &(u128, u32)| (address ^ first) >> (128 - length) == 0;
        if !SPECIAL_V6.iter().any(special) {
            return address;
        }
    }
}
