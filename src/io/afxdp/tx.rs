use super::frame::XdpFrame;
use super::ring::Producer;
use crate::io::port::Frames;
use rustix::net::xdp::XdpDesc;
use rustix::net::{SendFlags, send};
use std::os::fd::BorrowedFd;

/// Where the kernel finds what is to be sent.
#[derive(Debug)]
pub(super) struct TxRing {
    ring: Producer<XdpDesc>,
    /// Chunks that the kernel has: in this ring, on their way, or in the completion ring. Never more
    /// than the ring holds.
    leaving: u32,
}

impl TxRing {
    pub(super) fn new(ring: Producer<XdpDesc>) -> Self {
        Self { ring, leaving: 0 }
    }

    /// How many chunks the kernel has.
    #[inline(always)]
    pub(super) fn leaving(&self) -> u32 {
        self.leaving
    }

    /// Notes that so many chunks came back through the completion ring.
    #[inline(always)]
    pub(super) fn completed(&mut self, chunks: u32) {
        self.leaving = self.leaving.saturating_sub(chunks);
    }

    /// Moves whole frames from the front of the burst to the ring, as many as it has room for; says
    /// how many.
    #[inline(always)]
    pub(super) fn send(&mut self, frames: &mut Frames<XdpFrame<'_>>) -> usize {
        let room = self.ring.size() - self.leaving;
        let mut needed = 0;
        let fitting = frames.iter().take_while(|frame| {
            needed += frame.segments();
            needed <= room
        });
        let sent = fitting.count();
        let ring = &mut self.ring;
        let leaving = &mut self.leaving;
        for frame in frames.drain(..sent) {
            frame.describe(|segment| {
                ring.write(segment);
                *leaving += 1;
            });
        }
        if sent > 0 {
            self.ring.publish();
        }
        sent
    }

    /// Has the kernel send what is in the ring, if it asks to be told.
    #[inline(always)]
    pub(super) fn kick(&self, socket: BorrowedFd<'_>) {
        if self.leaving > 0 && self.ring.needs_wakeup() {
            self.push(socket);
        }
    }

    /// A call takes some frames, not all. What it answers says less than the ring: frames that it
    /// left there stay until the next time, be it that the link is down, that the device is gone, or
    /// that too many are on their way.
    fn push(&self, socket: BorrowedFd<'_>) {
        let mut waiting = self.ring.untaken();
        while waiting > 0 {
            let _ = send(socket, &[], SendFlags::DONTWAIT);
            let left = self.ring.untaken();
            if left >= waiting {
                break;
            }
            waiting = left;
        }
    }
}
