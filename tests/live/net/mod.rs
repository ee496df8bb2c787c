//! Network namespaces, and the wires between them: made by a test, gone with it.
//!
//! ```text
//!   subscriber             box                internet
//!  ┌──────────┐      ┌───────────────┐      ┌──────────┐
//!  │ wire ────┼──────┼─ access   …   │      │          │
//!  │          │      │      network ─┼──────┼─ wire    │
//!  └──────────┘      └───────────────┘      └──────────┘
//! ```
//! Every name carries the number of the process that made it: two runs do not meet, and a later run
//! knows what a killed one left behind.

mod leftovers;
mod link;
mod namespace;
mod running;
mod tool;

pub(crate) use link::Veth;
pub(crate) use namespace::Namespace;
pub(crate) use running::Running;
pub(crate) use tool::run;

/// Two hosts at the ends of one wire.
#[test]
#[ignore = "needs root and network namespaces"]
fn two_hosts_talk_over_a_wire() {
    let (a, b) = (Namespace::new("a"), Namespace::new("b"));
    Veth::new((&a, "wire"), (&b, "wire")).make();
    for (host, end) in [(&a, 1), (&b, 2)] {
        host.add_address("wire", &format!("192.0.2.{end}/30"));
        host.add_address("wire", &format!("2001:db8::{end}/64"));
        host.add_address("wire", &format!("198.51.100.{end}/32"));
        host.add_route("198.51.100.0/24", "wire");
    }
    for (at, from) in [
        ("192.0.2.2:2525", "192.0.2.1"),
        ("[2001:db8::2]:2525", "2001:db8::1"),
        ("198.51.100.2:2525", "192.0.2.1"),
    ] {
        let listener = b.enter(|| std::net::TcpListener::bind(at)).unwrap();
        let there = a.enter(|| std::net::TcpStream::connect(at)).unwrap();
        let (_, found) = listener.accept().unwrap();
        assert_eq!(found.ip().to_string(), from);
        drop(there);
    }
    assert!(a.counters("wire").tx_packets >= 9);
}

#[test]
#[ignore = "needs root and network namespaces"]
fn nothing_is_left_of_a_namespace_even_after_a_panic() {
    let name = std::thread::spawn(|| {
        let host = Namespace::new("short");
        let name = host.name().to_owned();
        let mut sleeper = Running::start(host.command("sleep").arg("60"));
        assert!(sleeper.is_running());
        sleeper.signal(rustix::process::Signal::TERM);
        let ended = sleeper.wait(std::time::Duration::from_secs(10));
        assert!(!ended.success(), "process {}", sleeper.id());
        let _other = Running::start(host.command("sleep").arg("60"));
        std::panic::panic_any(name);
    })
    .join()
    .unwrap_err();
    let name = name.downcast_ref::<String>().unwrap();
    assert!(!Namespace::exists(name), "{name} is still there");
}
