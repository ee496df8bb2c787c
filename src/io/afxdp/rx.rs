use super::frame::XdpFrame;
use super::ring::{Consumer, Entries};
use super::umem::{Owner, Umem};
use crate::io::port::Frames;
use rustix::net::xdp::{XdpDesc, XdpDescOptions};

/// Where the kernel puts what it received.
#[derive(Debug)]
pub(super) struct RxRing(Consumer<XdpDesc>);

impl RxRing {
    pub(super) fn new(ring: Consumer<XdpDesc>) -> Self {
        Self(ring)
    }

    /// Moves frames to the burst as long as it has room, and whole ones come; says how many
    /// descriptors that were.
    #[inline(always)]
    pub(super) fn receive<'u>(
        &mut self,
        umem: &'u Umem,
        port: Owner,
        frames: &mut Frames<XdpFrame<'u>>,
    ) -> u32 {
        let entries = self.0.entries(u32::MAX);
        let mut taken = 0;
        while !frames.is_full()
            && let Some(found) = entries.get(taken)
        {
            if has_more(found) {
                let Some((frame, segments)) = gather(&entries, taken, umem, port) else {
                    break;
                };
                taken += segments;
                frames.extend(frame);
            } else {
                taken += 1;
                frames.extend(umem.received(found, port));
            }
        }
        self.0.release(taken);
        taken
    }
}

#[inline(always)]
fn has_more(found: XdpDesc) -> bool {
    found.options.contains(XdpDescOptions::XDP_PKT_CONTD)
}

/// The frame whose first segment this is, and how many it has; `None` while its last one is not
/// there.
#[cold]
fn gather<'u>(
    entries: &Entries<'_, XdpDesc>,
    first: u32,
    umem: &'u Umem,
    port: Owner,
) -> Option<(Option<XdpFrame<'u>>, u32)> {
    let mut last = first;
    while has_more(entries.get(last)?) {
        last += 1;
    }
    let segments = last - first + 1;
    let head = entries.get(first)?;
    let Some(frame) = umem.received(head, port) else {
        return Some((None, segments));
    };
    let (mut offset, _) = frame.place();
    for index in first + 1..=last {
        let found = entries.get(index)?;
        // A place that the kernel was not lent cannot be followed.
        let Some(next) = umem.append(offset, found, index < last) else {
            break;
        };
        offset = next;
    }
    Some((Some(frame.with_more()), segments))
}
