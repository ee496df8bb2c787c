//! Rejected connections, as a real TCP stack sees them: `connect()` fails at once, with the error
//! that the answer stands for.
//!
//! ```text
//!  198.51.100.9, 2001:db8:100::9 ─── box ─── 203.0.113.25, 2001:db8:e::25, each on 25 and 587
//! ```

mod flood;

use crate::line::Line;
use crate::net::Namespace;
use crate::program::{Driver, Pipeline, Policy};
use crate::wrapping::Wrapping;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

const SUBSCRIBER: [&str; 2] = ["198.51.100.9", "2001:db8:100::9"];
const PEER: [&str; 2] = ["203.0.113.25", "2001:db8:e::25"];

/// Long before a second SYN, which follows a second after the first.
const AT_ONCE: Duration = Duration::from_millis(500);

/// How long a client waits whom nobody answers.
const PATIENCE: Duration = Duration::from_secs(3);

/// How a rule answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Icmp,
    Rst,
}

impl Answer {
    /// A policy under which `home` lines may not call port 25 of others, and are told so.
    fn policy(self) -> Policy {
        let word = match self {
            Self::Icmp => "icmp",
            Self::Rst => "rst",
        };
        let policy = Policy::new(None, &[]);
        policy.replace(&format!(
            "\
isp: example-net
time_zone: Asia/Tokyo
reply-source: {{ ipv4: 192.0.2.254, ipv6: \"2001:db8:25::fe\" }}
plans:
  home: {{ kind: dynamic }}
destinations:
  own: {{ prefixes: [192.0.2.16/28, 2001:db8:25::/64] }}
subscribers:
  - {{ plan: home, prefixes: [198.51.100.0/25, 2001:db8:100::/48] }}
rules:
  - name: op25b
    kinds: [dynamic]
    to-other-than: [own]
    action: {{ reject: {word} }}
"
        ));
        policy
    }

    /// What Linux makes of it, over IPv4 and over IPv6.
    fn errors(self) -> [Errno; 2] {
        match self {
            Self::Icmp => [Errno::HOSTUNREACH, Errno::ACCESS],
            Self::Rst => [Errno::CONNREFUSED; 2],
        }
    }
}

/// Gives both hosts their addresses, and the peer its servers.
fn furnish(line: &Line) -> Vec<TcpListener> {
    for (host, addresses) in [(&line.subscriber, SUBSCRIBER), (&line.internet, PEER)] {
        let [four, six] = addresses;
        host.add_address("wire", &format!("{four}/32"));
        host.add_address("wire", &format!("{six}/128"));
    }
    for network in ["203.0.113.0/24", "192.0.2.0/24", "2001:db8::/32"] {
        line.subscriber.add_route(network, "wire");
    }
    for network in ["198.51.100.0/24", "2001:db8::/32"] {
        line.internet.add_route(network, "wire");
    }
    let ports = PEER.iter().flat_map(|peer| [(peer, 25), (peer, 587)]);
    let places = ports.map(|(peer, port)| SocketAddr::new(peer.parse().unwrap(), port));
    line.internet.enter(|| {
        places
            .map(|place| TcpListener::bind(place).unwrap())
            .collect()
    })
}

/// What `connect()` gives, and after how long.
fn attempt(host: &Namespace, from: &str, to: &str, port: u16) -> (Result<(), Errno>, Duration) {
    let [from, to]: [IpAddr; 2] = [from, to].map(|address| address.parse().unwrap());
    host.enter(|| {
        let family = match to {
            IpAddr::V4(_) => AddressFamily::INET,
            IpAddr::V6(_) => AddressFamily::INET6,
        };
        let socket = socket(family, SocketType::STREAM, None).unwrap();
        set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE)).unwrap();
        bind(&socket, &SocketAddr::new(from, 0)).unwrap();
        let begun = Instant::now();
        let found = connect(&socket, &SocketAddr::new(to, port));
        (found, begun.elapsed())
    })
}

/// Both families, both ports, several times.
fn clients_are_told(driver: Driver, wrapping: Wrapping, answer: Answer) {
    let line = Line::new(wrapping);
    let _servers = furnish(&line);
    let policy = answer.policy();
    let pipeline = Pipeline::new(driver, &[&policy.file()]);
    let program = pipeline.start(&line);
    let mut slowest = Duration::ZERO;
    for ((from, to), error) in SUBSCRIBER.into_iter().zip(PEER).zip(answer.errors()) {
        // The two hosts know each other's link addresses after it.
        let (found, _) = attempt(&line.subscriber, from, to, 587);
        assert_eq!(found, Ok(()), "{from} to {to}, port 587");
        for _ in 0..5 {
            let (found, after) = attempt(&line.subscriber, from, to, 25);
            assert_eq!(found, Err(error), "{from} to {to}, port 25 after {after:?}");
            slowest = slowest.max(after);
        }
        let (found, _) = attempt(&line.subscriber, from, to, 587);
        assert_eq!(found, Ok(()), "{from} to {to}, port 587");
    }
    println!("{driver:?}, {wrapping:?}, {answer:?}: the slowest of 10 after {slowest:.2?}");
    assert!(slowest < AT_ONCE, "{slowest:?}");
    let end = program.end();
    let balance = end.balance();
    assert_eq!((balance.generated, balance.discarded), (10, 10));
    assert_eq!((balance.tx_full, balance.held), (0, 0));
    let replies = &end.report["stats"]["replies"];
    assert_eq!(replies["generated"], 10, "{replies}");
}

#[test]
#[ignore = "needs root and network namespaces"]
fn connect_fails_at_once_over_af_xdp() {
    clients_are_told(Driver::AfXdp, Wrapping::Plain, Answer::Icmp);
    clients_are_told(Driver::AfXdp, Wrapping::Plain, Answer::Rst);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn connect_fails_at_once_in_a_vlan() {
    clients_are_told(Driver::AfXdp, Wrapping::Vlan, Answer::Icmp);
    clients_are_told(Driver::AfXdp, Wrapping::Vlan, Answer::Rst);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn connect_fails_at_once_in_pppoe_between_two_tags() {
    clients_are_told(Driver::AfXdp, Wrapping::QinqPppoe, Answer::Icmp);
    clients_are_told(Driver::AfXdp, Wrapping::QinqPppoe, Answer::Rst);
}

#[cfg(feature = "dpdk")]
#[test]
#[ignore = "needs root, network namespaces and DPDK"]
fn connect_fails_at_once_over_dpdk() {
    clients_are_told(Driver::Dpdk, Wrapping::Plain, Answer::Icmp);
    clients_are_told(Driver::Dpdk, Wrapping::Plain, Answer::Rst);
}
