//! The program of `pipelines/capsule`, built once, and a runtime file for it.

use crate::net::Running;
use crate::program::worker_processor;
use sekisho::io::CaptureReader;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than any start, run or end takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A runtime file, with all that belongs to it in one folder.
pub(crate) struct Host {
    folder: TempDir,
}

/// How the host ended: its counters by their names, and the rest of what it said.
pub(crate) struct End {
    said: String,
}

impl Host {
    /// With these devices for access and network, as DPDK names them; the mempool has so many mbufs.
    /// `more` stands before the ports.
    pub(crate) fn new(devices: [&str; 2], mbufs: usize, more: &str) -> Self {
        let mut text = format!(
            "app_name = \"sekisho-capsule\"\nmaster_core = 0\n{more}\n\
             dpdk_args = \"--no-huge -m 512 --no-shconf --no-pci --no-telemetry\"\n\
             [mempool]\ncapacity = {mbufs}\n"
        );
        for (name, device) in ["access", "network"].into_iter().zip(devices) {
            let (device, arguments) = device.split_once(',').unwrap();
            let core = worker_processor();
            let _ = writeln!(
                text,
                "[[ports]]\nname = \"{name}\"\ndevice = \"{device}\"\nargs = \"{arguments}\"\n\
                 cores = [{core}]\npromiscuous = true"
            );
        }
        let made = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::write(made.file(), text).unwrap();
        made
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("runtime.toml")
    }

    /// Starts it by a command that the program and its arguments are added to.
    pub(crate) fn start(&self, mut command: Command, arguments: &[&str]) -> Running {
        command.arg(program()).arg("--file").arg(self.file());
        command.args(arguments);
        command.stdout(File::create(self.said()).unwrap());
        Running::start(&mut command)
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
}

impl End {
    /// The number behind a word of the balance, which the host itself has checked.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let balance = self.said.lines().find(|line| line.starts_with("balance"));
        let mut words = balance.unwrap_or_default().split(' ');
        words.find(|word| *word == name);
        let number = words.next().and_then(|number| number.parse().ok());
        number.unwrap_or_else(|| panic!("no {name}:\n{}", self.said))
    }
}

/// Built as the live tests' own program is, and run without cargo.
fn program() -> &'static Path {
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
