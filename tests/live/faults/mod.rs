//! What can go wrong at the start and later: each has its own words and its own exit code, and leaves
//! everything as it was found.

mod trace;

use crate::line::Line;
use crate::load::{Frames, Receiver, Sender};
use crate::net::Namespace;
use crate::program::{Driver, End, Pipeline, Policy};
use crate::wrapping::Wrapping;
use rustix::process::Signal;
use std::process::Command;
use std::time::Duration;
use trace::Trace;

/// Exit codes, as `docs/` names them: those of `sysexits.h` where it has one.
const NO_DEVICE: i32 = 66;
const GONE: i32 = 69;
const BUSY: i32 = 75;
const SHAPE: i32 = 76;
const PERMISSION: i32 = 77;

/// A line with a policy and a pipeline, and how its middle was found.
struct Scene {
    line: Line,
    _policy: Policy,
    pipeline: Pipeline,
    found: Trace,
}

impl Scene {
    fn new(driver: Driver) -> Self {
        let line = Line::new(Wrapping::Plain);
        let policy = Policy::new(None, &[]);
        let pipeline = Pipeline::new(driver, &[&policy.file()]);
        let found = Trace::of(&line.middle, &pipeline);
        Self {
            line,
            _policy: policy,
            pipeline,
            found,
        }
    }

    /// Changes the pipeline.
    fn rewrite(&self, from: &str, to: &str) {
        let text = self.pipeline.text();
        assert!(text.contains(from), "no {from:?} in\n{text}");
        self.pipeline.write(&text.replace(from, to));
    }

    /// Runs it to its failure, which has this code, these words, and leaves nothing.
    fn fails(&self, command: Command, code: i32, words: &[&str]) {
        let end = self.pipeline.fail(command);
        says(&end, code, words);
        self.is_as_found();
    }

    fn is_as_found(&self) {
        let left = Trace::of(&self.line.middle, &self.pipeline);
        let (more, less) = (self.found.difference(&left), left.difference(&self.found));
        assert!(
            self.found == left,
            "left behind:\n{more}instead of:\n{less}"
        );
    }

    fn command(&self) -> Command {
        self.pipeline.command(&self.line.middle)
    }

    /// Two frames come, one of them to port 25.
    fn takes_frames(&self) -> bool {
        let load = Frames::alternating(Wrapping::Plain);
        let receiver = Receiver::start(&self.line.internet, "wire", load.clone());
        Sender::new(&self.line.subscriber, "wire", load).send(2, 1_000);
        let received = receiver.finish(Duration::from_millis(200));
        received.numbers().eq([1])
    }
}

fn says(end: &End, code: i32, words: &[&str]) {
    assert_eq!(end.status.code(), Some(code), "{}", end.said);
    for word in words {
        assert!(end.said.contains(word), "no {word:?} in:\n{}", end.said);
    }
}

#[test]
#[ignore = "needs root and network namespaces"]
fn an_interface_that_is_not_there_is_named() {
    let scene = Scene::new(Driver::AfXdp);
    scene.rewrite("device: network", "device: nowhere");
    scene.fails(
        scene.command(),
        NO_DEVICE,
        &["no interface \"nowhere\"", "network"],
    );
}

#[test]
#[ignore = "needs root and network namespaces"]
fn capabilities_that_are_missing_are_named() {
    let scene = Scene::new(Driver::AfXdp);
    let command = without_capabilities(&scene.line.middle, &scene.pipeline);
    let words = ["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_BPF", "setcap"];
    scene.fails(command, PERMISSION, &words);
}

/// The program as a root that may nothing.
fn without_capabilities(namespace: &Namespace, pipeline: &Pipeline) -> Command {
    let mut command = namespace.command("setpriv");
    command
        .args(["--bounding-set=-all", "--inh-caps=-all"])
        .args([env!("CARGO_BIN_EXE_sekisho"), "run"])
        .arg(pipeline.file());
    command
}

#[test]
#[ignore = "needs root and network namespaces"]
fn queues_without_a_worker_and_workers_without_a_queue_are_refused() {
    let scene = Scene::new(Driver::AfXdp);
    let text = scene.pipeline.text();
    let lcores = text
        .lines()
        .find(|line| line.starts_with("lcores"))
        .unwrap();
    scene.rewrite(lcores, "lcores: [0, 1]");
    scene.fails(scene.command(), SHAPE, &["ethtool -L access rx 2 tx 2"]);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_second_instance_on_the_same_ports_is_refused_and_the_first_goes_on() {
    let scene = Scene::new(Driver::AfXdp);
    let policy = Policy::new(None, &[]);
    let other = Pipeline::new(Driver::AfXdp, &[&policy.file()]);
    let mut program = scene.pipeline.start(&scene.line);
    let process = program.process().id();
    let end = other.fail(other.command(&scene.line.middle));
    says(&end, BUSY, &["another sekisho", &process.to_string()]);
    let end = scene.pipeline.fail(scene.command());
    says(&end, BUSY, &[]);
    assert!(scene.takes_frames());
    assert_eq!(program.end().balance().rx, 2);
    scene.is_as_found();
}

#[test]
#[ignore = "needs root and network namespaces"]
fn what_a_killed_run_left_is_put_in_order_by_the_next() {
    let scene = Scene::new(Driver::AfXdp);
    let mut program = scene.pipeline.start(&scene.line);
    program.process().signal(Signal::KILL);
    program.process().wait(Duration::from_secs(5));
    let left = Trace::of(&scene.line.middle, &scene.pipeline);
    println!("left behind:\n{}", scene.found.difference(&left));
    assert!(!left.has_program(), "the XDP program outlives the process");

    let program = scene.pipeline.start(&scene.line);
    assert!(scene.takes_frames());
    program.end();
    scene.is_as_found();
}

#[test]
#[ignore = "needs root and network namespaces"]
fn an_interface_that_vanishes_ends_the_program_and_the_other_is_put_back() {
    vanishes(Driver::AfXdp);
}

fn vanishes(driver: Driver) {
    let scene = Scene::new(driver);
    let mut program = scene.pipeline.start(&scene.line);
    assert!(scene.takes_frames());
    scene.line.middle.ip(&["link", "delete", "dev", "access"]);
    program.process().wait(Duration::from_secs(10));
    // It is called what the pipeline calls it.
    let name = match driver {
        Driver::AfXdp => "access",
        Driver::Dpdk => "net_af_packet0",
    };
    says(&program.ended(), GONE, &[name]);
    let left = Trace::of(&scene.line.middle, &scene.pipeline);
    assert_eq!(scene.found.of_link("network"), left.of_link("network"));
    assert_eq!(left.files, scene.found.files);
}

#[cfg(feature = "dpdk")]
mod over_dpdk {
    use super::*;

    const MEMORY: i32 = 71;
    const NO_DRIVER: i32 = 72;

    #[test]
    #[ignore = "needs root, network namespaces and DPDK"]
    fn an_interface_that_is_not_there_is_named() {
        let scene = Scene::new(Driver::Dpdk);
        scene.rewrite("iface=network", "iface=nowhere");
        scene.fails(scene.command(), NO_DEVICE, &["nowhere"]);
    }

    #[test]
    #[ignore = "needs root, network namespaces and DPDK"]
    fn capabilities_that_are_missing_are_named() {
        let scene = Scene::new(Driver::Dpdk);
        let command = without_capabilities(&scene.line.middle, &scene.pipeline);
        scene.fails(command, PERMISSION, &["CAP_NET_ADMIN"]);
    }

    /// More than any machine that runs tests has reserved.
    #[test]
    #[ignore = "needs root, network namespaces and DPDK"]
    fn memory_that_is_not_there_is_told_with_what_to_do() {
        let scene = Scene::new(Driver::Dpdk);
        scene.rewrite("[--no-huge, -m, \"512\"]", "[-m, \"900000\"]");
        scene.fails(scene.command(), MEMORY, &["hugepages"]);
    }

    #[test]
    #[ignore = "needs root, network namespaces and DPDK"]
    fn a_plugin_that_is_not_installed_is_named() {
        let scene = Scene::new(Driver::Dpdk);
        scene.rewrite(
            "net_af_packet1,iface=network,framecnt=32768",
            "net_nowhere1",
        );
        scene.fails(
            scene.command(),
            NO_DRIVER,
            &["net_nowhere", "librte-net-nowhere"],
        );
    }

    #[test]
    #[ignore = "needs root, network namespaces and DPDK"]
    fn what_a_killed_run_left_is_put_in_order_by_the_next() {
        let scene = Scene::new(Driver::Dpdk);
        let mut program = scene.pipeline.start(&scene.line);
        program.process().signal(Signal::KILL);
        program.process().wait(Duration::from_secs(5));
        let left = Trace::of(&scene.line.middle, &scene.pipeline);
        println!("left behind:\n{}", scene.found.difference(&left));
        let program = scene.pipeline.start(&scene.line);
        assert!(scene.takes_frames());
        program.end();
        scene.is_as_found();
    }

    #[test]
    #[ignore = "needs root, network namespaces and DPDK"]
    fn a_second_instance_on_the_same_ports_is_refused() {
        let scene = Scene::new(Driver::Dpdk);
        let policy = Policy::new(None, &[]);
        let other = Pipeline::new(Driver::Dpdk, &[&policy.file()]);
        let program = scene.pipeline.start(&scene.line);
        let end = other.fail(other.command(&scene.line.middle));
        says(&end, BUSY, &["another sekisho"]);
        assert!(scene.takes_frames());
        program.end();
    }

    #[test]
    #[ignore = "needs root, network namespaces and DPDK"]
    fn an_interface_that_vanishes_ends_the_program_and_the_other_is_put_back() {
        super::vanishes(Driver::Dpdk);
    }
}
