//! The port over captures: order, octets, times, owners, and what cannot be read or written.

use sekisho::io::port::{
    CaptureDevice, CaptureFiles, CaptureLane, Captures, Device, DeviceFault, Frames, Lane, Link,
    Port, Senders, Work,
};
use sekisho::wire::AsFrame;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A record: its time in nanoseconds, and its octets.
type Seen = (i64, Vec<u8>);

const NEVER: CaptureFiles = CaptureFiles {
    read: None,
    senders: Senders::All,
    write: None,
};

fn reading(path: PathBuf) -> CaptureFiles {
    CaptureFiles {
        read: Some(path),
        ..NEVER
    }
}

fn writing(path: impl Into<PathBuf>) -> CaptureFiles {
    CaptureFiles {
        write: Some(path.into()),
        ..NEVER
    }
}

/// A capture with nanoseconds, little-endian, whose records lack so many octets.
fn pcap(link_type: u32, frames: &[Seen], missing: u32) -> Vec<u8> {
    let words = |words: &[u32]| {
        words
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let mut file = words(&[0xa1b2_3c4d, 2 | 4 << 16, 0, 0, 262_144, link_type]);
    for (at, octets) in frames {
        let (seconds, nanoseconds) = (at / 1_000_000_000, at % 1_000_000_000);
        let captured = u32::try_from(octets.len()).unwrap();
        file.extend(words(&[
            u32::try_from(seconds).unwrap(),
            u32::try_from(nanoseconds).unwrap(),
            captured,
            captured + missing,
        ]));
        file.extend(octets);
    }
    file
}

/// Frames that say which they are, of 60 to 1,500 octets; times go back now and then.
fn frames(count: u32, salt: u8) -> Vec<Seen> {
    let frame = |n: u32| {
        let mut octets = vec![salt; 60 + (n as usize * 97) % 1_441];
        octets[..4].copy_from_slice(&n.to_be_bytes());
        let at = 1_700_000_000_000_000_007 + i64::from(n ^ 5) * 1_001;
        (at, octets)
    };
    (0..count).map(frame).collect()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn capture(&self, name: &str, frames: &[Seen]) -> PathBuf {
        self.file(name, &pcap(1, frames, 0))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

/// Takes every frame to the other side, until the captures say that they are over.
struct Cross<'c>(&'c Captures);

/// How many frames came and left, on both sides together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Crossed {
    received: u64,
    transmitted: u64,
    refused: u64,
    held: u64,
}

impl Work for Cross<'_> {
    type Output = Crossed;

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, mut access: A, mut network: N) -> Crossed {
        let mut crossed = Crossed::default();
        let mut frames = Frames::new();
        let mut polls = 0;
        while !self.0.are_over() {
            crossed.received += access.rx_burst(&mut frames) as u64;
            network.tx_burst(&mut frames);
            crossed.refused += frames.drain(..).count() as u64;
            crossed.received += network.rx_burst(&mut frames) as u64;
            access.tx_burst(&mut frames);
            crossed.refused += frames.drain(..).count() as u64;
            polls += 1;
            assert!(polls < 100_000, "it never ends");
        }
        assert_eq!(access.reap() + network.reap(), 0);
        crossed.transmitted = access.transmitted() + network.transmitted();
        crossed.held = access.held() + network.held();
        crossed
    }
}

/// What crossed, and the messages of what could not.
fn cross(access: &CaptureFiles, network: &CaptureFiles) -> (Crossed, Vec<String>) {
    let (lane, captures) = CaptureLane::open(access, network).unwrap();
    let crossed = lane.serve(Cross(&captures));
    let faults = captures.faults().iter().map(ToString::to_string).collect();
    (crossed, faults)
}

fn whole(frames: u64) -> Crossed {
    Crossed {
        received: frames,
        transmitted: frames,
        ..Crossed::default()
    }
}

/// Behind each burst that comes, a frame of the port's own goes back; then as many as there are.
/// Gives how many had come each time, and how many there are.
struct Composes<'c>(&'c Captures);

impl Work for Composes<'_> {
    type Output = (Vec<usize>, usize);

    fn work<A: Port, N: Port<Frame = A::Frame>>(
        self,
        mut access: A,
        mut network: N,
    ) -> Self::Output {
        let (mut frames, mut came) = (Frames::new(), Vec::new());
        while !self.0.are_over() {
            let burst = access.rx_burst(&mut frames);
            if burst > 0 {
                came.push(came.last().unwrap_or(&0) + burst);
                frames.clear();
                frames.push(access.compose(&[0xab; 64]).unwrap());
                assert_eq!((access.held(), network.held()), (1, 0));
                assert_eq!(access.tx_burst(&mut frames), 1);
            }
            network.rx_burst(&mut frames);
        }
        assert_eq!((access.held(), network.held()), (0, 0));
        let hand: Vec<_> = std::iter::from_fn(|| network.compose(&[1; 1_514])).collect();
        assert_eq!(network.held(), hand.len() as u64);
        assert!(
            hand.iter()
                .all(|frame| frame.as_frame().bytes == [1; 1_514])
        );
        let most = hand.len();
        drop(hand);
        assert!(network.held() == 0 && network.compose(&[1; 60]).is_some());
        (came, most)
    }
}

/// Whether a port receives or not: a frame of its own has the time of what came last.
#[test]
fn a_port_of_captures_composes_frames() {
    let folder = Folder::new();
    let came = frames(100, 1);
    let access = CaptureFiles {
        read: Some(folder.capture("in.pcap", &came)),
        write: Some(folder.path("out.pcap")),
        ..NEVER
    };
    let (lane, captures) = CaptureLane::open(&access, &NEVER).unwrap();
    let (when, most) = lane.serve(Composes(&captures));
    assert!((64..2_000).contains(&most), "{most}");
    assert!(captures.faults().is_empty());
    assert!(when.len() > 1 && when.last() == Some(&100), "{when:?}");
    let composed = |count: &usize| (came[count - 1].0, vec![0xab; 64]);
    let expected: Vec<_> = when.iter().map(composed).collect();
    assert!(fs::read(folder.path("out.pcap")).unwrap() == pcap(1, &expected, 0));
}

#[test]
fn what_is_sent_is_what_came_octet_for_octet_and_at_its_time() {
    let folder = Folder::new();
    // More than is read at once, and more than there are buffers.
    let (out, inward) = (frames(2_500, 1), frames(700, 2));
    let access = CaptureFiles {
        read: Some(folder.capture("a-in.pcap", &out)),
        write: Some(folder.path("a-out.pcap")),
        ..NEVER
    };
    let network = CaptureFiles {
        read: Some(folder.capture("n-in.pcap", &inward)),
        write: Some(folder.path("n-out.pcap")),
        ..NEVER
    };
    assert_eq!(cross(&access, &network), (whole(3_200), vec![]));
    assert!(fs::read(folder.path("n-out.pcap")).unwrap() == pcap(1, &out, 0));
    assert!(fs::read(folder.path("a-out.pcap")).unwrap() == pcap(1, &inward, 0));
}

#[test]
fn what_nobody_writes_is_gone_all_the_same() {
    let folder = Folder::new();
    let access = reading(folder.capture("in.pcap", &frames(100, 1)));
    assert_eq!(cross(&access, &NEVER), (whole(100), vec![]));
    assert_eq!(cross(&NEVER, &access), (whole(100), vec![]));
    assert_eq!(cross(&NEVER, &NEVER), (whole(0), vec![]));
}

#[test]
fn an_empty_capture_is_over_at_once_and_gives_an_empty_one() {
    let folder = Folder::new();
    let access = reading(folder.capture("in.pcap", &[]));
    let network = writing(folder.path("out.pcap"));
    assert_eq!(cross(&access, &network), (whole(0), vec![]));
    assert_eq!(fs::read(folder.path("out.pcap")).unwrap(), pcap(1, &[], 0));
}

#[test]
fn a_side_receives_the_frames_of_its_senders() {
    let folder = Folder::new();
    let (here, there) = ([2, 0, 0, 0, 0, 0x0a], [2, 0, 0, 0, 0, 0x0b]);
    let frame = |n: u8| {
        let mut octets = vec![n; 60];
        octets[6..12].copy_from_slice(if n.is_multiple_of(3) { &here } else { &there });
        (i64::from(n), octets)
    };
    let mut seen: Vec<Seen> = (0..200).map(frame).collect();
    seen.push((200, vec![7; 11]));
    let file = folder.capture("link.pcap", &seen);
    let side = |senders, write: &str| CaptureFiles {
        read: Some(file.clone()),
        senders,
        write: Some(folder.path(write)),
    };
    let access = side(Senders::Only(here), "a.pcap");
    let network = side(Senders::AllBut(here), "n.pcap");
    assert_eq!(cross(&access, &network), (whole(201), vec![]));
    let of = |here: bool| -> Vec<Seen> {
        let mut kept = seen.clone();
        kept.retain(|(at, _)| (at % 3 == 0 && *at < 200) == here);
        kept
    };
    assert!(fs::read(folder.path("n.pcap")).unwrap() == pcap(1, &of(true), 0));
    assert!(fs::read(folder.path("a.pcap")).unwrap() == pcap(1, &of(false), 0));
}

/// Holds on to whatever comes.
struct Hold<'c>(&'c Captures);

impl Work for Hold<'_> {
    type Output = ();

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, mut access: A, mut network: N) {
        let mut bursts = Vec::new();
        loop {
            let mut frames = Frames::new();
            if access.rx_burst(&mut frames) == 0 {
                break;
            }
            bursts.push(frames);
        }
        let came: usize = bursts.iter().map(|frames| frames.len()).sum();
        assert_eq!((access.held(), network.held()), (came as u64, 0));
        assert!(came < 3_000, "there are not as many buffers as frames");
        assert!(
            !self.0.are_over(),
            "there are more frames, and no buffer for them"
        );
        let octets = |frames: &Frames<A::Frame>| frames[0].as_frame().bytes.to_vec();
        let first = octets(&bursts[0]);

        // One goes back, and one more comes; what is still out is what it was.
        let mut last = bursts.pop().unwrap();
        let mut oldest = bursts.remove(0);
        drop(oldest.remove(0));
        let mut one = Frames::new();
        assert_eq!(access.rx_burst(&mut one), 1);
        assert_eq!(access.rx_burst(&mut one), 0);
        assert_eq!(
            octets(&one)[..4],
            u32::try_from(came).unwrap().to_be_bytes()
        );
        assert_eq!(first[..4], [0; 4]);
        assert_eq!(octets(&oldest)[..4], [0, 0, 0, 1]);

        // What another port sends goes back to where it came from.
        let sent = network.tx_burst(&mut last);
        assert_eq!((sent, last.len()), (network.transmitted() as usize, 0));
        assert_eq!(access.held(), (came - sent) as u64);
        drop((bursts, oldest, one));
        assert_eq!(access.held(), 0);
        assert_ne!(access.rx_burst(&mut Frames::new()), 0);

        // A burst that is full is no end of the capture.
        let mut full = Frames::new();
        while !full.is_full() {
            assert_ne!(access.rx_burst(&mut full), 0);
        }
        assert_eq!(access.rx_burst(&mut full), 0);
        assert!(!self.0.are_over());
    }
}

#[test]
fn a_frame_has_one_owner_and_its_buffer_waits_for_it() {
    let folder = Folder::new();
    let access = reading(folder.capture("in.pcap", &frames(3_000, 1)));
    let (lane, captures) = CaptureLane::open(&access, &NEVER).unwrap();
    lane.serve(Hold(&captures));
    assert!(captures.faults().is_empty());
}

#[test]
fn a_full_disk_refuses_frames_and_is_told_at_the_end() {
    let folder = Folder::new();
    let full = writing("/dev/full");
    let no_space = "/dev/full: cannot be written: No space left on device (os error 28)";

    // So few that they are noticed only when the file is finished.
    let few = reading(folder.capture("few.pcap", &frames(10, 1)));
    assert_eq!(cross(&few, &full), (whole(10), vec![no_space.to_owned()]));

    // So many that it is noticed on the way: the run is over, and every frame is accounted for.
    let many = reading(folder.capture("many.pcap", &frames(2_500, 1)));
    let (crossed, faults) = cross(&many, &full);
    assert_eq!(faults, [no_space]);
    assert!(
        crossed.refused > 0 && crossed.transmitted > 0,
        "{crossed:?}"
    );
    assert_eq!(crossed.received, crossed.transmitted + crossed.refused);
    assert_eq!(crossed.held, 0);
}

#[test]
fn what_no_port_receives_ends_the_run_behind_what_it_does() {
    let folder = Folder::new();
    let good = frames(70, 1);
    let raw_ip = folder.file("raw.pcap", &pcap(101, &good, 0));
    let cut = folder.file("cut.pcap", &pcap(1, &good, 3));
    let mut broken = pcap(1, &good, 0);
    broken.pop();
    let broken = folder.file("broken.pcap", &broken);
    for (path, frames, message) in [
        (
            raw_ip,
            0,
            "record 1 is of link type 101, where a port receives Ethernet",
        ),
        (
            cut,
            0,
            "record 1 holds 60 of 63 octets, where a port receives whole frames",
        ),
        (broken, 69, "record 70, at byte "),
    ] {
        let (crossed, faults) = cross(&reading(path.clone()), &writing(folder.path("out.pcap")));
        assert_eq!(crossed, whole(frames));
        let [fault] = &faults[..] else {
            panic!("{faults:?}")
        };
        let start = format!("{}: {message}", path.display());
        assert!(fault.starts_with(&start), "{fault}\n{start}");
        // What was whole was forwarded.
        let written = fs::read(folder.path("out.pcap")).unwrap();
        assert!(written == pcap(1, &good[..frames as usize], 0));
    }
}

#[test]
fn files_that_cannot_be_opened_have_their_own_faults() {
    let folder = Folder::new();
    let missing = folder.path("no-such.pcap");
    let open = |access: &CaptureFiles| CaptureLane::open(access, &NEVER).unwrap_err();
    let not_there = open(&reading(missing.clone()));
    assert_eq!(not_there.fault, DeviceFault::Missing);
    assert!(not_there.message.starts_with(missing.to_str().unwrap()));
    let no_folder = open(&writing(folder.path("no-such/out.pcap")));
    assert_eq!(no_folder.fault, DeviceFault::Missing);
    let no_capture = open(&reading(folder.file("text.pcap", b"not a capture")));
    assert_eq!(no_capture.fault, DeviceFault::Shape);
    assert!(no_capture.message.contains("is no capture"), "{no_capture}");
}

/// A run that ends before its work is done leaves nothing half written.
#[test]
fn a_capture_that_is_written_appears_when_it_is_finished() {
    let folder = Folder::new();
    let access = reading(folder.capture("in.pcap", &frames(10, 1)));
    let network = writing(folder.path("out.pcap"));
    let opened = CaptureLane::open(&access, &network).unwrap();
    assert!(!folder.path("out.pcap").exists());
    drop(opened);
    let names: Vec<_> = fs::read_dir(folder.path("")).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_capture_is_a_device_without_a_link() {
    let mut device = CaptureDevice::new("access");
    assert_eq!(device.name(), "access");
    assert_eq!(device.link(), Link::Up);
    assert_eq!(device.losses(), []);
    let refused = device.set_link(false).unwrap_err();
    assert_eq!(refused.to_string(), "access: a capture has no link");
}
