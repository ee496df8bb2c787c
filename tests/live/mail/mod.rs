//! Mail between real servers and clients, through the box.
//!
//! ```text
//!  198.51.100.10  home          ┌─────┐   192.0.2.25    example-net's own server
//!  198.51.100.20  office        │     │   192.0.2.50    BB-EAST's own server
//!  198.51.100.200 broadband  ───┤ box ├── 203.0.113.25  another provider's server
//!  198.51.100.230 fixed         │     │
//!  198.51.100.245 dial-up       └─────┘   each on ports 25, 587 and 465
//! ```
//! example-net's subscribers and all servers have IPv6 addresses too. BB-EAST is the policy that is
//! shipped in `config/`; it says nothing of IPv6.

mod client;
mod scenario;
mod server;

use crate::line::Line;
use crate::linux;
use crate::program::Driver;
use crate::wrapping::Wrapping;
use client::{Outcome, hand_in};
use server::Server;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// Who calls.
mod caller {
    pub(super) const HOME: [&str; 2] = ["198.51.100.10", "2001:db8:100::10"];
    pub(super) const NEIGHBOUR: [&str; 2] = ["198.51.100.11", "2001:db8:100::11"];
    pub(super) const OFFICE: [&str; 2] = ["198.51.100.20", "2001:db8:100::20"];
    pub(super) const BB_BROADBAND: &str = "198.51.100.200";
    pub(super) const BB_FIXED: &str = "198.51.100.230";
    pub(super) const BB_DIALUP: &str = "198.51.100.245";
}

/// Who is called.
mod peer {
    pub(super) const OWN: [&str; 2] = ["192.0.2.25", "2001:db8:25::25"];
    pub(super) const BB_OWN: &str = "192.0.2.50";
    pub(super) const ELSEWHERE: [&str; 2] = ["203.0.113.25", "2001:db8:e::25"];
}

/// Both hosts of a line with their addresses, and the mail servers on one of them.
fn furnish(line: &Line) -> Server {
    let (subscriber, internet) = (&line.subscriber, &line.internet);
    let dual = [caller::HOME, caller::NEIGHBOUR, caller::OFFICE].concat();
    let single = [caller::BB_BROADBAND, caller::BB_FIXED, caller::BB_DIALUP];
    for address in dual.iter().chain(&single) {
        subscriber.add_address("wire", &with_length(address));
    }
    let servers = [&peer::OWN[..], &peer::ELSEWHERE, &[peer::BB_OWN]].concat();
    for address in &servers {
        internet.add_address("wire", &with_length(address));
    }
    for network in ["192.0.2.0/24", "203.0.113.0/24", "2001:db8::/32"] {
        subscriber.add_route(network, "wire");
    }
    for network in ["198.51.100.0/24", "2001:db8::/32"] {
        internet.add_route(network, "wire");
    }
    let servers = servers.iter().map(|address| address.parse().unwrap());
    Server::start(internet, &servers.collect::<Vec<IpAddr>>())
}

fn with_length(address: &str) -> String {
    let length = if address.contains(':') { 128 } else { 32 };
    format!("{address}/{length}")
}

/// One attempt, and what has to come of it.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    from: IpAddr,
    to: SocketAddr,
    reaches: bool,
}

impl Attempt {
    fn new(from: &str, to: &str, port: u16, reaches: bool) -> Self {
        Self {
            from: from.parse().unwrap(),
            to: SocketAddr::new(to.parse().unwrap(), port),
            reaches,
        }
    }

    /// Of the same subscriber to the same server over both families.
    fn both(from: [&str; 2], to: [&str; 2], port: u16, reaches: bool) -> Vec<Self> {
        let pairs = from.into_iter().zip(to);
        pairs
            .map(|(from, to)| Self::new(from, to, port, reaches))
            .collect()
    }
}

/// Makes all attempts at once; what is taken has to lie in the mailbox of that server and port, and
/// what is not must meet silence.
fn hold(line: &Line, server: &Server, attempts: &[Attempt]) {
    thread::scope(|scope| {
        for attempt in attempts {
            scope.spawn(move || hold_one(line, server, *attempt));
        }
    });
}

fn hold_one(line: &Line, server: &Server, attempt: Attempt) {
    let words = new_words();
    let (expected, patience_s) = if attempt.reaches {
        (Outcome::Taken, 20)
    } else {
        // Long enough for a second SYN, a second after the first.
        (Outcome::Silence, 3)
    };
    let outcome = hand_in(
        &line.subscriber,
        attempt.from,
        attempt.to,
        patience_s,
        &words,
    );
    assert_eq!(outcome, expected, "{attempt:?}");
    assert!(
        !attempt.reaches || server.has(attempt.to, &words),
        "{attempt:?}: not delivered"
    );
}

/// Words that no other message has.
fn new_words() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("message-{:05}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Everybody to everybody, on all ports: when nothing is blocked, all is taken.
fn open_to_all() -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for port in [25, 587, 465] {
        for from in [caller::HOME, caller::OFFICE] {
            for to in [peer::OWN, peer::ELSEWHERE] {
                attempts.extend(Attempt::both(from, to, port, true));
            }
        }
    }
    for from in [caller::BB_BROADBAND, caller::BB_FIXED, caller::BB_DIALUP] {
        attempts.push(Attempt::new(from, peer::BB_OWN, 25, true));
    }
    attempts
}

/// What is blocked elsewhere is not blocked by the test's own network.
#[test]
#[ignore = "needs root, network namespaces, exim4 and swaks"]
fn where_a_bridge_stands_in_for_the_box_everybody_reaches_everybody() {
    for wrapping in [Wrapping::Plain, Wrapping::QinqPppoe] {
        let line = Line::new(wrapping);
        linux::bridge(&line);
        let server = furnish(&line);
        hold(&line, &server, &open_to_all());
    }
}

/// And the client tells a segment that is dropped from anything else.
#[test]
#[ignore = "needs root, network namespaces, exim4, swaks and nftables"]
fn where_linux_drops_port_25_the_client_meets_silence() {
    let line = Line::new(Wrapping::Plain);
    linux::bridge(&line);
    let hook = "type filter hook forward priority 0";
    linux::filter(
        &line,
        &format!("table bridge t {{\nchain c {{\n{hook}\ntcp dport 25 drop\n}}\n}}\n"),
    );
    let server = furnish(&line);
    let closed = Attempt::both(caller::HOME, peer::ELSEWHERE, 25, false);
    let open = Attempt::both(caller::HOME, peer::ELSEWHERE, 587, true);
    hold(&line, &server, &[closed, open].concat());
}

#[test]
#[ignore = "needs root, network namespaces, exim4 and swaks"]
fn mail_through_af_xdp() {
    scenario::play(Driver::AfXdp, Wrapping::Plain);
}

#[test]
#[ignore = "needs root, network namespaces, exim4 and swaks"]
fn mail_through_af_xdp_in_a_vlan() {
    scenario::play(Driver::AfXdp, Wrapping::Vlan);
}

#[test]
#[ignore = "needs root, network namespaces, exim4 and swaks"]
fn mail_through_af_xdp_in_pppoe_between_two_tags() {
    scenario::play(Driver::AfXdp, Wrapping::QinqPppoe);
}

#[cfg(feature = "dpdk")]
#[test]
#[ignore = "needs root, network namespaces, exim4, swaks and DPDK"]
fn mail_through_dpdk() {
    scenario::play(Driver::Dpdk, Wrapping::Plain);
}

#[cfg(feature = "dpdk")]
#[test]
#[ignore = "needs root, network namespaces, exim4, swaks and DPDK"]
fn mail_through_dpdk_in_a_vlan() {
    scenario::play(Driver::Dpdk, Wrapping::Vlan);
}
