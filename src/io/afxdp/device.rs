use super::program::{AttachMode, Link};
use crate::io::port::Loss;
use rustix::io::Errno;
use rustix::net::sockopt;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// A device that lanes have the queues of: what keeps frames coming to them.
///
/// It may be looked at while workers run. Dropped, it detaches the program: frames go to the kernel
/// again.
#[derive(Debug)]
pub struct XdpDevice {
    pub(super) name: String,
    /// Goes first.
    pub(super) link: Option<Link>,
    pub(super) sockets: Vec<Arc<OwnedFd>>,
    pub(super) mode: XdpMode,
}

/// How a device is used, for people: `eth0: driver mode, copy, 2 queues`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XdpMode {
    /// Its name.
    pub device: String,
    /// Where the program runs.
    pub attach: AttachMode,
    /// Whether the driver receives into the memory of frames, and sends from it.
    pub zero_copy: bool,
    /// Whether frames may come in several segments.
    pub segments: bool,
    /// How many queues have a socket.
    pub queues: u32,
    /// Why the program does not run in the driver, where that was asked for first.
    pub(super) refused: Option<Errno>,
}

impl XdpDevice {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is used.
    pub fn mode(&self) -> &XdpMode {
        &self.mode
    }

    /// Lets frames go to the kernel again. Workers still find those that came before in their rings:
    /// whoever means to stop without loss detaches both devices, lets the workers run until nothing
    /// comes, and then ends them.
    pub fn detach(&mut self) {
        self.link = None;
    }

    /// What the kernel lost between the device and the workers since it was opened.
    ///
    /// Each frame is in one of these counters: no chunk to receive into, or a frame that is longer
    /// than the chunks can hold (`xsk_rx_dropped`), no room in the receive ring
    /// (`xsk_rx_ring_full`), a descriptor to be sent that the kernel refused
    /// (`xsk_tx_invalid_descs`). The device counts by itself
    /// what it lost before.
    pub fn losses(&self) -> Vec<Loss> {
        let mut losses = [
            ("xsk_rx_dropped", 0),
            ("xsk_rx_ring_full", 0),
            ("xsk_tx_invalid_descs", 0),
        ];
        for socket in &self.sockets {
            // A device that is gone has its counters as long as the socket is there.
            let Ok(found) = sockopt::xdp_statistics(socket) else {
                continue;
            };
            let counts = [
                found.rx_dropped,
                found.rx_ring_full.unwrap_or(0),
                found.tx_invalid_descs,
            ];
            for ((_, frames), count) in losses.iter_mut().zip(counts) {
                *frames += count;
            }
        }
        let named = losses.map(|(counter, frames)| Loss {
            counter: counter.to_owned(),
            frames,
        });
        named.into()
    }
}

impl fmt::Display for XdpMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attach = match self.attach {
            AttachMode::Driver => "driver",
            AttachMode::Skb => "SKB",
        };
        let copy = if self.zero_copy { "zero-copy" } else { "copy" };
        let queues = match self.queues {
            1 => "1 queue".to_owned(),
            queues => format!("{queues} queues"),
        };
        write!(f, "{}: {attach} mode, {copy}, {queues}", self.device)?;
        if self.segments {
            f.write_str(", frames in segments")?;
        }
        match self.refused {
            None => Ok(()),
            Some(cause) => write!(f, " (driver mode refused: {cause})"),
        }
    }
}
