//! The wall around the system calls that take a structure by its address and that no safe crate has:
//! the flags of an interface, `ethtool`'s requests, promiscuous mode, the process behind a socket,
//! and the state of the clock.
//!
//! A request that ends in memory of ours is made with memory of the size that the kernel writes to;
//! nothing here keeps an address after the call.
#![expect(
    unsafe_code,
    reason = "ioctl, setsockopt and adjtimex are given addresses; each function below knows what its own call reads and writes"
)]

use libc::{c_char, c_int};
use rustix::fd::{AsRawFd, BorrowedFd};
use std::io;

/// How long a name of `ethtool`'s is at most, with the zero at its end.
pub(super) const STRING_BYTES: usize = 32;

/// The set of strings that are the names of the features (`ETH_SS_FEATURES`).
const SET_OF_FEATURES: u32 = 4;

const ETHTOOL_GDRVINFO: u32 = 0x03;
const ETHTOOL_GRINGPARAM: u32 = 0x10;
const ETHTOOL_GSTRINGS: u32 = 0x1b;
const ETHTOOL_GSSET_INFO: u32 = 0x37;
const ETHTOOL_GFEATURES: u32 = 0x3a;
const ETHTOOL_SFEATURES: u32 = 0x3b;
const ETHTOOL_GCHANNELS: u32 = 0x3c;

/// The flags of an interface that 16 bits hold (`IFF_UP`, `IFF_RUNNING`). The kernel takes no lock
/// for them that anybody holds for long.
pub(super) fn flags(socket: BorrowedFd<'_>, name: &str) -> io::Result<u16> {
    let mut request = request(name)?;
    // SAFETY: SIOCGIFFLAGS reads the name and writes the flags, both inside this `ifreq`.
    called(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request) })?;
    // SAFETY: the call above succeeded, so that the union holds the flags; and any octets are a
    // `c_short`.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    Ok(flags.cast_unsigned())
}

/// Holds an interface in promiscuous mode for as long as this packet socket is open.
pub(super) fn hold_promiscuous(socket: BorrowedFd<'_>, index: u32) -> io::Result<()> {
    let membership = libc::packet_mreq {
        mr_ifindex: index.cast_signed(),
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    // SAFETY: the kernel reads one `packet_mreq`, which is what the address and the size say.
    called(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_ADD_MEMBERSHIP,
            (&raw const membership).cast(),
            size_of_val(&membership) as libc::socklen_t,
        )
    })
}

/// The process at the other end of a unix socket; 0 is one of another process namespace. (rustix has
/// no way to say 0 here.)
pub(super) fn peer_process(socket: BorrowedFd<'_>) -> io::Result<i32> {
    let mut peer = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut length = size_of_val(&peer) as libc::socklen_t;
    // SAFETY: the kernel writes at most as many octets as `length` says, which is all of the `ucred`,
    // and how many it wrote into `length`; both outlive the call.
    called(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut length,
        )
    })?;
    Ok(peer.pid)
}

/// What `adjtimex` returns, and its status; nothing is adjusted.
pub(super) fn clock() -> io::Result<(c_int, c_int)> {
    // SAFETY: `timex` is made of integers only, and `modes` 0 asks to change nothing.
    let mut clock: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one `timex`, and the address is that of one.
    let state = unsafe { libc::adjtimex(&raw mut clock) };
    called(state.min(0))?;
    Ok((state, clock.status))
}

/// The driver of an interface: `struct ethtool_drvinfo`, with the driver's name at octet 4 and the
/// place on its bus at octet 100.
pub(super) fn driver(socket: BorrowedFd<'_>, name: &str) -> io::Result<[u32; 49]> {
    let mut info = [0; 49];
    info[0] = ETHTOOL_GDRVINFO;
    // SAFETY: `struct ethtool_drvinfo` has 196 octets: 4, then 32 five times, 12 and 4 five times.
    unsafe { ethtool(socket, name, &mut info) }.map(|()| info)
}

/// The channels of an interface: `struct ethtool_channels`, whose words are the command, the most of
/// rx, tx, other and combined, and how many there are of each now.
pub(super) fn channels(socket: BorrowedFd<'_>, name: &str) -> io::Result<[u32; 9]> {
    let mut channels = [ETHTOOL_GCHANNELS, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: `struct ethtool_channels` has nine words.
    unsafe { ethtool(socket, name, &mut channels) }.map(|()| channels)
}

/// The rings of an interface: `struct ethtool_ringparam`, whose words are the command, the most of
/// rx, rx mini, rx jumbo and tx, and how many descriptors each has now.
pub(super) fn rings(socket: BorrowedFd<'_>, name: &str) -> io::Result<[u32; 9]> {
    let mut rings = [ETHTOOL_GRINGPARAM, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: `struct ethtool_ringparam` has nine words.
    unsafe { ethtool(socket, name, &mut rings) }.map(|()| rings)
}

/// The names of all features that the kernel knows, each in [`STRING_BYTES`] octets.
pub(super) fn feature_names(socket: BorrowedFd<'_>, name: &str) -> io::Result<Vec<u8>> {
    // Command, reserved, a mask of 64 bits, and a word for the one set that the mask names.
    let mut counts = [ETHTOOL_GSSET_INFO, 0, 0, 0, 0];
    let mask = (1_u64 << SET_OF_FEATURES).to_ne_bytes();
    let [a, b, c, d, e, f, g, h] = mask;
    counts[2] = u32::from_ne_bytes([a, b, c, d]);
    counts[3] = u32::from_ne_bytes([e, f, g, h]);
    // SAFETY: with one bit in its mask, `struct ethtool_sset_info` has five words.
    unsafe { ethtool(socket, name, &mut counts) }?;
    let words = counts[4] as usize * STRING_BYTES / size_of::<u32>();
    let mut strings = vec![ETHTOOL_GSTRINGS, SET_OF_FEATURES, counts[4]];
    strings.resize(strings.len() + words, 0);
    // SAFETY: three words, then so many strings as the kernel has just said that this set has. It is
    // the number of feature bits, which is fixed when a kernel is built, for all interfaces.
    unsafe { ethtool(socket, name, &mut strings) }?;
    let strings = strings.iter().skip(3).flat_map(|word| word.to_ne_bytes());
    Ok(strings.collect())
}

/// The features of an interface, in blocks of 32: of each which are available, which are asked for,
/// which are on, and which never change.
pub(super) fn features(
    socket: BorrowedFd<'_>,
    name: &str,
    blocks: usize,
) -> io::Result<Vec<[u32; 4]>> {
    let mut features = vec![ETHTOOL_GFEATURES, length(blocks)?];
    features.resize(features.len() + 4 * blocks, 0);
    // SAFETY: two words, then four for each block. The kernel writes as many blocks as the second
    // word says, or fewer.
    unsafe { ethtool(socket, name, &mut features) }?;
    let (blocks, _) = features.get(2..).unwrap_or_default().as_chunks();
    Ok(blocks.to_vec())
}

/// Asks for features: in each block of 32 the bits that are meant, and whether each shall be on.
pub(super) fn set_features(
    socket: BorrowedFd<'_>,
    name: &str,
    blocks: &[[u32; 2]],
) -> io::Result<()> {
    let mut features = vec![ETHTOOL_SFEATURES, length(blocks.len())?];
    features.extend(blocks.iter().flatten());
    // SAFETY: two words, then two for each block, of which the second word gives the number; the
    // kernel reads them and writes none.
    unsafe { ethtool(socket, name, &mut features) }
}

fn length(blocks: usize) -> io::Result<u32> {
    u32::try_from(blocks).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// One request of `ethtool`'s.
///
/// # Safety
/// `words` begins with a command, and is as long as whatever the kernel reads or writes for it.
unsafe fn ethtool(socket: BorrowedFd<'_>, name: &str, words: &mut [u32]) -> io::Result<()> {
    let mut request = request(name)?;
    request.ifr_ifru.ifru_data = words.as_mut_ptr().cast::<c_char>();
    // SAFETY: SIOCETHTOOL reads the name and the address in this `ifreq`, and at that address what
    // the caller vouches for. `words` is borrowed alone until the call is over.
    called(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) })
}

/// An `ifreq` with nothing in it but a name.
fn request(name: &str) -> io::Result<libc::ifreq> {
    let mut ifr_name = [0; libc::IFNAMSIZ];
    // The last one stays zero.
    if name.len() >= ifr_name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as c_char;
    }
    Ok(libc::ifreq {
        ifr_name,
        ifr_ifru: libc::__c_anonymous_ifr_ifru {
            ifru_map: libc::__c_anonymous_ifru_map {
                mem_start: 0,
                mem_end: 0,
                base_addr: 0,
                irq: 0,
                dma: 0,
                port: 0,
            },
        },
    })
}

fn called(returned: c_int) -> io::Result<()> {
    if returned < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
