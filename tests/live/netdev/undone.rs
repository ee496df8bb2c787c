//! What is set, and put back whatever happens.

use super::{PORTS, Place, assert_prepared, assert_same, claim, is_on, link, seen};
use crate::net::Running;
use rustix::process::Signal;
use rustix::thread::CapabilitySet;
use sekisho::io::netdev::{Capability, OnExit, capabilities_missing, prepare, recover};
use sekisho::io::port::DeviceFault;
use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

#[test]
#[ignore = "needs root and network namespaces"]
fn what_is_set_while_prepared_is_afterwards_as_before() {
    let place = Place::new();
    let before = place.seen();
    assert!(is_on(place.middle(), "access", "rx-vlan-offload"));
    assert!(before.contains("promiscuity 0"), "{before}");
    let prepared = place.prepare().unwrap();
    assert_prepared(place.middle());
    let notes = prepared.notes().join("\n");
    assert!(
        notes.contains("access: has the address 2001:db8:77::1/64"),
        "{notes}"
    );
    assert_eq!(place.files(), 2);
    place.middle().enter(|| drop(prepared));
    place.assert_seen(&before);
    assert_eq!(place.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn interfaces_that_were_down_are_down_afterwards_and_a_new_name_does_not_hide_them() {
    let place = Place::new();
    for port in PORTS {
        place.middle().ip(&["link", "set", "dev", port, "down"]);
    }
    let before = place.seen();
    let prepared = place.prepare().unwrap();
    assert_prepared(place.middle());
    let rename = |from: &str, to: &str| {
        place.middle().ip(&["link", "set", "dev", from, "down"]);
        place.middle().ip(&["link", "set", "dev", from, "name", to]);
    };
    rename("access", "renamed");
    place.exit(prepared, &OnExit::Leave);
    rename("renamed", "access");
    place.assert_seen(&before);
}

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
    let place = Place::new();
    let before = place.seen();
    let kill_one = || {
        let test = "netdev::undone::what_the_first_of_several_killed_runs_found_is_put_back";
        let program = std::env::current_exe().unwrap();
        let mut command = place.middle().command(program.to_str().unwrap());
        command.args(["--exact", test, "--include-ignored", "--nocapture"]);
        let mut child = Running::start(command.env(CHILD, place.folder()));
        let deadline = Instant::now() + Duration::from_secs(20);
        while !place.folder().join("ready").exists() {
            assert!(child.is_running() && Instant::now() < deadline);
            sleep(Duration::from_millis(20));
        }
        let refused = place.prepare().unwrap_err();
        assert_eq!(refused.fault, DeviceFault::Busy);
        let who = format!("process {}", child.id());
        assert!(refused.message.contains(&who), "{refused}");
        // What is in use is not put back.
        let notes = place.middle().enter(|| recover(place.folder())).unwrap();
        assert_eq!(notes, [""; 0]);
        assert_prepared(place.middle());
        child.signal(Signal::KILL);
        child.wait(Duration::from_secs(10));
        fs::remove_file(place.folder().join("ready")).unwrap();
        assert!(!is_on(place.middle(), "access", "rx-vlan-offload"));
        assert_eq!(link(place.middle(), "access")["promiscuity"], 0);
    };
    kill_one();
    kill_one();
    let third = place.prepare().unwrap();
    assert!(
        third
            .notes()
            .join("\n")
            .contains("an earlier run was killed"),
        "{:?}",
        third.notes()
    );
    assert_prepared(place.middle());
    place.middle().enter(|| drop(third));
    place.assert_seen(&before);
    assert_eq!(place.files(), 0);

    kill_one();
    let notes = place.middle().enter(|| recover(place.folder())).unwrap();
    assert_eq!(notes.len(), 2, "{notes:?}");
    place.assert_seen(&before);
    assert_eq!(place.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_failure_in_the_middle_undoes_what_was_done() {
    let place = Place::new();
    let before = seen(place.middle(), "access");
    let claim = place.middle().enter(|| claim(&PORTS)).unwrap();
    place.middle().ip(&["link", "delete", "network"]);
    let error = place
        .middle()
        .enter(|| prepare(claim, place.folder()))
        .unwrap_err();
    assert_eq!(error.fault, DeviceFault::Gone);
    assert!(error.message.starts_with("network: "), "{error}");
    assert_same(&seen(place.middle(), "access"), &before);
    assert_eq!(place.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn the_host_says_nothing_where_it_is_prepared() {
    let place = Place::new();
    // As they are when a machine starts: everything is said when they come up.
    for port in PORTS {
        place.middle().ip(&["link", "set", "dev", port, "down"]);
    }
    place
        .middle()
        .ip(&["address", "add", "192.0.2.1/24", "dev", "network"]);
    let told = || {
        let hosts = [&place.line.subscriber, &place.line.internet];
        hosts.map(|host| host.counters("wire").rx_packets)
    };
    let before = told();
    let only_one = || prepare(claim(&["network"])?, place.folder());
    let prepared = place.middle().enter(only_one).unwrap();
    place.middle().ip(&["link", "set", "dev", "access", "up"]);
    // Whom nobody answers.
    let asking = &place.line.internet;
    asking.add_address("wire", "192.0.2.2/24");
    let socket = asking.enter(|| UdpSocket::bind("192.0.2.2:0")).unwrap();
    let asked_before = asking.counters("wire").tx_packets;
    for _ in 0..4 {
        let _ = socket.send_to(b"who has it?", "192.0.2.1:9");
        sleep(Duration::from_secs(1));
    }
    let asked = asking.counters("wire").tx_packets - asked_before;
    assert!(asked >= 2, "{asked} questions");
    let now = told();
    assert_eq!(now[1], before[1]);
    // What is not prepared asks for routers and tells of its groups in the same time.
    assert!(now[0] > before[0]);
    place.middle().enter(|| drop(prepared));
}

#[test]
#[ignore = "needs root and network namespaces"]
fn without_the_right_to_nothing_is_changed_and_the_right_is_named() {
    let place = Place::new();
    let before = place.seen();
    // Of the thread that it is done on only.
    let (named, refused) = place.middle().enter(|| {
        let mut sets = rustix::thread::capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::NET_ADMIN);
        rustix::thread::set_capabilities(None, sets).unwrap();
        let needed = [Capability::NetRaw, Capability::NetAdmin];
        let claim = claim(&PORTS).unwrap();
        let refused = prepare(claim, place.folder()).unwrap_err();
        (capabilities_missing(&needed).unwrap_err(), refused)
    });
    for error in [&named, &refused] {
        assert_eq!(error.fault, DeviceFault::Permission);
    }
    assert!(named.message.ends_with("lacks CAP_NET_ADMIN"), "{named}");
    assert!(
        refused
            .message
            .starts_with("access: ARP cannot be switched off"),
        "{refused}"
    );
    place.assert_seen(&before);
    assert_eq!(place.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn what_is_no_wire_or_has_another_user_is_refused() {
    let place = Place::new();
    let refused = |name: &str| {
        let try_it = || prepare(claim(&[name]).unwrap(), place.folder()).unwrap_err();
        let refused = place.middle().enter(try_it);
        assert_eq!(place.files(), 0);
        refused
    };
    let loopback = refused("lo");
    assert_eq!(loopback.fault, DeviceFault::Shape);
    place
        .middle()
        .ip(&["link", "add", "name", "theirs", "type", "bridge"]);
    place
        .middle()
        .ip(&["link", "set", "dev", "network", "master", "theirs"]);
    let part = refused("network");
    assert_eq!(part.fault, DeviceFault::Busy);
    assert!(part.message.contains("a part of theirs"), "{part}");
}

#[cfg(feature = "af-xdp")]
#[test]
#[ignore = "needs root and network namespaces"]
fn what_somebodys_program_takes_the_frames_of_is_refused() {
    use sekisho::io::afxdp::{Options, open};

    let place = Place::new();
    let options = Options {
        ring_frames: 1_024,
        umem_frames: 4_096,
        ..Options::new(PORTS[0], PORTS[1], 1)
    };
    let opened = place.middle().enter(|| open(&options)).unwrap();
    let refused = place.prepare().unwrap_err();
    assert_eq!(refused.fault, DeviceFault::Busy);
    assert!(
        refused
            .message
            .contains("access: somebody has attached an XDP program"),
        "{refused}"
    );
    drop(opened);
    place.middle().enter(|| drop(place.prepare().unwrap()));
}
