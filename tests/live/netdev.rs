//! Interfaces that are prepared and put back, compared with what `ethtool`, `ip` and `/proc` say.

use crate::net::{Namespace, Running, Veth, run};
use rustix::process::Signal;
use sekisho::io::netdev::{Claim, Interface, NetDevice, OnExit, Prepared, prepare, recover};
use sekisho::io::port::{Device, DeviceError, DeviceFault, Link};
use serde_json::Value;
use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

const PORTS: [&str; 2] = ["access", "network"];

/// Both ends of a wire through the box, as an operator may have left its interfaces: up, with
/// offloads and IPv6 on.
struct Line {
    subscriber: Namespace,
    between: Namespace,
    internet: Namespace,
    folder: tempfile::TempDir,
}

impl Line {
    fn new() -> Self {
        let line = Self {
            subscriber: Namespace::new("subscriber"),
            between: Namespace::new("box"),
            internet: Namespace::new("internet"),
            folder: tempfile::tempdir().unwrap(),
        };
        let (between, subscriber) = (&line.between, &line.subscriber);
        Veth::new((between, "access"), (subscriber, "wire")).make();
        Veth::new((between, "network"), (&line.internet, "wire")).make();
        for port in PORTS {
            run(between.command("ethtool").args(["-K", port]).args([
                "tx", "on", "tso", "on", "gso", "on", "gro", "on", "rxvlan", "on", "txvlan", "on",
            ]));
            between.set(&format!("net/ipv6/conf/{port}/disable_ipv6"), "0");
        }
        between.ip(&[
            "address",
            "add",
            "2001:db8:77::1/64",
            "dev",
            "access",
            "nodad",
        ]);
        // Until the link-local addresses are no longer tentative, what is shown changes by itself.
        let deadline = Instant::now() + Duration::from_secs(10);
        while between.ip(&["address"]).contains("tentative") {
            assert!(Instant::now() < deadline);
            sleep(Duration::from_millis(50));
        }
        line
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn prepare(&self) -> Result<Prepared, DeviceError> {
        self.between
            .enter(|| prepare(claim(&PORTS)?, self.folder()))
    }

    /// Everything that can be seen of the box's interfaces but counters and times.
    fn seen(&self) -> String {
        PORTS.map(|port| seen(&self.between, port)).concat()
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder()).unwrap().count()
    }
}

fn claim(ports: &[&str]) -> Result<Claim, DeviceError> {
    let interfaces = ports.iter().map(|port| Interface::named(port));
    Claim::of(interfaces.collect::<Result<_, _>>()?)
}

fn seen(namespace: &Namespace, port: &str) -> String {
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

#[test]
#[ignore = "needs root and network namespaces"]
fn what_is_set_while_prepared_is_afterwards_as_before() {
    let line = Line::new();
    let before = line.seen();
    assert!(is_on(&line.between, "access", "rx-vlan-offload"));
    assert!(before.contains("promiscuity 0"), "{before}");
    let prepared = line.prepare().unwrap();
    assert_prepared(&line.between);
    let notes = prepared.notes().join("\n");
    assert!(
        notes.contains("access: has the address 2001:db8:77::1/64"),
        "{notes}"
    );
    assert_eq!(line.files(), 2);
    drop(prepared);
    assert_eq!(line.seen(), before);
    assert_eq!(line.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn interfaces_that_were_down_are_down_afterwards_and_a_new_name_does_not_hide_them() {
    let line = Line::new();
    for port in PORTS {
        line.between.ip(&["link", "set", "dev", port, "down"]);
    }
    let before = line.seen();
    let prepared = line.prepare().unwrap();
    assert_prepared(&line.between);
    let rename = |from: &str, to: &str| {
        line.between.ip(&["link", "set", "dev", from, "down"]);
        line.between.ip(&["link", "set", "dev", from, "name", to]);
    };
    rename("access", "renamed");
    let faults = line
        .between
        .enter(|| prepared.exit(&OnExit::Leave))
        .unwrap();
    assert_eq!(faults, [""; 0]);
    rename("renamed", "access");
    assert_eq!(line.seen(), before);
}

/// Also the child that is killed: it is this test again, with the folder in its environment.
#[test]
#[ignore = "needs root and network namespaces"]
fn what_the_first_of_several_killed_runs_found_is_put_back() {
    const CHILD: &str = "SEKISHO_TEST_PREPARES_IN";
    if let Some(folder) = std::env::var_os(CHILD) {
        let folder = Path::new(&folder);
        let _prepared = prepare(claim(&PORTS).unwrap(), folder).unwrap();
        fs::write(folder.join("ready"), "").unwrap();
        sleep(Duration::from_secs(60));
        panic!("nobody killed it");
    }
    let line = Line::new();
    let before = line.seen();
    let kill_one = || {
        let test = "netdev::what_the_first_of_several_killed_runs_found_is_put_back";
        let program = std::env::current_exe().unwrap();
        let mut command = line.between.command(program.to_str().unwrap());
        command.args(["--exact", test, "--include-ignored", "--nocapture"]);
        let mut child = Running::start(command.env(CHILD, line.folder()));
        let deadline = Instant::now() + Duration::from_secs(20);
        while !line.folder().join("ready").exists() {
            assert!(child.is_running() && Instant::now() < deadline);
            sleep(Duration::from_millis(20));
        }
        let refused = line.prepare().unwrap_err();
        assert_eq!(refused.fault, DeviceFault::Busy);
        let who = format!("process {}", child.id());
        assert!(refused.message.contains(&who), "{refused}");
        // What is in use is not put back.
        let notes = line.between.enter(|| recover(line.folder())).unwrap();
        assert_eq!(notes, [""; 0]);
        assert_prepared(&line.between);
        child.signal(Signal::KILL);
        child.wait(Duration::from_secs(10));
        fs::remove_file(line.folder().join("ready")).unwrap();
        assert!(!is_on(&line.between, "access", "rx-vlan-offload"));
        assert_eq!(link(&line.between, "access")["promiscuity"], 0);
    };
    kill_one();
    kill_one();
    let third = line.prepare().unwrap();
    assert!(
        third
            .notes()
            .join("\n")
            .contains("an earlier run was killed"),
        "{:?}",
        third.notes()
    );
    assert_prepared(&line.between);
    drop(third);
    assert_eq!(line.seen(), before);
    assert_eq!(line.files(), 0);

    kill_one();
    let notes = line.between.enter(|| recover(line.folder())).unwrap();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert_eq!(line.seen(), before);
    assert_eq!(line.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_failure_in_the_middle_undoes_what_was_done() {
    let line = Line::new();
    let before = seen(&line.between, "access");
    let claim = line.between.enter(|| claim(&PORTS)).unwrap();
    line.between.ip(&["link", "delete", "network"]);
    let error = line
        .between
        .enter(|| prepare(claim, line.folder()))
        .unwrap_err();
    assert_eq!(error.fault, DeviceFault::Gone);
    assert!(error.message.starts_with("network: "), "{error}");
    assert_eq!(seen(&line.between, "access"), before);
    assert_eq!(line.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn an_interface_has_one_owner_in_its_own_network_only() {
    let (one, other) = (Namespace::new("one"), Namespace::new("other"));
    Veth::new((&one, "same"), (&other, "same")).make();
    let first = one.enter(|| claim(&["same"])).unwrap();
    let index = first.interfaces()[0].index;
    assert_eq!(
        other.enter(|| Interface::named("same")).unwrap().index,
        index
    );
    let second = other.enter(|| claim(&["same"])).unwrap();
    let refused = one.enter(|| claim(&["same"])).unwrap_err();
    assert_eq!(refused.fault, DeviceFault::Busy);
    let who = format!("process {}", std::process::id());
    assert!(refused.message.contains(&who), "{refused}");
    drop(first);
    drop(one.enter(|| claim(&["same"])).unwrap());
    drop(second);
    let twice = one.enter(|| claim(&["same", "same"])).unwrap_err();
    assert_eq!(twice.fault, DeviceFault::Shape);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn the_host_says_nothing_where_it_is_prepared() {
    let line = Line::new();
    // As they are when a machine starts: everything is said when they come up.
    for port in PORTS {
        line.between.ip(&["link", "set", "dev", port, "down"]);
    }
    line.between
        .ip(&["address", "add", "192.0.2.1/24", "dev", "network"]);
    let prepared = line
        .between
        .enter(|| prepare(claim(&["network"])?, line.folder()))
        .unwrap();
    line.between.ip(&["link", "set", "dev", "access", "up"]);
    // Whom nobody answers.
    line.internet.add_address("wire", "192.0.2.2/24");
    let asking = line
        .internet
        .enter(|| UdpSocket::bind("192.0.2.2:0"))
        .unwrap();
    for _ in 0..4 {
        let _ = asking.send_to(b"who has it?", "192.0.2.1:9");
        sleep(Duration::from_secs(1));
    }
    assert!(
        line.internet.counters("wire").tx_packets >= 2,
        "nobody asked"
    );
    assert_eq!(line.internet.counters("wire").rx_packets, 0);
    // What is not prepared asks for routers and tells of its groups in the same time.
    assert!(line.subscriber.counters("wire").rx_packets > 0);
    drop(prepared);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_bridge_stands_in_until_the_next_start() {
    let line = Line::new();
    let before = line.seen();
    for (host, end) in [(&line.subscriber, 1), (&line.internet, 2)] {
        host.add_address("wire", &format!("192.0.2.{end}/24"));
        host.add_address("wire", &format!("2001:db8::{end}/64"));
    }
    let on_exit = OnExit::KernelBridge("standin".to_owned());
    let prepared = line.prepare().unwrap();
    line.between.enter(|| on_exit.check()).unwrap();
    line.between.enter(|| prepared.exit(&on_exit)).unwrap();
    for (at, from) in [
        ("192.0.2.2:2525", "192.0.2.1"),
        ("[2001:db8::2]:2525", "2001:db8::1"),
    ] {
        let listener = line.internet.enter(|| TcpListener::bind(at)).unwrap();
        let there = line.subscriber.enter(|| TcpStream::connect(at)).unwrap();
        assert_eq!(listener.accept().unwrap().1.ip().to_string(), from);
        drop(there);
    }
    let bridge = line
        .between
        .ip(&["-d", "address", "show", "dev", "standin"]);
    assert!(!bridge.contains("inet"), "{bridge}");
    assert!(
        bridge.contains("stp_state 0") && bridge.contains("NOARP"),
        "{bridge}"
    );
    let port = line.between.ip(&["-d", "link", "show", "dev", "access"]);
    assert!(
        port.contains("learning off") && port.contains("group_fwd_mask 0xfffd"),
        "{port}"
    );

    let next = line.prepare().unwrap();
    assert_prepared(&line.between);
    assert!(!line.between.ip(&["link"]).contains("standin"));
    drop(next);
    assert_eq!(line.seen(), before);
    assert_eq!(line.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_bridge_that_cannot_be_made_leaves_the_interfaces_as_they_were() {
    let line = Line::new();
    let before = line.seen();
    line.between
        .ip(&["link", "add", "name", "taken", "type", "bridge"]);
    let on_exit = OnExit::KernelBridge("taken".to_owned());
    let checked = line.between.enter(|| on_exit.check()).unwrap_err();
    assert_eq!(checked.fault, DeviceFault::Busy);
    let prepared = line.prepare().unwrap();
    let error = line.between.enter(|| prepared.exit(&on_exit)).unwrap_err();
    assert!(error.message.contains("taken"), "{error}");
    assert!(
        line.between.ip(&["link"]).contains("taken"),
        "it is not ours"
    );
    assert_eq!(line.seen(), before);
    assert_eq!(line.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn links_that_were_left_down_are_up_again_after_the_next_run() {
    let line = Line::new();
    let before = line.seen();
    let prepared = line.prepare().unwrap();
    let faults = line
        .between
        .enter(|| prepared.exit(&OnExit::LinkDown))
        .unwrap();
    assert_eq!(faults, [""; 0]);
    for port in PORTS {
        assert!(!has_flag(&line.between, port, "UP"));
        assert!(is_on(&line.between, port, "generic-receive-offload"));
    }
    assert!(!has_flag(&line.internet, "wire", "LOWER_UP"));
    // Somebody else's start does not take them up.
    Veth::new((&line.between, "third"), (&line.internet, "third")).make();
    drop(
        line.between
            .enter(|| prepare(claim(&["third"])?, line.folder()))
            .unwrap(),
    );
    assert!(!has_flag(&line.between, "access", "UP"));
    let next = line.prepare().unwrap();
    assert_prepared(&line.between);
    drop(next);
    assert_eq!(line.seen(), before);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_device_tells_of_its_link_and_of_its_end() {
    let line = Line::new();
    let found = line.between.enter(|| Interface::named("access")).unwrap();
    assert_eq!(
        (found.driver.as_deref(), found.mtu_bytes),
        (Some("veth"), 1500)
    );
    assert_eq!(
        (found.rx_queues, found.carrier, found.admin_up),
        (1, true, true)
    );
    assert!(found.offloads_on.contains(&"rx-vlan-hw-parse".to_owned()));
    let mut device = line.between.enter(|| NetDevice::watch(&found)).unwrap();
    assert_eq!(device.link(), Link::Up);
    device.set_link(false).unwrap();
    assert_eq!(device.link(), Link::Down);
    assert!(!has_flag(&line.subscriber, "wire", "LOWER_UP"));
    device.set_link(true).unwrap();
    wait_for(&mut device, Link::Up);
    line.subscriber.ip(&["link", "set", "dev", "wire", "down"]);
    wait_for(&mut device, Link::Down);
    line.between.ip(&["link", "delete", "access"]);
    assert_eq!(device.link(), Link::Gone);
    Veth::new((&line.between, "access"), (&line.subscriber, "wire")).make();
    assert_eq!(device.link(), Link::Gone, "another one took the name");
    assert_eq!(device.set_link(true).unwrap_err().fault, DeviceFault::Gone);
    assert_eq!(device.losses().len(), 8);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn what_the_kernel_drops_is_counted_from_when_it_is_watched() {
    let line = Line::new();
    let sender = &line.subscriber;
    sender.ip(&["link", "set", "dev", "wire", "mtu", "9000"]);
    sender.add_address("wire", "192.0.2.1/24");
    sender.ip(&[
        "neighbour",
        "add",
        "192.0.2.9",
        "lladdr",
        "02:00:00:00:00:09",
        "dev",
        "wire",
    ]);
    let socket = sender.enter(|| UdpSocket::bind("192.0.2.1:0")).unwrap();
    // Too long for the other end of the wire.
    let send = |frames| (0..frames).for_each(|_| drop(socket.send_to(&[0; 8000], "192.0.2.9:9")));
    send(3);
    let found = sender.enter(|| Interface::named("wire")).unwrap();
    let mut device = sender.enter(|| NetDevice::watch(&found)).unwrap();
    assert!(device.losses().iter().all(|loss| loss.frames == 0));
    let before = sender.counters("wire").tx_dropped;
    assert!(before >= 3);
    send(5);
    let dropped = device
        .losses()
        .into_iter()
        .find(|loss| loss.counter == "tx_dropped");
    assert_eq!(dropped.unwrap().frames, 5);
    assert_eq!(sender.counters("wire").tx_dropped - before, 5);
}

fn wait_for(device: &mut NetDevice, link: Link) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while device.link() != link {
        assert!(Instant::now() < deadline, "{:?}", device.link());
        sleep(Duration::from_millis(20));
    }
}
