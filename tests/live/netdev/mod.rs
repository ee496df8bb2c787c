//! Interfaces that are prepared and put back, compared with what `ethtool`, `ip` and `/proc` say.

mod left;
mod undone;
mod watched;

use crate::line::Line;
use crate::net::{Namespace, run};
use crate::wrapping::Wrapping;
use sekisho::io::netdev::{Claim, Interface, OnExit, Prepared, prepare};
use sekisho::io::port::DeviceError;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

const PORTS: [&str; 2] = ["access", "network"];

/// The place of the box, whose interfaces are as an operator may have left them: up, with offloads
/// and IPv6 on.
struct Place {
    line: Line,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let line = Line::new(Wrapping::Plain);
        let middle = &line.middle;
        for port in PORTS {
            run(middle.command("ethtool").args(["-K", port]).args([
                "tx", "on", "tso", "on", "gso", "on", "gro", "on", "rxvlan", "on", "txvlan", "on",
            ]));
            middle.set(&format!("net/ipv6/conf/{port}/disable_ipv6"), "0");
        }
        let address = ["2001:db8:77::1/64", "dev", "access", "nodad"];
        middle.ip(&[&["address", "add"], &address[..]].concat());
        let folder = tempfile::tempdir().unwrap();
        Self { line, folder }
    }

    /// Where the box is.
    fn middle(&self) -> &Namespace {
        &self.line.middle
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn prepare(&self) -> Result<Prepared, DeviceError> {
        self.middle()
            .enter(|| prepare(claim(&PORTS)?, self.folder()))
    }

    /// Ends it, where it began.
    fn exit(&self, prepared: Prepared, on_exit: &OnExit) {
        let faults = self.middle().enter(|| prepared.exit(on_exit)).unwrap();
        assert_eq!(faults, [""; 0]);
    }

    /// Everything that can be seen of the box's interfaces but counters and times.
    fn seen(&self) -> String {
        PORTS.map(|port| seen(self.middle(), port)).concat()
    }

    #[track_caller]
    fn assert_seen(&self, before: &str) {
        assert_same(&self.seen(), before);
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder()).unwrap().count()
    }
}

fn claim(ports: &[&str]) -> Result<Claim, DeviceError> {
    let interfaces = ports.iter().map(|port| Interface::named(port));
    Claim::of(interfaces.collect::<Result<_, _>>()?)
}

#[track_caller]
fn assert_same(now: &str, before: &str) {
    let differ = now
        .lines()
        .zip(before.lines())
        .filter(|(now, before)| now != before);
    assert!(
        now == before,
        "now, before: {:#?}",
        differ.collect::<Vec<_>>()
    );
}

fn seen(namespace: &Namespace, port: &str) -> String {
    // As long as an address is tentative, what is shown changes by itself.
    let deadline = Instant::now() + Duration::from_secs(10);
    while namespace
        .ip(&["address", "show", "dev", port])
        .contains("tentative")
    {
        assert!(Instant::now() < deadline, "{port}: still tentative");
        sleep(Duration::from_millis(50));
    }
    let features = run(namespace.command("ethtool").args(["-k", port]));
    let link = namespace.ip(&["-d", "address", "show", "dev", port]);
    let ipv6 = run(namespace
        .command("cat")
        .arg(format!("/proc/sys/net/ipv6/conf/{port}/disable_ipv6")));
    format!("{features}{link}disable_ipv6 {ipv6}")
}

fn link(namespace: &Namespace, port: &str) -> Value {
    let text = namespace.ip(&["-j", "-d", "link", "show", "dev", port]);
    serde_json::from_str::<Value>(&text).unwrap()[0].take()
}

fn has_flag(namespace: &Namespace, port: &str, flag: &str) -> bool {
    let link = link(namespace, port);
    link["flags"]
        .as_array()
        .unwrap()
        .iter()
        .any(|one| one == flag)
}

/// As `ethtool -k` calls them; each is one or several of the kernel's features.
fn is_on(namespace: &Namespace, port: &str, offload: &str) -> bool {
    let features = run(namespace.command("ethtool").args(["-k", port]));
    let line = features
        .lines()
        .find_map(|line| line.trim().strip_prefix(offload)?.strip_prefix(": "))
        .unwrap_or_else(|| panic!("{offload}: {features}"));
    line.starts_with("on")
}

#[track_caller]
fn assert_prepared(namespace: &Namespace) {
    for port in PORTS {
        for offload in [
            "generic-receive-offload",
            "large-receive-offload",
            "rx-vlan-offload",
            "tx-vlan-offload",
            "tcp-segmentation-offload",
            "generic-segmentation-offload",
            "rx-vlan-stag-hw-parse",
        ] {
            assert!(!is_on(namespace, port, offload), "{port}: {offload}");
        }
        assert_eq!(link(namespace, port)["promiscuity"], 1);
        assert!(has_flag(namespace, port, "UP"));
        assert!(has_flag(namespace, port, "NOARP"));
        let addresses = namespace.ip(&["-6", "address", "show", "dev", port]);
        assert_eq!(addresses, "");
    }
}
