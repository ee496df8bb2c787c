//! Long under load while everything around it happens: reloads, links that go and come, a disk that is
//! full for the journal and the log.
//!
//! ```text
//! SEKISHO_SOAK_SECONDS=600 cargo test --profile live --all-features --test live soak -- --include-ignored --nocapture
//! ```
//! A minute without the variable. The load comes in rounds of [`ROUND`], at the highest of [`RATES`]
//! at which nothing is lost in a round where nothing else happens. After each round every frame is
//! accounted for, by what sekisho and the kernel's links have counted.

mod disk;

use crate::line::Line;
use crate::load::{Frames, Receiver, Sender};
use crate::net::Namespace;
use crate::program::{Control, Driver, Pipeline, Policy};
use crate::wrapping::Wrapping;
use disk::Disk;
use serde_json::Value;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

const ROUND: Duration = Duration::from_secs(5);
const RATES: [u32; 6] = [300_000, 250_000, 200_000, 150_000, 100_000, 50_000];
const RELOADS: u32 = 10;
/// As long as a link is down.
const FLAP: Duration = Duration::from_millis(300);
/// What the resident memory may differ by from round to round.
const SLACK_KIB: u64 = 2048;

/// Everything that was counted up to some moment.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    sent: u64,
    before_the_box: u64,
    rx: u64,
    transmitted: u64,
    discarded: u64,
    tx_full: u64,
    behind_the_box: u64,
    arrived: u64,
}

struct Soak {
    line: Line,
    policy: Policy,
    control: Control,
    sent: u64,
}

#[test]
#[ignore = "needs root and network namespaces; takes a minute"]
fn nothing_is_lost_and_memory_stays_flat() {
    let seconds = std::env::var("SEKISHO_SOAK_SECONDS").map_or(60, |text| text.parse().unwrap());
    let line = Line::new(Wrapping::Plain);
    let policy = Policy::new(None, &[]);
    let pipeline = Pipeline::new(Driver::AfXdp, &[&policy.file()]);
    let disk = Disk::new(&pipeline);
    let mut program = pipeline.start_as(disk.command(&line.middle, &pipeline));
    let process = program.process().id();
    let control = pipeline.control();
    let mut soak = Soak {
        line,
        policy,
        control,
        sent: 0,
    };
    let pps = soak.highest_rate();
    println!("soaking for {seconds} s at {} kpps", pps / 1000);

    let begun = Instant::now();
    let mut resident_kib = Vec::new();
    while begun.elapsed() < Duration::from_secs(seconds) {
        let number = resident_kib.len();
        let is_full = number % 3 == 1;
        if is_full {
            disk.fill(process);
            soak.change_until_refused();
        }
        let counted = soak.round(pps, Some(number));
        if is_full {
            disk.empty(process);
        }
        soak.change();
        resident_kib.push(resident(process));
        println!(
            "{:>4} s  {} KiB  {counted:?}",
            begun.elapsed().as_secs(),
            resident(process)
        );
    }
    // The first round is the one that touches everything for the first time.
    assert!(
        resident_kib.len() > 3,
        "too short to say anything of memory"
    );
    let (first, rest) = resident_kib[1..].split_first().unwrap();
    let most = rest.iter().max().unwrap_or(first);
    assert!(
        *most <= first + SLACK_KIB,
        "resident memory grows: {resident_kib:?} KiB"
    );
    drop(soak.control);
    program.end().balance();
}

impl Soak {
    /// The highest rate at which a round loses nothing.
    fn highest_rate(&mut self) -> u32 {
        let lossless = RATES.into_iter().find(|pps| {
            let counted = self.round(*pps, None);
            counted.before_the_box + counted.behind_the_box == 0
        });
        lossless.expect("this machine loses frames at every rate")
    }

    /// A load, and what happens around it in a round of this number; what was counted in it.
    fn round(&mut self, pps: u32, number: Option<usize>) -> Counted {
        let before = self.counted();
        let load = Frames::alternating(Wrapping::Plain);
        let receiver = Receiver::start(&self.line.internet, "wire", load.clone());
        let mut sender = Sender::new(&self.line.subscriber, "wire", load);
        let round = if number.is_some() { ROUND } else { ROUND / 5 };
        let begun = Instant::now();
        let sent = thread::scope(|scope| {
            let sending =
                scope.spawn(|| sender.send_while(pps, |_| begun.elapsed() < round, u64::MAX));
            if let Some(number) = number {
                let end = [&self.line.subscriber, &self.line.internet][number % 2];
                scope.spawn(|| flap(end));
                for reload in 0..RELOADS {
                    let offices: &[_] = if reload % 2 == 0 {
                        &["198.51.100.64/28"]
                    } else {
                        &[]
                    };
                    self.policy.write(None, offices);
                    assert_eq!(self.control.ask("reload")["answer"], "reloaded");
                    thread::sleep(ROUND / (RELOADS + 2));
                }
            }
            sending.join().unwrap()
        });
        let received = receiver.finish(Duration::from_millis(300));
        assert_eq!((received.foreign, received.twice, received.late), (0, 0, 0));
        self.sent += sent.frames;
        let counted = self.counted().since(before);
        counted.is_accounted_for();
        counted
    }

    /// What was counted until now, when all is at rest.
    fn counted(&mut self) -> Counted {
        let losses = self.line.losses();
        let stats = self.control.ask("stats");
        let count = |name: &str| stats["balance"][name].as_u64().unwrap();
        Counted {
            sent: self.sent,
            before_the_box: losses.before_the_box,
            rx: count("rx"),
            transmitted: count("transmitted"),
            discarded: count("discarded"),
            tx_full: count("tx_full"),
            behind_the_box: losses.behind_the_box,
            arrived: self.line.internet.counters("wire").rx_packets,
        }
    }

    /// Gives a prefix a plan, and takes it back; both are kept in the journal.
    fn change(&mut self) {
        for plan in [Some("office"), None] {
            let answer = self.ask_for(plan);
            assert_eq!(answer["answer"], "changed", "{answer}");
        }
    }

    /// The last block of the journal may have room for a few dozen more.
    fn change_until_refused(&mut self) {
        let refused = (0..100).map(|_| self.ask_for(Some("office")));
        let mut refused = refused.filter(|answer| answer["answer"] != "changed");
        let refused = refused.next().expect("a full disk takes every change");
        assert_eq!(refused["answer"], "refused", "{refused}");
    }

    fn ask_for(&mut self, plan: Option<&str>) -> Value {
        self.control.send_plan("198.51.100.99/32", plan);
        self.control.answer()
    }
}

impl Counted {
    fn since(self, before: Self) -> Self {
        Self {
            sent: self.sent - before.sent,
            before_the_box: self.before_the_box - before.before_the_box,
            rx: self.rx - before.rx,
            transmitted: self.transmitted - before.transmitted,
            discarded: self.discarded - before.discarded,
            tx_full: self.tx_full - before.tx_full,
            behind_the_box: self.behind_the_box - before.behind_the_box,
            arrived: self.arrived - before.arrived,
        }
    }

    /// What is missing, the kernel's links have lost. They count more than that when they go down:
    /// what a host says by itself, and what it was told that it could not send.
    fn is_accounted_for(self) {
        assert!(
            self.sent.saturating_sub(self.rx) <= self.before_the_box,
            "on the way to the box: {self:?}"
        );
        let inside = self.transmitted + self.discarded + self.tx_full;
        assert_eq!(self.rx, inside, "in the box: {self:?}");
        assert!(
            self.transmitted.saturating_sub(self.arrived) <= self.behind_the_box,
            "behind the box: {self:?}"
        );
    }
}

/// Takes a host's link down, and up again.
fn flap(host: &Namespace) {
    thread::sleep(ROUND / 3);
    host.ip(&["link", "set", "dev", "wire", "down"]);
    thread::sleep(FLAP);
    host.ip(&["link", "set", "dev", "wire", "up"]);
}

/// The resident memory of a process, in KiB.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
