//! dpdk-testpmd, on one lcore.

use crate::{LCORE, devices};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How long it forwards.
const RUN: Duration = Duration::from_secs(3);

/// What it forwards a second of its worker's processor time.
pub(crate) fn mpps(mode: &str, capture: &Path, eal: &[String]) -> f64 {
    let no_huge = eal.iter().any(|word| word == "--no-huge");
    let [source, sink] = devices(capture);
    let mut testpmd = Command::new("dpdk-testpmd")
        .args(["-l", &format!("0,{LCORE}"), "--no-pci", "--no-telemetry"])
        .arg(if no_huge {
            "--no-shconf"
        } else {
            "--in-memory"
        })
        .args(["--vdev", &source, "--vdev", &sink])
        .args(eal)
        .args(["--", "--total-num-mbufs=16384", "--nb-cores=1"])
        .arg(format!("--forward-mode={mode}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("dpdk-testpmd is in the Debian package dpdk");
    sleep(RUN);
    let taken_ns = worker_ns(&testpmd, &format!("worker-{LCORE}"));
    let taken_ns = taken_ns.expect("testpmd has a worker");
    // Enter ends it.
    testpmd.stdin.take().unwrap().write_all(b"\n").unwrap();
    let mut said = String::new();
    testpmd
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(testpmd.wait().unwrap().success(), "{said}");
    let forwarded = said
        .lines()
        .filter_map(|line| line.trim().strip_prefix("TX-packets: "))
        .filter_map(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .next_back()
        .unwrap_or_else(|| panic!("{said}"));
    forwarded as f64 * 1e3 / taken_ns as f64
}

/// Processor time of a thread of a process whose name holds this.
pub(crate) fn worker_ns(process: &Child, name: &str) -> Option<u64> {
    let threads = fs::read_dir(format!("/proc/{}/task", process.id())).ok()?;
    let times = threads.filter_map(|thread| {
        let thread = thread.ok()?.path();
        let is_it = fs::read_to_string(thread.join("comm")).ok()?.contains(name);
        let times = fs::read_to_string(thread.join("schedstat")).ok()?;
        times.split(' ').next()?.parse().ok().filter(|_| is_it)
    });
    times.last()
}
