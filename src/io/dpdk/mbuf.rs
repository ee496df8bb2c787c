use super::ffi::sekisho_free;
use super::held;
use crate::wire::{AsFrame, Frame, LinkType};
use std::cell::Cell;
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
        && offset_of!(Mbuf, port) == 22
        && offset_of!(Mbuf, frame_bytes) == 36
        && offset_of!(Mbuf, segment_bytes) == 40
);

/// A frame in an mbuf of DPDK, which goes back to its pool when it is dropped.
///
/// As large as a pointer, so that a burst of them is what DPDK takes. It lives no longer than `'l`,
/// the service of the lane that its pool belongs to, and stays on that thread.
#[repr(transparent)]
pub struct DpdkFrame<'l> {
    mbuf: NonNull<Mbuf>,
    lane: PhantomData<Cell<&'l ()>>,
}

impl DpdkFrame<'_> {
    /// The frame of an mbuf.
    ///
    /// # Safety
    /// The mbuf is alive and nobody else's, and is taken from its pool by the thread that serves the
    /// lane of `'l`, on behalf of this device.
    pub(super) unsafe fn of(mbuf: NonNull<Mbuf>, port: u16) -> Self {
        let mut frame = Self {
            mbuf,
            lane: PhantomData,
        };
        frame.received_from(port);
        frame
    }

    /// How many buffers it takes.
    pub fn segments(&self) -> u16 {
        self.mbuf().segments
    }

    /// The number of the device that it was received from.
    #[inline(always)]
    pub(super) fn port(&self) -> u16 {
        self.mbuf().port
    }

    /// Most drivers have written it down; not those that hand mbufs on.
    #[inline(always)]
    pub(super) fn received_from(&mut self, port: u16) {
        // SAFETY: the mbuf is alive, and this frame owns it; the field lies where DPDK has it.
        unsafe { (*self.mbuf.as_ptr()).port = port }
    }

    #[inline(always)]
    fn mbuf(&self) -> &Mbuf {
        // SAFETY: the mbuf is alive, and nobody but this frame has it: no driver writes to it, nor
        // to the octets that it leads to, as long as the frame lives.
        unsafe { self.mbuf.as_ref() }
    }
}

/// The octets of the first segment; a frame of several says so by its original length. Every header
/// that is read lies in the first, which has some 2,000 octets or all.
impl AsFrame for DpdkFrame<'_> {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        let mbuf = self.mbuf();
        // SAFETY: the driver that received the frame says where its octets lie: so many of them,
        // from `data_off` on in the buffer, which the mbuf owns.
        let bytes = unsafe {
            let first = mbuf.buffer.add(usize::from(mbuf.data_off));
            std::slice::from_raw_parts(first, usize::from(mbuf.segment_bytes))
        };
        Frame {
            bytes,
            original_len: mbuf.frame_bytes,
            link_type: LinkType::ETHERNET,
        }
    }
}

impl Drop for DpdkFrame<'_> {
    #[inline]
    fn drop(&mut self) {
        held::dropped(self.port());
        // SAFETY: this frame owned the mbuf, and is gone.
        unsafe { sekisho_free(self.mbuf.as_ptr()) }
    }
}

impl std::fmt::Debug for DpdkFrame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let octets = self.as_frame().original_len;
        f.debug_struct("DpdkFrame")
            .field("octets", &octets)
            .field("segments", &self.segments())
            .finish()
    }
}
