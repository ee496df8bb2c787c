//! The machine, and how DPDK is started on it.

use crate::ffi::{Eal, dpdk_version, pcap_version};
use anyhow::{Result, ensure};
use clap::ValueEnum;
use rustix::thread::{CpuSet, sched_getaffinity};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::sync::OnceLock;

/// DPDK's tables at their largest: rte_fib's routes of four million /32.
const HUGE_PAGES: u64 = 1_536;

/// The same with small pages. They are taken from the system as they are written to.
const SMALL_MEBIBYTES: &str = "4096";

/// What everyone's tables lie in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pages {
    /// DPDK's in huge pages of 2 MiB, the others' where malloc gets transparent ones of that size.
    Huge,
    /// All in pages of 4 KiB.
    Small,
}

impl Pages {
    pub(crate) fn start_eal(self) -> Result<Eal> {
        if self == Self::Huge {
            let meminfo = fs::read_to_string("/proc/meminfo")?;
            let free = field(&meminfo, "HugePages_Free").unwrap_or("0");
            ensure!(
                free.parse::<u64>()? >= HUGE_PAGES,
                "{free} huge pages are free, {HUGE_PAGES} are needed"
            );
        }
        let mut arguments: Vec<String> = [
            // One lcore, which is this thread.
            &format!("--lcores=0@{}", processor()),
            "--no-pci",
            "--no-telemetry",
            // Without it DPDK keeps from AVX-512.
            "--force-max-simd-bitwidth=512",
            "--log-level=warning",
        ]
        .map(str::to_owned)
        .into();
        // Neither leaves a file behind or takes a lock, so that runs side by side are possible.
        let more: &[&str] = match self {
            Self::Huge => &["--in-memory"],
            Self::Small => &["--no-huge", "--no-shconf", "-m", SMALL_MEBIBYTES],
        };
        arguments.extend(more.iter().copied().map(str::to_owned));
        Eal::start(&arguments)
    }
}

/// The last one that this thread may run on: the first has more of the interrupts. EAL pins this
/// thread to it, and everyone is measured there.
pub(crate) fn processor() -> usize {
    processors().1
}

/// The first one: what only feeds those who are measured runs there.
pub(crate) fn other_processor() -> usize {
    processors().0
}

/// The first and the last that this process was given; asked once, before anything is pinned.
fn processors() -> (usize, usize) {
    static PROCESSORS: OnceLock<(usize, usize)> = OnceLock::new();
    *PROCESSORS.get_or_init(|| {
        let given = sched_getaffinity(None).ok();
        let given = |&cpu: &usize| given.as_ref().is_some_and(|set| set.is_set(cpu));
        let mut given = (0..CpuSet::MAX_CPU).filter(given);
        let first = given.next().unwrap_or(0);
        (first, given.next_back().unwrap_or(first))
    })
}

/// What must be known to read the figures.
pub(crate) fn describe(pages: Pages) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let processors = cpuinfo
        .lines()
        .filter(|l| l.starts_with("processor"))
        .count();
    let wide = ["avx2", "avx512f", "avx512bw", "avx512dq"];
    let flags = field(&cpuinfo, "flags").unwrap_or_default();
    let wide = wide
        .into_iter()
        .filter(|&w| flags.split(' ').any(|f| f == w));
    let mut text = String::from("## The machine\n\n");
    let lines = [
        (
            "processor",
            field(&cpuinfo, "model name").unwrap_or_default().to_owned(),
        ),
        ("processors", processors.to_string()),
        ("pinned to", processor().to_string()),
        ("of its instructions", wide.collect::<Vec<_>>().join(", ")),
        (
            "kernel",
            read("/proc/sys/kernel/osrelease").trim().to_owned(),
        ),
        (
            "load before the run",
            read("/proc/loadavg").trim().to_owned(),
        ),
        (
            "transparent huge pages",
            read("/sys/kernel/mm/transparent_hugepage/enabled")
                .trim()
                .to_owned(),
        ),
        ("versions", versions().join(", ")),
        (
            "pages",
            match pages {
                Pages::Huge => format!(
                    "DPDK's of 2 MiB; malloc's after GLIBC_TUNABLES={}",
                    std::env::var("GLIBC_TUNABLES").unwrap_or_default()
                ),
                Pages::Small => "4 KiB".to_owned(),
            },
        ),
    ];
    for (what, value) in lines {
        let _ = writeln!(text, "- {what}: {value}");
    }
    text
}

/// Of everyone who takes part.
fn versions() -> Vec<String> {
    let nft = Command::new("nft").arg("--version").output();
    let nft = nft.map_or_else(
        |error| format!("nft: {error}"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let mut versions = vec![dpdk_version(), pcap_version(), nft];
    let mut lines = include_str!("../Cargo.lock").lines();
    while let Some(line) = lines.next() {
        let name = line
            .strip_prefix("name = ")
            .map(|name| name.trim_matches('"'));
        let peers = ["ip_network_table", "poptrie", "prefix-trie", "sekisho"];
        if let Some(name) = name.filter(|name| peers.contains(name)) {
            let version = lines
                .next()
                .and_then(|line| line.strip_prefix("version = "));
            versions.push(format!(
                "{name} {}",
                version.unwrap_or("?").trim_matches('"')
            ));
        }
    }
    versions
}

/// The value behind `name` and a colon, in the files of /proc.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}
