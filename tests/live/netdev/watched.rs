//! Whose an interface is, and what becomes of it meanwhile.

use super::{Place, claim, has_flag};
use crate::net::{Namespace, Veth};
use sekisho::io::netdev::{Interface, NetDevice};
use sekisho::io::port::{Device, DeviceFault, Link};
use std::net::UdpSocket;
use std::thread::sleep;
use std::time::{Duration, Instant};

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
fn a_device_tells_of_its_link_and_of_its_end() {
    let place = Place::new();
    let found = place.middle().enter(|| Interface::named("access")).unwrap();
    assert_eq!(
        (found.driver.as_deref(), found.mtu_bytes),
        (Some("veth"), 1500)
    );
    assert_eq!(
        (found.rx_queues, found.carrier, found.admin_up),
        (1, true, true)
    );
    assert!(found.offloads_on.contains(&"rx-vlan-hw-parse".to_owned()));
    let mut device = place.middle().enter(|| NetDevice::watch(&found)).unwrap();
    assert_eq!(device.link(), Link::Up);
    device.set_link(false).unwrap();
    assert_eq!(device.link(), Link::Down);
    assert!(!has_flag(&place.line.subscriber, "wire", "LOWER_UP"));
    device.set_link(true).unwrap();
    wait_for(&mut device, Link::Up);
    place
        .line
        .subscriber
        .ip(&["link", "set", "dev", "wire", "down"]);
    wait_for(&mut device, Link::Down);
    place.middle().ip(&["link", "delete", "access"]);
    assert_eq!(device.link(), Link::Gone);
    Veth::new((place.middle(), "access"), (&place.line.subscriber, "wire")).make();
    assert_eq!(device.link(), Link::Gone, "another one took the name");
    assert_eq!(device.set_link(true).unwrap_err().fault, DeviceFault::Gone);
    assert_eq!(device.losses().len(), 8);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn what_the_kernel_drops_is_counted_from_when_it_is_watched() {
    let place = Place::new();
    let sender = &place.line.subscriber;
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
