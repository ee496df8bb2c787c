//! The host for capsule (`pipelines/capsule`) between DPDK's virtual devices.
//!
//! Captures have their time stamps from net_pcap, which sets them when it sends: octets and order are
//! compared.

mod host;

use crate::line::Line;
use crate::load::{Frames, Receiver, Sender};
use crate::net::run;
use crate::program::Policy;
use crate::wrapping::Wrapping;
use host::{Host, frames};
use rustix::process::Signal;
use sekisho::io::{CaptureWriter, Record};
use sekisho::wire::{AsFrame, LinkType};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// As of when the golden cases are judged.
const AT: &str = "2024-01-15T12:00:00+09:00";

/// Plenty for a small capture: the host knows no end of one.
const RUN: &str = "duration = 2";

const FRAMES: u64 = 300_000;
const PPS: u32 = 100_000;

fn golden(case: &str, file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("pcaps").join(case).join(file)
}

/// What `sekisho replay` writes of a capture.
fn replayed(output: &str, direction: &str, policy: &Path, capture: &Path) -> Vec<Vec<u8>> {
    let folder = TempDir::new().unwrap();
    let written = folder.path().join("written.pcap");
    let mut replay = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    replay.args(["replay", "--at", AT, "--direction", direction]);
    replay.arg("--policy").arg(policy).arg(capture);
    run(replay.arg(output).arg(&written));
    frames(&written)
}

#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn stacked_tags_leave_a_runtime_of_capsule_as_they_leave_replay() {
    let capture = golden("two-stacked-tags-hide-nothing", "in.pcap");
    let policy = Policy::shipped("strict.yaml");
    let folder = TempDir::new().unwrap();
    let [out, inward] = ["out.pcap", "in.pcap"].map(|name| folder.path().join(name));

    let [access, network] = [("net_pcap0", &inward), ("net_pcap1", &out)].map(|(device, to)| {
        let [from, to] = [&capture, to].map(|path| path.display());
        format!("{device},rx_pcap={from},tx_pcap={to}")
    });
    let host = Host::new([&access, &network], 4_095, RUN);
    let arguments = ["--policy", policy.to_str().unwrap(), "--at", AT];
    let running = host.start(Command::new("env"), &arguments);
    let end = host.end(running);

    let sent = frames(&out);
    assert_eq!(end.count("rx") as usize, 2 * frames(&capture).len());
    assert!(end.count("discarded") > 0, "nothing was to be discarded");
    assert!(sent == replayed("--forwarded", "out", &policy, &capture));
    assert!(frames(&inward) == replayed("--forwarded", "in", &policy, &capture));
    // What the people wrote who made the case.
    let expected = golden("two-stacked-tags-hide-nothing", "out.pcap");
    assert!(sent == frames(&expected));
}

#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn rejected_frames_are_answered_from_a_runtime_of_capsule_as_replay_answers() {
    let case = "a-rejecting-rule-is-silent-to-what-evades";
    let [capture, policy] = ["in.pcap", "policy.yaml"].map(|file| golden(case, file));
    let folder = TempDir::new().unwrap();
    let [out, back] = ["out.pcap", "back.pcap"].map(|name| folder.path().join(name));

    let access = format!(
        "net_pcap0,rx_pcap={},tx_pcap={}",
        capture.display(),
        back.display()
    );
    let network = format!("net_pcap1,tx_pcap={}", out.display());
    let host = Host::new([&access, &network], 4_095, RUN);
    let arguments = ["--policy", policy.to_str().unwrap(), "--at", AT];
    let running = host.start(Command::new("env"), &arguments);
    let end = host.end(running);

    let replies = frames(&back);
    assert_eq!(end.count("generated") as usize, replies.len());
    assert_eq!(
        replies.len(),
        3,
        "an ICMP error in each family, and a reset"
    );
    assert!(replies == replayed("--replies", "out", &policy, &capture));
    assert!(frames(&out) == replayed("--forwarded", "out", &policy, &capture));
}

/// Frames of several mbufs: capsule frees the first of each, and so the pool would run dry.
#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn frames_longer_than_an_mbuf_pass_whole_or_go_back_whole() {
    const JUMBO_OCTETS: usize = 9_000;
    const COUNT: u64 = 8_000;
    let folder = TempDir::new().unwrap();
    let [capture, out] = ["in.pcap", "out.pcap"].map(|name| folder.path().join(name));
    let load = Frames::alternating(Wrapping::Vlan);
    let mut writer = CaptureWriter::create(&capture).unwrap();
    let mut sent = Vec::new();
    for number in 0..COUNT {
        let mut frame = Vec::new();
        load.write(number, &mut frame);
        // What stands behind the IP packet is carried on like the rest.
        frame.resize(JUMBO_OCTETS, number as u8);
        let octets = frame.as_slice();
        let record = Record {
            frame: octets.as_frame(),
            timestamp_ns: Some(0),
        };
        writer.write(&record).unwrap();
        sent.push(frame);
    }
    writer.finish(LinkType::ETHERNET).unwrap();

    let policy = Policy::new(None, &[]);
    let access = format!("net_pcap0,rx_pcap={}", capture.display());
    let network = format!("net_pcap1,tx_pcap={}", out.display());
    let host = Host::new([&access, &network], 1_023, "duration = 4");
    let arguments = ["--policy", policy.file().display().to_string().leak()];
    let running = host.start(Command::new("env"), &arguments);
    let end = host.end(running);

    assert_eq!(
        (end.count("rx"), end.count("discarded")),
        (COUNT, COUNT / 2)
    );
    let odd = sent.iter().skip(1).step_by(2);
    assert!(frames(&out).iter().eq(odd), "octets were changed or lost");
}

#[test]
#[ignore = "needs root, network namespaces, DPDK, libclang, and a registry or its cache"]
fn capsule_between_packet_sockets_turns_back_half_of_300_000_frames_and_loses_none() {
    let line = Line::new(Wrapping::Plain);
    let policy = Policy::new(None, &[]);
    // Large rings, as small ones lose frames whenever somebody else has the processor.
    let devices = [
        "net_af_packet0,iface=access,framecnt=32768",
        "net_af_packet1,iface=network,framecnt=32768",
    ];
    let host = Host::new(devices, 16_383, "");
    let policy = policy.file();
    let mut command = line.middle.command("nice");
    command.args(["-n", "-15"]);
    let running = host.start(command, &["--policy", policy.to_str().unwrap()]);
    let deadline = Instant::now() + Duration::from_secs(20);
    // Its port is set up last of all.
    let link = || run(line.middle.command("ip").args(["link", "show", "network"]));
    while !link().contains("PROMISC") {
        assert!(Instant::now() < deadline, "the host does not begin");
        thread::sleep(Duration::from_millis(20));
    }

    let load = Frames::alternating(Wrapping::Plain);
    let receiver = Receiver::start(&line.internet, "wire", load.clone());
    let sent = Sender::new(&line.subscriber, "wire", load).send(FRAMES, PPS);
    let received = receiver.finish(Duration::from_millis(500));
    running.signal(Signal::TERM);
    let end = host.end(running);
    println!("{sent}\n{received}\nkernel: {:?}", line.losses());

    assert_eq!(
        (end.count("rx"), end.count("discarded")),
        (FRAMES, FRAMES / 2)
    );
    assert_eq!(
        (end.count("transmitted"), end.count("tx-full")),
        (FRAMES / 2, 0)
    );
    assert_eq!((received.foreign, received.twice, received.late), (0, 0, 0));
    let odd = (1..FRAMES).step_by(2);
    assert!(
        received.numbers().eq(odd),
        "other frames than those to port 587 came out"
    );
}
