//! A box without devices: one worker, whose traffic never ends, and a client.

use sekisho::control::crew::Crew;
use sekisho::control::journal::Journal;
use sekisho::control::pipeline::LinkLoss;
use sekisho::control::protocol::{Answer, Asked, PlanSet, Request, Stats};
use sekisho::control::supervisor::{
    Ending, Parts, Setup, Signals, Supervisor, Watched, Weight, compile,
};
use sekisho::io::port::{Arena, Frames, MemoryFrame, MemoryPort, Pool, Port, Rounds};
use sekisho::lpm::Readers;
use sekisho::stage::{Account, Settings};
use sekisho::wire::{TcpFlags, tcp_probe};
use sekisho::worker::{Done, Idle, Lcore, Post, Stop, Worker, on_lcores};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// How long a worker may let an order wait.
pub(crate) const STALL: Duration = Duration::from_secs(1);

/// The subscribers are 198.51.100.0/24; all of them are `blocked`, but one.
pub(crate) const POLICY: &str = "
isp: here
time_zone: UTC
plans: { blocked: { kind: dynamic }, open: { kind: fixed } }
subscribers:
  - { plan: blocked, prefixes: [198.51.100.0/24, 2001:db8::/40] }
  - { plan: open, prefixes: [198.51.100.7/32] }
rules:
  - { name: no-mail, plans: [blocked], action: drop }
";

/// One blocked subscriber's connection to port 25, and one to port 587.
pub(crate) fn frames() -> Vec<Vec<u8>> {
    let probe = |port| {
        let (src, dst) = ("198.51.100.9", "192.0.2.1");
        let syn = TcpFlags(TcpFlags::SYN);
        tcp_probe(
            src.parse().unwrap(),
            dst.parse().unwrap(),
            40_000,
            port,
            syn,
        )
        .unwrap()
    };
    vec![probe(25), probe(587)]
}

pub(crate) struct Client<'b> {
    inbox: Sender<Asked>,
    folder: &'b Path,
    said: &'b Mutex<Vec<String>>,
    pub(crate) signals: &'b Signals,
    pub(crate) blocked: &'b AtomicBool,
}

impl Client<'_> {
    pub(crate) fn send(&self, request: Request) -> Receiver<Answer> {
        let (answer, answers) = channel();
        let who = "uid 0 (root)".to_owned();
        self.inbox
            .send(Asked {
                request,
                who,
                answer,
            })
            .unwrap();
        answers
    }

    pub(crate) fn ask(&self, request: Request) -> Answer {
        let answers = self.send(request);
        answers.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    pub(crate) fn stats(&self) -> Stats {
        match self.ask(Request::Stats) {
            Answer::Stats(stats) => stats,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn write_policy(&self, text: &str) {
        fs::write(self.folder.join("policy.yaml"), text).unwrap();
    }

    /// What was said up to now.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    pub(crate) fn wait_until(&self, is: impl Fn(&Self) -> bool) {
        for _ in 0..1_500 {
            if is(self) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("it never came to pass; said: {:#?}", self.said());
    }
}

pub(crate) fn set(prefix: &str, plan: &str) -> Request {
    Request::PlanSet(PlanSet {
        prefix: prefix.parse().unwrap(),
        plan: plan.to_owned(),
        ticket: None,
        expires: None,
    })
}

pub(crate) fn unset(prefix: &str) -> Request {
    let prefix = prefix.parse().unwrap();
    Request::PlanUnset { prefix }
}

/// The code of a refusal, and its text.
pub(crate) fn refusal(answer: Answer) -> (String, String) {
    match answer {
        Answer::Refused(refusal) => (refusal.code, refusal.message),
        other => panic!("{other:?}"),
    }
}

/// A folder for a policy and a journal.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new(policy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        Self { folder }
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("plans.journal")
    }

    /// Runs a box until the client is done; gives what it counted in all.
    pub(crate) fn run(&self, client: impl FnOnce(&Client<'_>) + Send) -> Stats {
        self.run_with(Vec::new(), client).1
    }

    /// The same with devices, whose links are handed on, and taken down at the end; gives why it
    /// ended, too.
    pub(crate) fn run_with(
        &self,
        devices: Vec<Watched>,
        client: impl FnOnce(&Client<'_>) + Send,
    ) -> (Ending, Stats) {
        let (journal, overrides, _) = Journal::open(&self.journal()).unwrap();
        let policies = vec![self.folder.path().join("policy.yaml")];
        let compiled = compile(&policies, &overrides, &Readers::new()).unwrap();
        let live = compiled.live;
        let lcores = &Lcore::usable().unwrap()[..1];
        let (crew, posts) = Crew::new(lcores, &live, STALL);
        let (sender, inbox) = channel();
        let said: Mutex<Vec<String>> = Mutex::default();
        let signals = Signals::default();
        let say = |_: Weight, text: fmt::Arguments<'_>| said.lock().unwrap().push(text.to_string());
        let setup = Setup {
            policies,
            stall: STALL,
            link_loss: LinkLoss::Propagate,
            names_peers: false,
            unwrap: Arc::default(),
        };
        let parts = Parts {
            crew,
            live,
            journal,
            overrides,
            inbox,
            signals: &signals,
            devices,
            over: &|| false,
            say: &say,
        };
        let mut supervisor = Supervisor::new(setup, parts);
        let blocked = AtomicBool::new(false);
        let asking = Client {
            inbox: sender,
            folder: self.folder.path(),
            said: &said,
            signals: &signals,
            blocked: &blocked,
        };
        let work = |post, stop: &_| work(post, stop, &blocked);
        let control = || {
            thread::scope(|scope| {
                scope.spawn(move || {
                    let drained = Drains(&asking);
                    client(&asking);
                    drop(drained);
                });
                supervisor.run()
            })
        };
        let (done, ending) = on_lcores(lcores, posts, work, control).unwrap();
        supervisor.take_links_down();
        let stats = supervisor.finish(&done);
        assert!(stats.is_accounted_for(), "{stats:#?}");
        (ending, stats)
    }
}

fn work(post: Post, stop: &Stop, blocked: &AtomicBool) -> Done {
    let arena = Arena::of(frames()).unwrap();
    let (pool, none) = (Pool::new(&arena), Pool::default());
    let access = Gated {
        port: MemoryPort::new(&pool, Rounds::Endless, 64),
        blocked,
    };
    let network = MemoryPort::new(&none, Rounds::Once, 64);
    let mut worker = Worker::new(post, &Settings::new(Account::EveryFrame), access, network);
    worker.run(stop, Idle::Sleep);
    worker.finish()
}

/// Ends the run, also when the client panics.
struct Drains<'c>(&'c Client<'c>);

impl Drop for Drains<'_> {
    fn drop(&mut self) {
        self.0.blocked.store(false, Ordering::Release);
        self.0.signals.drain.store(true, Ordering::Release);
    }
}

/// A port whose driver hangs while it is blocked.
struct Gated<'p> {
    port: MemoryPort<'p>,
    blocked: &'p AtomicBool,
}

impl<'p> Port for Gated<'p> {
    type Frame = MemoryFrame<'p>;

    fn rx_burst(&mut self, frames: &mut Frames<MemoryFrame<'p>>) -> usize {
        while self.blocked.load(Ordering::Acquire) {
            thread::sleep(Duration::from_millis(1));
        }
        // As slow as a link, so that others get the processor too.
        thread::sleep(Duration::from_micros(20));
        self.port.rx_burst(frames)
    }

    fn tx_burst(&mut self, frames: &mut Frames<MemoryFrame<'p>>) -> usize {
        self.port.tx_burst(frames)
    }

    fn compose(&mut self, octets: &[u8]) -> Option<MemoryFrame<'p>> {
        self.port.compose(octets)
    }

    fn reap(&mut self) -> usize {
        self.port.reap()
    }

    fn transmitted(&self) -> u64 {
        self.port.transmitted()
    }

    fn held(&self) -> u64 {
        self.port.held()
    }
}
