//! What every driver of ports does: keep order and octets, give frames back, say when a ring is
//! full, close so that it can be opened again.
//!
//! A driver is tried through its [`Rig`]. This file knows nothing of networks: the memory port runs
//! it in an ordinary test.

use super::composed;
use sekisho::io::port::{Frames, Port};
use sekisho::wire::AsFrame;
use std::time::{Duration, Instant};

/// Two ports, and what is around them.
pub(crate) trait Rig {
    /// How many frames a transmit ring holds.
    const RING_FRAMES: usize;

    /// The longest frames that come.
    const LONGEST_BYTES: usize = USUAL_BYTES;

    /// Whether the link can change while the ports are open.
    const LINK_CHANGES: bool = true;

    /// Whether what cannot leave stands in the transmit ring, where the port sees it. A port over
    /// another driver's rings only sees what that takes.
    const SEES_ITS_RING: bool = true;

    /// Opens both ports, lets these frames come to the access port in their order, and does the check
    /// meanwhile. The link behind the network port is up, or down at first. Gives what left by it.
    fn serve(&mut self, coming: &[Vec<u8>], link: Link, check: impl Check) -> Vec<Vec<u8>>;
}

/// What an Ethernet frame of an MTU of 1,500 holds.
pub(crate) const USUAL_BYTES: usize = 1_514;

/// Whether frames can leave by the network port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Up,
    Down,
}

/// What is done with the ports of a [`Rig`].
pub(crate) trait Check: Send {
    /// `set_link` is for links that change while the ports are open.
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        set_link: &dyn Fn(Link),
    );
}

/// What every driver keeps to.
pub(crate) fn every_port<R: Rig>(rig: &mut R) {
    order_and_octets_are_kept(rig);
    what_is_dropped_stays_away_and_the_rest_in_order(rig);
    a_frame_has_one_owner(rig);
    composed::every_port(rig);
    if R::SEES_ITS_RING {
        a_full_ring_leaves_the_rest_where_it_is(rig);
    }
    ports_that_were_left_in_mid_stream_open_again(rig);
    if R::LINK_CHANGES && R::SEES_ITS_RING {
        a_link_that_was_down_goes_on(rig);
    }
}

/// Frames of 60 octets to the longest that say which they are, of a type that no host answers.
pub(crate) fn numbered(count: usize, longest_bytes: usize) -> Vec<Vec<u8>> {
    let frame = |number: usize| {
        let mut octets = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5];
        octets.extend((number as u32).to_be_bytes());
        let len = longest_bytes - number * 101 % (longest_bytes - 59);
        octets.extend((octets.len()..len).map(|at| (at * 7 + number) as u8));
        octets
    };
    (0..count).map(frame).collect()
}

/// Takes so many frames from port to port, as far as the rest of them pleases.
struct Forward<K> {
    count: usize,
    keeps: K,
}

impl<K: Fn(usize) -> bool + Send> Check for Forward<K> {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        _: &dyn Fn(Link),
    ) {
        let mut frames = Frames::new();
        let (mut came, mut kept) = (0, 0);
        within_patience("all frames come", || {
            access.rx_burst(&mut frames);
            frames.retain(|_| {
                came += 1;
                (self.keeps)(came - 1)
            });
            kept += frames.len();
            within_patience("all frames leave", || {
                network.tx_burst(&mut frames);
                frames.is_empty()
            });
            came == self.count
        });
        network.drain();
        assert_eq!(network.transmitted(), kept as u64);
        assert_eq!((access.held(), network.held()), (0, 0));
    }
}

fn order_and_octets_are_kept<R: Rig>(rig: &mut R) {
    let frames = numbered(3_000, R::LONGEST_BYTES);
    let forward = Forward {
        count: frames.len(),
        keeps: |_| true,
    };
    assert_same(&rig.serve(&frames, Link::Up, forward), &frames);
}

fn what_is_dropped_stays_away_and_the_rest_in_order<R: Rig>(rig: &mut R) {
    let frames = numbered(1_000, R::LONGEST_BYTES);
    let keeps = |number: usize| !number.is_multiple_of(3);
    let forward = Forward {
        count: frames.len(),
        keeps,
    };
    let left = rig.serve(&frames, Link::Up, forward);
    let kept = (0..).zip(frames).filter(|(number, _)| keeps(*number));
    assert_same(&left, &kept.map(|(_, frame)| frame).collect::<Vec<_>>());
}

struct OneOwner(Vec<Vec<u8>>);

impl Check for OneOwner {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        _: &dyn Fn(Link),
    ) {
        let mut hand = Vec::new();
        within_patience("all frames come", || {
            let mut frames = Frames::new();
            access.rx_burst(&mut frames);
            hand.extend(frames);
            assert_eq!(access.held(), hand.len() as u64);
            hand.len() == self.0.len()
        });
        assert_eq!(network.held(), 0, "none was received there");
        // Nobody has written to the first while the last was received.
        let octets: Vec<_> = hand.iter().map(|frame| frame.as_frame().bytes).collect();
        assert_same(&octets, &self.0);
        let mut number = 0_u32;
        hand.retain(|_| {
            number += 1;
            number.is_multiple_of(2)
        });
        assert_eq!(access.held(), hand.len() as u64, "the others went home");
        drop(hand);
        assert_eq!((access.held(), network.transmitted()), (0, 0));
    }
}

fn a_frame_has_one_owner(rig: &mut impl Rig) {
    let frames = numbered(500, USUAL_BYTES);
    let left = rig.serve(&frames, Link::Up, OneOwner(frames.clone()));
    assert!(left.is_empty());
}

struct FullRing {
    ring_frames: usize,
    coming: Vec<Vec<u8>>,
    then_up: bool,
}

impl Check for FullRing {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        set_link: &dyn Fn(Link),
    ) {
        let mut frames = Frames::new();
        let mut taken = 0;
        within_patience("the ring is full", || {
            access.rx_burst(&mut frames);
            taken += network.tx_burst(&mut frames);
            !frames.is_empty() && taken >= self.ring_frames
        });
        assert_eq!(taken, self.ring_frames);
        assert_eq!(network.tx_burst(&mut frames), 0, "it stays full");
        let octets: Vec<_> = frames.iter().map(|frame| frame.as_frame().bytes).collect();
        assert_same(&octets, &self.coming[taken..][..octets.len()]);
        assert_eq!(access.held(), (taken + frames.len()) as u64);
        frames.clear();
        // Nothing leaves, and it does not wait for ever.
        network.drain();
        assert_eq!((access.held(), network.transmitted()), (taken as u64, 0));
        if self.then_up {
            set_link(Link::Up);
            within_patience("all frames leave", || {
                network.reap();
                network.transmitted() == taken as u64
            });
            assert_eq!(access.held(), 0);
        }
    }
}

fn a_full_ring_leaves_the_rest_where_it_is(rig: &mut impl Rig) {
    let left = full_ring(rig, false);
    assert!(left.is_empty(), "{} frames left over no link", left.len());
}

fn a_link_that_was_down_goes_on(rig: &mut impl Rig) {
    let left = full_ring(rig, true);
    assert_same(&left, &numbered(left.len(), USUAL_BYTES));
    order_and_octets_are_kept(rig);
}

fn full_ring<R: Rig>(rig: &mut R, then_up: bool) -> Vec<Vec<u8>> {
    let coming = numbered(R::RING_FRAMES + 500, USUAL_BYTES);
    let check = FullRing {
        ring_frames: R::RING_FRAMES,
        coming: coming.clone(),
        then_up,
    };
    rig.serve(&coming, Link::Down, check)
}

/// Takes a few frames in hand, puts a few into the ring, and goes.
struct LeaveInMidStream;

impl Check for LeaveInMidStream {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        _: &dyn Fn(Link),
    ) {
        let (mut hand, mut frames) = (Frames::new(), Frames::new());
        within_patience("frames come", || access.rx_burst(&mut hand) > 0);
        within_patience("more frames come", || access.rx_burst(&mut frames) > 0);
        network.tx_burst(&mut frames);
        assert!(access.held() >= hand.len() as u64);
    }
}

fn ports_that_were_left_in_mid_stream_open_again(rig: &mut impl Rig) {
    for _ in 0..3 {
        rig.serve(&numbered(500, USUAL_BYTES), Link::Down, LeaveInMidStream);
    }
    order_and_octets_are_kept(rig);
}

pub(crate) fn within_patience(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "{what}: not within ten seconds");
        std::thread::yield_now();
    }
}

pub(crate) fn assert_same<F: AsRef<[u8]>>(found: &[F], expected: &[Vec<u8>]) {
    let differs = found
        .iter()
        .zip(expected)
        .position(|(found, expected)| found.as_ref() != expected.as_slice());
    assert_eq!(differs, None, "this frame is not the one that was sent");
    assert_eq!(found.len(), expected.len());
}
