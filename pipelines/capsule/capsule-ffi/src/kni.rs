//! The kernel's network interface (KNI), which DPDK has no longer: nothing can be done with it, and
//! whoever asks is told so. capsule asks where a port of its runtime file says `kni = true`.

use crate::bindings::{rte_mbuf, rte_mempool};
use std::ffi::{c_char, c_int, c_uint};
use std::ptr;

/// `-ENOTSUP`.
const NOT_SUPPORTED: c_int = -95;

/// An interface; none is ever made.
#[repr(C)]
#[derive(Debug)]
pub struct rte_kni {
    nothing: [u8; 0],
}

/// How an interface was to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct rte_kni_conf {
    pub name: [c_char; 32],
    pub group_id: u16,
    pub mac_addr: [u8; 6],
    pub mbuf_size: c_uint,
}

/// What was to be called when the kernel wanted something of a port.
#[derive(Clone, Copy, Debug, Default)]
pub struct rte_kni_ops {
    pub port_id: u16,
    pub change_mtu: Option<unsafe extern "C" fn(u16, c_uint) -> c_int>,
    pub config_network_if: Option<unsafe extern "C" fn(u16, u8) -> c_int>,
    pub config_mac_address: Option<unsafe extern "C" fn(u16, *mut u8) -> c_int>,
    pub config_promiscusity: Option<unsafe extern "C" fn(u16, u8) -> c_int>,
}

/// Refuses: capsule's start fails with "Operation not supported".
pub fn rte_kni_init(_interfaces: c_uint) -> c_int {
    NOT_SUPPORTED
}

pub fn rte_kni_close() {}

pub fn rte_kni_alloc(
    _pool: *mut rte_mempool,
    _conf: *const rte_kni_conf,
    _ops: *mut rte_kni_ops,
) -> *mut rte_kni {
    ptr::null_mut()
}

pub fn rte_kni_release(_kni: *mut rte_kni) -> c_int {
    NOT_SUPPORTED
}

pub fn rte_kni_get_name(_kni: *const rte_kni) -> *const c_char {
    c"".as_ptr()
}

pub fn rte_kni_handle_request(_kni: *mut rte_kni) -> c_int {
    NOT_SUPPORTED
}

pub fn rte_kni_rx_burst(_kni: *mut rte_kni, _mbufs: *mut *mut rte_mbuf, _room: c_uint) -> c_uint {
    0
}

pub fn rte_kni_tx_burst(_kni: *mut rte_kni, _mbufs: *mut *mut rte_mbuf, _count: c_uint) -> c_uint {
    0
}
