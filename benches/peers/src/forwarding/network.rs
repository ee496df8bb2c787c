//! Three network namespaces in a row, which go away with the value that stands for them.
//!
//! ```text
//!   source            box             sink
//!   ┌────────┐   ┌────────────┐   ┌────────┐
//!   │  spa ──┼───┼─ spb   spc ─┼───┼─ spd  │
//!   └────────┘   └────────────┘   └────────┘
//! ```

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, setpriority_process};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where frames reach the box, and where they leave the source.
pub(crate) const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1]];

/// Every namespace of this program is called so, then the process, then its place.
const PREFIX: &str = "sekisho-peers-";

pub(crate) struct Network {
    /// Names, which others read in namespaces of their own: source, box, sink.
    namespaces: [String; 3],
}

impl Network {
    /// Makes it; what a killed run has left behind goes first.
    pub(crate) fn new() -> Result<Self> {
        remove_leftovers()?;
        let own = std::process::id();
        let network = Self {
            namespaces: ["source", "box", "sink"].map(|place| format!("{PREFIX}{own}-{place}")),
        };
        for namespace in &network.namespaces {
            command(&["ip", "netns", "add", namespace])?;
        }
        network.connect()?;
        Ok(network)
    }

    fn connect(&self) -> Result<()> {
        let [source, inner, sink] = &self.namespaces;
        let lines = [
            // The kernel's own frames would be counted, too.
            format!("ip netns exec {source} sysctl -qw net.ipv6.conf.default.disable_ipv6=1"),
            format!("ip netns exec {inner} sysctl -qw net.ipv6.conf.default.disable_ipv6=1"),
            format!("ip netns exec {sink} sysctl -qw net.ipv6.conf.default.disable_ipv6=1"),
            // Sources are from everywhere, and no route leads back to them.
            format!("ip netns exec {inner} sysctl -qw net.ipv4.conf.all.rp_filter=0"),
            format!("ip netns exec {inner} sysctl -qw net.ipv4.conf.default.rp_filter=0"),
            format!("ip netns exec {inner} sysctl -qw net.ipv4.ip_forward=1"),
            format!(
                "ip link add name spa netns {source} address 02:00:00:00:00:01 type veth \
                 peer name spb netns {inner} address 02:00:00:00:00:02"
            ),
            format!(
                "ip link add name spc netns {inner} address 02:00:00:00:00:03 type veth \
                 peer name spd netns {sink} address 02:00:00:00:00:04"
            ),
            // veth hands frames to a thread of the receiving side (NAPI) where that does GRO and
            // the sending side does no segmentation.
            format!("ip netns exec {inner} ethtool -K spb gro on"),
            format!("ip netns exec {source} ethtool -K spa tso off"),
            format!("ip netns exec {sink} ethtool -K spd gro on"),
            format!("ip netns exec {inner} ethtool -K spc tso off"),
            format!("ip -n {inner} address add 192.0.2.1/30 dev spc"),
            format!("ip -n {source} link set spa up"),
            format!("ip -n {inner} link set spb up"),
            format!("ip -n {inner} link set spc up"),
            format!("ip -n {sink} link set spd up"),
            // From Linux 6.16 on, a queue makes the sender wait for a slow box.
            format!("ip netns exec {source} tc qdisc add dev spa root pfifo limit 1000"),
            format!(
                "ip -n {inner} neigh add 192.0.2.2 lladdr 02:00:00:00:00:04 dev spc nud permanent"
            ),
            format!("ip -n {inner} route add default via 192.0.2.2 dev spc"),
        ];
        for line in lines {
            command(&line.split_whitespace().collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// For those who join the source's namespace.
    pub(crate) fn source(&self) -> PathBuf {
        let [source, _, _] = &self.namespaces;
        Path::new("/run/netns").join(source)
    }

    /// Frames that the box has received, and those that it has forwarded: also those for which the
    /// sink had no room any more.
    pub(crate) fn counts(&self) -> Result<[u64; 2]> {
        let [_, inner, _] = &self.namespaces;
        let sent = count(inner, "spc", "tx_packets")? + count(inner, "spc", "tx_dropped")?;
        Ok([count(inner, "spb", "rx_packets")?, sent])
    }

    /// Gives nft a set of rules in the box.
    pub(crate) fn nft(&self, rules: &str) -> Result<()> {
        let [_, inner, _] = &self.namespaces;
        let mut child = Command::new("ip")
            .args(["netns", "exec", inner, "nft", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("ip netns exec … nft")?;
        if let Some(mut input) = child.stdin.take() {
            // When nft has stopped reading, it says why.
            let _ = input.write_all(rules.as_bytes());
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("nft: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    /// Has the box receive in a thread of its own on one processor, and the sink on another.
    pub(crate) fn threads(&self, box_on: usize, sink_on: usize) -> Result<Forwarder> {
        let [_, inner, sink] = &self.namespaces;
        let forwarder = thread(inner, "spb", box_on)?;
        thread(sink, "spd", sink_on)?;
        Ok(Forwarder(forwarder))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for namespace in &self.namespaces {
            // One that was not made yet cannot be removed; there is no more to be done here.
            let _ = command(&["ip", "netns", "del", namespace]);
        }
    }
}

/// The kernel's thread that takes frames into the box and forwards them.
pub(crate) struct Forwarder(Pid);

impl Forwarder {
    /// What it has had of a processor, in nanoseconds.
    pub(crate) fn busy_ns(&self) -> Result<u64> {
        let path = format!("/proc/{}/schedstat", self.0.as_raw_nonzero());
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        let first = text
            .split_whitespace()
            .next()
            .with_context(|| path.clone())?;
        first.parse().context(path)
    }
}

fn remove_leftovers() -> Result<()> {
    let Ok(names) = fs::read_dir("/run/netns") else {
        return Ok(());
    };
    for name in names {
        let name = name?.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        let process = name.trim_start_matches(PREFIX).split('-').next();
        let alive = process.is_some_and(|process| Path::new("/proc").join(process).exists());
        if !alive {
            command(&["ip", "netns", "del", name])?;
        }
    }
    Ok(())
}

fn thread(namespace: &str, interface: &str, processor: usize) -> Result<Pid> {
    let before = napi_threads(interface)?;
    let switch = format!("echo 1 > /sys/class/net/{interface}/threaded");
    command(&["ip", "netns", "exec", namespace, "sh", "-c", &switch])?;
    let after = napi_threads(interface)?;
    let Some(&pid) = after.difference(&before).next() else {
        bail!("{interface} has no NAPI thread after {switch:?}");
    };
    let pid = Pid::from_raw(pid).context("a process 0")?;
    let mut processors = CpuSet::new();
    processors.set(processor);
    sched_setaffinity(Some(pid), &processors).context("pinning a NAPI thread")?;
    // What else runs here must not make it drop frames.
    setpriority_process(Some(pid), -20).context("priority of a NAPI thread")?;
    Ok(pid)
}

fn napi_threads(interface: &str) -> Result<BTreeSet<i32>> {
    let mut threads = BTreeSet::new();
    for process in fs::read_dir("/proc")? {
        let process = process?;
        // A process may end at any time.
        let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        let pid = process
            .file_name()
            .to_str()
            .and_then(|pid| pid.parse().ok());
        if let Some(pid) = pid
            && name.starts_with(&format!("napi/{interface}-"))
        {
            threads.insert(pid);
        }
    }
    Ok(threads)
}

fn count(namespace: &str, interface: &str, what: &str) -> Result<u64> {
    let path = format!("/sys/class/net/{interface}/statistics/{what}");
    let text = command(&["ip", "netns", "exec", namespace, "cat", &path])?;
    text.trim().parse().context(path)
}

/// What it prints; its errors are ours.
fn command(words: &[&str]) -> Result<String> {
    let line = words.join(" ");
    let (program, arguments) = words.split_first().context("no command")?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| line.clone())?;
    if !output.status.success() {
        bail!("{line}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
