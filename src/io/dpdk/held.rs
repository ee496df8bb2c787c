//! How many frames have an owner on this thread: counted where they get one, and where they lose it.
//!
//! A frame is as large as a pointer, and cannot say whom to tell that it is gone. But it stays on the
//! thread that serves its lane, and each thread serves one.

use std::cell::Cell;

thread_local! {
    static SERVED: Served = const {
        Served {
            lane: Cell::new(None),
            access: Cell::new(0),
            network: Cell::new(0),
        }
    };
}

struct Served {
    /// The number of the access device, while a lane is served.
    lane: Cell<Option<u16>>,
    access: Cell<u64>,
    network: Cell<u64>,
}

impl Served {
    #[inline(always)]
    fn held(&self, port: u16) -> &Cell<u64> {
        if self.lane.get() == Some(port) {
            &self.access
        } else {
            &self.network
        }
    }
}

/// Says that this thread serves a lane, until it is dropped.
pub(super) struct Serving(());

impl Serving {
    /// # Panics
    /// The thread serves another one.
    pub(super) fn begin(access: u16) -> Self {
        SERVED.with(|served| {
            let other = served.lane.get();
            assert!(
                other.is_none(),
                "a thread serves one lane of DPDK at a time"
            );
            served.lane.set(Some(access));
            served.access.set(0);
            served.network.set(0);
        });
        Self(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        SERVED.with(|served| served.lane.set(None));
    }
}

/// So many frames from this device have an owner.
pub(super) fn count(port: u16) -> u64 {
    SERVED.with(|served| served.held(port).get())
}

/// So many frames were received from this device, or composed for it.
#[inline(always)]
pub(super) fn received(port: u16, frames: usize) {
    SERVED.with(|served| {
        let held = served.held(port);
        held.set(held.get() + frames as u64);
    });
}

/// Frames that came from this device, and from the other one, are a driver's now.
#[inline(always)]
pub(super) fn sent(port: u16, from_here: u32, from_other: u32) {
    SERVED.with(|served| {
        let here = served.held(port);
        let other = match std::ptr::eq(here, &raw const served.access) {
            true => &served.network,
            false => &served.access,
        };
        here.set(here.get() - u64::from(from_here));
        other.set(other.get() - u64::from(from_other));
    });
}

#[inline(always)]
pub(super) fn dropped(port: u16) {
    SERVED.with(|served| {
        let held = served.held(port);
        held.set(held.get() - 1);
    });
}
