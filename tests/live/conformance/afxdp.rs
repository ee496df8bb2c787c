use crate::load::{Frames, Receiver, Sender};
use crate::net::{Namespace, Veth};
use sekisho::io::afxdp::{Options, open};
use sekisho::io::port::{self, Lane, Port, Work};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

struct Forward<'s> {
    stop: &'s AtomicBool,
}

impl Work for Forward<'_> {
    type Output = (u64, u64, u64, u64);

    fn work<A: Port, N: Port<Frame = A::Frame>>(
        self,
        mut access: A,
        mut network: N,
    ) -> Self::Output {
        let mut frames = port::Frames::new();
        let mut received = 0;
        let mut refused = 0;
        while !self.stop.load(Ordering::Relaxed) {
            received += access.rx_burst(&mut frames) as u64;
            network.tx_burst(&mut frames);
            refused += frames.len() as u64;
            frames.clear();
            received += network.rx_burst(&mut frames) as u64;
            access.tx_burst(&mut frames);
            refused += frames.len() as u64;
            frames.clear();
        }
        access.drain();
        network.drain();
        (
            received,
            access.transmitted() + network.transmitted(),
            refused,
            access.held() + network.held(),
        )
    }
}

#[test]
#[ignore = "needs root and network namespaces"]
fn forwards_all() {
    let (a, b, c) = (
        Namespace::new("a"),
        Namespace::new("box"),
        Namespace::new("c"),
    );
    Veth::new((&a, "wire"), (&b, "access")).make();
    Veth::new((&c, "wire"), (&b, "network")).make();
    let options = Options::new("access", "network", 1);
    let opened = b.enter(|| open(&options)).unwrap_or_else(|e| panic!("{e}"));
    for device in &opened.devices {
        println!("{}", device.mode());
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let mut lanes = opened.lanes;
        let lane = lanes.pop().unwrap();
        let work = scope.spawn(|| lane.serve(Forward { stop: &stop }));
        let frames = Frames::alternating();
        let receiver = Receiver::start(&c, "wire", frames.clone());
        let sent = Sender::new(&a, "wire", frames).send(600_000, 300_000);
        let received = receiver.finish(Duration::from_millis(500));
        stop.store(true, Ordering::Relaxed);
        println!("{sent}\n{received}\n{:?}", work.join().unwrap());
        for device in &opened.devices {
            println!("{:?}", device.losses());
        }
    });
}
