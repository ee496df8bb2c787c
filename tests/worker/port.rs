//! The memory port alone: owners, order, octets.

use super::support::*;
use sekisho::io::CaptureReader;
use sekisho::io::port::{Arena, ArenaError, Frames, MemoryPort, Pool, Port, Rounds};
use sekisho::loadgen::traffic::Direction;
use sekisho::wire::{AsFrame, BURST};
use std::path::Path;

/// Frames that say which they are, of 0 to 200 octets.
fn numbered(count: u8) -> Vec<Vec<u8>> {
    (0..count).map(|n| vec![n; usize::from(n)]).collect()
}

fn octets<F: AsFrame>(frames: &[F]) -> Vec<Vec<u8>> {
    let octets = frames.iter().map(|frame| frame.as_frame().bytes.to_vec());
    octets.collect()
}

#[test]
fn frames_come_in_order_each_once_or_again_and_again() {
    let sent = numbered(150);
    let arena = arena(&sent);
    let pool = Pool::new(&arena);
    assert_eq!(pool.frames(), 150);
    let mut frames = Frames::new();
    for (rounds, bursts) in [
        (Rounds::Once, &[64, 64, 22, 0, 0][..]),
        (Rounds::Endless, &[64, 64, 22, 64, 64, 22, 64]),
    ] {
        let mut port = MemoryPort::new(&pool, rounds, 64);
        let mut coming = sent.iter().cycle();
        for expected in bursts {
            assert_eq!(port.rx_burst(&mut frames), *expected);
            for frame in frames.drain(..) {
                assert_eq!(frame.as_frame().bytes, coming.next().unwrap());
                assert!(!frame.as_frame().is_cut());
            }
        }
    }
    assert_eq!(pool.held(), 0);
}

#[test]
fn a_frame_has_one_owner_until_it_is_dropped_or_has_left() {
    let sent = numbered(100);
    let arena = arena(&sent);
    let pool = Pool::new(&arena);
    let mut port = MemoryPort::new(&pool, Rounds::Endless, 8).with_link(5);
    let (mut first, mut second) = (Frames::new(), Frames::new());
    assert_eq!(port.rx_burst(&mut first), 64);
    assert_eq!(port.rx_burst(&mut second), 36);
    assert_eq!(pool.held(), 100);
    let mut none = Frames::new();
    assert_eq!(port.rx_burst(&mut none), 0, "all frames are out");

    // The first goes back, and comes again; the next one is still out.
    drop(first.remove(0));
    assert_eq!((pool.held(), port.rx_burst(&mut none)), (99, 1));
    assert_eq!(octets(&none), sent[..1]);
    assert_eq!(port.rx_burst(&mut none), 0);

    // What the ring takes is held until it is reaped; what it does not take is still ours.
    assert_eq!(port.tx_burst(&mut second), 8);
    assert_eq!(octets(&second), sent[72..]);
    assert_eq!((pool.held(), port.transmitted()), (100, 0));
    assert_eq!(port.reap(), 5);
    assert_eq!((pool.held(), port.transmitted()), (95, 5));
    assert_eq!(
        port.tx_burst(&mut second),
        8,
        "the link has taken the other three"
    );
    assert_eq!((pool.held(), port.transmitted()), (92, 8));
    second.truncate(2);
    assert_eq!((port.tx_burst(&mut second), second.len()), (2, 0));
    assert_eq!(port.reap(), 5);
    assert_eq!((pool.held(), port.transmitted()), (64, 18));
    drop((first, second, none));
    assert_eq!(port.held(), 0);
}

#[test]
fn a_burst_with_frames_in_it_is_filled_up() {
    let sent = numbered(100);
    let arena = arena(&sent);
    let pool = Pool::new(&arena);
    let mut port = MemoryPort::new(&pool, Rounds::Once, 64);
    let mut frames = Frames::new();
    port.rx_burst(&mut frames);
    frames.truncate(10);
    assert_eq!(port.rx_burst(&mut frames), 36);
    assert_eq!(octets(&frames), [&sent[..10], &sent[64..]].concat());
    assert!(frames.len() < BURST);
}

#[test]
fn a_frame_moves_between_ports_and_goes_back_to_its_own_pool() {
    let sent = numbered(64);
    let arena = arena(&sent);
    let (here, there) = (Pool::new(&arena), Pool::new(&arena));
    let mut rx = MemoryPort::new(&here, Rounds::Once, 64);
    let mut tx = MemoryPort::new(&there, Rounds::Once, 64);
    let mut frames = Frames::new();
    rx.rx_burst(&mut frames);
    let places: Vec<_> = frames.iter().map(|f| f.as_frame().bytes.as_ptr()).collect();
    assert!(places.iter().all(|place| place.align_offset(64) == 0));
    assert_eq!(tx.tx_burst(&mut frames), 64);
    assert_eq!((here.held(), there.held()), (0, 0));
    assert_eq!(frame_bytes(&frames), 16);
}

fn frame_bytes<F>(_: &Frames<F>) -> usize {
    size_of::<F>()
}

#[test]
fn a_capture_is_laid_out_as_it_is() {
    let sent = traffic(Direction::Out, 1_000, 1);
    let arena = Arena::read(read(pcap(1, &sent, 0))).unwrap();
    assert_eq!(arena.len(), 1_000);
    let pool = Pool::new(&arena);
    let mut port = once(&pool);
    let mut came = Vec::new();
    let mut frames = Frames::new();
    while port.rx_burst(&mut frames) > 0 {
        came.extend(octets(&frames));
        frames.clear();
    }
    assert!(came == sent);
}

#[test]
fn what_no_port_receives_is_refused() {
    let frames = [vec![1; 60], vec![2; 61]];
    let raw_ip = Arena::read(read(pcap(101, &frames, 0))).unwrap_err();
    assert_eq!(
        raw_ip.to_string(),
        "memory: record 1 is of link type 101, where a port receives Ethernet"
    );
    let cut = Arena::read(read(pcap(1, &frames, 7))).unwrap_err();
    assert_eq!(
        cut.to_string(),
        "memory: record 1 holds 60 of 67 octets, where a port receives whole frames"
    );
    let mut damaged = pcap(1, &frames, 0);
    damaged.pop();
    let damaged = Arena::read(read(damaged)).unwrap_err();
    assert!(matches!(damaged, ArenaError::Capture(_)), "{damaged}");
    assert!(CaptureReader::open(Path::new("no-such.pcap")).is_err());
}

fn read(file: Vec<u8>) -> CaptureReader {
    CaptureReader::from_read("memory", std::io::Cursor::new(file)).unwrap()
}

/// A capture, little-endian, whose frames lack so many octets.
fn pcap(link_type: u32, frames: &[Vec<u8>], missing: u32) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2_u16, 4].map(u16::to_le_bytes).as_flattened());
    let header = [0_u32, 0, 262_144, link_type];
    file.extend(header.map(u32::to_le_bytes).as_flattened());
    for frame in frames {
        let octets = u32::try_from(frame.len()).unwrap();
        let header = [0, 0, octets, octets + missing];
        file.extend(header.map(u32::to_le_bytes).as_flattened());
        file.extend(frame);
    }
    file
}
