//! A sekisho without workers: it answers what a test needs, and writes down what it was asked.

use jiff::Timestamp;
use sekisho::control::protocol::{
    Answer, Asked, Balance, Changed, Counted, DeviceStats, Override, Phase, Phases, Refusal,
    Reloaded, Replies, Request, Runtime, Stats, WorkerRuntime,
};
use sekisho::control::socket::{Limits, Server};
use sekisho::io::port::Loss;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::Duration;

/// One that runs on a thread of its own, behind a socket in a folder of its own.
pub(crate) struct Supervisor {
    pub(crate) server: Option<Server>,
    thread: Option<JoinHandle<Vec<(Request, String)>>>,
    folder: tempfile::TempDir,
}

impl Supervisor {
    pub(crate) fn start() -> Self {
        Self::within(Limits::default(), Duration::ZERO)
    }

    /// One that takes its time before the first answer.
    pub(crate) fn within(limits: Limits, before: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (inbox, asked) = mpsc::channel::<Asked>();
        let path = folder.path().join("box.sock");
        let server = Server::bind_within(limits, &path, None, inbox).unwrap();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(before);
            serve(&asked)
        });
        Self {
            server: Some(server),
            thread: Some(thread),
            folder,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("box.sock")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn client(&self) -> Client {
        Client::at(&self.path())
    }

    /// Ends it; gives what was asked, and by whom.
    pub(crate) fn end(mut self) -> Vec<(Request, String)> {
        drop(self.server.take());
        self.thread.take().unwrap().join().unwrap()
    }
}

/// Answers until nobody can ask any more.
fn serve(asked: &Receiver<Asked>) -> Vec<(Request, String)> {
    let mut overrides = BTreeMap::new();
    let mut log = Vec::new();
    for Asked {
        request,
        who,
        answer,
    } in asked
    {
        // A client that has gone is no reason to stop.
        let _ = answer.send(carry_out(&request, &who, &mut overrides));
        log.push((request, who));
    }
    log
}

fn carry_out(
    request: &Request,
    who: &str,
    overrides: &mut BTreeMap<ipnet::IpNet, Override>,
) -> Answer {
    match request {
        Request::PlanSet(set) if set.plan == "nonesuch" => Answer::Refused(Refusal::new(
            "no-such-plan",
            "the policy has no plan nonesuch",
        )),
        Request::PlanSet(set) => {
            let given = Override {
                set: set.clone(),
                at: NOON.parse().unwrap(),
                who: who.to_owned(),
            };
            let before = overrides.insert(set.prefix, given);
            Answer::Changed(Changed {
                prefix: set.prefix,
                before: before.map(|before| before.set.plan),
                now: Some(set.plan.clone()),
                workers: 1,
                of_workers: 1,
            })
        }
        Request::PlanUnset { prefix } => Answer::Changed(Changed {
            prefix: *prefix,
            before: overrides.remove(prefix).map(|before| before.set.plan),
            now: None,
            workers: 1,
            of_workers: 1,
        }),
        Request::PlanList => Answer::Plans {
            overrides: overrides.values().cloned().collect(),
        },
        other => sample(other),
    }
}

pub(crate) const NOON: &str = "2026-03-01T12:00:00Z";

/// An answer of each kind.
pub(crate) fn sample(request: &Request) -> Answer {
    match request {
        Request::Stats => Answer::Stats(stats()),
        Request::ShowRuntime => Answer::Runtime(runtime()),
        Request::Phases => Answer::Phases(phases()),
        Request::Reload => Answer::Reloaded(Reloaded {
            from: 41,
            to: 42,
            compile_ms: 18.25,
            swap_ms: 3.125,
            workers: 2,
            of_workers: 2,
            overrides: 1_234,
        }),
        Request::Drain => Answer::Draining,
        Request::Trace { frames } => Answer::Trace {
            frames: (1..=*frames)
                .map(|n| format!("frame {n}\n  parse  tcp"))
                .collect(),
        },
        other => panic!("{other:?} has a state"),
    }
}

fn stats() -> Stats {
    let counted = |name: &str, verdict: &str, frames, bytes| Counted {
        name: name.to_owned(),
        verdict: verdict.to_owned(),
        frames,
        bytes,
    };
    let device = |side: &str, name: &str, losses| DeviceStats {
        side: side.to_owned(),
        name: name.to_owned(),
        link: "up".to_owned(),
        losses,
    };
    let loss = Loss {
        counter: "rx_dropped".to_owned(),
        frames: 12_345,
    };
    Stats {
        generation: 42,
        uptime_s: 93_784.5,
        balance: Balance {
            rx: 1_234_567,
            generated: 0,
            transmitted: 1_200_000,
            discarded: 34_000,
            tx_full: 500,
            held: 67,
        },
        reasons: vec![
            counted("drop-port25-syn", "drop", 34_000, 2_040_000),
            counted("forward-not-candidate", "forward", 1_200_567, 960_453_600),
        ],
        rules: vec![counted(
            "alpha-web/everyone-else",
            "drop",
            34_000,
            2_040_000,
        )],
        plans: vec![counted("alpha-web/ftth_std", "drop", 34_000, 2_040_000)],
        replies: Replies::default(),
        devices: vec![
            device("access", "enp1s0f0", vec![loss]),
            device("network", "enp1s0f1", Vec::new()),
        ],
    }
}

fn runtime() -> Runtime {
    let worker = |worker, lcore, answered_ms| WorkerRuntime {
        worker,
        lcore,
        polls: 1_000_000,
        empty_polls: 250_000,
        bursts: 750_000,
        frames: 24_000_000,
        answered_ms,
    };
    Runtime {
        generation: 42,
        workers: vec![worker(0, 1, Some(0.25)), worker(1, 3, None)],
    }
}

fn phases() -> Phases {
    let phase = |at: &str, change: &str, past| Phase {
        at: at.parse().unwrap(),
        isp: "alpha-web".to_owned(),
        change: change.to_owned(),
        past,
    };
    Phases {
        now: NOON.parse::<Timestamp>().unwrap(),
        events: vec![
            phase(
                "2006-12-01T00:00:00+09:00",
                "rule everyone-else begins",
                true,
            ),
            phase("2026-04-01T00:00:00+09:00", "rule mobile begins", false),
        ],
    }
}

/// A client that writes what it likes.
pub(crate) struct Client {
    pub(crate) stream: UnixStream,
    answers: BufReader<UnixStream>,
}

impl Client {
    pub(crate) fn at(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        // A test that waits for ever says nothing.
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        stream.set_write_timeout(patience).unwrap();
        let answers = BufReader::new(stream.try_clone().unwrap());
        Self { stream, answers }
    }

    pub(crate) fn write(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).unwrap();
    }

    /// One answer; `None` at the end.
    pub(crate) fn read(&mut self) -> Option<serde_json::Value> {
        let mut line = String::new();
        match self.answers.read_line(&mut line).unwrap() {
            0 => None,
            _ => Some(serde_json::from_str(&line).unwrap()),
        }
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, line: &str) -> serde_json::Value {
        self.write(format!("{line}\n"));
        self.read().expect("an answer")
    }

    /// The code of a refusal.
    pub(crate) fn refused(&mut self, line: &str) -> String {
        let answer = self.ask(line);
        assert_eq!(answer["answer"], "refused", "{line}: {answer}");
        answer["code"].as_str().unwrap().to_owned()
    }
}
