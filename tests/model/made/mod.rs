//! What is made up: addresses here, policies and frames beside.

mod frame;
mod layers;
mod policy;
mod routes;
mod tunnels;

pub use frame::{MadeFrame, frame, one_after_the_other};
pub use policy::{at, policy};
pub use tunnels::tunnels;

use proptest::prelude::*;
use std::net::IpAddr;

/// Prefixes and frames draw on the same few addresses, which differ in a few bits each: two that
/// say whose they are, and six up and down the rest.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub v6: bool,
    /// A tenant's number, or 3 for nobody's.
    pub tenant: u8,
    pub bits: u8,
}

/// Counted from the first bit of the address, as lengths of prefixes are.
const V4_BITS: [u32; 6] = [16, 19, 23, 24, 28, 31];
const V6_BITS: [u32; 6] = [41, 47, 55, 63, 64, 127];

impl Place {
    pub fn address(self) -> IpAddr {
        self.beside(0)
    }

    /// That address, or one so far from it.
    pub fn beside(self, step: i8) -> IpAddr {
        let set = |positions: &[u32], width: u32| {
            let chosen = positions
                .iter()
                .zip(0..)
                .filter(|(_, i)| self.bits >> i & 1 == 1);
            chosen.fold(0_u128, |sum, (position, _)| {
                sum | 1 << (width - 1 - position)
            })
        };
        let tenant = u128::from(self.tenant);
        if self.v6 {
            let number = 0x2001_0db8 << 96 | tenant << 88 | set(&V6_BITS, 128);
            IpAddr::V6(number.wrapping_add_signed(step.into()).into())
        } else {
            let number = 0x0a00_0000 | tenant << 16 | set(&V4_BITS, 32);
            IpAddr::V4((number as u32).wrapping_add_signed(step.into()).into())
        }
    }
}

pub fn place(v6: bool) -> impl Strategy<Value = Place> {
    let tenant = prop_oneof![4 => Just(0), 3 => Just(1), 2 => Just(2), 2 => Just(3)];
    (tenant, 0..64_u8).prop_map(move |(tenant, bits)| Place { v6, tenant, bits })
}
