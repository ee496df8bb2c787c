//! The suite for drivers, over the port without a device.

use super::suite::{self, Check, Link, Rig};
use super::support::*;
use sekisho::io::port::{Arena, MemoryPort, Pool, Recorded, Rounds};

struct Memory;

impl Rig for Memory {
    const RING_FRAMES: usize = 512;
    const LINK_CHANGES: bool = false;

    fn serve(&mut self, coming: &[Vec<u8>], link: Link, check: impl Check) -> Vec<Vec<u8>> {
        let arena = arena(coming);
        let nothing = Arena::default();
        let (full, empty) = (Pool::new(&arena), Pool::new(&nothing));
        let link_frames = match link {
            Link::Up => 50,
            Link::Down => 0,
        };
        let mut access = MemoryPort::new(&full, Rounds::Once, Self::RING_FRAMES);
        let network = MemoryPort::new(&empty, Rounds::Once, Self::RING_FRAMES);
        let mut network = Recorded::new(network.with_link(link_frames));
        check.check(&mut access, &mut network, &|_| {});
        match link {
            Link::Up => network.sent().to_vec(),
            // What was taken stands in the ring.
            Link::Down => Vec::new(),
        }
    }
}

#[test]
fn the_memory_port_keeps_to_what_every_driver_does() {
    suite::every_port(&mut Memory);
}
