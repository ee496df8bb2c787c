//! Whether the devices and the options fit together.

use super::Options;
use crate::io::netdev::Interface;
use crate::io::port::{DeviceError, DeviceFault};

/// What XDP leaves free before each segment.
const HEADROOM_BYTES: u32 = 256;

/// Octets of a frame that its MTU does not count: an Ethernet header and two tags.
const LINK_BYTES: u32 = 22;

/// The sizes that a chunk may have: no larger than a page, a power of two, and room for a usual frame.
const CHUNK_BYTES: [u32; 2] = [2_048, 4_096];
const LARGEST_CHUNK_BYTES: u32 = 4_096;

/// Frames have no more segments.
const SEGMENTS: u32 = 4;

/// How the memory of the lanes is laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) chunk_bytes: u32,
    /// Whether frames may need several chunks.
    pub(super) segments: bool,
}

impl Shape {
    /// For these devices.
    pub(super) fn of(options: &Options, interfaces: [&Interface; 2]) -> Result<Self, DeviceError> {
        let [access, network] = interfaces;
        if access.index == network.index {
            return Err(fault(format!(
                "{}: the same interface cannot be on both sides",
                access.name
            )));
        }
        check_rings(options)?;
        for interface in interfaces {
            interface.check_queues(options.queues)?;
            if interface.mtu_bytes > largest_mtu_bytes(SEGMENTS) {
                return Err(mtu_too_large(interface, SEGMENTS));
            }
        }
        let frame_bytes = access.mtu_bytes.max(network.mtu_bytes) + LINK_BYTES;
        let fitting = CHUNK_BYTES
            .into_iter()
            .find(|chunk_bytes| frame_bytes <= chunk_bytes - HEADROOM_BYTES);
        let shape = Self {
            chunk_bytes: fitting.unwrap_or(LARGEST_CHUNK_BYTES),
            segments: fitting.is_none(),
        };
        if options.umem_frames.checked_mul(shape.chunk_bytes).is_none() {
            return Err(fault(format!(
                "{} UMEM frames of {} bytes are more than 4 GiB, which is as much as a lane can have",
                options.umem_frames, shape.chunk_bytes
            )));
        }
        Ok(shape)
    }

    /// What to say where the kernel has no frames in segments: the interface whose MTU needs them.
    pub(super) fn without_segments(interfaces: [&Interface; 2]) -> DeviceError {
        let [access, network] = interfaces;
        let larger = if access.mtu_bytes > network.mtu_bytes {
            access
        } else {
            network
        };
        let error = mtu_too_large(larger, 1);
        let lower = error.remedy.clone().unwrap_or_default();
        error.remedy(format!("{lower}; Linux 6.6 and later take larger ones"))
    }
}

fn largest_mtu_bytes(segments: u32) -> u32 {
    segments * (LARGEST_CHUNK_BYTES - HEADROOM_BYTES) - LINK_BYTES
}

fn mtu_too_large(interface: &Interface, segments: u32) -> DeviceError {
    let largest = largest_mtu_bytes(segments);
    fault(format!(
        "{}: its MTU is {}, where this kernel takes frames of an MTU of {largest} at most",
        interface.name, interface.mtu_bytes
    ))
    .remedy(format!(
        "`ip link set dev {} mtu {largest}`, or less",
        interface.name
    ))
}

fn check_rings(options: &Options) -> Result<(), DeviceError> {
    let Options {
        ring_frames,
        umem_frames,
        queues,
        ..
    } = *options;
    if queues == 0 {
        return Err(fault("no queue: each worker has one".to_owned()));
    }
    if !ring_frames.is_power_of_two() {
        return Err(fault(format!(
            "a ring of {ring_frames} frames: it has to be a power of two"
        )));
    }
    match ring_frames.checked_mul(4) {
        Some(needed) if umem_frames >= needed => Ok(()),
        _ => Err(fault(format!(
            "{umem_frames} UMEM frames are too few for four rings of {ring_frames}"
        ))),
    }
}

fn fault(message: String) -> DeviceError {
    DeviceError::new(DeviceFault::Shape, message)
}
