//! One suite for every driver of live ports.

#[cfg(feature = "af-xdp")]
mod afxdp;
mod composed;
#[cfg(feature = "dpdk")]
mod dpdk;
mod suite;
mod wires;

pub(crate) use wires::{ACCESS, NETWORK, Wires};
