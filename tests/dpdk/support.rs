use sekisho::io::dpdk::{Opened, Options, open};
use sekisho::io::port::{Arena, Frames, Lane, Port, Work};
use sekisho::io::{CaptureReader, CaptureWriter, Record};
use sekisho::wire::{AsFrame, LinkType};
use std::path::Path;

/// What every test starts EAL with: it is initialised once in a process.
pub(crate) const EAL: [&str; 3] = ["--no-huge", "-m", "512"];

pub(crate) fn options(access: &str, network: &str) -> Options {
    Options {
        access: access.to_owned(),
        network: network.to_owned(),
        eal: EAL.map(str::to_owned).to_vec(),
        ..Options::default()
    }
}

/// What a lane did, seen from outside.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) received: u64,
    pub(crate) transmitted: u64,
    pub(crate) held: u64,
}

/// Moves frames from the access port to the network port, until none has come for a while.
pub(crate) struct Forward;

impl Work for Forward {
    type Output = Moved;

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, mut access: A, mut network: N) -> Moved {
        let (mut received, mut idle, mut frames) = (0, 0, Frames::new());
        while idle < 1_000 {
            let came = access.rx_burst(&mut frames) as u64;
            received += came;
            idle = if came == 0 { idle + 1 } else { 0 };
            while !frames.is_empty() {
                network.tx_burst(&mut frames);
            }
        }
        Moved {
            received,
            transmitted: access.transmitted() + network.transmitted(),
            held: access.held() + network.held(),
        }
    }
}

/// Opens, does the work on the only lane, closes.
pub(crate) fn serve<W: Work>(options: &Options, work: W) -> W::Output {
    let Opened {
        mut lanes,
        access,
        network,
        owner,
    } = open(options).unwrap_or_else(|error| panic!("{error}"));
    let given = lanes.remove(0).serve(work);
    drop((access, network));
    owner.close().unwrap_or_else(|error| panic!("{error}"));
    given
}

pub(crate) fn write_capture(path: &Path, frames: &[Vec<u8>]) {
    let mut capture = CaptureWriter::create(path).unwrap();
    for octets in frames {
        let octets = octets.as_slice();
        let record = Record {
            frame: octets.as_frame(),
            timestamp_ns: Some(0),
        };
        capture.write(&record).unwrap();
    }
    capture.finish(LinkType::ETHERNET).unwrap();
}

pub(crate) fn read_capture(path: &Path) -> Vec<Vec<u8>> {
    let arena = Arena::read(CaptureReader::open(path).unwrap()).unwrap();
    arena.frames().map(<[u8]>::to_vec).collect()
}
