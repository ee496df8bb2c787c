use super::ffi::{
    Mempool, rte_mempool_free, rte_mempool_in_use_count, rte_pktmbuf_pool_create, sekisho_errno,
};
use crate::io::port::{DeviceError, DeviceFault};
use std::ffi::CString;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

/// What DPDK leaves free before a frame.
pub(super) const HEADROOM_BYTES: u32 = 128;

/// Mbufs that a thread keeps at hand. DPDK's own programs do with as many.
const CACHE_FRAMES: u32 = 256;

/// Names of pools are unique in a process.
static POOLS: AtomicU32 = AtomicU32::new(0);

/// A mempool of mbufs, on a NUMA node, for one lane.
#[derive(Debug)]
pub(super) struct Pool(NonNull<Mempool>);

// SAFETY: a mempool may be used by any thread, and by several at once: its ring is for many
// producers and consumers, and its caches belong to a registered thread each.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

impl Pool {
    /// So many mbufs with room for so many octets each.
    pub(super) fn new(frames: u32, room_bytes: u16, node: i32) -> Result<Self, DeviceError> {
        let number = POOLS.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("sekisho-{number}")).unwrap_or_default();
        let cache = CACHE_FRAMES.min(frames / 2);
        // SAFETY: EAL is initialised before a device is opened; the name is a string that lives
        // until DPDK has copied it.
        let pool =
            unsafe { rte_pktmbuf_pool_create(name.as_ptr(), frames, cache, 0, room_bytes, node) };
        NonNull::new(pool).map(Self).ok_or_else(|| {
            // SAFETY: reads a variable of this thread.
            let cause = std::io::Error::from_raw_os_error(unsafe { sekisho_errno() });
            let each = u64::from(room_bytes) + 256;
            let needed_mib = (u64::from(frames) * each).div_ceil(1 << 20);
            let fault = DeviceFault::Memory;
            let place = match node {
                ..0 => String::new(),
                node => format!(" on NUMA node {node}"),
            };
            let message = format!(
                "no memory{place} for {frames} buffers of {room_bytes} octets, some {needed_mib} \
                 MiB: {cause}"
            );
            DeviceError::new(fault, message).remedy(
                "reserve more hugepages there (`dpdk-hugepages.py --setup 2G`), give more with \
                 `-m MIB` where it runs with `--no-huge`, or ask for fewer frames",
            )
        })
    }

    pub(super) fn as_ptr(&self) -> *mut Mempool {
        self.0.as_ptr()
    }

    /// Mbufs that are not at home: frames that somebody has, and what stands in the rings of
    /// devices.
    pub(super) fn out(&self) -> u32 {
        // SAFETY: the pool is alive; a count is read.
        unsafe { rte_mempool_in_use_count(self.as_ptr()) }
    }
}

impl Drop for Pool {
    /// A pool that frames are missing from is left as it is: somebody may write to them.
    fn drop(&mut self) {
        if self.out() == 0 {
            // SAFETY: no mbuf is out, and nobody can take one any more.
            unsafe { rte_mempool_free(self.as_ptr()) }
        }
    }
}
