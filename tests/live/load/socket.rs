#![expect(
    unsafe_code,
    reason = "neither std nor rustix binds packet sockets or sends many frames in one call"
)]

use crate::net::Namespace;
use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};
use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// Frames that one call sends at most.
pub(crate) const SEND_FRAMES: usize = 32;

/// A packet socket on one link.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

/// Which frames a socket hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hears {
    Nothing,
    /// All that come in; not what the host itself sends.
    AllIncoming,
}

impl Socket {
    pub(crate) fn open(namespace: &Namespace, link: &str, hears: Hears) -> Self {
        let opened = namespace.enter(|| {
            // Bound without a protocol it hears nothing, not even before it is bound.
            let kind = (AddressFamily::PACKET, SocketType::RAW);
            let socket = socket_with(kind.0, kind.1, SocketFlags::CLOEXEC, None)?;
            let index = netdevice::name_to_index(&socket, link)?;
            Ok::<_, rustix::io::Errno>((Self(socket), index))
        });
        let (socket, index) =
            opened.unwrap_or_else(|error| panic!("packet socket on {link}: {error}"));
        if hears == Hears::AllIncoming {
            socket.set(libc::PACKET_IGNORE_OUTGOING, &1_i32);
        } else {
            // Straight to the driver: veth has no queue of its own that could shed frames.
            socket.set(libc::PACKET_QDISC_BYPASS, &1_i32);
        }
        socket.bind(index, hears);
        socket
    }

    fn bind(&self, index: u32, hears: Hears) {
        let protocol = match hears {
            Hears::Nothing => 0,
            Hears::AllIncoming => u16::try_from(libc::ETH_P_ALL).unwrap().to_be(),
        };
        let address = libc::sockaddr_ll {
            sll_family: u16::try_from(libc::AF_PACKET).unwrap(),
            sll_protocol: protocol,
            sll_ifindex: i32::try_from(index).unwrap(),
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        // SAFETY: `address` lives through the call and is as long as is said; the kernel only reads
        // it.
        let bound = unsafe {
            let pointer = (&raw const address).cast::<libc::sockaddr>();
            libc::bind(self.0.as_raw_fd(), pointer, length_of(&address))
        };
        check(bound, "bind");
    }

    /// Sets an option of packet sockets; `T` is the kernel's own type for it.
    pub(crate) fn set<T: Copy>(&self, option: c_int, value: &T) {
        let pointer = (&raw const *value).cast();
        // SAFETY: the kernel reads `length_of(value)` octets of `value`, which is borrowed.
        let set = unsafe {
            let level = libc::SOL_PACKET;
            libc::setsockopt(self.0.as_raw_fd(), level, option, pointer, length_of(value))
        };
        check(set, "setsockopt");
    }

    /// Sends frames from the front, at most [`SEND_FRAMES`]; says how many the kernel took.
    pub(crate) fn send(&self, frames: &[Vec<u8>]) -> io::Result<usize> {
        let pieces: [libc::iovec; SEND_FRAMES] = std::array::from_fn(|at| {
            let frame = frames.get(at).map_or(&[][..], Vec::as_slice);
            libc::iovec {
                iov_base: frame.as_ptr().cast_mut().cast(),
                iov_len: frame.len(),
            }
        });
        let mut messages = pieces.each_ref().map(|piece| {
            // SAFETY: all octets zero is a message without address, pieces and control.
            let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
            message.msg_hdr.msg_iov = (&raw const *piece).cast_mut();
            message.msg_hdr.msg_iovlen = 1;
            message
        });
        let count = u32::try_from(frames.len().min(SEND_FRAMES)).unwrap();
        // SAFETY: the first `count` messages each point to one piece of `pieces`, and that to a
        // frame that `frames` lends; the kernel reads them, and writes only into `messages`.
        let sent = unsafe { libc::sendmmsg(self.0.as_raw_fd(), messages.as_mut_ptr(), count, 0) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    /// What it has heard and what it has lost since the last time somebody asked.
    pub(crate) fn statistics(&self) -> libc::tpacket_stats_v3 {
        let mut statistics = libc::tpacket_stats_v3 {
            tp_packets: 0,
            tp_drops: 0,
            tp_freeze_q_cnt: 0,
        };
        let mut length = length_of(&statistics);
        // SAFETY: the kernel writes at most `length` octets, all of `statistics`.
        let got = unsafe {
            let pointer = (&raw mut statistics).cast();
            let option = libc::PACKET_STATISTICS;
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                option,
                pointer,
                &mut length,
            )
        };
        check(got, "getsockopt");
        statistics
    }

    /// The descriptor, for who maps or polls it.
    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.0
    }
}

fn length_of<T>(value: &T) -> libc::socklen_t {
    libc::socklen_t::try_from(size_of_val(value)).unwrap()
}

fn check(answer: c_int, what: &str) {
    assert!(answer == 0, "{what}: {}", io::Error::last_os_error());
}
