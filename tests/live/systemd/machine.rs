use super::cgroup::Cgroup;
use crate::net::{Namespace, Running, run};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is shipped, by the places where an operator puts it.
const SHIPPED: [(&str, &str); 3] = [
    ("sekisho@.service", "units/sekisho@.service"),
    ("sekisho.sysusers", "sysusers/sekisho.conf"),
    ("sekisho.tmpfiles", "tmpfiles/sekisho.conf"),
];

/// Folders of this machine that stand in the container: those of an installation.
const FOLDERS: [(&str, &str); 5] = [
    ("bin", "/usr/local/bin"),
    ("etc", "/etc/sekisho"),
    ("units", "/etc/systemd/system.control"),
    ("sysusers", "/etc/sysusers.d"),
    ("tmpfiles", "/etc/tmpfiles.d"),
];

/// Enough to log; a host's own services stay out.
const TARGET: &str = "[Unit]\nDefaultDependencies=no\nRequires=systemd-journald.service\n";

/// A container in a network namespace, with systemd as its first process: the system's own `/usr`, a
/// root and an `/etc` that nobody has written to yet, and sekisho installed as its README says. It is
/// gone with the test.
#[derive(Debug)]
pub(super) struct Machine {
    nspawn: Running,
    init: u32,
    folder: TempDir,
    // Dropped last, when no process is left in it.
    _cgroup: Cgroup,
}

impl Machine {
    /// Boots it in a namespace.
    pub(super) fn boot(namespace: &Namespace) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, _) in FOLDERS {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for (from, to) in SHIPPED {
            fs::copy(shipped(from), folder.path().join(to)).unwrap();
        }
        let program = env!("CARGO_BIN_EXE_sekisho");
        fs::copy(program, folder.path().join("bin/sekisho")).unwrap();
        fs::write(folder.path().join("units/test.target"), TARGET).unwrap();
        let cgroup = Cgroup::new(namespace.name());
        let log = folder.path().join("log");
        let mut nspawn = Running::start(
            spawn(namespace, folder.path(), &cgroup)
                .stdout(File::create(&log).unwrap())
                .stderr(File::options().append(true).open(&log).unwrap()),
        );
        let deadline = Instant::now() + PATIENCE;
        let init = loop {
            if let Some(init) = init_of(nspawn.id()) {
                break init;
            }
            assert!(
                nspawn.is_running() && Instant::now() < deadline,
                "systemd does not come up: {}",
                fs::read_to_string(&log).unwrap()
            );
            sleep(Duration::from_millis(20));
        };
        let machine = Self {
            nspawn,
            init,
            folder,
            _cgroup: cgroup,
        };
        machine.wait("systemd to answer", || {
            let journal = machine.output(&["systemctl", "is-active", "systemd-journald"]);
            journal.status.success()
        });
        machine.run(&["systemd-sysusers", "sekisho.conf"]);
        machine.run(&["systemd-tmpfiles", "--create", "sekisho.conf"]);
        machine
    }

    /// A file of `/etc/sekisho`.
    pub(super) fn write_config(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("etc").join(name), text).unwrap();
    }

    /// A pipeline between the links `access` and `network`, with rings so small that they fit below
    /// the limit of locked memory where nobody may raise it.
    pub(super) fn write_pipeline(&self, name: &str, driver: &str) {
        let worker = available_parallelism().unwrap().get() - 1;
        let text = format!("policies: [example-net.yaml]\nlcores: [{worker}]\n{driver}\n");
        self.write_config(&format!("{name}.yaml"), &text);
    }

    /// Changes the unit of one pipeline.
    pub(super) fn write_drop_in(&self, pipeline: &str, text: &str) {
        let unit = format!("units/sekisho@{pipeline}.service.d");
        let folder = self.folder.path().join(unit);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("test.conf"), text).unwrap();
        self.run(&["systemctl", "daemon-reload"]);
    }

    /// What a command in it printed; it must succeed.
    pub(super) fn run(&self, command: &[&str]) -> String {
        run(&mut self.command(command))
    }

    pub(super) fn output(&self, command: &[&str]) -> Output {
        self.command(command).output().unwrap()
    }

    /// What `systemctl` does with the unit of a pipeline: whether it succeeds.
    pub(super) fn systemctl(&self, verb: &str, pipeline: &str) -> bool {
        let output = self.output(&["systemctl", verb, &unit(pipeline)]);
        output.status.success()
    }

    /// A property of such a unit.
    pub(super) fn show(&self, pipeline: &str, property: &str) -> String {
        let text = self.run(&["systemctl", "show", "-P", property, &unit(pipeline)]);
        text.trim().to_owned()
    }

    /// Waits until such a unit is in a state.
    pub(super) fn wait_for(&self, pipeline: &str, state: &str) {
        let is = || self.show(pipeline, "ActiveState");
        let what = format!("{pipeline} to be {state}");
        self.wait(&what, || is() == state);
    }

    /// All that was logged of such a unit.
    pub(super) fn journal(&self, pipeline: &str) -> String {
        self.run(&["journalctl", "--sync"]);
        let unit = unit(pipeline);
        self.run(&["journalctl", "--no-pager", "-o", "cat", "-u", &unit])
    }

    #[track_caller]
    pub(super) fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            let journal = || self.output(&["journalctl", "--no-pager", "-n", "50", "-o", "cat"]);
            assert!(
                Instant::now() < deadline,
                "waited for {what}:\n{}",
                String::from_utf8_lossy(&journal().stdout)
            );
            sleep(Duration::from_millis(50));
        }
    }

    fn command(&self, command: &[&str]) -> Command {
        let mut enter = Command::new("nsenter");
        enter.args(["--all", "--target"]).arg(self.init.to_string());
        enter.args(command);
        enter
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // With the first process of a container the kernel kills all others, and nspawn ends by
        // itself; killed first, it would leave them behind.
        let init = Pid::from_raw(self.init.cast_signed());
        let _ = init.map(|init| kill_process(init, Signal::KILL));
        let deadline = Instant::now() + PATIENCE;
        while self.nspawn.is_running() && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
        }
    }
}

/// What is in the folder that the packages are made of.
pub(super) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging/systemd")
        .join(name)
}

fn unit(pipeline: &str) -> String {
    format!("sekisho@{pipeline}.service")
}

fn spawn(namespace: &Namespace, folder: &Path, cgroup: &Cgroup) -> Command {
    let mut command = Command::new("setpriv");
    // When the test is killed, nspawn is asked to shut the container down.
    command.args(["--pdeathsig", "TERM", "sh", "-c"]);
    command.arg(format!("{}exec systemd-nspawn \"$@\"", cgroup.enter()));
    command.args(["sh", "--quiet", "--directory=/", "--volatile=yes"]);
    command.args(["--console=pipe", "--register=no", "--keep-unit"]);
    command.arg("--machine=sekisho-test");
    command.arg(format!(
        "--network-namespace-path=/run/netns/{}",
        namespace.name()
    ));
    // What a container has not by itself: the unit can only give away what systemd has.
    command.args([
        "--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_BPF",
        "--system-call-filter=bpf adjtimex clock_adjtime",
    ]);
    for (name, there) in FOLDERS {
        let here = folder.join(name);
        command.arg(format!("--bind={}:{there}", here.display()));
    }
    command.args(["--boot", "--", "--unit=test.target", "--log-target=journal"]);
    command.stdin(std::process::Stdio::null());
    command
}

/// The first process of a container, once it is systemd.
fn init_of(nspawn: u32) -> Option<u32> {
    let children = format!("/proc/{nspawn}/task/{nspawn}/children");
    let children = fs::read_to_string(children).ok()?;
    children.split_whitespace().find_map(|child| {
        let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        (name.trim() == "systemd").then(|| child.parse().ok())?
    })
}
