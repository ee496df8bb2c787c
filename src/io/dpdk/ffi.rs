//! DPDK's functions that have a symbol, and those of `shim.c`.

use super::mbuf::Mbuf;
use std::ffi::{c_char, c_int, c_uint, c_void};

/// A `rte_mempool`, of which nothing is read here.
#[repr(C)]
pub(super) struct Mempool {
    _opaque: [u8; 0],
}

/// A `rte_device`, of which nothing is read here.
#[repr(C)]
pub(super) struct RteDevice {
    _opaque: [u8; 0],
}

/// What a device offers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Info {
    pub(super) driver: *const c_char,
    pub(super) device: *mut RteDevice,
    /// What it can spread frames by, of what is asked for.
    pub(super) hashes: u64,
    pub(super) max_frame_bytes: u32,
    /// The NUMA node; negative when it has none.
    pub(super) node: i32,
    pub(super) max_mtu_bytes: u16,
    pub(super) rx_queues: u16,
    pub(super) tx_queues: u16,
    pub(super) scatters: bool,
    pub(super) sends_segments: bool,
    pub(super) frees_fast: bool,
}

impl Info {
    /// To be filled in.
    pub(super) const fn none() -> Self {
        Self {
            driver: std::ptr::null(),
            device: std::ptr::null_mut(),
            hashes: 0,
            max_frame_bytes: 0,
            node: -1,
            max_mtu_bytes: 0,
            rx_queues: 0,
            tx_queues: 0,
            scatters: false,
            sends_segments: false,
            frees_fast: false,
        }
    }
}

/// How a device is set up.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) queues: u16,
    pub(super) mtu_bytes: u16,
    pub(super) scatter: bool,
    pub(super) send_segments: bool,
    pub(super) free_fast: bool,
}

/// Frames that a device lost.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    pub(super) imissed: u64,
    pub(super) ierrors: u64,
    pub(super) rx_nombuf: u64,
    pub(super) oerrors: u64,
}

pub(super) type LogWrite = extern "C" fn(*mut c_void, *const c_char, usize) -> isize;

unsafe extern "C" {
    pub(super) fn rte_eal_init(argc: c_int, argv: *mut *mut c_char) -> c_int;
    pub(super) fn rte_thread_register() -> c_int;
    pub(super) fn rte_thread_unregister();
    pub(super) fn rte_dev_probe(devargs: *const c_char) -> c_int;
    pub(super) fn rte_dev_remove(device: *mut RteDevice) -> c_int;

    pub(super) fn rte_pktmbuf_pool_create(
        name: *const c_char,
        frames: c_uint,
        cache_frames: c_uint,
        private_bytes: u16,
        room_bytes: u16,
        node: c_int,
    ) -> *mut Mempool;
    pub(super) fn rte_mempool_free(pool: *mut Mempool);
    pub(super) fn rte_mempool_in_use_count(pool: *const Mempool) -> c_uint;

    pub(super) fn rte_eth_dev_get_port_by_name(name: *const c_char, port: *mut u16) -> c_int;
    pub(super) fn rte_eth_dev_adjust_nb_rx_tx_desc(
        port: u16,
        rx_frames: *mut u16,
        tx_frames: *mut u16,
    ) -> c_int;
    pub(super) fn rte_eth_rx_queue_setup(
        port: u16,
        queue: u16,
        frames: u16,
        node: c_uint,
        conf: *const c_void,
        pool: *mut Mempool,
    ) -> c_int;
    pub(super) fn rte_eth_tx_queue_setup(
        port: u16,
        queue: u16,
        frames: u16,
        node: c_uint,
        conf: *const c_void,
    ) -> c_int;
    pub(super) fn rte_eth_promiscuous_enable(port: u16) -> c_int;
    pub(super) fn rte_eth_dev_start(port: u16) -> c_int;
    pub(super) fn rte_eth_dev_stop(port: u16) -> c_int;
    pub(super) fn rte_eth_dev_close(port: u16) -> c_int;
    pub(super) fn rte_eth_dev_set_link_up(port: u16) -> c_int;
    pub(super) fn rte_eth_dev_set_link_down(port: u16) -> c_int;

    pub(super) fn sekisho_rx_burst(port: u16, queue: u16, frames: *mut *mut Mbuf, room: u16)
    -> u16;
    pub(super) fn sekisho_tx_burst(
        port: u16,
        queue: u16,
        frames: *mut *mut Mbuf,
        offered: u16,
    ) -> u16;
    pub(super) fn sekisho_free(frame: *mut Mbuf);
    pub(super) fn sekisho_compose(
        pool: *mut Mempool,
        octets: *const u8,
        octets_len: u16,
    ) -> *mut Mbuf;
    pub(super) fn sekisho_info(port: u16, info: *mut Info) -> c_int;
    pub(super) fn sekisho_configure(port: u16, shape: *const Shape, hashes: u64) -> c_int;
    pub(super) fn sekisho_link(port: u16) -> c_int;
    pub(super) fn sekisho_losses(port: u16, losses: *mut Losses) -> c_int;
    pub(super) fn sekisho_errno() -> c_int;
    pub(super) fn sekisho_version() -> *const c_char;
    pub(super) fn sekisho_log_to(write: LogWrite) -> c_int;
    pub(super) fn sekisho_flush();
}
