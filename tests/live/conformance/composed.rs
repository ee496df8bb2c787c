//! Frames that a port composes: they leave as given, among those that came, and go home like them.

use super::suite::{Check, Link, Rig, USUAL_BYTES, assert_same, numbered, within_patience};
use sekisho::io::port::{Frames, Port};
use sekisho::wire::AsFrame;

/// What every driver that receives frames can also do with its own.
pub(crate) fn every_port(rig: &mut impl Rig) {
    they_leave_as_given_among_those_that_came(rig);
    an_exhausted_pool_gives_none(rig);
}

/// Sends what comes, and behind each burst frames of either port's pool.
struct Among<'s> {
    coming: usize,
    own: Vec<Vec<u8>>,
    sent: &'s mut Vec<Vec<u8>>,
}

impl Check for Among<'_> {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        _: &dyn Fn(Link),
    ) {
        let mut own = self.own.iter();
        let (mut frames, mut came) = (Frames::new(), 0);
        within_patience("all frames come and leave", || {
            // Room for two more.
            let mut burst = Frames::new();
            came += access.rx_burst(&mut burst);
            for frame in burst {
                send(network, &mut frames, frame, self.sent);
            }
            if let Some(octets) = own.next() {
                let at_access = access.compose(octets).expect("the pool has one");
                let held = (access.held(), network.held());
                let at_network = network.compose(octets).expect("the pool has one");
                assert_eq!((access.held(), network.held()), (held.0, held.1 + 1));
                assert_eq!(at_network.as_frame().bytes, *octets);
                assert_eq!(at_network.as_frame().original_len as usize, octets.len());
                drop(at_network);
                assert_eq!((access.held(), network.held()), held);
                send(network, &mut frames, at_access, self.sent);
                let at_network = network.compose(octets).expect("the pool has one");
                send(network, &mut frames, at_network, self.sent);
            }
            came == self.coming && own.len() == 0
        });
        network.drain();
        assert_eq!(network.transmitted(), self.sent.len() as u64);
        assert_eq!((access.held(), network.held()), (0, 0));
    }
}

/// Sends one frame by an empty burst.
fn send<N: Port>(
    network: &mut N,
    frames: &mut Frames<N::Frame>,
    frame: N::Frame,
    sent: &mut Vec<Vec<u8>>,
) {
    sent.push(frame.as_frame().bytes.to_vec());
    frames.push(frame);
    within_patience("the frame leaves", || {
        network.tx_burst(frames);
        frames.is_empty()
    });
}

fn they_leave_as_given_among_those_that_came(rig: &mut impl Rig) {
    let coming = numbered(500, USUAL_BYTES);
    // Of other octets than what comes.
    let mut own = numbered(100, USUAL_BYTES);
    for octets in &mut own {
        octets[14..].reverse();
    }
    let mut sent = Vec::new();
    let check = Among {
        coming: coming.len(),
        own: own.clone(),
        sent: &mut sent,
    };
    let left = rig.serve(&coming, Link::Up, check);
    assert_eq!(sent.len(), coming.len() + 2 * own.len());
    assert_same(&left, &sent);
    let composed = own.iter().flat_map(|octets| [octets, octets]);
    let is_own = |octets: &&Vec<u8>| own.contains(octets);
    assert!(sent.iter().filter(is_own).eq(composed), "as given");
}

/// More than any pool of a rig has.
const ENDLESS: usize = 1 << 20;

struct Exhausted;

impl Check for Exhausted {
    fn check<A: Port, N: Port<Frame = A::Frame>>(
        self,
        access: &mut A,
        network: &mut N,
        _: &dyn Fn(Link),
    ) {
        let octets = [0x5a; USUAL_BYTES];
        assert!(
            access.compose(&[0; 1 << 17]).is_none(),
            "no buffer is so large"
        );
        assert_eq!(access.held(), 0);
        let mut hand = Vec::new();
        hand.extend(std::iter::from_fn(|| access.compose(&octets)).take(ENDLESS));
        assert!(hand.len() >= 64 && hand.len() < ENDLESS, "{}", hand.len());
        assert!(access.compose(&[0; 60]).is_none());
        assert_eq!((access.held(), network.held()), (hand.len() as u64, 0));
        assert!(hand.iter().all(|frame| frame.as_frame().bytes == octets));

        let (had, freed) = (hand.len(), hand.pop().is_some());
        assert!(freed && access.compose(&octets).is_some(), "one came back");
        drop(hand);
        assert_eq!((access.held(), network.held()), (0, 0));
        let again = std::iter::from_fn(|| access.compose(&octets)).take(ENDLESS);
        assert_eq!(again.collect::<Vec<_>>().len(), had, "all came back");
        assert_eq!((access.held(), network.transmitted()), (0, 0));
    }
}

fn an_exhausted_pool_gives_none(rig: &mut impl Rig) {
    let left = rig.serve(&[], Link::Up, Exhausted);
    assert!(left.is_empty());
    they_leave_as_given_among_those_that_came(rig);
}
