#![expect(
    unsafe_code,
    reason = "the kernel and this process share the memory that frames are received in"
)]

use super::socket::{Hears, Socket};
use crate::net::Namespace;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::net::sockopt::socket_error;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A block is handed over when it is full, or after [`HAND_OVER_MS`]. It holds some 6,000 small
/// frames.
const BLOCK_BYTES: usize = 1 << 20;
const HAND_OVER_MS: u32 = 1;

/// What the kernel receives on a link, in memory that is shared with it (`TPACKET_V3`).
#[derive(Debug)]
pub(crate) struct Ring {
    socket: Socket,
    memory: NonNull<u8>,
    blocks: usize,
    next: usize,
}

/// A frame in the ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// Without a tag that the kernel took off.
    pub(crate) octets: &'a [u8],
    /// The first tag, which the kernel takes off every frame: its type and its value.
    pub(crate) tag: Option<[u16; 2]>,
    /// When the kernel received it, in nanoseconds since 1970.
    pub(crate) at_ns: u64,
}

impl Seen<'_> {
    /// The frame as it was on the wire.
    pub(crate) fn write(&self, whole: &mut Vec<u8>) {
        whole.clear();
        let (addresses, rest) = self.octets.split_at(12);
        whole.extend_from_slice(addresses);
        for half in self.tag.into_iter().flatten() {
            whole.extend_from_slice(&half.to_be_bytes());
        }
        whole.extend_from_slice(rest);
    }
}

// SAFETY: the memory belongs to the ring alone and is no thread's own.
unsafe impl Send for Ring {}

impl Ring {
    /// So many blocks: what comes while the reader has no processor.
    pub(crate) fn open(namespace: &Namespace, link: &str, blocks: usize) -> Self {
        let socket = Socket::open(namespace, link, Hears::AllIncoming);
        let version = libc::tpacket_versions::TPACKET_V3 as i32;
        socket.set(libc::PACKET_VERSION, &version);
        let shape = libc::tpacket_req3 {
            tp_block_size: u32::try_from(BLOCK_BYTES).unwrap(),
            tp_block_nr: u32::try_from(blocks).unwrap(),
            tp_frame_size: 2048,
            tp_frame_nr: u32::try_from(BLOCK_BYTES / 2048 * blocks).unwrap(),
            tp_retire_blk_tov: HAND_OVER_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        socket.set(libc::PACKET_RX_RING, &shape);
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at a place that the kernel chooses, of a ring of just this size.
        let mapped = unsafe {
            let flags = MapFlags::SHARED | MapFlags::POPULATE;
            let bytes = BLOCK_BYTES * blocks;
            mmap(
                std::ptr::null_mut(),
                bytes,
                access,
                flags,
                socket.descriptor(),
                0,
            )
        };
        Self {
            socket,
            memory: NonNull::new(mapped.unwrap().cast()).unwrap(),
            blocks,
            next: 0,
        }
    }

    /// Shows each frame of the next block, once the kernel has handed it over; says whether it did
    /// while there was patience.
    pub(crate) fn read(&mut self, patience: Duration, mut show: impl FnMut(Seen<'_>)) -> bool {
        if !self.is_ours() {
            let mut waiting = [PollFd::new(self.socket.descriptor(), PollFlags::IN)];
            let timeout = Timespec::try_from(patience).unwrap();
            poll(&mut waiting, Some(&timeout)).unwrap();
            // A link that went down says so until it is asked; it may come up again.
            if waiting[0].revents().contains(PollFlags::ERR) {
                let _ = socket_error(self.socket.descriptor());
            }
        }
        if !self.is_ours() {
            return false;
        }
        // SAFETY: the block is this process's until its status is given back below. The kernel has
        // written a description, as many frame headers as it says, each where the one before
        // says, and the octets of each, all inside the block; nothing writes to it meanwhile.
        unsafe {
            let block = self.block();
            let description = &(*block.cast::<libc::tpacket_block_desc>().as_ptr()).hdr.bh1;
            let mut at = description.offset_to_first_pkt as usize;
            for _ in 0..description.num_pkts {
                let header = &*block.add(at).cast::<libc::tpacket3_hdr>().as_ptr();
                let octets = block.add(at + usize::from(header.tp_mac));
                let length = header.tp_snaplen as usize;
                let tagged = header.tp_status & libc::TP_STATUS_VLAN_VALID != 0;
                let tag = [header.hv1.tp_vlan_tpid, header.hv1.tp_vlan_tci as u16];
                show(Seen {
                    octets: std::slice::from_raw_parts(octets.as_ptr(), length),
                    tag: tagged.then_some(tag),
                    at_ns: u64::from(header.tp_sec) * 1_000_000_000 + u64::from(header.tp_nsec),
                });
                at += header.tp_next_offset as usize;
            }
        }
        self.status()
            .store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.blocks;
        true
    }

    /// How many frames found no room since the last time somebody asked.
    pub(crate) fn lost(&self) -> u64 {
        u64::from(self.socket.statistics().tp_drops)
    }

    fn is_ours(&self) -> bool {
        self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    fn block(&self) -> NonNull<u8> {
        // SAFETY: `next` is below `blocks`, so this is inside the mapping.
        unsafe { self.memory.add(self.next * BLOCK_BYTES) }
    }

    fn status(&self) -> &AtomicU32 {
        let block = self.block().cast::<libc::tpacket_block_desc>();
        // SAFETY: the status stands in the mapping, aligned, as long as `self` lives, and both sides
        // touch it atomically only.
        unsafe { AtomicU32::from_ptr(&raw mut (*block.as_ptr()).hdr.bh1.block_status) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made in `open`, and nobody can borrow from it any more.
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), BLOCK_BYTES * self.blocks) };
    }
}
