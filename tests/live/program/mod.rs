//! The program under test, in the middle of a line.

mod control;
mod policy;

pub(crate) use control::{Control, by_packet_sockets, losses};
pub(crate) use policy::Policy;

use crate::line::Line;
use crate::net::{Namespace, Running};
use rustix::process::Signal;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any start or end takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the program moves frames with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    AfXdp,
    /// Over virtual devices on the same links: packet sockets.
    Dpdk,
}

/// A pipeline on disk, with all files that belong to it in one folder.
#[derive(Debug)]
pub(crate) struct Pipeline {
    folder: TempDir,
}

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Program {
    running: Running,
    said: Said,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) said: String,
    /// What it printed for programs.
    pub(crate) report: Value,
}

/// The files that the two streams of a program go to.
#[derive(Debug)]
struct Said {
    out: PathBuf,
    err: PathBuf,
}

impl Pipeline {
    /// Between the two links of a middle, with these policies.
    pub(crate) fn new(driver: Driver, policies: &[&Path]) -> Self {
        Self::between(driver, ["access", "network"], policies)
    }

    /// The same between other links.
    pub(crate) fn between(driver: Driver, links: [&str; 2], policies: &[&Path]) -> Self {
        let made = Self {
            folder: TempDir::new().unwrap(),
        };
        let policies = policies
            .iter()
            .map(|path| format!("  - {}\n", path.display()));
        let text = format!(
            "policies:\n{}{}lcores: [{}]\ncontrol:\n  run-dir: run\n  socket: ctl.sock\n  \
             journal: journal\n",
            policies.collect::<String>(),
            driver.text(links),
            worker_processor(),
        );
        fs::create_dir(made.place("run")).unwrap();
        made.write(&text);
        made
    }

    /// Writes the file anew.
    pub(crate) fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    /// What is in it.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.place("live.yaml")
    }

    /// A file or folder beside it.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command that runs it in a namespace: before others on its processor, as a worker's is
    /// its own where it is not tested.
    pub(crate) fn command(&self, namespace: &Namespace) -> Command {
        let mut command = namespace.command("nice");
        command
            .args(["-n", "-15", env!("CARGO_BIN_EXE_sekisho")])
            .args(["run", "--output", "json"])
            .arg(self.file());
        command
    }

    /// Runs it, and waits until it answers.
    pub(crate) fn start(&self, line: &Line) -> Program {
        self.start_as(self.command(&line.middle))
    }

    /// The same by another command.
    pub(crate) fn start_as(&self, command: Command) -> Program {
        let mut program = self.launch(command);
        let deadline = Instant::now() + PATIENCE;
        while !self.answers() {
            let is_running = program.running.is_running();
            if !is_running || Instant::now() > deadline {
                let (_, said) = program.said.texts();
                panic!("the program does not answer (running: {is_running}):\n{said}");
            }
            thread::sleep(Duration::from_millis(10));
        }
        program
    }

    /// Runs a command of its, and waits until it ends by itself.
    pub(crate) fn fail(&self, command: Command) -> End {
        let mut program = self.launch(command);
        let status = program.running.wait(PATIENCE);
        program.said.end(status)
    }

    /// Its socket.
    pub(crate) fn control(&self) -> Control {
        Control::connect(&self.place("ctl.sock")).unwrap()
    }

    fn launch(&self, mut command: Command) -> Program {
        let said = Said {
            out: self.place("out"),
            err: self.place("err"),
        };
        command.stdout(File::create(&said.out).unwrap());
        command.stderr(File::create(&said.err).unwrap());
        Program {
            running: Running::start(&mut command),
            said,
        }
    }

    fn answers(&self) -> bool {
        Control::connect(&self.place("ctl.sock")).is_ok_and(|mut control| control.is_answered())
    }
}

impl Driver {
    fn text(self, [access, network]: [&str; 2]) -> String {
        match self {
            Self::AfXdp => format!(
                "driver: af-xdp\naccess: {{ device: {access} }}\nnetwork: {{ device: {network} }}\n"
            ),
            // Large rings, as small ones lose frames whenever somebody else has the processor.
            Self::Dpdk => format!(
                "driver: dpdk\n\
                 access: {{ device: \"net_af_packet0,iface={access},framecnt=32768\" }}\n\
                 network: {{ device: \"net_af_packet1,iface={network},framecnt=32768\" }}\n\
                 dpdk: {{ eal: [--no-huge, -m, \"512\"] }}\n"
            ),
        }
    }
}

impl Program {
    /// Its process.
    pub(crate) fn process(&mut self) -> &mut Running {
        &mut self.running
    }

    /// What it said, once it has ended by itself.
    pub(crate) fn ended(mut self) -> End {
        let status = self.running.wait(PATIENCE);
        self.said.end(status)
    }

    /// Asks it to end, and waits for that; its report must be one of success.
    pub(crate) fn end(self) -> End {
        self.running.signal(Signal::TERM);
        let end = self.ended();
        let status = end.status;
        assert!(status.success(), "{status}:\n{}", end.said);
        end
    }
}

impl Said {
    fn texts(&self) -> (String, String) {
        let [out, err] = [&self.out, &self.err].map(|path| fs::read(path).unwrap());
        let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        (text(out), text(err))
    }

    fn end(&self, status: ExitStatus) -> End {
        let (out, said) = self.texts();
        End {
            status,
            said,
            report: serde_json::from_str(&out).unwrap_or(Value::Null),
        }
    }
}

impl End {
    /// One number of the final balance, which has to close.
    pub(crate) fn balance(&self) -> Balance {
        assert_eq!(self.report["balances"], true, "{}", self.said);
        let found = &self.report["stats"]["balance"];
        let count = |name: &str| {
            let number = found[name].as_u64();
            number.unwrap_or_else(|| panic!("no {name} in {}\n{}", self.report, self.said))
        };
        let balance = Balance {
            rx: count("rx"),
            generated: count("generated"),
            transmitted: count("transmitted"),
            discarded: count("discarded"),
            tx_full: count("tx_full"),
            held: count("held"),
        };
        let accounted = balance.transmitted + balance.discarded + balance.tx_full + balance.held;
        assert_eq!(
            balance.rx + balance.generated,
            accounted,
            "the balance does not close: {balance:?}"
        );
        balance
    }
}

/// Where the frames went that the program received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) rx: u64,
    pub(crate) generated: u64,
    pub(crate) transmitted: u64,
    pub(crate) discarded: u64,
    pub(crate) tx_full: u64,
    pub(crate) held: u64,
}

/// The last processor; the tests' own threads stay on the first.
pub(crate) fn worker_processor() -> usize {
    let processors = thread::available_parallelism().unwrap().get();
    assert!(
        processors > 1,
        "the live tests need two processors: one for a worker, one for the rest"
    );
    processors - 1
}
