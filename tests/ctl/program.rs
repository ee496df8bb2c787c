//! `sekisho ctl` as its users meet it.

use crate::supervisor::Supervisor;
use insta::assert_snapshot;
use sekisho::control::protocol::Request;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn command(socket: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command
        .args(["ctl", "--socket"])
        .arg(socket)
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .env("TZ", "Asia/Tokyo");
    command
}

/// Runs the program; no argument may hold a space.
fn typed(socket: &Path, line: &str) -> Run {
    command(socket, line).output().unwrap().into()
}

fn good(socket: &Path, line: &str) -> String {
    let run = typed(socket, line);
    assert_eq!((run.code, &*run.stderr), (0, ""), "{line}: {}", run.stdout);
    run.stdout
}

#[test]
fn counters_and_the_balance() {
    let supervisor = Supervisor::start();
    assert_snapshot!(good(&supervisor.path(), "stats"), @r"
    generation 42, up 1 d 2 h

    1,234,567 frames received = 1,200,000 transmitted + 34,000 discarded + 500 tx-full + 67 held

      COUNTER                VERDICT     FRAMES        BYTES
      drop-port25-syn        drop        34,000    2,040,000
      forward-not-candidate  forward  1,200,567  960,453,600

      RULE                     VERDICT  FRAMES      BYTES
      alpha-web/everyone-else  drop     34,000  2,040,000

      PLAN                VERDICT  FRAMES      BYTES
      alpha-web/ftth_std  drop     34,000  2,040,000

      DEVICE    SIDE     LINK  LOST BY ITSELF
      enp1s0f0  access   up    rx_dropped 12,345
      enp1s0f1  network  up    nothing
    ");
}

#[test]
fn what_the_workers_do() {
    let supervisor = Supervisor::start();
    assert_snapshot!(good(&supervisor.path(), "show-runtime"), @r"
    generation 42

      WORKER  LCORE      FRAMES   BURSTS  FRAMES/BURST      POLLS   EMPTY  ANSWERS IN
           0      1  24,000,000  750,000          32.0  1,000,000  25.0 %     0.25 ms
           1      3  24,000,000  750,000          32.0  1,000,000  25.0 %     stalled
    ");
}

#[test]
fn what_the_clock_brings() {
    let supervisor = Supervisor::start();
    assert_snapshot!(good(&supervisor.path(), "phases"), @r"
    as of 2026-03-01 21:00:00 +09:00

      AT                          ISP        CHANGE
      2006-12-01 00:00:00 +09:00  alpha-web  rule everyone-else begins  holds
      2026-04-01 00:00:00 +09:00  alpha-web  rule mobile begins         in 30 d 3 h
    ");
}

#[test]
fn how_a_reload_went() {
    let supervisor = Supervisor::start();
    assert_snapshot!(good(&supervisor.path(), "reload"), @"generation 41 → 42 in 3.1 ms, all workers (read and compiled in 18.2 ms; 1234 plans above the file)");
}

#[test]
fn the_end_and_a_trace() {
    let supervisor = Supervisor::start();
    assert_snapshot!(good(&supervisor.path(), "drain"), @"draining: sekisho ends when its frames have left");
    assert_snapshot!(good(&supervisor.path(), "trace 2"), @r"
    frame 1
      parse  tcp

    frame 2
      parse  tcp
    ");
    let asked: Vec<_> = supervisor
        .end()
        .into_iter()
        .map(|(asked, _)| asked)
        .collect();
    assert_eq!(asked, [Request::Drain, Request::Trace { frames: 2 }]);
}

#[test]
fn plans_above_the_file() {
    let supervisor = Supervisor::start();
    let path = supervisor.path();
    assert_snapshot!(good(&path, "plan list"), @"no plan is given above the policy's file");
    assert_snapshot!(good(&path, "plan set 203.0.113.7 fixed"), @"203.0.113.7/32: no plan → fixed");
    assert_snapshot!(good(&path, "plan set 203.0.113.7/32 office --ticket NOC-1"), @"203.0.113.7/32: fixed → office");
    assert_snapshot!(good(&path, "plan set 203.0.113.7/32 office"), @"203.0.113.7/32: office, as before");
    let dated = "plan set 2001:db8::/56 fixed --ticket NOC-2 --expires 2026-12-01";
    assert_snapshot!(good(&path, dated), @r"
    2001:db8::/56: no plan → fixed
    until 2026-12-01 00:00:00 +09:00
    ");
    let list = good(&path, "plan list");
    let who = &supervisor
        .client()
        .ask(r#"{"version":1,"command":"plan-list"}"#)["overrides"];
    let who = who[0]["who"].as_str().unwrap();
    assert_snapshot!(list.replace(who, "uid 1000 (hanako)"), @r"
    PREFIX          PLAN    UNTIL                       TICKET  GIVEN                       BY
    203.0.113.7/32  office  –                           –       2026-03-01 21:00:00 +09:00  uid 1000 (hanako)
    2001:db8::/56   fixed   2026-12-01 00:00:00 +09:00  NOC-2   2026-03-01 21:00:00 +09:00  uid 1000 (hanako)
    ");
    assert_snapshot!(good(&path, "plan unset 203.0.113.7"), @"203.0.113.7/32: office → no plan");
}

#[test]
fn programs_get_the_answer_as_it_came_with_a_schema() {
    let supervisor = Supervisor::start();
    for (line, answer) in [
        ("stats", "stats"),
        ("show-runtime", "runtime"),
        ("phases", "phases"),
        ("reload", "reloaded"),
        ("plan set ::/0 fixed", "changed"),
        ("plan list", "plans"),
        ("trace 1", "trace"),
        ("drain", "draining"),
    ] {
        let line = format!("{line} --output json");
        let found: Value = serde_json::from_str(&good(&supervisor.path(), &line)).unwrap();
        assert_eq!(found["schema"], "sekisho.ctl/1", "{line}");
        assert_eq!(found["answer"], answer, "{line}");
    }
}

#[test]
fn a_refusal_is_an_answer_and_it_is_no() {
    let supervisor = Supervisor::start();
    let run = typed(&supervisor.path(), "plan set 203.0.113.7 nonesuch");
    assert_eq!((run.code, &*run.stdout), (1, ""));
    assert_eq!(
        run.stderr,
        "refused (no-such-plan): the policy has no plan nonesuch\n"
    );
    let run = typed(
        &supervisor.path(),
        "plan set 203.0.113.7 nonesuch --output json",
    );
    assert_eq!((run.code, &*run.stderr), (1, ""));
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(found["code"], "no-such-plan");
}

#[test]
fn a_command_line_without_sense_asks_nobody() {
    let supervisor = Supervisor::start();
    for line in [
        "",
        "plan",
        "plan set 203.0.113.0",
        "plan set 203.0.113.1/24 fixed",
        "plan set box.example fixed",
        "plan set 203.0.113.0/24 fixed --expires now",
        "plan set 203.0.113.0/24 fixed --expires soon",
        "plan unset 2001:db8::1/56",
        "plan apply",
        "trace",
        "trace 0",
        "trace 1001",
        "stats --watch 0",
    ] {
        let run = typed(&supervisor.path(), line);
        assert_eq!(run.code, 2, "{line}: {}", run.stderr);
        assert_ne!(run.stderr, "", "{line}");
    }
    assert_eq!(supervisor.end(), []);
}

#[test]
fn where_nobody_answers_it_is_said_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.sock");
    let said = |path: &Path| {
        let run = typed(path, "stats");
        assert_eq!((run.code, &*run.stdout), (74, ""));
        run.stderr.replace(folder.path().to_str().unwrap(), "DIR")
    };
    assert_snapshot!(said(&path), @"error: nobody answers: there is no DIR/box.sock; is `sekisho run` running?");
    drop(UnixListener::bind(&path).unwrap());
    assert_snapshot!(said(&path), @"error: nobody answers at DIR/box.sock: the sekisho that made it has ended without removing it");
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert_snapshot!(said(&folder.path().join("file")), @"error: DIR/file is no socket");
}

/// Root may all, so this asks as somebody else where the tests are root's.
#[test]
fn whoever_may_not_is_told_who_may() {
    let supervisor = Supervisor::start();
    let socket = supervisor.path();
    if !rustix::process::geteuid().is_root() {
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o0);
        std::fs::set_permissions(&socket, closed).unwrap();
    }
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(supervisor.folder(), open).unwrap();
    // The program itself may lie where nobody else can reach it.
    let program = supervisor.folder().join("sekisho");
    std::fs::copy(env!("CARGO_BIN_EXE_sekisho"), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["ctl", "stats", "--socket"]).arg(&socket);
    if rustix::process::geteuid().is_root() {
        std::os::unix::process::CommandExt::uid(&mut command, 65_534);
        std::os::unix::process::CommandExt::gid(&mut command, 65_534);
    }
    let run = Run::from(command.output().unwrap());
    let (user, group) = match rustix::process::geteuid().is_root() {
        true => ("root".to_owned(), "root".to_owned()),
        false => (name("-un"), name("-gn")),
    };
    let expected = format!(
        "error: {} is for the user {user} and the group {group}\n",
        socket.display()
    );
    assert_eq!((run.code, run.stderr), (74, expected));
}

fn name(of: &str) -> String {
    let output = Command::new("id").arg(of).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_sekisho_that_goes_before_it_answers_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let taker = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut some = [0; 10];
        stream.read_exact(&mut some).unwrap();
        drop(stream);
        let (mut stream, _) = listener.accept().unwrap();
        BufReader::new(&stream)
            .read_line(&mut String::new())
            .unwrap();
        stream.write_all(b"{\"version\":2}\n").unwrap();
    });
    for expected in [
        "sekisho closed the connection before it answered",
        "cannot be read",
    ] {
        let run = typed(&path, "reload");
        assert_eq!(run.code, 74, "{}", run.stderr);
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    taker.join().unwrap();
}

#[test]
fn a_server_that_is_busy_says_so() {
    let limits = sekisho::control::socket::Limits {
        connections: 1,
        ..<_>::default()
    };
    let supervisor = Supervisor::within(limits, std::time::Duration::ZERO);
    let mut first = supervisor.client();
    first.refused("{}");
    let run = typed(&supervisor.path(), "stats");
    assert_eq!(run.code, 1);
    assert_eq!(
        run.stderr,
        "refused (busy): 1 clients are connected already\n"
    );
}

#[test]
fn thousands_of_changes_from_a_file() {
    let supervisor = Supervisor::start();
    let mut text = String::from("# 3,000 customers move\n");
    for n in 0..3_000_u32 {
        let plan = if n % 300 == 17 { "nonesuch" } else { "fixed" };
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + n);
        text += &format!("set {address} {plan} NOC-{n} 2030-01-01\n");
    }
    text += "unset 10.0.0.1\nset 10.0.0.2/32 office\n";
    let file = supervisor.folder().join("moves.txt");
    std::fs::write(&file, &text).unwrap();
    let line = format!("plan apply {}", file.display());
    let run = typed(&supervisor.path(), &line);
    assert_eq!(run.code, 1);
    assert_eq!(run.stdout, "3,002 changes: 2,992 carried out, 10 refused\n");
    let said = run.stderr.replace(file.to_str().unwrap(), "moves.txt");
    assert_eq!(said.lines().count(), 10);
    assert_eq!(
        said.lines().nth(1).unwrap(),
        "refused (no-such-plan): moves.txt:319: the policy has no plan nonesuch"
    );
    let list = good(&supervisor.path(), "plan list --output json");
    let list: Value = serde_json::from_str(&list).unwrap();
    let list = list["overrides"].as_array().unwrap();
    assert_eq!(list.len(), 2_989);
    assert_eq!(list[1]["prefix"], "10.0.0.2/32");
    assert_eq!(list[1]["plan"], "office");
    assert_eq!(list[2]["expires"], "2029-12-31T15:00:00Z");
}

#[test]
fn changes_from_a_pipe_for_programs() {
    let supervisor = Supervisor::start();
    let mut piped = command(&supervisor.path(), "plan apply - --output json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = piped.stdin.take().unwrap();
    stdin
        .write_all(b"unset 10.0.0.2\nset 10.0.0.3 nonesuch\n")
        .unwrap();
    drop(stdin);
    let run = Run::from(piped.wait_with_output().unwrap());
    assert_eq!((run.code, &*run.stderr), (1, ""));
    assert_snapshot!(run.stdout, @r#"
    {
      "schema": "sekisho.ctl-plan-apply/1",
      "file": "stdin",
      "changes": 2,
      "carried_out": 1,
      "refused": 1,
      "unanswered": 0,
      "refusals": [
        {
          "line": 2,
          "code": "no-such-plan",
          "message": "the policy has no plan nonesuch"
        }
      ]
    }
    "#);
}

#[test]
fn of_many_refusals_the_first_ten_are_told() {
    let supervisor = Supervisor::start();
    let file = supervisor.folder().join("moves.txt");
    std::fs::write(&file, "set ::/0 nonesuch\n".repeat(1_011)).unwrap();
    let run = typed(
        &supervisor.path(),
        &format!("plan apply {}", file.display()),
    );
    assert_eq!(run.code, 1);
    assert_eq!(run.stderr.lines().count(), 11);
    assert!(
        run.stderr.ends_with("refused: and 1,001 more\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn of_a_file_with_a_bad_line_nothing_is_carried_out() {
    let supervisor = Supervisor::start();
    let file = supervisor.folder().join("moves.txt");
    std::fs::write(&file, "set 10.0.0.1 fixed\nset 10.0.0.0/33 fixed\n").unwrap();
    let run = typed(
        &supervisor.path(),
        &format!("plan apply {}", file.display()),
    );
    assert_eq!((run.code, &*run.stdout), (78, ""));
    let said = run.stderr.replace(file.to_str().unwrap(), "moves.txt");
    assert_snapshot!(said, @"error: moves.txt:2: 10.0.0.0/33: expected an address or a prefix: 203.0.113.7, 2001:db8:1::/48; nothing of this file was carried out");
    let run = typed(&supervisor.path(), "plan apply nofile");
    assert_eq!(run.code, 74, "{}", run.stderr);
    assert_eq!(supervisor.end(), []);
}

#[test]
fn a_connection_that_is_lost_among_many_changes_is_told_with_what_is_certain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let taker = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        BufReader::new(&stream)
            .read_line(&mut String::new())
            .unwrap();
        stream
            .write_all(
                b"{\"version\":1,\"id\":1,\"answer\":\"changed\",\"prefix\":\"10.0.0.1/32\",\
                  \"before\":null,\"now\":\"fixed\",\"workers\":1,\"of_workers\":1}\n",
            )
            .unwrap();
    });
    let file = folder.path().join("moves.txt");
    std::fs::write(&file, "set 10.0.0.1 fixed\nset 10.0.0.2 fixed\n").unwrap();
    let run = typed(&path, &format!("plan apply {}", file.display()));
    assert_eq!(run.code, 74);
    assert_snapshot!(run.stdout, @"2 changes: 1 carried out, 0 refused, 1 without an answer: whether they hold, `plan list` says");
    taker.join().unwrap();
}

#[test]
fn watching_shows_rates_until_nobody_answers() {
    let mut supervisor = Supervisor::start();
    let mut watching = command(&supervisor.path(), "stats --watch 1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let head = lines.next().unwrap().unwrap();
    assert!(head.starts_with("generation 42, up "), "{head}");
    drop(supervisor.server.take());
    assert_eq!(watching.wait().unwrap().code(), Some(74));
}
