//! Captures in memory.

use std::sync::Arc;

/// The simple IMIX, 7 : 4 : 1, as it is repeated: octets of each frame, without the check
/// sequence.
pub(crate) const IMIX: [usize; 12] = [60, 590, 60, 60, 590, 60, 60, 590, 60, 60, 590, 1_514];

/// A pcap file, little-endian, with microseconds.
pub(crate) fn pcap(frames: impl Iterator<Item = Vec<u8>>) -> Arc<[u8]> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2_u16, 4].map(u16::to_le_bytes).as_flattened());
    // Time zone, accuracy, snapshot length, link type (Ethernet).
    file.extend([0_u32, 0, 262_144, 1].map(u32::to_le_bytes).as_flattened());
    for (frame, second) in frames.zip(1_700_000_000_u32..) {
        let octets = u32::try_from(frame.len()).unwrap();
        let header = [second, 0, octets, octets];
        file.extend(header.map(u32::to_le_bytes).as_flattened());
        file.extend(frame);
    }
    file.into()
}
