use sekisho::io::dpdk::{Opened, Options, open};
use sekisho::io::port::{Arena, Frames, Lane, Port, Work};
use sekisho::io::{CaptureReader, CaptureWriter, Record};
use sekisho::wire::{AsFrame, LinkType};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// What every test starts EAL with: it is initialised once in a process. The tests run side by side,
/// and what they do not touch is not there.
pub(crate) const EAL: [&str; 3] = ["--no-huge", "-m", "4096"];

pub(crate) fn options(access: &str, network: &str) -> Options {
    Options {
        eal: EAL.map(str::to_owned).to_vec(),
        ..Options::new(access, network)
    }
}

/// A device that no other test has.
pub(crate) fn device(driver: &str, arguments: &str) -> String {
    static DEVICES: AtomicU32 = AtomicU32::new(0);
    let number = DEVICES.fetch_add(1, Ordering::Relaxed);
    format!("{driver}{number}{arguments}")
}

/// A device that receives what is in a file, and sends nowhere.
pub(crate) fn from_file(path: &Path) -> String {
    device("net_pcap", &format!(",rx_pcap={}", path.display()))
}

/// A device that sends to a file, and receives nothing.
pub(crate) fn to_file(path: &Path) -> String {
    device("net_pcap", &format!(",tx_pcap={}", path.display()))
}

/// Opens, does the work on the only lane, closes.
pub(crate) fn serve<W: Work>(options: &Options, work: W) -> W::Output {
    let opened = open(options).unwrap_or_else(|error| panic!("{error}"));
    let Opened { mut lanes, .. } = opened;
    let given = lanes.remove(0).serve(work);
    drop((opened.devices, lanes));
    opened
        .owner
        .close()
        .unwrap_or_else(|error| panic!("{error}"));
    given
}

/// What a lane did, seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) received: u64,
    pub(crate) transmitted: u64,
    pub(crate) held: u64,
}

impl Moved {
    /// All of them came and went.
    pub(crate) fn all(frames: usize) -> Self {
        Self {
            received: frames as u64,
            transmitted: frames as u64,
            held: 0,
        }
    }
}

/// Moves frames from the access port to the network port, until none has come for a while.
#[derive(Clone, Copy)]
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

/// So many frames from 60 octets on, each different.
pub(crate) fn frames(count: u32) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| frame(number, 60 + number % 1_455))
        .collect()
}

pub(crate) fn frame(number: u32, octets: u32) -> Vec<u8> {
    (0..octets)
        .map(|place| (number.wrapping_mul(31).wrapping_add(place * 7) >> 3) as u8)
        .collect()
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
