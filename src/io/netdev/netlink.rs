//! What the kernel is asked about interfaces, and told of them: `rtnetlink` messages over one
//! socket.
//!
//! The socket belongs to the network namespace that it was made in, whichever thread uses it, and
//! whatever `/sys` shows there.

use super::wall;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER_BYTES: usize = 16;

const NLM_F_REQUEST: u16 = 0x001;
const NLM_F_ACK: u16 = 0x004;
const NLM_F_DUMP: u16 = 0x300;

/// Add where there is none: `NLM_F_CREATE`, `NLM_F_EXCL`.
pub(super) const CREATE: u16 = 0x600;
/// Add, or put in the place of what is there: `NLM_F_CREATE`, `NLM_F_REPLACE`.
pub(super) const REPLACE: u16 = 0x500;

/// The kernel's messages are shorter: a dump comes in pieces of at most 32 KiB, and an answer about
/// one interface is some KiB, even with many virtual functions.
const BUFFER_BYTES: usize = 128 * 1024;

/// Asks about what is in one network namespace.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

/// A message to the kernel.
#[derive(Debug)]
pub(super) struct Message {
    kind: u16,
    /// What follows the header: a structure of fixed size, then attributes.
    body: Vec<u8>,
}

impl Message {
    pub(super) fn new(kind: u16, fixed: &[u8]) -> Self {
        Self {
            kind,
            body: fixed.to_vec(),
        }
    }

    /// The same with an attribute.
    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        push_attribute(&mut self.body, kind, value);
        self
    }
}

/// Adds an attribute to others: its length and its kind, its value, and zeros up to a word.
pub(super) fn push_attribute(to: &mut Vec<u8>, kind: u16, value: &[u8]) {
    // Names, addresses and what is nested of them: nothing is near 64 KiB.
    let length = (4 + value.len()) as u16;
    to.extend(length.to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(value);
    to.resize(to.len().next_multiple_of(4), 0);
}

/// Attributes that are the value of another one.
pub(super) fn nested(attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut to = Vec::new();
    for (kind, value) in attributes {
        push_attribute(&mut to, *kind, value);
    }
    to
}

/// The attributes in these octets; what is cut or contradicts itself ends them.
pub(super) fn attributes(mut octets: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    /// The two highest bits say how a value is written.
    const KIND: u16 = 0x3fff;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(octets, 0)?);
        let kind = u16_at(octets, 2)? & KIND;
        let value = octets.get(4..length)?;
        octets = octets.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

impl Netlink {
    /// In the network namespace of this thread.
    pub(super) fn open() -> io::Result<Self> {
        let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
        // No protocol is NETLINK_ROUTE, whose number is 0.
        let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// For requests that any socket of the namespace can carry.
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The index of the interface that has a name now.
    pub(super) fn index_of(&self, name: &str) -> io::Result<u32> {
        Ok(rustix::net::netdevice::name_to_index(&self.socket, name)?)
    }

    /// The name that an interface has now; `None` where it is gone.
    pub(super) fn name_of(&self, index: u32) -> io::Result<Option<String>> {
        match rustix::net::netdevice::index_to_name(&self.socket, index) {
            Ok(name) => Ok(Some(name)),
            Err(Errno::NODEV | Errno::NXIO) => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Whether frames can pass an interface; `None` where it is gone. It waits for nobody.
    pub(super) fn is_running(&self, index: u32) -> io::Result<Option<bool>> {
        const BOTH: u16 = (libc::IFF_UP | libc::IFF_RUNNING) as u16;
        let Some(name) = self.name_of(index)? else {
            return Ok(None);
        };
        match wall::flags(self.socket(), &name) {
            Ok(flags) => Ok(Some(flags & BOTH == BOTH)),
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has something done.
    pub(super) fn tell(&mut self, message: &Message, flags: u16) -> io::Result<()> {
        self.exchange(message, flags | NLM_F_ACK, |_| {})
    }

    /// Asks for one thing; what was answered, behind its header.
    pub(super) fn ask(&mut self, message: &Message) -> io::Result<Vec<u8>> {
        let mut answer = None;
        self.exchange(message, NLM_F_ACK, |body| answer = Some(body.to_vec()))?;
        answer.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Asks for all that there is of a kind.
    pub(super) fn dump(&mut self, message: &Message, each: impl FnMut(&[u8])) -> io::Result<()> {
        self.exchange(message, NLM_F_DUMP, each)
    }

    /// Sends a message and takes the answers, up to the one that says that it was the last.
    fn exchange(
        &mut self,
        message: &Message,
        flags: u16,
        mut each: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let length = (HEADER_BYTES + message.body.len()) as u32;
        let mut sent = Vec::with_capacity(length as usize);
        sent.extend(length.to_ne_bytes());
        sent.extend(message.kind.to_ne_bytes());
        sent.extend((NLM_F_REQUEST | flags).to_ne_bytes());
        sent.extend(self.sequence.to_ne_bytes());
        sent.extend([0; 4]);
        sent.extend(&message.body);
        rustix::io::retry_on_intr(|| {
            rustix::net::send(&self.socket, &sent, SendFlags::empty()).map(drop)
        })?;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let (received, length) = rustix::io::retry_on_intr(|| {
                rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::TRUNC)
            })?;
            let datagram = buffer.get(..received).unwrap_or_default();
            if length > received {
                return Err(Errno::MSGSIZE.into());
            }
            if let Some(end) = read(datagram, self.sequence, &mut each) {
                return end;
            }
        }
    }
}

/// Goes through the messages of a datagram; says how the exchange ended, if it did.
fn read(
    mut datagram: &[u8],
    sequence: u32,
    each: &mut impl FnMut(&[u8]),
) -> Option<io::Result<()>> {
    while let Some(length) = u32_at(datagram, 0) {
        let length = length as usize;
        let (Some(kind), Some(of), Some(body)) = (
            u16_at(datagram, 4),
            u32_at(datagram, 8),
            datagram.get(HEADER_BYTES..length),
        ) else {
            return Some(Err(io::ErrorKind::InvalidData.into()));
        };
        datagram = datagram
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
        // An answer to a question that was given up.
        if of != sequence {
            continue;
        }
        match kind {
            NLMSG_DONE => return Some(Ok(())),
            NLMSG_ERROR => {
                let code = u32_at(body, 0).map_or(-libc::EIO, u32::cast_signed);
                let error = io::Error::from_raw_os_error(-code);
                return Some(if code == 0 { Ok(()) } else { Err(error) });
            }
            _ => each(body),
        }
    }
    None
}

pub(super) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    octets
        .get(at..)?
        .first_chunk()
        .map(|octets| u16::from_ne_bytes(*octets))
}

pub(super) fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    octets
        .get(at..)?
        .first_chunk()
        .map(|octets| u32::from_ne_bytes(*octets))
}

pub(super) fn u64_at(octets: &[u8], at: usize) -> Option<u64> {
    octets
        .get(at..)?
        .first_chunk()
        .map(|octets| u64::from_ne_bytes(*octets))
}

/// Text as the kernel writes it: up to the first zero.
pub(super) fn text(octets: &[u8]) -> String {
    let text = octets.split(|octet| *octet == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        octets.extend((16 + body.len() as u32).to_ne_bytes());
        octets.extend(kind.to_ne_bytes());
        octets.extend([0; 2]);
        octets.extend(sequence.to_ne_bytes());
        octets.extend([0; 4]);
        octets.extend(body);
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets
    }

    #[test]
    fn attributes_are_read_as_they_are_written() {
        let inner = nested(&[(1, b"bridge"), (2, &[7])]);
        let message = Message::new(16, &[0; 16]).with(18, &inner).with(3, b"eth1");
        let outer: Vec<_> = attributes(&message.body[16..]).collect();
        assert_eq!(outer, [(18, &*inner), (3, &b"eth1"[..])]);
        let inner: Vec<_> = attributes(&inner).collect();
        assert_eq!(inner, [(1, &b"bridge"[..]), (2, &[7])]);
        assert_eq!(text(b"eth1\0\0\0"), "eth1");
    }

    #[test]
    fn an_exchange_ends_with_its_own_last_message() {
        let refusal = (-libc::EPERM).to_ne_bytes();
        let mut seen = Vec::new();
        let mut each = |body: &[u8]| seen.push(body.to_vec());
        let datagram = [message(16, 1, b"old."), message(16, 2, b"new.")].concat();
        assert!(read(&datagram, 2, &mut each).is_none());
        let old = message(NLMSG_ERROR, 1, &refusal);
        assert!(read(&old, 2, &mut each).is_none());
        let done = [message(16, 2, b"more"), message(NLMSG_DONE, 2, &[0; 4])].concat();
        assert!(read(&done, 2, &mut each).unwrap().is_ok());
        let acknowledged = message(NLMSG_ERROR, 2, &[0; 4]);
        assert!(read(&acknowledged, 2, &mut each).unwrap().is_ok());
        let refused = read(&message(NLMSG_ERROR, 2, &refusal), 2, &mut each);
        let refused = refused.unwrap().unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EPERM));
        assert_eq!(seen, [b"new.", b"more"]);
    }

    proptest! {
        #[test]
        fn whatever_octets_come_they_are_read(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let sequence = u32_at(&octets, 8).unwrap_or_default();
            let _ = read(&octets, sequence, &mut |body| {
                let _ = attributes(body).count();
            });
            for (_, value) in attributes(&octets) {
                let _ = (text(value), attributes(value).count());
            }
        }
    }
}
