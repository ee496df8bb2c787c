use super::{Frames, Port};
use crate::wire::AsFrame;

/// A port that keeps a copy of whatever it is given to send and takes, in order.
#[derive(Debug)]
pub struct Recorded<P> {
    port: P,
    sent: Vec<Vec<u8>>,
}

impl<P> Recorded<P> {
    /// Nothing is sent yet.
    pub fn new(port: P) -> Self {
        Self {
            port,
            sent: Vec::new(),
        }
    }

    /// The octets of each frame that was taken.
    pub fn sent(&self) -> &[Vec<u8>] {
        &self.sent
    }
}

impl<P: Port> Port for Recorded<P> {
    type Frame = P::Frame;

    fn rx_burst(&mut self, frames: &mut Frames<P::Frame>) -> usize {
        self.port.rx_burst(frames)
    }

    fn tx_burst(&mut self, frames: &mut Frames<P::Frame>) -> usize {
        let before = self.sent.len();
        let octets = frames.iter().map(|frame| frame.as_frame().bytes.to_vec());
        self.sent.extend(octets);
        let taken = self.port.tx_burst(frames);
        self.sent.truncate(before + taken);
        taken
    }

    fn compose(&mut self, octets: &[u8]) -> Option<P::Frame> {
        self.port.compose(octets)
    }

    fn reap(&mut self) -> usize {
        self.port.reap()
    }

    fn transmitted(&self) -> u64 {
        self.port.transmitted()
    }

    fn held(&self) -> u64 {
        self.port.held()
    }

    fn drain(&mut self) {
        self.port.drain();
    }
}
