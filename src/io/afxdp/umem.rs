//! The memory that frames of a lane lie in: chunks of one size, each of which has one owner.
#![expect(
    unsafe_code,
    reason = "that nobody writes to a frame's octets follows from who owns its chunk"
)]

use super::frame::XdpFrame;
use super::mapping::Mapping;
use rustix::io::Errno;
use rustix::net::xdp::{XdpDesc, XdpUmemReg, XdpUmemRegFlags};
use std::cell::Cell;

/// Chunks of memory, and who has each.
///
/// A chunk is in the pool, with the kernel to receive into, in the hands of whoever received a
/// frame, or in a transmit ring. It belongs to one thread, as its frames do.
#[derive(Debug)]
pub(super) struct Umem {
    mapping: Mapping,
    chunk_bytes: u32,
    owners: Box<[Cell<Owner>]>,
    /// The chunks in the pool: a stack, so that what was used last is used next.
    pool: Box<[Cell<u32>]>,
    pooled: Cell<usize>,
    /// What follows each chunk, where it is part of a longer frame; nothing on devices that have
    /// none.
    rest: Box<[Cell<Rest>]>,
}

/// Who has a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Owner {
    Pool,
    /// The kernel, to receive into.
    Kernel,
    /// Whoever has the first segment of the frame that this is a later segment of.
    First,
    /// Whoever received or composed it at the access port, or a transmit ring.
    Access,
    /// The same at the network port.
    Network,
}

/// The segment behind one of a frame's segments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    pub(super) offset: u32,
    pub(super) len: u16,
    pub(super) more: bool,
}

impl Umem {
    /// So many chunks of such a size, all in the pool; they take less than 4 GiB.
    pub(super) fn new(chunks: u32, chunk_bytes: u32, segments: bool) -> Result<Self, Errno> {
        let len_bytes = chunks.checked_mul(chunk_bytes).ok_or(Errno::OVERFLOW)?;
        let owners = (0..chunks).map(|_| Cell::new(Owner::Pool)).collect();
        // The first one lies on top.
        let pool = (0..chunks).rev().map(Cell::new).collect();
        let with_rest = if segments { chunks } else { 0 };
        Ok(Self {
            mapping: Mapping::anonymous(len_bytes as usize)?,
            chunk_bytes,
            owners,
            pool,
            pooled: Cell::new(chunks as usize),
            rest: (0..with_rest).map(|_| Cell::default()).collect(),
        })
    }

    /// What the kernel is told of it.
    pub(super) fn registration(&self) -> XdpUmemReg {
        XdpUmemReg {
            addr: self.mapping.address(),
            len: self.owners.len() as u64 * u64::from(self.chunk_bytes),
            chunk_size: self.chunk_bytes,
            headroom: 0,
            flags: XdpUmemRegFlags::empty(),
            tx_metadata_len: 0,
        }
    }

    /// How many chunks whoever received at a port has, and the transmit rings; by looking at each.
    pub(super) fn held(&self, port: Owner) -> u64 {
        // A byte each: this is a few microseconds for the largest.
        self.owners
            .iter()
            .map(|owner| u64::from(owner.get() == port))
            .sum()
    }

    /// Takes a chunk from the pool for the kernel to receive into; says where it lies.
    #[inline(always)]
    pub(super) fn lend(&self) -> Option<u64> {
        let chunk = self.take(Owner::Kernel)?;
        Some(u64::from(chunk) * u64::from(self.chunk_bytes))
    }

    /// A frame of these octets, as if it had been received at a port; `None` where no chunk is in the
    /// pool, or they do not fit into one.
    pub(super) fn compose(&self, octets: &[u8], port: Owner) -> Option<XdpFrame<'_>> {
        let len = u16::try_from(octets.len()).ok()?;
        if octets.len() > self.chunk_bytes as usize {
            return None;
        }
        let offset = self.take(port)? * self.chunk_bytes;
        // SAFETY: they fit into a chunk, which lies in the memory, whose length is below 4 GiB. It
        // was in the pool a moment ago: the kernel does not have it, and there is no frame of it that
        // its octets could be borrowed from. The frame that owns it is made behind this.
        unsafe { self.mapping.fill(offset as usize, octets) };
        Some(XdpFrame::new(self, offset, len))
    }

    /// Takes a chunk from the pool.
    #[inline(always)]
    fn take(&self, owner: Owner) -> Option<u32> {
        let top = self.pooled.get().checked_sub(1)?;
        let chunk = self.pool.get(top)?.get();
        self.pooled.set(top);
        self.own(chunk, owner);
        Some(chunk)
    }

    /// Puts a chunk into the pool, of which this is some place; says who had it.
    #[inline(always)]
    pub(super) fn give_back(&self, offset: u32) -> Option<Owner> {
        let chunk = self.chunk(offset);
        let had = self.owners.get(chunk as usize)?.replace(Owner::Pool);
        // A chunk that is there already is not there twice.
        if had != Owner::Pool
            && let Some(top) = self.pool.get(self.pooled.get())
        {
            top.set(chunk);
            self.pooled.set(self.pooled.get() + 1);
        }
        Some(had)
    }

    /// The frame that the kernel received at a port, or the first segment of it; `None` when it
    /// names a place that it was not lent.
    #[inline(always)]
    pub(super) fn received(&self, found: XdpDesc, port: Owner) -> Option<XdpFrame<'_>> {
        let (offset, len) = self.segment(found)?;
        self.own(self.chunk(offset), port);
        Some(XdpFrame::new(self, offset, len))
    }

    /// Puts a segment behind another one.
    #[inline]
    pub(super) fn append(&self, to: u32, found: XdpDesc, more: bool) -> Option<u32> {
        let (offset, len) = self.segment(found)?;
        self.own(self.chunk(offset), Owner::First);
        let rest = self.rest.get(self.chunk(to) as usize)?;
        rest.set(Rest { offset, len, more });
        Some(offset)
    }

    /// The segment behind one that has more behind it.
    #[inline]
    pub(super) fn behind(&self, offset: u32) -> Rest {
        let rest = self.rest.get(self.chunk(offset) as usize);
        rest.map(Cell::get).unwrap_or_default()
    }

    /// Octets of a frame or a segment.
    #[inline(always)]
    pub(super) fn octets(&self, frame: &XdpFrame<'_>) -> &[u8] {
        let (offset, len) = frame.place();
        // SAFETY: `segment` found that they lie in the memory, in a chunk that the kernel had and gave
        // up by writing to the rx ring; or `compose` filled them in, in a chunk from the pool. From
        // then on the frame owns the chunk, and is borrowed here. It is written to again only when the
        // frame was dropped and the chunk left the pool anew: by the kernel, or in `compose`.
        unsafe { self.mapping.octets(offset as usize, len as usize) }
    }

    /// Where a segment lies, if the kernel had its chunk.
    #[inline(always)]
    fn segment(&self, found: XdpDesc) -> Option<(u32, u16)> {
        let offset = u32::try_from(found.addr).ok()?;
        let within = offset & (self.chunk_bytes - 1);
        let len = u16::try_from(found.len).ok()?;
        let owner = self.owners.get(self.chunk(offset) as usize)?.get();
        let whole = within + u32::from(len) <= self.chunk_bytes;
        (whole && owner == Owner::Kernel).then_some((offset, len))
    }

    #[inline(always)]
    fn chunk(&self, offset: u32) -> u32 {
        // A power of two.
        offset >> self.chunk_bytes.trailing_zeros()
    }

    #[inline(always)]
    fn own(&self, chunk: u32, owner: Owner) {
        if let Some(cell) = self.owners.get(chunk as usize) {
            cell.set(owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::AsFrame;
    use rustix::net::xdp::XdpDescOptions;

    fn found(addr: u64, len: u32) -> XdpDesc {
        let options = XdpDescOptions::empty();
        XdpDesc { addr, len, options }
    }

    #[test]
    fn a_chunk_is_lent_received_and_back_in_the_pool() {
        let umem = Umem::new(4, 2_048, false).unwrap();
        let lent: Vec<_> = std::iter::from_fn(|| umem.lend()).collect();
        assert_eq!(lent, [0, 2_048, 4_096, 6_144]);
        // The kernel leaves room at the front of the chunk.
        let frame = umem
            .received(found(2_048 + 256, 60), Owner::Network)
            .unwrap();
        assert_eq!(frame.as_frame().bytes, [0; 60]);
        assert_eq!(size_of_val(&frame), 16);
        assert_eq!(
            (umem.held(Owner::Access), umem.held(Owner::Network)),
            (0, 1)
        );
        drop(frame);
        assert_eq!((umem.held(Owner::Network), umem.lend()), (0, Some(2_048)));
        assert_eq!(umem.lend(), None);
    }

    #[test]
    fn places_that_were_not_lent_make_no_frame() {
        let umem = Umem::new(4, 2_048, false).unwrap();
        let first = umem.lend().unwrap();
        for (addr, len) in [
            (first, 2_049),
            (first + 2_000, 49),
            (first + 2_048, 60),
            (8_192, 60),
            (u64::MAX, 60),
            (first, u32::MAX),
        ] {
            assert!(umem.received(found(addr, len), Owner::Access).is_none());
        }
        let frame = umem
            .received(found(first + 1_988, 60), Owner::Access)
            .unwrap();
        // Nor does a chunk that somebody has, or one that is in the pool go there twice.
        assert!(umem.received(found(first, 60), Owner::Access).is_none());
        drop(frame);
        assert_eq!(umem.give_back(0), Some(Owner::Pool));
        assert_eq!(umem.give_back(9_999), None);
        assert_eq!(std::iter::from_fn(|| umem.lend()).count(), 4);
    }

    #[test]
    fn a_composed_frame_lies_in_a_chunk_of_the_pool() {
        let umem = Umem::new(2, 2_048, false).unwrap();
        let octets: Vec<_> = (0..2_048).map(|at| at as u8).collect();
        assert!(umem.compose(&[0; 2_049], Owner::Access).is_none());
        let first = umem.compose(&octets, Owner::Access).unwrap();
        let second = umem.compose(&[7; 60], Owner::Network).unwrap();
        assert_eq!(first.as_frame().bytes, octets);
        assert_eq!(second.as_frame().bytes, [7; 60]);
        assert_eq!(
            (umem.held(Owner::Access), umem.held(Owner::Network)),
            (1, 1)
        );
        assert!(umem.compose(&[0; 60], Owner::Access).is_none());
        assert_eq!(umem.lend(), None);
        drop(first);
        assert_eq!(umem.held(Owner::Access), 0);
        let third = umem.compose(&[9; 64], Owner::Access).unwrap();
        assert_eq!(third.as_frame().bytes, [9; 64]);
        assert_eq!(second.as_frame().bytes, [7; 60]);
        drop((second, third));
        assert_eq!(std::iter::from_fn(|| umem.lend()).count(), 2);
    }

    #[test]
    fn a_frame_of_several_chunks_is_held_once_and_goes_back_whole() {
        let umem = Umem::new(4, 2_048, true).unwrap();
        while umem.lend().is_some() {}
        let frame = umem.received(found(256, 1_792), Owner::Access).unwrap();
        let second = umem.append(256, found(4_096 + 256, 1_792), true).unwrap();
        umem.append(second, found(2_048 + 256, 16), false).unwrap();
        let frame = frame.with_more();
        assert_eq!((frame.segments(), umem.held(Owner::Access)), (3, 1));
        assert_eq!(frame.as_frame().original_len, 3_600);
        assert_eq!(frame.as_frame().bytes.len(), 1_792);
        let mut described = Vec::new();
        frame.describe(|segment| described.push((segment.addr, segment.len, segment.options)));
        let more = XdpDescOptions::XDP_PKT_CONTD;
        let last = XdpDescOptions::empty();
        let expected = [(256, 1_792, more), (4_352, 1_792, more), (2_304, 16, last)];
        assert_eq!(described, expected);
        assert_eq!(umem.held(Owner::Access), 1, "a ring has it");
        let had = [256, 4_352, 2_304].map(|offset| umem.give_back(offset));
        assert_eq!(had, [Owner::Access, Owner::First, Owner::First].map(Some));

        while umem.lend().is_some() {}
        let frame = umem.received(found(256, 1_792), Owner::Access).unwrap();
        umem.append(256, found(4_352, 1), false).unwrap();
        drop(frame.with_more());
        assert_eq!(std::iter::from_fn(|| umem.lend()).count(), 2);
    }
}
