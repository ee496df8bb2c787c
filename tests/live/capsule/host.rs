//! The program of `pipelines/capsule`, built once, and a runtime file for it.

use crate::net::Running;
use crate::program::worker_processor;
use sekisho::io::CaptureReader;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any start, run or end takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Processor time that a core has when it polls: more than it takes to make its thread.
const POLLING_NS: u64 = 100_000_000;

/// A runtime file, with all that belongs to it in one folder.
pub(crate) struct Host {
    folder: TempDir,
    devices: [String; 2],
    cores: Vec<usize>,
    mbufs: usize,
    seconds: Option<u32>,
}

/// How the host ended, after it has found that its balance holds.
pub(crate) struct End {
    pub(crate) said: String,
}

impl Host {
    /// With these devices for access and network, as DPDK names them.
    pub(crate) fn between(access: &str, network: &str) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            devices: [access.to_owned(), network.to_owned()],
            cores: vec![worker_processor()],
            mbufs: 16_383,
            seconds: None,
        }
    }

    /// On other cores than the tests' worker's.
    pub(crate) fn on(self, cores: &[usize]) -> Self {
        let cores = cores.to_vec();
        Self { cores, ..self }
    }

    /// With a pool of another size.
    pub(crate) fn with_mbufs(self, mbufs: usize) -> Self {
        Self { mbufs, ..self }
    }

    /// Until then, where captures are read: a port knows no end of one.
    pub(crate) fn for_seconds(self, seconds: u32) -> Self {
        let seconds = Some(seconds);
        Self { seconds, ..self }
    }

    /// Runs it to its end, with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> End {
        self.end(self.start(Command::new("env"), arguments))
    }

    /// Starts it by a command that the program and its arguments are added to.
    pub(crate) fn start(&self, mut command: Command, arguments: &[&str]) -> Running {
        let file = self.folder.path().join("runtime.toml");
        fs::write(&file, self.text()).unwrap();
        command.arg(program()).arg("--file").arg(file);
        command.args(arguments);
        command.stdout(File::create(self.said()).unwrap());
        Running::start(&mut command)
    }

    /// Waits until every core polls.
    pub(crate) fn wait_for_cores(&self, running: &mut Running) {
        let deadline = Instant::now() + PATIENCE;
        for core in &self.cores {
            while core_ns(running.id(), *core) < POLLING_NS {
                assert!(running.is_running(), "the host has ended");
                assert!(Instant::now() < deadline, "core {core} does not begin");
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Waits for its end; it must be one of success.
    pub(crate) fn end(&self, mut running: Running) -> End {
        let status = running.wait(PATIENCE);
        let said = fs::read_to_string(self.said()).unwrap();
        assert!(status.success(), "{status}:\n{said}");
        End { said }
    }

    fn said(&self) -> PathBuf {
        self.folder.path().join("said")
    }

    fn text(&self) -> String {
        let mut text = "app_name = \"box\"\nmaster_core = 0\n".to_owned();
        if let Some(seconds) = self.seconds {
            let _ = writeln!(text, "duration = {seconds}");
        }
        let _ = writeln!(
            text,
            "dpdk_args = \"--no-huge -m 512 --no-shconf --no-pci --no-telemetry\"\n\
             [mempool]\ncapacity = {}",
            self.mbufs
        );
        for (name, device) in ["access", "network"].into_iter().zip(&self.devices) {
            let (device, arguments) = device.split_once(',').unwrap();
            let _ = writeln!(
                text,
                "[[ports]]\nname = \"{name}\"\ndevice = \"{device}\"\nargs = \"{arguments}\"\n\
                 cores = {:?}\npromiscuous = true",
                self.cores
            );
        }
        text
    }
}

impl End {
    /// The number behind a word of the balance.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let mut words = self.balance().split(' ');
        words.find(|word| *word == name);
        let number = words.next().and_then(|number| number.parse().ok());
        number.unwrap_or_else(|| panic!("no {name}:\n{}", self.said))
    }

    /// The line of the balance.
    pub(crate) fn balance(&self) -> &str {
        let mut lines = self.said.lines();
        let balance = lines.find(|line| line.starts_with("balance"));
        balance.unwrap_or_else(|| panic!("no balance:\n{}", self.said))
    }
}

/// Processor time of a core's thread.
fn core_ns(process: u32, core: usize) -> u64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter();
    let threads = threads.flatten().flatten().map(|thread| thread.path());
    let read = |thread: &Path, file| fs::read_to_string(thread.join(file)).unwrap_or_default();
    let name = format!("box-core{core}\n");
    let mut of_core = threads.filter(|thread| read(thread, "comm") == name);
    let times = of_core.next().map(|thread| read(&thread, "schedstat"));
    let taken_ns = times.as_ref().and_then(|times| times.split(' ').next());
    taken_ns.map_or(0, |taken_ns| taken_ns.parse().unwrap())
}

/// Built as the live tests' own program is, and run without cargo.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/capsule");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "--profile", "live"]);
        cargo.args(["--target-dir", "target"]);
        let status = cargo.current_dir(&package).status().unwrap();
        assert!(
            status.success(),
            "pipelines/capsule is not built: tests/packages.sh installs what it needs"
        );
        package.join("target/live/sekisho-capsule")
    })
}

/// The octets of every frame of a capture.
pub(crate) fn frames(capture: &Path) -> Vec<Vec<u8>> {
    let mut reader = CaptureReader::open(capture).unwrap();
    let mut frames = Vec::new();
    loop {
        let records = reader.read_burst().unwrap();
        if records.is_empty() {
            return frames;
        }
        frames.extend(records.iter().map(|record| record.frame.bytes.to_vec()));
    }
}
