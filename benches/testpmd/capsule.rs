//! sekisho's stages in a runtime of capsule, and capsule alone: `pipelines/capsule`.

use crate::peer::worker_ns;
use crate::{LCORE, devices};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Processor time that a run is to have, about.
const RUN_NS: u64 = 3_000_000_000;

/// The first part of the names of capsule's threads, of which the kernel keeps 15 octets.
const NAME: &str = "box";

/// Both programs, built as the other benchmarks are, and what they are run with.
pub(crate) struct Programs {
    package: PathBuf,
    runtime_file: PathBuf,
    policy: PathBuf,
}

impl Programs {
    /// Builds them. The files that they read are in a folder; the policy is there.
    pub(crate) fn build(capture: &Path, policy: &Path, eal: &[String]) -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/capsule");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--release", "--bins", "--examples"])
            .args(["--target-dir", "target"])
            .current_dir(&package)
            .status()
            .unwrap();
        assert!(built.success(), "pipelines/capsule needs libclang-dev");
        let runtime_file = policy.with_file_name("runtime.toml");
        fs::write(&runtime_file, text(capture, eal)).unwrap();
        Self {
            package,
            runtime_file,
            policy: policy.to_owned(),
        }
    }

    /// Every frame through sekisho's stages; what it handles a second of its worker's processor time.
    pub(crate) fn stages(&self) -> f64 {
        let mut host = Command::new(self.program("sekisho-capsule"));
        host.arg("--file").arg(&self.runtime_file);
        mpps(host.arg("--policy").arg(&self.policy))
    }

    /// The same without stages.
    pub(crate) fn splice(&self) -> f64 {
        let mut splice = Command::new(self.program("examples/splice"));
        mpps(splice.arg(&self.runtime_file))
    }

    fn program(&self, name: &str) -> PathBuf {
        self.package.join("target/release").join(name)
    }
}

/// capsule's runtime file, of the same devices.
fn text(capture: &Path, eal: &[String]) -> String {
    let no_huge = eal.iter().any(|word| word == "--no-huge");
    let apart = if no_huge {
        "--no-shconf"
    } else {
        "--in-memory"
    };
    let mut text = format!(
        "app_name = \"{NAME}\"\nmaster_core = 0\n\
         dpdk_args = \"{apart} --no-pci --no-telemetry {}\"\n\
         [mempool]\ncapacity = 16383\ncache_size = 256\n",
        eal.join(" ")
    );
    for (name, device) in ["access", "network"].into_iter().zip(devices(capture)) {
        let (device, arguments) = device.split_once(',').unwrap();
        let _ = write!(
            text,
            "[[ports]]\nname = \"{name}\"\ndevice = \"{device}\"\nargs = \"{arguments}\"\n\
             cores = [{LCORE}]\nrxd = 512\ntxd = 512\npromiscuous = true\n"
        );
    }
    text
}

fn mpps(program: &mut Command) -> f64 {
    let mut running = program.stdout(Stdio::piped()).spawn().unwrap();
    let thread = format!("{NAME}-core{LCORE}");
    let mut taken_ns = 0;
    while taken_ns < RUN_NS {
        sleep(Duration::from_millis(20));
        assert!(running.try_wait().unwrap().is_none(), "{program:?} ended");
        // There is none as long as it reads its policy.
        taken_ns = worker_ns(&running, &thread).unwrap_or(0);
    }
    // Again, as near to its end as may be.
    taken_ns = worker_ns(&running, &thread).unwrap_or(taken_ns);
    let process = rustix::process::Pid::from_child(&running);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    let ended = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}");
    let rx = said.lines().find_map(|line| {
        let rest = line.strip_prefix("balance   rx ")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    });
    rx.unwrap_or_else(|| panic!("{said}")) as f64 * 1e3 / taken_ns as f64
}
