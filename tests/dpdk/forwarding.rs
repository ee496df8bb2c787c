use crate::support::{
    Forward, Moved, device, frame, frames, from_file, options, read_capture, serve, to_file,
    write_capture,
};
use sekisho::io::dpdk::{Opened, Options, open};
use sekisho::io::port::{Frames, Lane, Port, Work};
use sekisho::wire::AsFrame;
use std::thread;

#[test]
fn from_file_to_file_every_octet_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = ["in", "out"].map(|name| folder.path().join(name));
    let frames = frames(3_000);
    write_capture(&before, &frames);
    let moved = serve(&options(&from_file(&before), &to_file(&after)), Forward);
    assert_eq!(moved, Moved::all(frames.len()));
    assert!(read_capture(&after) == frames, "octets differ");
}

/// Each of its buffers holds 2,048 octets here, and the device offers no larger ones by itself.
#[test]
fn a_frame_in_several_segments_is_seen_by_its_first_and_forwarded_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = ["in", "out"].map(|name| folder.path().join(name));
    let sizes = [60, 2_047, 2_048, 2_049, 4_096, 4_097, 9_018, 64];
    let frames: Vec<_> = (0..).zip(sizes).map(|(n, size)| frame(n, size)).collect();
    write_capture(&before, &frames);
    let seen = serve(&options(&from_file(&before), &to_file(&after)), Look);
    let expected: Vec<_> = frames
        .iter()
        .map(|frame| {
            let first = frame.len().min(2_048);
            (frame[..first].to_vec(), frame.len() as u32)
        })
        .collect();
    assert!(seen == expected, "what is seen of frames differs");
    assert!(read_capture(&after) == frames, "octets differ");
}

#[test]
fn with_a_large_mtu_each_frame_lies_in_one_buffer_where_a_device_cannot_scatter() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = ["in", "out"].map(|name| folder.path().join(name));
    let frames: Vec<_> = (0..50).map(|number| frame(number, 9_018)).collect();
    write_capture(&before, &frames);
    let options = Options {
        mtu_bytes: 9_000,
        ring_frames: 512,
        ..options(&from_file(&before), &to_file(&after))
    };
    let seen = serve(&options, Look);
    assert!(seen.iter().map(|(octets, _)| octets).eq(&frames));
    assert!(read_capture(&after) == frames, "octets differ");
}

#[test]
fn each_queue_keeps_its_order_on_a_thread_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let all = frames(2_000);
    let (one, other) = all.split_at(700);
    write_capture(&folder.path().join("in-0"), one);
    write_capture(&folder.path().join("in-1"), other);
    let (in_0, in_1) = (path("in-0"), path("in-1"));
    let (out_0, out_1) = (path("out-0"), path("out-1"));
    let access = device("net_pcap", &format!(",rx_pcap={in_0},rx_pcap={in_1}"));
    // What these two receive by default is an error: they need as many receive queues.
    let empty = path("empty");
    write_capture(&folder.path().join("empty"), &[]);
    let network = format!(",rx_pcap={empty},rx_pcap={empty},tx_pcap={out_0},tx_pcap={out_1}");
    let access = format!(
        "{access},tx_pcap={},tx_pcap={}",
        path("back-0"),
        path("back-1")
    );
    let options = Options {
        queues: 2,
        ..options(&access, &device("net_pcap", &network))
    };
    let opened = open(&options).unwrap_or_else(|error| panic!("{error}"));
    let Opened { lanes, devices, .. } = opened;
    assert_eq!(lanes.len(), 2);
    let moved = thread::scope(|scope| {
        let served: Vec<_> = lanes
            .into_iter()
            .map(|lane| scope.spawn(|| lane.serve(Forward)))
            .collect();
        served
            .into_iter()
            .map(|lane| lane.join().unwrap())
            .collect::<Vec<_>>()
    });
    drop(devices);
    opened.owner.close().unwrap();
    assert_eq!(moved, [Moved::all(one.len()), Moved::all(other.len())]);
    assert!(read_capture(&folder.path().join("out-0")) == one);
    assert!(read_capture(&folder.path().join("out-1")) == other);
}

/// Forwards, and keeps what is to be seen of each frame.
struct Look;

impl Work for Look {
    type Output = Vec<(Vec<u8>, u32)>;

    fn work<A: Port, N: Port<Frame = A::Frame>>(
        self,
        mut access: A,
        mut network: N,
    ) -> Self::Output {
        let (mut seen, mut frames) = (Vec::new(), Frames::new());
        while access.rx_burst(&mut frames) > 0 {
            seen.extend(frames.iter().map(|frame| {
                let frame = frame.as_frame();
                (frame.bytes.to_vec(), frame.original_len)
            }));
            while !frames.is_empty() {
                network.tx_burst(&mut frames);
            }
        }
        assert_eq!(network.transmitted(), seen.len() as u64);
        seen
    }
}
