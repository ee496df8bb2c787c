//! What a frame costs the box in processor time: sekisho beside Linux' own bridge, in one run.
//!
//! ```text
//! cargo test --profile live --all-features --test live cost -- --include-ignored --nocapture
//! ```
//! Sending, receiving and the box share processors here, and what Linux does for a frame it does in
//! the time of whoever sent it. So all is measured that works: this process, the kernel's softirq
//! threads, and sekisho. What the same load takes over a bare wire is taken off; the rest is the
//! box's. Half of the frames stay in the box, so a bare wire with a receiver and one without are
//! averaged.
//!
//! The pace is the same for all, and low enough that nothing is lost. A worker that finds nothing
//! sleeps; what its waking costs counts. Of a machine that others use meanwhile the figures are good
//! as ratios only.

use crate::line::Line;
use crate::linux;
use crate::load::{Frames, Receiver, Sender};
use crate::net::{Namespace, Veth};
use crate::program::{Driver, Pipeline, Policy};
use crate::wrapping::Wrapping;
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::path::Path;
use std::time::Duration;

const FRAMES: u64 = 400_000;
const PPS: u32 = 100_000;

/// The rules of the test's policy, as an operator would write them for nftables.
const RULES: &str = "\
table bridge op25b {
  set home4 { type ipv4_addr; flags interval; elements = { 198.51.100.0/25, 100.64.0.0/10 }; }
  set home6 { type ipv6_addr; flags interval; elements = { 2001:db8:100::/48 }; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname access tcp dport 25 tcp flags & (syn | ack) == syn jump out
    iifname network tcp sport 25 tcp flags & syn == syn jump in
  }
  chain out {
    ip saddr @home4 ip daddr != 192.0.2.16/28 drop
    ip6 saddr @home6 ip6 daddr != 2001:db8:25::/64 drop
  }
  chain in {
    ip daddr @home4 ip saddr != 192.0.2.16/28 drop
    ip6 daddr @home6 ip6 saddr != 2001:db8:25::/64 drop
  }
}
";

#[test]
#[ignore = "needs root, network namespaces and nftables"]
fn what_a_frame_costs_is_stated_beside_linux() {
    let heard = bare_wire(true);
    let unheard = bare_wire(false);
    let half_heard = (heard + unheard) / 2;
    println!(
        "{:<28}{:>12}{:>16}",
        "half of all to port 25", "CPU ms", "frames/CPU-s"
    );
    let state = |name: &str, took: Duration, around: Duration| {
        let box_s = took.saturating_sub(around).as_secs_f64();
        println!(
            "{name:<28}{:>12.0}{:>16.0}",
            box_s * 1e3,
            FRAMES as f64 / box_s
        );
    };
    // Without rules all come out.
    state("bridge", through_linux(None), heard);
    state("bridge, nftables", through_linux(Some(RULES)), half_heard);
    state(
        "sekisho, AF_XDP",
        through_sekisho(Driver::AfXdp),
        half_heard,
    );
    #[cfg(feature = "dpdk")]
    state(
        "sekisho, DPDK net_af_packet",
        through_sekisho(Driver::Dpdk),
        half_heard,
    );
}

fn bare_wire(is_heard: bool) -> Duration {
    let (from, to) = (Namespace::new("from"), Namespace::new("to"));
    Veth::new((&from, "wire"), (&to, "wire")).make();
    load(&from, &to, is_heard.then_some(FRAMES), None)
}

fn through_linux(rules: Option<&str>) -> Duration {
    let line = Line::new(Wrapping::Plain);
    linux::bridge(&line);
    if let Some(rules) = rules {
        linux::filter(&line, rules);
    }
    let left = rules.map_or(FRAMES, |_| FRAMES / 2);
    load(&line.subscriber, &line.internet, Some(left), None)
}

fn through_sekisho(driver: Driver) -> Duration {
    let line = Line::new(Wrapping::Plain);
    let policy = Policy::new(None, &[]);
    let pipeline = Pipeline::new(driver, &[&policy.file()]);
    pipeline.write(&format!("{}idle: sleep\n", pipeline.text()));
    let mut program = pipeline.start(&line);
    let process = program.process().id();
    load(
        &line.subscriber,
        &line.internet,
        Some(FRAMES / 2),
        Some(process),
    )
}

/// Processor time of everything that works, for one load; so many frames have to come.
fn load(from: &Namespace, to: &Namespace, expected: Option<u64>, program: Option<u32>) -> Duration {
    let frames = Frames::alternating(Wrapping::Plain);
    let receiver = expected.map(|_| Receiver::start(to, "wire", frames.clone()));
    let mut sender = Sender::new(from, "wire", frames);
    let before = processor_time(program);
    sender.send(FRAMES, PPS);
    let received = receiver.map(|receiver| receiver.finish(Duration::from_millis(200)));
    let took = processor_time(program).saturating_sub(before);
    assert_eq!(
        received.map(|received| received.intact),
        expected,
        "frames were lost"
    );
    took
}

/// Processor time that this process, the kernel's softirq threads and a program have had.
fn processor_time(program: Option<u32>) -> Duration {
    let own = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    let softirq: u64 = softirq_threads()
        .iter()
        .map(|process| thread_times_ns(*process))
        .sum();
    let program = program.map_or(0, thread_times_ns);
    own + Duration::from_nanos(softirq + program)
}

fn softirq_threads() -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter(|number| name(*number).starts_with("ksoftirqd/"))
        .collect()
}

fn name(process: u32) -> String {
    fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default()
}

/// What all threads of a process have run for, as the scheduler keeps it.
fn thread_times_ns(process: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{process}/task"))
        .unwrap()
        .flatten();
    threads
        .map(|thread| ran_ns(&thread.path().join("schedstat")))
        .sum()
}

fn ran_ns(schedstat: &Path) -> u64 {
    let text = fs::read_to_string(schedstat).unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|first| first.parse().ok())
        .unwrap_or(0)
}
