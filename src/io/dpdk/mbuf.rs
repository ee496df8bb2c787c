use super::ffi::{Mempool, sekisho_free};
use crate::wire::{AsFrame, Frame, LinkType};
use std::cell::Cell;
use std::ffi::{c_uint, c_void};
use std::marker::PhantomData;
use std::mem::offset_of;
use std::ptr::NonNull;

/// The first fields of a `rte_mbuf`; `shim.c` asserts that they lie where they lie here.
#[repr(C)]
pub(super) struct Mbuf {
    buffer: *const u8,
    address_on_bus: u64,
    data_off: u16,
    references: u16,
    segments: u16,
    port: u16,
    flags: u64,
    packet_type: u32,
    frame_bytes: u32,
    segment_bytes: u16,
}

const _: () = assert!(
    offset_of!(Mbuf, buffer) == 0
        && offset_of!(Mbuf, data_off) == 16
        && offset_of!(Mbuf, segments) == 20
        && offset_of!(Mbuf, flags) == 24
        && offset_of!(Mbuf, frame_bytes) == 36
        && offset_of!(Mbuf, segment_bytes) == 40
);

/// A frame in an mbuf of DPDK, which goes back to its pool when it is dropped.
///
/// As large as a pointer, so that a burst of them is what DPDK takes. It lives no longer than `'l`,
/// the service of the lane whose pool it is from, and stays on that thread.
#[repr(transparent)]
pub struct DpdkFrame<'l> {
    mbuf: NonNull<Mbuf>,
    lane: PhantomData<Cell<&'l ()>>,
}

/// Who has an mbuf, written into its flags: a port that received it and has not passed it on. No
/// driver knows these two, and the owner of the frame clears them. So whoever looks through a pool
/// finds what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u64);

impl Mark {
    /// The highest of those that DPDK leaves to programs; it hands them out from the lowest on.
    pub(super) const BITS: [c_uint; 2] = [39, 40];

    const ALL: u64 = 1 << Self::BITS[0] | 1 << Self::BITS[1];

    pub(super) const ACCESS: Self = Self(1 << Self::BITS[0]);
    pub(super) const NETWORK: Self = Self(1 << Self::BITS[1]);

    /// Looks through a pool.
    pub(super) fn held_in(self, pool: NonNull<Mempool>) -> u64 {
        let mut count = Count {
            mark: self,
            held: 0,
        };
        // SAFETY: the pool is alive, and all its objects are mbufs. `count_object` reads one field
        // of each, and takes `count` for what it is; nobody else has `count` meanwhile.
        unsafe {
            super::ffi::rte_mempool_obj_iter(
                pool.as_ptr(),
                count_object,
                (&raw mut count).cast::<c_void>(),
            );
        }
        count.held
    }
}

struct Count {
    mark: Mark,
    held: u64,
}

/// Called by `rte_mempool_obj_iter`, for each mbuf of a pool.
unsafe extern "C" fn count_object(
    _: *mut Mempool,
    count: *mut c_void,
    object: *mut c_void,
    _: c_uint,
) {
    // SAFETY: `held_in` passes its own `Count`, and an iteration is one loop of one thread.
    let count = unsafe { &mut *count.cast::<Count>() };
    // SAFETY: an mbuf of a living pool; the field is written by the thread that serves the lane
    // (this one) and by a driver, which that thread calls. It is read once and volatile, as no
    // reference says that it stays.
    let flags = unsafe { (&raw const (*object.cast::<Mbuf>()).flags).read_volatile() };
    count.held += u64::from(flags & count.mark.0 != 0);
}

impl DpdkFrame<'_> {
    #[inline(always)]
    pub(super) fn mark(&mut self, mark: Mark) {
        self.set_flags(|flags| flags | mark.0);
    }

    /// Says whether it was received at the network port.
    #[inline(always)]
    pub(super) fn unmark(&mut self) -> bool {
        let mut before = 0;
        self.set_flags(|flags| {
            before = flags;
            flags & !Mark::ALL
        });
        before & Mark::NETWORK.0 != 0
    }

    /// How many buffers it takes.
    pub fn segments(&self) -> u16 {
        // SAFETY: the mbuf is alive, and this frame owns it.
        unsafe { (*self.mbuf.as_ptr()).segments }
    }

    #[inline(always)]
    fn set_flags(&mut self, changed: impl FnOnce(u64) -> u64) {
        // SAFETY: the mbuf is alive, and this frame owns it; the field lies where DPDK has it.
        unsafe {
            let flags = &raw mut (*self.mbuf.as_ptr()).flags;
            flags.write(changed(flags.read()));
        }
    }
}

/// The octets of the first segment; a frame of several says so by its original length. Every header
/// that is read lies in the first, which has some 2,000 octets or all.
impl AsFrame for DpdkFrame<'_> {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        // SAFETY: the mbuf is alive, and this frame owns it; nobody writes to it or to the octets
        // as long as it does. The driver that received the frame says where they lie: so many of
        // them behind `data_off` in the buffer.
        unsafe {
            let mbuf = self.mbuf.as_ref();
            let first = mbuf.buffer.add(usize::from(mbuf.data_off));
            Frame {
                bytes: std::slice::from_raw_parts(first, usize::from(mbuf.segment_bytes)),
                original_len: mbuf.frame_bytes,
                link_type: LinkType::ETHERNET,
            }
        }
    }
}

impl Drop for DpdkFrame<'_> {
    #[inline]
    fn drop(&mut self) {
        self.unmark();
        // SAFETY: this frame owned the mbuf, and is gone.
        unsafe { sekisho_free(self.mbuf.as_ptr()) }
    }
}

impl std::fmt::Debug for DpdkFrame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let octets = self.as_frame().bytes.len();
        f.debug_struct("DpdkFrame")
            .field("octets", &octets)
            .field("segments", &self.segments())
            .finish()
    }
}
