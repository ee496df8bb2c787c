//! The pipelines that ship: each is checked, has a drawing, and the one over captures is run.

use crate::support::{root, shipped, told};
use sekisho::control::pipeline::{Driver, load};
use sekisho::io::port::{CaptureLane, Captures, Lane, Port, Work};
use sekisho::lpm::Readers;
use sekisho::policy::{self, Program, Tables};
use sekisho::stage::Settings;
use sekisho::stats::counter_name;
use sekisho::worker::{Done, Post, Worker};
use std::fs;
use std::process::Command;
use std::sync::Arc;

#[test]
fn nothing_is_to_be_said_about_those_that_ship() {
    let paths = shipped();
    assert_eq!(paths.len(), 6, "{paths:?}");
    for path in paths {
        let loaded = load(&path);
        assert_eq!(told(&loaded), "");
        let pipeline = loaded.pipeline.unwrap();
        let stem = path.file_stem().unwrap();
        assert_eq!(*pipeline.name, *stem, "the file's name is the run's");
        assert!(!pipeline.policies.is_empty());
    }
}

/// A drawing of who is where: before the first key, in comments, with every lcore that works.
#[test]
fn each_has_a_drawing_that_shows_its_devices_and_lcores() {
    for path in shipped() {
        let text = fs::read_to_string(&path).unwrap();
        let drawing: Vec<_> = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .collect();
        let wide = drawing
            .iter()
            .map(|line| line.chars().count())
            .max()
            .unwrap();
        assert!(wide <= 100, "{path:?}: {wide} columns");
        let drawing = drawing.join("\n");
        assert!(drawing.contains('┌') && drawing.contains('▶'), "{path:?}");
        let pipeline = load(&path).pipeline.unwrap();
        for lcore in &pipeline.lcores {
            assert!(
                drawing.contains(&format!("lcore {lcore}")),
                "{path:?}: lcore {lcore}"
            );
        }
        let devices = match &pipeline.driver {
            Driver::AfXdp(with) => [with.access.clone(), with.network.clone()],
            Driver::Dpdk(with) => [with.access.clone(), with.network.clone()],
            Driver::Pcap(with) => [&with.access, &with.network]
                .map(|side| side.read.as_ref().unwrap().file_name().unwrap())
                .map(|name| name.to_str().unwrap().to_owned()),
        };
        for device in devices {
            assert!(drawing.contains(&device), "{path:?}: {device}");
        }
    }
}

/// One worker on this thread, until the captures are over.
struct Replayed<'t> {
    captures: &'t Captures,
    tables: &'t Arc<Tables>,
    settings: &'t Settings,
}

impl Work for Replayed<'_> {
    type Output = Done;

    fn work<A: Port, N: Port<Frame = A::Frame>>(self, access: A, network: N) -> Done {
        let post = Post::new(self.tables, &Readers::new()).0;
        let mut worker = Worker::new(post, self.settings, access, network);
        while !self.captures.are_over() {
            worker.poll_once();
        }
        worker.finish()
    }
}

/// Two ports and a worker come to what `sekisho replay` comes to, which tells directions by address
/// and has neither.
#[test]
fn the_day_at_an_isp_gives_what_replay_says() {
    let loaded = load(&root().join("pipelines/replay.yaml"));
    let pipeline = loaded.pipeline.unwrap();
    let now = "2024-01-15T12:00:00+09:00".parse().unwrap();
    let resolved = policy::load(&pipeline.policies, now).resolved.unwrap();
    let program = Program::compile(Arc::new(resolved)).unwrap();
    let tables = program.at(now).unwrap().tables;
    let Driver::Pcap(pcap) = &pipeline.driver else {
        panic!()
    };
    let (lane, captures) = CaptureLane::open(&pcap.access, &pcap.network).unwrap();
    let done = lane.serve(Replayed {
        captures: &captures,
        tables: &tables,
        settings: &pipeline.settings(),
    });
    assert!(captures.faults().is_empty());
    assert!(done.balance.holds(), "{}", done.balance);
    assert_eq!((done.balance.tx_full, done.balance.held), (0, 0));
    let mut counted: Vec<(String, u64)> = done
        .counters
        .reasons()
        .map(|(verdict, reason, count)| (counter_name(verdict, reason), count.frames))
        .filter(|(_, frames)| *frames > 0)
        .collect();
    counted.sort();
    assert_eq!(counted, replayed());
}

/// What `sekisho replay` counts, by `<verdict>-<reason>`.
fn replayed() -> Vec<(String, u64)> {
    let line = "replay --policy config/alpha-web.yaml --at 2024-01-15T12:00:00+09:00 --output json \
                pcaps/a-day-at-an-isp.pcap";
    let ran = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .args(line.split_whitespace())
        .current_dir(root())
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let counters = report["counters"].as_object().unwrap().iter();
    let mut counted: Vec<_> = counters
        .map(|(name, count)| (name.clone(), count["frames"].as_u64().unwrap()))
        .collect();
    counted.sort();
    counted
}
