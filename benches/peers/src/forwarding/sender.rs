//! Sends frames into the box: so many, and no faster than is said.

use super::network::Network;
use crate::ffi::{BURST, PacketSocket};
use anyhow::{Context as _, Result, bail, ensure};
use rustix::thread::{CpuSet, LinkNameSpaceType, move_into_link_name_space, sched_setaffinity};
use std::fs::File;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A few frames at a time: veth's ring holds 256.
const BATCH: usize = BURST / 2;

/// A socket in the source's namespace.
pub(crate) fn open(network: &Network) -> Result<PacketSocket> {
    let path = network.source();
    // Only a thread of its own may leave this namespace for good.
    let opened = std::thread::spawn(move || -> Result<PacketSocket> {
        let namespace = File::open(&path).with_context(|| path.display().to_string())?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        PacketSocket::open("spa").context("an AF_PACKET socket at spa")
    });
    match opened.join() {
        Ok(socket) => socket,
        Err(_) => bail!("the thread that opens a socket has panicked"),
    }
}

/// Sends `count` frames, from the first to the last and again, from one processor.
pub(crate) fn send(
    socket: &PacketSocket,
    frames: &[&[u8]],
    count: usize,
    rate_pps: u32,
    processor: usize,
    stop: &AtomicBool,
) -> Result<()> {
    let sending = || -> Result<()> {
        let mut processors = CpuSet::new();
        processors.set(processor);
        sched_setaffinity(None, &processors).context("pinning the sender")?;
        let begin = Instant::now();
        let mut sent = 0;
        let mut batches = frames.chunks(BATCH).cycle();
        while sent < count {
            ensure!(!stop.load(Ordering::Relaxed), "interrupted");
            let Some(batch) = batches.next() else {
                bail!("no frames");
            };
            let mut batch = batch.get(..count - sent).unwrap_or(batch);
            while !batch.is_empty() {
                let taken = socket.send(batch).context("sendmmsg")?;
                sent += taken;
                batch = batch.get(taken..).unwrap_or_default();
            }
            let due = Duration::from_secs_f64(sent as f64 / f64::from(rate_pps));
            std::thread::sleep(due.saturating_sub(begin.elapsed()));
        }
        Ok(())
    };
    match std::thread::scope(|scope| scope.spawn(sending).join()) {
        Ok(result) => result,
        Err(_) => bail!("the sending thread has panicked"),
    }
}
