//! capsule's mbufs as sekisho's frames, where they lie.

#![expect(unsafe_code, reason = "capsule gives an mbuf's octets by a pointer")]

use capsule::Mbuf;
use sekisho::wire::{AsFrame, Frame, LinkType};

/// A frame that was received. Of one of several segments, which capsule knows nothing of, the first
/// is looked at: 2,048 octets, where the driver fills it. What is cut off there is judged as what a
/// sender cut off is.
pub(crate) struct Received(pub(crate) Mbuf);

impl AsFrame for Received {
    #[inline(always)]
    fn as_frame(&self) -> Frame<'_> {
        let bytes = octets(&self.0);
        Frame {
            bytes,
            // An mbuf's length has 16 bits.
            original_len: bytes.len() as u32,
            link_type: LinkType::ETHERNET,
        }
    }
}

#[inline(always)]
fn octets(mbuf: &Mbuf) -> &[u8] {
    let len_bytes = mbuf.data_len();
    // Asked before capsule is: its refusal is an error with a backtrace, made anew for each frame.
    if len_bytes == 0 {
        return &[];
    }
    match mbuf.read_data_slice(0, len_bytes) {
        // SAFETY: so many octets of the mbuf's buffer, which belongs to it as long as it is there;
        // whoever holds a reference to it does not write.
        Ok(octets) => unsafe { octets.as_ref() },
        Err(_) => &[],
    }
}
