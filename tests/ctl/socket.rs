//! Requests and answers, in their order.

use crate::supervisor::{Client, Supervisor};
use sekisho::control::protocol::{PlanSet, Request};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::Shutdown;
use std::time::{Duration, Instant};

#[test]
fn an_answer_comes_with_the_id_of_its_request() {
    let supervisor = Supervisor::start();
    let mut client = supervisor.client();
    let answer = client.ask(r#"{"version":1,"id":7,"command":"drain"}"#);
    assert_eq!(
        answer.to_string(),
        r#"{"version":1,"id":7,"answer":"draining"}"#
    );
    let answer = client.ask(r#"{"command":"drain","id":"x","version":1}"#);
    assert_eq!(answer["id"], "x");
    let answer = client.ask(r#"{"version":1,"command":"drain"}"#);
    assert_eq!(answer.get("id"), None);
    drop(client);
    let log = supervisor.end();
    assert_eq!(log.len(), 3);
}

#[test]
fn the_kernel_says_who_asks() {
    let supervisor = Supervisor::start();
    supervisor
        .client()
        .ask(r#"{"version":1,"command":"stats"}"#);
    let [(request, who)] = &supervisor.end()[..] else {
        panic!("one request");
    };
    assert_eq!(*request, Request::Stats);
    // Whatever it is called: `id` knows.
    let id = |what| {
        let output = std::process::Command::new("id").arg(what).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let user = std::process::Command::new("id")
        .arg("-un")
        .output()
        .unwrap();
    let expected = match user.status.success() {
        true => format!("uid {} ({})", id("-u"), id("-un")),
        false => format!("uid {}", id("-u")),
    };
    assert_eq!(*who, expected);
}

#[test]
fn ten_thousand_requests_that_wait_for_no_answer_are_answered_in_order() {
    const REQUESTS: u32 = 10_000;
    let supervisor = Supervisor::within(<_>::default(), Duration::from_millis(200));
    let mut client = supervisor.client();
    let mut writing = client.stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        for n in 0..REQUESTS {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + n);
            let line = format!(
                "{{\"version\":1,\"id\":{n},\"command\":\"plan-set\",\"prefix\":\"{address}/32\",\
                 \"plan\":\"fixed\"}}\n"
            );
            writing.write_all(line.as_bytes()).unwrap();
        }
    });
    for n in 0..REQUESTS {
        let answer = client.read().unwrap();
        assert_eq!(answer["id"], n);
        assert_eq!(answer["answer"], "changed");
    }
    writer.join().unwrap();
    drop(client);
    let log = supervisor.end();
    assert_eq!(log.len() as u32, REQUESTS);
    for (n, (request, _)) in (0..).zip(log) {
        let prefix = ipnet::Ipv4Net::from(std::net::Ipv4Addr::from(0x0a00_0000 + n));
        let expected = PlanSet {
            prefix: prefix.into(),
            plan: "fixed".to_owned(),
            ticket: None,
            expires: None,
        };
        assert_eq!(request, Request::PlanSet(expected));
    }
}

#[test]
fn a_client_that_has_said_all_still_gets_its_answers() {
    let supervisor = Supervisor::within(<_>::default(), Duration::from_millis(100));
    let mut client = supervisor.client();
    client.write("{\"version\":1,\"command\":\"drain\"}\n".repeat(50));
    client.stream.shutdown(Shutdown::Write).unwrap();
    for _ in 0..50 {
        assert_eq!(client.read().unwrap()["answer"], "draining");
    }
    assert_eq!(client.read(), None, "then the connection ends");
}

#[test]
fn clients_do_not_wait_for_each_other() {
    let supervisor = Supervisor::start();
    let clients: Vec<_> = (0..20)
        .map(|n| {
            let mut client = supervisor.client();
            std::thread::spawn(move || {
                for _ in 0..50 {
                    let mut line = String::new();
                    let _ = write!(line, r#"{{"version":1,"id":{n},"command":"phases"}}"#);
                    assert_eq!(client.ask(&line)["id"], n);
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    assert_eq!(supervisor.end().len(), 1_000);
}

#[test]
fn the_end_of_the_server_is_the_end_of_every_connection() {
    let mut supervisor = Supervisor::start();
    let mut idle = supervisor.client();
    let mut busy = supervisor.client();
    busy.ask(r#"{"version":1,"command":"stats"}"#);
    let began = Instant::now();
    drop(supervisor.server.take());
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!((idle.read(), busy.read()), (None, None));
    let left: Vec<_> = std::fs::read_dir(supervisor.folder()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    // The inbox is closed with it, which ends the supervisor.
    assert_eq!(supervisor.end().len(), 1);
}

#[test]
fn an_answer_that_was_given_leaves_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.sock");
    let (inbox, asked) = std::sync::mpsc::channel::<sekisho::control::protocol::Asked>();
    let server = sekisho::control::socket::Server::bind(&path, None, inbox).unwrap();
    let mut client = Client::at(&path);
    client.write("{\"version\":1,\"command\":\"drain\"}\n{\"version\":1,\"command\":\"stats\"}\n");
    let drain = asked.recv().unwrap();
    let stats = asked.recv().unwrap();
    drain
        .answer
        .send(sekisho::control::protocol::Answer::Draining)
        .unwrap();
    // The other one is held by whoever ends the server: its client sees the end, and no answer.
    drop(server);
    assert_eq!(client.read().unwrap()["answer"], "draining");
    assert_eq!(client.read(), None);
    drop(stats);
}

#[test]
fn nobody_carries_out_what_is_asked_after_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.sock");
    let (inbox, asked) = std::sync::mpsc::channel::<sekisho::control::protocol::Asked>();
    let _server = sekisho::control::socket::Server::bind(&path, None, inbox).unwrap();
    drop(asked);
    let code = Client::at(&path).refused(r#"{"version":1,"command":"stats"}"#);
    assert_eq!(code, "ending");
}

#[test]
fn a_client_that_does_not_read_holds_up_no_end() {
    let mut supervisor = Supervisor::start();
    let client = supervisor.client();
    let mut writing = client.stream.try_clone().unwrap();
    writing.set_nonblocking(true).unwrap();
    let lines = "{}\n".repeat(10_000);
    // Until both directions are full, and some time after that.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(300) {
        let _ = writing.write(lines.as_bytes());
    }
    let began = Instant::now();
    drop(supervisor.server.take());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(supervisor.end(), []);
}
