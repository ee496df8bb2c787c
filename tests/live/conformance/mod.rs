//! One suite for every driver of live ports.
#[cfg(feature = "af-xdp")]
mod afxdp;
