//! What the system says of the machine.

use crate::loadgen::Machine;
use crate::loadgen::measure::Reading;
use std::fs;

/// This machine; what the system does not say is left out.
pub(super) fn machine() -> Machine {
    let cpuinfo = read("/proc/cpuinfo");
    let rates: Vec<f64> = values(&cpuinfo, "cpu MHz")
        .filter_map(|rate| rate.parse().ok())
        .collect();
    let name = values(&cpuinfo, "model name").next();
    Machine {
        cpu: name.unwrap_or(std::env::consts::ARCH).to_owned(),
        cores: cores(),
        mhz: (!rates.is_empty()).then_some(rates),
        l2_bytes: cache_bytes("2"),
        l3_bytes: cache_bytes("3"),
        memory_bytes: memory_bytes("MemTotal"),
        steal_share: None,
    }
}

/// What another program could take without others being put out.
pub(super) fn available_bytes() -> Option<u64> {
    memory_bytes("MemAvailable")
}

/// What is going on right now.
pub(super) fn reading() -> Reading {
    let texts = ["/proc/stat", "/proc/loadavg", "/proc/thread-self/status"].map(read);
    let [stat, load, status] = &texts;
    Reading::parse(stat, load, status)
}

/// Processors that this program may use.
fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u32)
}

/// The data cache of one level that the first processor has.
fn cache_bytes(level: &str) -> Option<u64> {
    (0..8).find_map(|index| {
        let of = |file: &str| {
            read(&format!(
                "/sys/devices/system/cpu/cpu0/cache/index{index}/{file}"
            ))
        };
        let holds_data = of("type").trim() != "Instruction";
        if of("level").trim() != level || !holds_data {
            return None;
        }
        kib(of("size").trim().strip_suffix('K')?)
    })
}

fn memory_bytes(key: &str) -> Option<u64> {
    let text = read("/proc/meminfo");
    let value = values(&text, key).next()?;
    kib(value.strip_suffix("kB")?.trim())
}

fn kib(digits: &str) -> Option<u64> {
    digits.parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// The values of the lines `key : value`.
fn values<'t>(text: &'t str, key: &str) -> impl Iterator<Item = &'t str> {
    text.lines().filter_map(move |line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
