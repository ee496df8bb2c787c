//! The unit under a real systemd, which is the first process of a container in a network namespace
//! of the test's own (`systemd-nspawn`): as no root, with three capabilities, and with all that the
//! unit forbids forbidden.

mod cgroup;
mod machine;

use crate::line::Line;
use crate::load::{Frames, Receiver, Sender};
use crate::net::{Namespace, run};
use crate::program::Policy;
use crate::wrapping::Wrapping;
use machine::{Machine, shipped};
use sekisho::io::netdev::clock_is_synchronised;
use std::fs;
use std::time::Duration;

const AF_XDP: &str = "driver: af-xdp
access: { device: access }
network: { device: network }
af-xdp: { ring-frames: 512, umem-frames: 2048 }";

const PORTS: [&str; 2] = ["access", "network"];

/// As `<linux/capability.h>` numbers them.
const NET_ADMIN: u64 = 1 << 12;
const NET_RAW: u64 = 1 << 13;
const BPF: u64 = 1 << 39;

/// A machine in the middle of a line, with a policy, and with IPv6 on its links as a host has it.
fn machine() -> (Line, Policy, Machine) {
    let line = Line::new(Wrapping::Plain);
    for port in PORTS {
        let key = format!("net/ipv6/conf/{port}/disable_ipv6");
        line.middle.set(&key, "0");
    }
    let machine = Machine::boot(&line.middle);
    let policy = Policy::new(None, &[]);
    machine.write_config("example-net.yaml", &policy_text(&policy));
    (line, policy, machine)
}

fn policy_text(policy: &Policy) -> String {
    fs::read_to_string(policy.file()).unwrap()
}

#[test]
#[ignore = "needs root, network namespaces and systemd-nspawn"]
fn the_unit_runs_a_pipeline_as_no_root_and_leaves_all_as_it_was() {
    let (line, _, machine) = machine();
    machine.write_pipeline("box", AF_XDP);
    let before = PORTS.map(|port| seen(&line.middle, port));
    assert!(
        machine.systemctl("start", "box"),
        "{}",
        machine.journal("box")
    );

    // READY=1 came, or `systemctl start` would not have returned.
    assert_eq!(machine.show("box", "SubState"), "running");
    let process = machine.show("box", "MainPID");
    let status = machine.run(&["cat", &format!("/proc/{process}/status")]);
    for set in ["CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        let mask = u64::from_str_radix(field(&status, set), 16).unwrap();
        assert_eq!(mask, NET_ADMIN | NET_RAW | BPF, "{set}");
    }
    assert_eq!(field(&status, "NoNewPrivs"), "1");
    assert_eq!(field(&status, "Seccomp"), "2");
    let user = machine.run(&["id", "-u", "sekisho"]);
    assert_ne!(user.trim(), "0");
    assert!(
        field(&status, "Uid")
            .split_whitespace()
            .all(|id| id == user.trim())
    );
    for port in PORTS {
        let now = seen(&line.middle, port);
        assert!(
            now.contains("promiscuity 1") && now.contains("xdp"),
            "{now}"
        );
        assert!(now.ends_with("disable_ipv6 1\n"), "{now}");
    }
    // What ProtectClock= would keep from it.
    let warned = machine
        .journal("box")
        .contains("the clock is not synchronised");
    assert_eq!(warned, clock_is_synchronised() == Some(false));

    let load = Frames::alternating(Wrapping::Plain);
    let receiver = Receiver::start(&line.internet, "wire", load.clone());
    let sent = Sender::new(&line.subscriber, "wire", load).send(2_000, 20_000);
    let received = receiver.finish(Duration::from_millis(500));
    assert_eq!((sent.frames, received.intact), (2_000, 1_000));

    assert!(machine.systemctl("stop", "box"));
    assert_eq!(machine.show("box", "Result"), "success");
    assert_eq!(machine.show("box", "ExecMainStatus"), "0");
    let journal = machine.journal("box");
    assert!(
        journal.contains("2,000 frames received = 1,000 transmitted + 1,000 discarded"),
        "{journal}"
    );
    assert_eq!(PORTS.map(|port| seen(&line.middle, port)), before);
    assert_eq!(machine.run(&["ls", "-A", "/run/sekisho"]), "");
}

#[test]
#[ignore = "needs root, network namespaces and systemd-nspawn"]
fn a_reload_tells_whether_the_policy_was_taken() {
    let (_line, policy, machine) = machine();
    machine.write_pipeline("box", AF_XDP);
    assert!(
        machine.systemctl("start", "box"),
        "{}",
        machine.journal("box")
    );

    machine.write_config("example-net.yaml", "isp: [");
    assert!(!machine.systemctl("reload", "box"));
    assert!(machine.journal("box").contains("generation 1 stays"));
    assert_eq!(machine.show("box", "ActiveState"), "active");

    policy.write(None, &["198.51.100.9/32"]);
    machine.write_config("example-net.yaml", &policy_text(&policy));
    assert!(
        machine.systemctl("reload", "box"),
        "{}",
        machine.journal("box")
    );
    assert!(machine.journal("box").contains("generation 1 → 2"));
    assert_eq!(machine.show("box", "NRestarts"), "0");

    // Members of its group may ask, and others not.
    let ask = |groups: &str| {
        let ctl = [
            "sekisho",
            "ctl",
            "--socket",
            "/run/sekisho/box.sock",
            "stats",
        ];
        let user = ["setpriv", "--reuid=nobody", "--regid=nogroup", groups];
        machine.output(&[&user[..], &ctl].concat())
    };
    assert_eq!(ask("--clear-groups").status.code(), Some(74));
    assert_eq!(ask("--groups=sekisho").status.code(), Some(0));
}

#[test]
#[ignore = "needs root, network namespaces and systemd-nspawn"]
fn it_is_started_again_unless_somebody_has_to_mend_something() {
    let (line, policy, machine) = machine();
    machine.write_pipeline("box", AF_XDP);
    assert!(
        machine.systemctl("start", "box"),
        "{}",
        machine.journal("box")
    );
    let restarts = |expected: &str| {
        let count = || machine.show("box", "NRestarts");
        machine.wait("a restart", || count() == expected);
        machine.wait_for("box", "active");
    };

    let process = machine.show("box", "MainPID");
    machine.run(&["kill", "-KILL", &process]);
    restarts("1");
    assert!(
        machine
            .journal("box")
            .contains("access: an earlier run was killed")
    );

    // A process that stands still says nothing to the watchdog.
    let process = machine.show("box", "MainPID");
    machine.run(&["kill", "-STOP", &process]);
    restarts("2");
    assert!(machine.journal("box").contains("Watchdog timeout"));

    line.middle
        .ip(&["link", "set", "dev", "access", "down", "name", "elsewhere"]);
    let process = machine.show("box", "MainPID");
    machine.run(&["kill", "-KILL", &process]);
    let absent = "there is no interface \"access\"";
    machine.wait("a start without the interface", || {
        machine.journal("box").contains(absent)
    });
    line.middle
        .ip(&["link", "set", "dev", "elsewhere", "name", "access", "up"]);
    machine.wait_for("box", "active");
    assert!(machine.systemctl("stop", "box"));

    machine.write_config("example-net.yaml", "isp: [");
    assert!(!machine.systemctl("start", "box"));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(machine.show("box", "ActiveState"), "failed");
    assert_eq!(machine.show("box", "NRestarts"), "0");
    machine.write_config("example-net.yaml", &policy_text(&policy));
    assert!(
        machine.systemctl("start", "box"),
        "{}",
        machine.journal("box")
    );
}

#[test]
#[ignore = "needs root, network namespaces and systemd-nspawn"]
fn each_right_that_is_taken_away_is_named_and_nothing_is_left_behind() {
    let (line, _policy, machine) = machine();
    let before = PORTS.map(|port| seen(&line.middle, port));
    let refused = |name: &str, drop_in: &str, driver: &str, exit: &str, said: &str| {
        machine.write_pipeline(name, driver);
        // So that it is the run that fails, and not the check before it.
        machine.write_drop_in(
            name,
            &format!("[Service]\nExecStartPre=\nRestart=no\nRestartForceExitStatus=\n{drop_in}\n"),
        );
        assert!(!machine.systemctl("start", name), "{name} runs");
        let journal = machine.journal(name);
        assert!(journal.contains(said), "{name}: {journal}");
        assert_eq!(
            machine.show(name, "ExecMainStatus"),
            exit,
            "{name}: {journal}"
        );
        assert_eq!(PORTS.map(|port| seen(&line.middle, port)), before, "{name}");
        assert_eq!(machine.run(&["ls", "-A", "/run/sekisho"]), "", "{name}");
    };
    for missing in ["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_BPF"] {
        let name = missing.to_lowercase().replace('_', "-");
        let less = format!("CapabilityBoundingSet=~{missing}\nAmbientCapabilities=~{missing}");
        refused(&name, &less, AF_XDP, "77", &format!("lacks {missing};"));
    }
    let sockets = "RestrictAddressFamilies=~AF_XDP";
    refused("no-af-xdp", sockets, AF_XDP, "72", "AF_XDP");
    let large = AF_XDP.replace("ring-frames: 512, umem-frames: 2048", "attach: auto");
    refused(
        "no-memory",
        "LimitMEMLOCK=8M",
        &large,
        "71",
        "LimitMEMLOCK=infinity",
    );
    refused(
        "no-proc",
        "ReadWritePaths=",
        AF_XDP,
        "77",
        "ReadWritePaths=/proc/sys/net/ipv6/conf",
    );
}

/// The figure in the README is a promise: what makes the unit more open has to raise it there.
#[test]
#[ignore = "needs root, network namespaces and systemd-nspawn"]
fn the_unit_is_well_formed_and_no_more_exposed_than_it_says() {
    let (_line, _policy, machine) = machine();
    machine.run(&["systemd-analyze", "verify", "sekisho@box.service"]);
    machine.write_drop_in(
        "cards",
        &fs::read_to_string(shipped("sekisho-dpdk.conf")).unwrap(),
    );
    machine.run(&["systemd-analyze", "verify", "sekisho@cards.service"]);
    let readme = fs::read_to_string(shipped("README.md")).unwrap();
    for (unit, row) in [("box", "the unit"), ("cards", "with the drop-in")] {
        let name = format!("sekisho@{unit}.service");
        let report = machine.run(&["systemd-analyze", "security", "--no-pager", &name]);
        let (_, found) = report.split_once("exposure level for ").unwrap();
        let found = tenths(found.split_whitespace().nth(1).unwrap());
        let row = format!("| {row} | ");
        let stated = readme.lines().find_map(|line| line.strip_prefix(&row));
        let stated = tenths(stated.unwrap().split_whitespace().next().unwrap());
        assert!(
            found <= stated,
            "{unit}: {found} where {stated} is stated\n{report}"
        );
    }
}

fn tenths(figure: &str) -> u32 {
    let (whole, tenth) = figure.split_once('.').unwrap();
    whole.parse::<u32>().unwrap() * 10 + tenth.parse::<u32>().unwrap()
}

#[cfg(feature = "dpdk")]
#[test]
#[ignore = "needs root, network namespaces, systemd-nspawn and DPDK"]
fn with_the_drop_in_it_runs_over_dpdk_without_root_too() {
    let (line, _policy, machine) = machine();
    let eal = "dpdk: { eal: [--no-huge, -m, \"256\"], ring-frames: 512, pool-frames: 4096 }";
    let drop_in = fs::read_to_string(shipped("sekisho-dpdk.conf")).unwrap();

    // Devices that the kernel has no part in: no capability at all.
    let rings = "driver: dpdk\naccess: { device: net_ring0 }\nnetwork: { device: net_ring1 }";
    machine.write_pipeline("cards", &format!("{rings}\n{eal}"));
    machine.write_drop_in("cards", &drop_in);
    assert!(
        machine.systemctl("start", "cards"),
        "{}",
        machine.journal("cards")
    );
    let process = machine.show("cards", "MainPID");
    let status = machine.run(&["cat", &format!("/proc/{process}/status")]);
    assert_eq!(field(&status, "CapBnd"), "0000000000000000");
    assert!(machine.systemctl("stop", "cards"));

    let interfaces = "driver: dpdk
access: { device: \"net_af_packet0,iface=access\" }
network: { device: \"net_af_packet1,iface=network\" }";
    let kept = drop_in.lines().filter(|line| !line.contains("Capabilit"));
    machine.write_pipeline("links", &format!("{interfaces}\n{eal}"));
    machine.write_drop_in("links", &kept.collect::<Vec<_>>().join("\n"));
    let before = PORTS.map(|port| seen(&line.middle, port));
    assert!(
        machine.systemctl("start", "links"),
        "{}",
        machine.journal("links")
    );
    assert!(machine.systemctl("stop", "links"));
    assert_eq!(machine.show("links", "Result"), "success");
    assert_eq!(PORTS.map(|port| seen(&line.middle, port)), before);
}

/// Everything that can be seen of a port but counters and times.
fn seen(namespace: &Namespace, port: &str) -> String {
    let link = loop {
        let link = namespace.ip(&["-d", "address", "show", "dev", port]);
        // Until it is no longer, what is shown changes by itself.
        if !link.contains("tentative") {
            break link;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let features = run(namespace.command("ethtool").args(["-k", port]));
    let switch = format!("/proc/sys/net/ipv6/conf/{port}/disable_ipv6");
    let ipv6 = namespace.enter(|| fs::read_to_string(switch)).unwrap();
    format!("{features}{link}disable_ipv6 {ipv6}")
}

/// A line of `/proc/PID/status`.
fn field<'t>(status: &'t str, name: &str) -> &'t str {
    let mut lines = status.lines();
    let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found
        .unwrap_or_else(|| panic!("no {name} in {status}"))
        .trim()
}
