//! The wall around memory that is shared with the kernel: mapped here, unmapped when dropped.
#![expect(
    unsafe_code,
    reason = "the compiler does not know what mmap() returns, nor who else writes there"
)]

use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use std::marker::PhantomData;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

/// Mapped memory. Nothing but this owns it, and nothing here makes a reference to it that is not
/// bound by a borrow of this.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    len_bytes: usize,
}

// SAFETY: the memory belongs to no thread, and this is its only owner here.
unsafe impl Send for Mapping {}

/// Where something of type `T` lies in a mapping.
#[derive(Debug)]
pub(super) struct Place<T> {
    offset_bytes: usize,
    kind: PhantomData<fn() -> T>,
}

/// What may be read wherever bits are, and written: numbers, and structures of them.
///
/// # Safety
/// Any bits are a value, and there is no padding.
pub(super) unsafe trait Plain: Copy {}

// SAFETY: a number.
unsafe impl Plain for u64 {}

// SAFETY: a number of 64 bits and two of 32, the second of which is a set of flags that keeps bits
// it does not know.
unsafe impl Plain for rustix::net::xdp::XdpDesc {}

impl Mapping {
    /// Memory of our own, in large pages where the system has them.
    pub(super) fn anonymous(len_bytes: usize) -> Result<Self, Errno> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses where; nothing is replaced.
        let start =
            unsafe { mmap_anonymous(std::ptr::null_mut(), len_bytes, access, MapFlags::PRIVATE)? };
        let made = Self::new(start.cast(), len_bytes)?;
        // Less for the TLB to remember; where it is refused, there are small pages.
        // SAFETY: this changes nothing about what the memory holds.
        let _ = unsafe { madvise(start, len_bytes, Advice::LinuxHugepage) };
        Ok(made)
    }

    /// A part of what a descriptor stands for.
    pub(super) fn shared(
        descriptor: BorrowedFd<'_>,
        offset: u64,
        len_bytes: usize,
    ) -> Result<Self, Errno> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::SHARED | MapFlags::POPULATE;
        // SAFETY: the system chooses where; nothing is replaced.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                len_bytes,
                access,
                flags,
                descriptor,
                offset,
            )?
        };
        Self::new(start.cast(), len_bytes)
    }

    fn new(start: *mut u8, len_bytes: usize) -> Result<Self, Errno> {
        let start = NonNull::new(start).ok_or(Errno::NOMEM)?;
        Ok(Self { start, len_bytes })
    }

    /// Where it begins, as a number.
    pub(super) fn address(&self) -> u64 {
        self.start.as_ptr() as u64
    }

    /// The place of so many `T` from an offset on, if it lies within and is aligned.
    pub(super) fn place<T>(&self, offset: u64, count: usize) -> Result<Place<T>, Errno> {
        let offset_bytes = usize::try_from(offset).map_err(|_| Errno::OVERFLOW)?;
        let len_bytes = count.checked_mul(size_of::<T>()).ok_or(Errno::OVERFLOW)?;
        let end = offset_bytes.checked_add(len_bytes).ok_or(Errno::OVERFLOW)?;
        let aligned = (self.address() + offset).is_multiple_of(align_of::<T>() as u64);
        if end > self.len_bytes || !aligned {
            return Err(Errno::INVAL);
        }
        Ok(Place {
            offset_bytes,
            kind: PhantomData,
        })
    }

    /// A number that the kernel reads and writes too.
    ///
    /// # Safety
    /// The place is of this mapping.
    #[inline(always)]
    pub(super) unsafe fn atomic(&self, place: &Place<AtomicU32>) -> &AtomicU32 {
        // SAFETY: `place` found that one lies there. Whoever else writes to it, here or in the kernel,
        // does so in one step.
        unsafe { self.start.byte_add(place.offset_bytes).cast().as_ref() }
    }

    /// Reads an entry of a table.
    ///
    /// # Safety
    /// The table is of this mapping and has so many entries, and nobody writes to this one meanwhile.
    #[inline(always)]
    pub(super) unsafe fn read<T: Plain>(&self, table: &Place<T>, index: usize) -> T {
        // SAFETY: the entry lies within, by `place` and by the caller; any bits are a `T`.
        unsafe {
            self.start
                .byte_add(table.offset_bytes)
                .cast::<T>()
                .add(index)
                .read()
        }
    }

    /// Writes an entry of a table.
    ///
    /// # Safety
    /// As above, and nobody reads it meanwhile.
    #[inline(always)]
    pub(super) unsafe fn write<T: Plain>(&self, table: &Place<T>, index: usize, entry: T) {
        // SAFETY: as above.
        unsafe {
            self.start
                .byte_add(table.offset_bytes)
                .cast::<T>()
                .add(index)
                .write(entry);
        }
    }

    /// Copies octets to an offset.
    ///
    /// # Safety
    /// They lie within, and nobody else reads or writes there meanwhile, nor borrows any of them.
    pub(super) unsafe fn fill(&self, offset_bytes: usize, octets: &[u8]) {
        // SAFETY: by the caller; `octets` are borrowed, so they are none of those.
        unsafe {
            let first = self.start.as_ptr().byte_add(offset_bytes);
            std::ptr::copy_nonoverlapping(octets.as_ptr(), first, octets.len());
        }
    }

    /// So many octets from an offset on.
    ///
    /// # Safety
    /// They lie within, and nobody writes to them while they are borrowed.
    #[inline(always)]
    pub(super) unsafe fn octets(&self, offset_bytes: usize, len_bytes: usize) -> &[u8] {
        // SAFETY: by the caller; mapped memory holds zeros or what was written, never nothing.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().byte_add(offset_bytes), len_bytes) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped so, by this alone, and every reference was a borrow of this. What the
        // kernel uses of it, it holds by itself.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.len_bytes) };
    }
}
