use crate::support::{device, frames, from_file, options, serve, write_capture};
use sekisho::io::dpdk::{Opened, open};
use sekisho::io::port::{DeviceFault, Frames, Lane, Port, Work};
use sekisho::wire::AsFrame;
use std::mem;

/// What net_ring holds: one less than the places of its ring.
const RING_FRAMES: usize = 1_023;

/// A ring in memory is the network port: what is sent there is received there.
#[test]
fn a_full_ring_takes_what_it_has_room_for_and_leaves_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    let frames = frames(2_000);
    write_capture(&path, &frames);
    let given = serve(&options(&from_file(&path), &device("net_ring", "")), Fill);
    let (taken, back) = given;
    assert_eq!(taken, RING_FRAMES);
    assert!(back == frames[..RING_FRAMES], "order or octets differ");
}

/// Sends until nothing is taken any more, then receives all of it.
struct Fill;

impl Work for Fill {
    type Output = (usize, Vec<Vec<u8>>);

    fn work<A: Port, N: Port<Frame = A::Frame>>(
        self,
        mut access: A,
        mut network: N,
    ) -> Self::Output {
        let (mut frames, mut taken) = (Frames::new(), 0);
        loop {
            access.rx_burst(&mut frames);
            assert_eq!(frames.len() as u64, access.held());
            match network.tx_burst(&mut frames) {
                0 => break,
                count => taken += count,
            }
        }
        assert_eq!(network.transmitted(), taken as u64);
        let waiting = frames.len() as u64;
        assert!(waiting > 0, "a whole burst waits");
        assert_eq!((access.held(), network.held()), (waiting, 0));
        frames.clear();
        assert_eq!(access.held(), 0);
        let mut back = Vec::new();
        while network.rx_burst(&mut frames) > 0 {
            assert_eq!(network.held(), frames.len() as u64);
            back.extend(
                frames
                    .drain(..)
                    .map(|frame| frame.as_frame().bytes.to_vec()),
            );
        }
        assert_eq!(access.held() + network.held(), 0);
        (taken, back)
    }
}

#[test]
fn what_is_left_in_a_ring_goes_home_when_its_device_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    write_capture(&path, &frames(500));
    let moved = serve(
        &options(&from_file(&path), &device("net_ring", "")),
        crate::support::Forward,
    );
    assert_eq!(moved.transmitted, 500);
}

#[test]
fn a_frame_that_is_lost_is_found_at_rest_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    write_capture(&path, &frames(100));
    let opened = open(&options(&from_file(&path), &device("net_null", ",no-rx=1"))).unwrap();
    let Opened { mut lanes, .. } = opened;
    assert_eq!(lanes.remove(0).serve(Lose), (3, 0));
    drop((lanes, opened.devices));
    let error = opened.owner.close().unwrap_err();
    assert_eq!(error.fault, DeviceFault::System);
    assert!(error.message.starts_with("3 mbufs"), "{error}");
}

/// Forgets three frames, and drops the others.
struct Lose;

impl Work for Lose {
    type Output = (u64, u64);

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, mut access: A, network: N) -> (u64, u64) {
        let mut frames = Frames::new();
        access.rx_burst(&mut frames);
        for frame in frames.drain(..3) {
            mem::forget(frame);
        }
        frames.clear();
        while access.rx_burst(&mut frames) > 0 {
            frames.clear();
        }
        (access.held(), network.held())
    }
}

#[test]
fn devices_that_are_still_served_stay_open_until_they_are_not() {
    let names = (device("net_ring", ""), device("net_ring", ""));
    let opened = open(&options(&names.0, &names.1)).unwrap();
    let Opened { lanes, devices, .. } = opened;
    let error = opened.owner.close().unwrap_err();
    assert_eq!(error.fault, DeviceFault::Busy);
    assert_eq!(
        open(&options(&names.0, &names.1)).unwrap_err().fault,
        DeviceFault::Busy
    );
    drop((lanes, devices));
    let again = open(&options(&names.0, &names.1)).unwrap_or_else(|error| panic!("{error}"));
    drop((again.lanes, again.devices));
    again.owner.close().unwrap();
}
