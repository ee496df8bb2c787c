//! Clients that nobody invited: each costs its own connection, and nothing else.

use crate::supervisor::{Client, Supervisor};
use sekisho::control::protocol::Request;
use sekisho::control::socket::Limits;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// After whatever happened, another client is answered.
fn is_well(supervisor: Supervisor) {
    let answer = supervisor
        .client()
        .ask(r#"{"version":1,"command":"drain"}"#);
    assert_eq!(answer["answer"], "draining");
    let log = supervisor.end();
    let asked: Vec<_> = log.into_iter().map(|(request, _)| request).collect();
    assert_eq!(asked, [Request::Drain], "nothing else was carried out");
}

/// Lines, and the code of what is wrong with each.
const BAD_LINES: &[(&str, &str)] = &[
    ("not-json", ""),
    ("not-json", "stats"),
    ("not-json", r#"{"version":1,"command":"stats""#),
    ("not-json", r#"[{"version":1,"command":"stats"}]"#),
    ("not-json", r#"{"version":1,"command":"stats"} {}"#),
    (
        "not-json",
        r#"{"version":1,"command":"stats","command":"drain"}"#,
    ),
    ("wrong-version", r#"{"command":"stats"}"#),
    ("wrong-version", r#"{"version":2,"command":"stats"}"#),
    ("wrong-version", r#"{"version":"1","command":"stats"}"#),
    ("unknown-command", r#"{"version":1}"#),
    ("unknown-command", r#"{"version":1,"command":"Stats"}"#),
    ("unknown-command", r#"{"version":1,"command":["stats"]}"#),
    (
        "unknown-key",
        r#"{"version":1,"command":"stats","now":true}"#,
    ),
    (
        "unknown-key",
        r#"{"version":1,"command":"reload","file":"x"}"#,
    ),
    (
        "unknown-key",
        r#"{"version":1,"command":"plan-unset","prefix":"10.0.0.0/8","plan":"p"}"#,
    ),
    ("bad-value", r#"{"version":1,"id":[1],"command":"stats"}"#),
    ("bad-value", r#"{"version":1,"id":-1,"command":"stats"}"#),
    ("bad-value", r#"{"version":1,"command":"trace"}"#),
    ("bad-value", r#"{"version":1,"command":"trace","frames":0}"#),
    (
        "bad-value",
        r#"{"version":1,"command":"trace","frames":1001}"#,
    ),
    (
        "bad-value",
        r#"{"version":1,"command":"trace","frames":"all"}"#,
    ),
    (
        "bad-value",
        r#"{"version":1,"command":"plan-unset","prefix":"10.0.0.1/8"}"#,
    ),
    (
        "bad-value",
        r#"{"version":1,"command":"plan-unset","prefix":"10.0.0.1"}"#,
    ),
    (
        "bad-value",
        r#"{"version":1,"command":"plan-set","prefix":"10.0.0.0/8"}"#,
    ),
    (
        "bad-value",
        r#"{"version":1,"command":"plan-set","prefix":"10.0.0.0/8","plan":""}"#,
    ),
    (
        "bad-value",
        r#"{"version":1,"command":"plan-set","prefix":"10.0.0.0/8","plan":"a\u001b[2J"}"#,
    ),
    (
        "bad-value",
        r#"{"version":1,"command":"plan-set","prefix":"::/0","plan":"a","expires":"soon"}"#,
    ),
];

#[test]
fn each_bad_line_has_its_code_and_the_connection_goes_on() {
    let supervisor = Supervisor::start();
    let mut client = supervisor.client();
    for (code, line) in BAD_LINES {
        assert_eq!(client.refused(line), *code, "{line}");
    }
    let ticket = "x".repeat(256);
    let line = format!(
        r#"{{"version":1,"command":"plan-set","prefix":"::/0","plan":"a","ticket":"{ticket}"}}"#
    );
    assert_eq!(client.refused(&line), "bad-value");
    client.write([0xff, 0xfe, 0, b'\n']);
    assert_eq!(client.read().unwrap()["code"], "not-json");
    let deep = "[".repeat(60_000);
    assert_eq!(client.refused(&deep), "not-json");
    is_well(supervisor);
}

#[test]
fn a_refused_line_gives_its_id_back() {
    let supervisor = Supervisor::start();
    let answer = supervisor
        .client()
        .ask(r#"{"version":1,"id":"a-7","command":"frobnicate"}"#);
    assert_eq!(answer["id"], "a-7");
    is_well(supervisor);
}

#[test]
fn ten_megabytes_of_one_line_are_refused_and_skipped() {
    let supervisor = Supervisor::start();
    let mut client = supervisor.client();
    client.write("x".repeat(10_000_000));
    client.write("\n{\"version\":1,\"command\":\"frobnicate\"}\n");
    assert_eq!(client.read().unwrap()["code"], "too-long");
    assert_eq!(client.read().unwrap()["code"], "unknown-command");
    is_well(supervisor);
}

#[test]
fn the_longest_line_that_is_read_is_as_long_as_is_said() {
    let limits = Limits {
        line_bytes: 100,
        ..Limits::default()
    };
    let supervisor = Supervisor::within(limits, Duration::ZERO);
    let mut client = supervisor.client();
    let line = |bytes: usize| format!("{:bytes$}", r#"{"version":1,"command":"no"}"#);
    assert_eq!(client.refused(&line(100)), "unknown-command");
    assert_eq!(client.refused(&line(101)), "too-long");
    assert_eq!(client.refused(&line(100)), "unknown-command");
    is_well(supervisor);
}

#[test]
fn half_a_line_does_nothing() {
    let supervisor = Supervisor::start();
    let mut client = supervisor.client();
    // Whole as JSON, but its writer may have been cut off before the rest.
    client.write(r#"{"version":1,"command":"reload"}"#);
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read().unwrap()["code"], "half-a-line");
    assert_eq!(client.read(), None);
    is_well(supervisor);
}

#[test]
fn who_sleeps_in_the_middle_of_a_line_is_sent_away() {
    let limits = Limits {
        line_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let supervisor = Supervisor::within(limits, Duration::ZERO);
    let mut client = supervisor.client();
    let began = Instant::now();
    client.write(r#"{"version":1,"#);
    // A drop now and then gives no more time.
    let mut dripping = client.stream.try_clone().unwrap();
    let drips = std::thread::spawn(move || {
        while dripping.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(client.read().unwrap()["code"], "half-a-line");
    let took = began.elapsed();
    assert!(took > Duration::from_millis(250), "{took:?}");
    drips.join().unwrap();
    is_well(supervisor);
}

#[test]
fn who_says_nothing_is_sent_away_after_a_while() {
    let limits = Limits {
        idle: Duration::from_millis(100),
        ..Limits::default()
    };
    let supervisor = Supervisor::within(limits, Duration::ZERO);
    assert_eq!(supervisor.client().read(), None);
    is_well(supervisor);
}

#[test]
fn who_never_reads_is_sent_away_and_holds_up_nobody() {
    let limits = Limits {
        unread: Duration::from_millis(200),
        ..Limits::default()
    };
    let supervisor = Supervisor::within(limits, Duration::ZERO);
    let mut deaf = supervisor.client().stream;
    // Refusals are answers too: nothing need be carried out.
    let lines = "{\"version\":1,\"command\":\"frobnicate\"}\n".repeat(100);
    let mut other = supervisor.client();
    let ended = (0..1_000).any(|_| {
        let gone = deaf.write_all(lines.as_bytes()).is_err();
        assert_eq!(other.refused("{}"), "wrong-version");
        gone
    });
    assert!(ended, "a client that reads nothing wrote 100,000 lines");
    is_well(supervisor);
}

#[test]
fn who_goes_at_once_or_in_the_middle_is_not_missed() {
    let supervisor = Supervisor::start();
    for n in 0..200 {
        let mut client = UnixStream::connect(supervisor.path()).unwrap();
        if n % 2 == 0 {
            client.write_all(b"{\"version\":1,\"comm").unwrap();
        }
    }
    is_well(supervisor);
}

#[test]
fn who_goes_while_a_request_is_under_way_does_no_harm() {
    let supervisor = Supervisor::within(<_>::default(), Duration::from_millis(200));
    for _ in 0..20 {
        let mut client = supervisor.client();
        client.write("{\"version\":1,\"command\":\"reload\"}\n".repeat(10));
    }
    let answer = supervisor
        .client()
        .ask(r#"{"version":1,"command":"drain"}"#);
    assert_eq!(answer["answer"], "draining");
    assert_eq!(
        supervisor.end().len(),
        201,
        "what was asked was carried out"
    );
}

#[test]
fn there_are_so_many_clients_and_no_more() {
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let supervisor = Supervisor::within(limits, Duration::ZERO);
    let mut clients: Vec<Client> = (0..3).map(|_| supervisor.client()).collect();
    for client in &mut clients {
        client.refused("{}");
    }
    let mut fourth = supervisor.client();
    assert_eq!(fourth.read().unwrap()["code"], "busy");
    assert_eq!(fourth.read(), None);
    clients.pop();
    // The place is free once the server has seen that it is.
    let patient = Instant::now();
    let answer = loop {
        let mut client = supervisor.client();
        let _ = client.stream.write_all(b"{}\n");
        match client.read() {
            Some(answer) if answer["code"] == "busy" && patient.elapsed().as_secs() < 10 => {
                std::thread::sleep(Duration::from_millis(5));
            }
            answer => break answer,
        }
    };
    assert_eq!(answer.unwrap()["code"], "wrong-version");
    drop(clients);
    is_well(supervisor);
}

#[test]
fn requests_without_an_answer_are_bounded() {
    let limits = Limits {
        waiting: 10,
        ..Limits::default()
    };
    let supervisor = Supervisor::within(limits, Duration::from_millis(500));
    let client = supervisor.client();
    let mut writing = client.stream.try_clone().unwrap();
    writing.set_nonblocking(true).unwrap();
    let line = format!("{:60000}\n", r#"{"version":1,"command":"drain"}"#);
    let lines = line.repeat(100);
    let began = Instant::now();
    let mut wrote = 0;
    while began.elapsed() < Duration::from_millis(200) {
        wrote += writing.write(&lines.as_bytes()[wrote..]).unwrap_or(0);
    }
    // Ten wait, one more is read, and the kernel holds what it holds of a socket.
    assert!(
        wrote > 10 * line.len() && wrote < lines.len() / 2,
        "{wrote}"
    );
    writing.shutdown(Shutdown::Both).unwrap();
    let mut rest = Vec::new();
    let _ = (&client.stream).read_to_end(&mut rest);
}
