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
use etherparse::PacketBuilder;
use host::{Host, frames, program};
use jiff::Timestamp;
use rustix::process::Signal;
use sekisho::io::{CaptureWriter, Record};
use sekisho::wire::{AsFrame, LinkType};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// As of when the golden cases are judged.
const AT: [&str; 2] = ["--at", "2024-01-15T12:00:00+09:00"];

/// Plenty for a small capture.
const SECONDS: u32 = 3;

const FRAMES: u64 = 300_000;
const PPS: u32 = 100_000;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn golden(case: &str, file: &str) -> PathBuf {
    root().join("pcaps").join(case).join(file)
}

/// What `sekisho replay` writes of a capture.
fn replayed(output: &str, direction: &str, how: &[&str], capture: &Path) -> Vec<Vec<u8>> {
    let folder = TempDir::new().unwrap();
    let written = folder.path().join("written.pcap");
    let mut replay = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    replay.args(["replay", "--direction", direction]).args(AT);
    replay.args(how).arg(capture);
    run(replay.arg(output).arg(&written));
    frames(&written)
}

fn write(capture: &Path, frames: &[Vec<u8>]) {
    let mut writer = CaptureWriter::create(capture).unwrap();
    for frame in frames {
        let octets = frame.as_slice();
        let record = Record {
            frame: octets.as_frame(),
            timestamp_ns: Some(0),
        };
        writer.write(&record).unwrap();
    }
    writer.finish(LinkType::ETHERNET).unwrap();
}

/// A golden case through both ports: what leaves is what `replay` writes, and, outward, what the people
/// expect who made the case.
fn as_replay(case: &str, how: &[&str]) {
    let capture = golden(case, "in.pcap");
    let folder = TempDir::new().unwrap();
    let [out, inward] = ["out.pcap", "in.pcap"].map(|name| folder.path().join(name));
    let [access, network] = [("net_pcap0", &inward), ("net_pcap1", &out)].map(|(device, to)| {
        let [from, to] = [&capture, to].map(|path| path.display());
        format!("{device},rx_pcap={from},tx_pcap={to}")
    });
    let end = Host::between(&access, &network)
        .for_seconds(SECONDS)
        .run(&[how, &AT].concat());

    assert_eq!(end.count("rx") as usize, 2 * frames(&capture).len());
    assert!(end.count("discarded") > 0, "nothing was to be discarded");
    let sent = frames(&out);
    assert!(sent == replayed("--forwarded", "out", how, &capture));
    assert!(sent == frames(&golden(case, "out.pcap")));
    assert!(frames(&inward) == replayed("--forwarded", "in", how, &capture));
}

#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn stacked_tags_leave_a_runtime_of_capsule_as_they_leave_replay() {
    let policy = Policy::shipped("strict.yaml");
    as_replay(
        "two-stacked-tags-hide-nothing",
        &["--policy", policy.to_str().unwrap()],
    );
}

#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn the_tunnels_of_a_pipeline_are_opened_in_a_runtime_of_capsule() {
    let case = "tricks-inside-a-tunnel-hide-nothing";
    let pipeline = golden(case, "pipeline.yaml");
    as_replay(case, &["--pipeline", pipeline.to_str().unwrap()]);
}

#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn rejected_frames_are_answered_from_a_runtime_of_capsule_as_replay_answers() {
    let case = "a-rejecting-rule-is-silent-to-what-evades";
    let [capture, policy] = ["in.pcap", "policy.yaml"].map(|file| golden(case, file));
    let how = ["--policy", policy.to_str().unwrap()];
    let folder = TempDir::new().unwrap();
    let [out, back] = ["out.pcap", "back.pcap"].map(|name| folder.path().join(name));

    let [from, to] = [&capture, &back].map(|path| path.display());
    let access = format!("net_pcap0,rx_pcap={from},tx_pcap={to}");
    let network = format!("net_pcap1,tx_pcap={}", out.display());
    let end = Host::between(&access, &network)
        .for_seconds(SECONDS)
        .run(&[how, AT].concat());

    let replies = frames(&back);
    assert_eq!(end.count("generated") as usize, replies.len());
    assert_eq!(
        replies.len(),
        3,
        "an ICMP error in each family, and a reset"
    );
    assert!(replies == replayed("--replies", "out", &how, &capture));
    assert!(frames(&out) == replayed("--forwarded", "out", &how, &capture));
}

/// A queue of each port for each core; one of the cores is where capsule itself waits.
#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn each_core_of_a_runtime_of_capsule_has_queues_of_its_own() {
    let policy = Policy::shipped("strict.yaml");
    let how = ["--policy", policy.to_str().unwrap()];
    let captures =
        ["two-stacked-tags-hide-nothing", "llc-snap-is-opened"].map(|case| golden(case, "in.pcap"));
    let folder = TempDir::new().unwrap();
    let outs = ["0.pcap", "1.pcap"].map(|name| folder.path().join(name));
    let (mut access, mut network) = ("net_pcap0".to_owned(), "net_pcap1".to_owned());
    for (capture, out) in captures.iter().zip(&outs) {
        access += &format!(",rx_pcap={}", capture.display());
        network += &format!(",tx_pcap={}", out.display());
    }
    let end = Host::between(&access, &network)
        .on(&[0, 1])
        .for_seconds(SECONDS)
        .run(&[how, AT].concat());

    let received: usize = captures.iter().map(|capture| frames(capture).len()).sum();
    assert_eq!(end.count("rx") as usize, received);
    for (capture, out) in captures.iter().zip(&outs) {
        assert!(frames(out) == replayed("--forwarded", "out", &how, capture));
    }
}

/// Frames of several mbufs: capsule frees the first of each, and so the pool would run dry.
#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn frames_longer_than_an_mbuf_pass_whole_or_go_back_whole() {
    const COUNT: usize = 4_000;
    let sent: Vec<_> = (0..COUNT).map(jumbo).collect();
    let folder = TempDir::new().unwrap();
    let [capture, out] = ["in.pcap", "out.pcap"].map(|name| folder.path().join(name));
    write(&capture, &sent);

    let policy = Policy::new(None, &[]);
    let access = format!("net_pcap0,rx_pcap={}", capture.display());
    let network = format!("net_pcap1,tx_pcap={}", out.display());
    let end = Host::between(&access, &network)
        .with_mbufs(1_023)
        .for_seconds(2 * SECONDS)
        .run(&["--policy", policy.file().to_str().unwrap()]);

    let half = COUNT as u64 / 2;
    assert_eq!((end.count("rx"), end.count("discarded")), (2 * half, half));
    let odd = sent.iter().skip(1).step_by(2);
    assert!(frames(&out).iter().eq(odd), "octets were changed or lost");
}

/// A SYN with nearly 9,000 octets of its own; to port 25 where its number is even.
fn jumbo(number: usize) -> Vec<u8> {
    let port = [25, 587][number % 2];
    let packet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([198, 51, 100, 9], [203, 0, 113, 25], 64)
        .tcp(40_000, port, 0, 65_535)
        .syn();
    let mut frame = Vec::new();
    packet.write(&mut frame, &[number as u8; 8_900]).unwrap();
    frame
}

#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn a_dated_rule_begins_while_a_runtime_of_capsule_works() {
    let folder = TempDir::new().unwrap();
    let capture = folder.path().join("in.pcap");
    let load = Frames::alternating(Wrapping::Plain);
    let both = [0, 1].map(|number| {
        let mut frame = Vec::new();
        load.write(number, &mut frame);
        frame
    });
    write(&capture, &both);
    // Built, so that the time until the rule begins is the host's.
    program();
    let begins = Timestamp::from_second(Timestamp::now().as_second() + 6).unwrap();
    let policy = Policy::new(Some(&begins.to_string()), &[]);
    let access = format!("net_pcap0,rx_pcap={},infinite_rx=1", capture.display());
    let end = Host::between(&access, "net_null0,no-rx=1")
        .for_seconds(9)
        .run(&["--policy", policy.file().to_str().unwrap()]);

    let [rx, discarded] = ["rx", "discarded"].map(|name| end.count(name));
    assert!(discarded > 0, "the rule did not begin:\n{}", end.said);
    assert!(
        discarded < rx / 2,
        "the rule held from the start:\n{}",
        end.said
    );
}

/// What the package's README shows.
#[test]
#[ignore = "needs DPDK, libclang, and a registry or its cache"]
fn the_day_at_an_isp_ends_as_the_readme_says() {
    let mut host = Command::new(program());
    host.args(["--file", "pipelines/capsule/replay.toml"]);
    host.args(["--policy", "config/alpha-web.yaml"]).args(AT);
    let said = run(host.current_dir(root()));
    let readme = fs::read_to_string(root().join("pipelines/capsule/README.md")).unwrap();
    let shown = readme.lines().filter(|line| {
        ["drop-port25-syn", "replies  ", "balance  "]
            .iter()
            .any(|word| line.starts_with(word))
    });
    let shown: Vec<_> = shown.collect();
    assert_eq!(shown.len(), 3, "{shown:?}");
    for line in shown {
        assert!(said.lines().any(|other| other == line), "{line}\n{said}");
    }
}

#[test]
#[ignore = "needs root, network namespaces, DPDK, libclang, and a registry or its cache"]
fn capsule_between_packet_sockets_turns_back_half_of_300_000_frames_and_loses_none() {
    let line = Line::new(Wrapping::Plain);
    let policy = Policy::new(None, &[]);
    // Large rings, as small ones lose frames whenever somebody else has the processor.
    let [access, network] = [
        "net_af_packet0,iface=access,framecnt=32768",
        "net_af_packet1,iface=network,framecnt=32768",
    ];
    let host = Host::between(access, network);
    let mut command = line.middle.command("nice");
    command.args(["-n", "-15"]);
    let policy = policy.file();
    let mut running = host.start(command, &["--policy", policy.to_str().unwrap()]);
    host.wait_for_cores(&mut running);

    let load = Frames::alternating(Wrapping::Plain);
    let receiver = Receiver::start(&line.internet, "wire", load.clone());
    let sent = Sender::new(&line.subscriber, "wire", load).send(FRAMES, PPS);
    let received = receiver.finish(Duration::from_millis(500));
    running.signal(Signal::TERM);
    let end = host.end(running);
    println!("{sent}\n{received}\nkernel: {:?}", line.losses());

    let half = FRAMES / 2;
    assert_eq!((end.count("rx"), end.count("discarded")), (FRAMES, half));
    assert_eq!((end.count("transmitted"), end.count("tx-full")), (half, 0));
    let strange = (received.foreign, received.twice, received.late);
    assert_eq!(strange, (0, 0, 0));
    let odd = (1..FRAMES).step_by(2);
    assert!(
        received.numbers().eq(odd),
        "other frames than those to port 587 came out"
    );
}
