//! How interfaces are left on purpose, and what the next start makes of that.

use super::{PORTS, Place, assert_prepared, claim, has_flag, is_on};
use crate::load::{Hears, Ring, Socket};
use crate::net::Veth;
use sekisho::io::netdev::{OnExit, prepare};
use sekisho::io::port::DeviceFault;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

#[test]
#[ignore = "needs root and network namespaces"]
fn a_bridge_stands_in_until_the_next_start() {
    let place = Place::new();
    let before = place.seen();
    for (host, end) in [(&place.line.subscriber, 1), (&place.line.internet, 2)] {
        host.add_address("wire", &format!("192.0.2.{end}/24"));
        host.add_address("wire", &format!("2001:db8::{end}/64"));
    }
    let on_exit = OnExit::KernelBridge("standin".to_owned());
    let prepared = place.prepare().unwrap();
    place.middle().enter(|| on_exit.check()).unwrap();
    place.exit(prepared, &on_exit);
    for (at, from) in [
        ("192.0.2.2:2525", "192.0.2.1"),
        ("[2001:db8::2]:2525", "2001:db8::1"),
    ] {
        let listener = place.line.internet.enter(|| TcpListener::bind(at)).unwrap();
        let there = place
            .line
            .subscriber
            .enter(|| TcpStream::connect(at))
            .unwrap();
        assert_eq!(listener.accept().unwrap().1.ip().to_string(), from);
        drop(there);
    }
    let bridge = place
        .middle()
        .ip(&["-d", "address", "show", "dev", "standin"]);
    assert!(!bridge.contains("inet"), "{bridge}");
    assert!(
        bridge.contains("stp_state 0") && bridge.contains("NOARP"),
        "{bridge}"
    );
    let port = place.middle().ip(&["-d", "link", "show", "dev", "access"]);
    assert!(
        port.contains("learning off") && port.contains("group_fwd_mask 0xfffd"),
        "{port}"
    );

    let next = place.prepare().unwrap();
    assert_prepared(place.middle());
    assert!(!place.middle().ip(&["link"]).contains("standin"));
    place.middle().enter(|| drop(next));
    place.assert_seen(&before);
    assert_eq!(place.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_bridge_that_cannot_be_made_leaves_the_interfaces_as_they_were() {
    let place = Place::new();
    let before = place.seen();
    place
        .middle()
        .ip(&["link", "add", "name", "taken", "type", "bridge"]);
    let on_exit = OnExit::KernelBridge("taken".to_owned());
    let checked = place.middle().enter(|| on_exit.check()).unwrap_err();
    assert_eq!(checked.fault, DeviceFault::Busy);
    let prepared = place.prepare().unwrap();
    let error = place
        .middle()
        .enter(|| prepared.exit(&on_exit))
        .unwrap_err();
    assert!(error.message.contains("taken"), "{error}");
    assert!(
        place.middle().ip(&["link"]).contains("taken"),
        "it is not ours"
    );
    place.assert_seen(&before);
    assert_eq!(place.files(), 0);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn links_that_were_left_down_are_up_again_after_the_next_run() {
    let place = Place::new();
    let before = place.seen();
    let prepared = place.prepare().unwrap();
    place.exit(prepared, &OnExit::LinkDown);
    for port in PORTS {
        assert!(!has_flag(place.middle(), port, "UP"));
        assert!(is_on(place.middle(), port, "generic-receive-offload"));
    }
    assert!(!has_flag(&place.line.internet, "wire", "LOWER_UP"));
    // Somebody else's start does not take them up.
    Veth::new((place.middle(), "third"), (&place.line.internet, "third")).make();
    place
        .middle()
        .enter(|| prepare(claim(&["third"])?, place.folder()).map(drop))
        .unwrap();
    assert!(!has_flag(place.middle(), "access", "UP"));
    let next = place.prepare().unwrap();
    assert_prepared(place.middle());
    place.middle().enter(|| drop(next));
    place.assert_seen(&before);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_bridge_passes_what_the_kernel_lets_pass_and_says_nothing_itself() {
    let place = Place::new();
    let prepared = place.prepare().unwrap();
    let on_exit = OnExit::KernelBridge("standin".to_owned());
    let check = || place.middle().enter(|| on_exit.check()).unwrap();
    // Where the kernel lets the firewall look at bridged packets, it drops what is no sound IP.
    for switch in ["iptables", "ip6tables", "arptables"] {
        let key = format!("net/bridge/bridge-nf-call-{switch}");
        if Path::new("/proc/sys").join(&key).exists() {
            place.middle().set(&key, "1");
            let name = format!("net.bridge.bridge-nf-call-{switch}=0");
            assert!(check().concat().contains(&name), "{switch}");
            place.middle().set(&key, "0");
        }
    }
    assert_eq!(check(), [""; 0]);
    place.exit(prepared, &on_exit);
    let told_before = place.line.subscriber.counters("wire").rx_packets;
    let mut heard = Ring::open(&place.line.internet, "wire", 4);
    let sender = Socket::open(&place.line.subscriber, "wire", Hears::Nothing);
    let (passing, pause) = frames();
    for sent in passing.iter().chain([&pause]) {
        assert_eq!(sender.send(std::slice::from_ref(sent)).unwrap(), 1);
    }
    let (mut came, mut whole) = (Vec::new(), Vec::new());
    while heard.read(Duration::from_secs(3), |seen| {
        seen.write(&mut whole);
        came.push(whole.clone());
    }) {}
    // All that were sent but the pause, and no other in the seconds that the bridge stands.
    let missing: Vec<_> = passing.iter().filter(|sent| !came.contains(sent)).collect();
    let foreign: Vec<_> = came.iter().filter(|one| !passing.contains(one)).collect();
    assert!(
        came == passing,
        "missing {missing:02x?}, foreign {foreign:02x?}"
    );
    assert_eq!(
        place.line.subscriber.counters("wire").rx_packets,
        told_before
    );
}

/// Frames that a bridge passes, and one that none does.
fn frames() -> (Vec<Vec<u8>>, Vec<u8>) {
    let host = |last: u8| [2, 0, 0, 0, 0, last];
    let group = |last: u8| [0x01, 0x80, 0xc2, 0, 0, last];
    let frame = |to: [u8; 6], rest: &[u8]| {
        let mut frame = [&to[..], &host(9), rest].concat();
        frame.resize(60, 0xa5);
        frame
    };
    let two_tags = [0x88, 0xa8, 0, 200, 0x81, 0, 0, 42, 0x88, 0xb5];
    let passing = vec![
        // Spanning tree, LACP, EAPOL, LLDP, and whatever else these groups are for.
        frame(group(0x00), &[0, 38, 0x42, 0x42, 3]),
        frame(group(0x02), &[0x88, 0x09, 1]),
        frame(group(0x03), &[0x88, 0x8e]),
        frame(group(0x0e), &[0x88, 0xcc]),
        frame(group(0x0f), &[0x88, 0xb5]),
        // A group that nobody joined, a host that nobody has heard of, and one on both sides.
        frame([0x01, 0, 0x5e, 0x7f, 0, 1], &[8, 0, 0x45]),
        frame(host(7), &[0x88, 0xb5]),
        frame(host(9), &[0x88, 0xb5]),
        frame(host(7), &[0x81, 0, 0, 100, 0x88, 0xb5]),
        frame(host(7), &two_tags),
    ];
    (passing, frame(group(0x01), &[0x88, 0x08]))
}
