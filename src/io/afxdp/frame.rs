use super::umem::{Rest, Umem};
use crate::wire::{AsFrame, Frame, LinkType};
use rustix::net::xdp::{XdpDesc, XdpDescOptions};
use std::mem;

/// A received or composed frame, which lies in the UMEM of its lane; dropped, it goes back to the pool.
///
/// One that the kernel received in several segments shows the first, and its length on the wire:
/// that is what it is decided by. It is sent whole.
#[derive(Debug)]
pub struct XdpFrame<'u> {
    umem: &'u Umem,
    offset: u32,
    len: u16,
    /// Whether there are segments behind this one.
    more: bool,
}

impl<'u> XdpFrame<'u> {
    #[inline(always)]
    pub(super) fn new(umem: &'u Umem, offset: u32, len: u16) -> Self {
        let more = false;
        Self {
            umem,
            offset,
            len,
            more,
        }
    }

    /// Where it begins, and how long its first segment is.
    #[inline(always)]
    pub(super) fn place(&self) -> (u32, u16) {
        (self.offset, self.len)
    }

    /// The same with the segments that [`Umem::append`] put behind it.
    pub(super) fn with_more(mut self) -> Self {
        self.more = true;
        self
    }

    /// How many segments it has.
    #[inline(always)]
    pub(super) fn segments(&self) -> u32 {
        if !self.more {
            return 1;
        }
        1 + self.rest().map(|_| 1).sum::<u32>()
    }

    /// Hands it, in its segments, to whoever writes their descriptors, and with them its chunks.
    #[inline(always)]
    pub(super) fn describe(self, mut write: impl FnMut(XdpDesc)) {
        let Self {
            umem,
            offset,
            len,
            more,
        } = self;
        mem::forget(self);
        let mut segment = Rest { offset, len, more };
        loop {
            let options = if segment.more {
                XdpDescOptions::XDP_PKT_CONTD
            } else {
                XdpDescOptions::empty()
            };
            write(XdpDesc {
                addr: u64::from(segment.offset),
                len: u32::from(segment.len),
                options,
            });
            if !segment.more {
                break;
            }
            segment = umem.behind(segment.offset);
        }
    }

    /// The segments behind the first.
    fn rest(&self) -> impl Iterator<Item = Rest> {
        let next = |before: Rest| before.more.then(|| self.umem.behind(before.offset));
        let first = Rest {
            offset: self.offset,
            len: self.len,
            more: self.more,
        };
        std::iter::successors(next(first), move |before| next(*before))
    }

    #[cold]
    fn whole_len_bytes(&self) -> u32 {
        u32::from(self.len)
            + self
                .rest()
                .map(|segment| u32::from(segment.len))
                .sum::<u32>()
    }

    #[cold]
    fn give_back_rest(&self) {
        let mut more = self.more;
        let mut offset = self.offset;
        while more {
            let segment = self.umem.behind(offset);
            (offset, more) = (segment.offset, segment.more);
            self.umem.give_back(offset);
        }
    }
}

impl AsFrame for XdpFrame<'_> {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        let bytes = self.umem.octets(self);
        Frame {
            bytes,
            original_len: if self.more {
                self.whole_len_bytes()
            } else {
                u32::from(self.len)
            },
            link_type: LinkType::ETHERNET,
        }
    }
}

impl Drop for XdpFrame<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.more {
            self.give_back_rest();
        }
        self.umem.give_back(self.offset);
    }
}
