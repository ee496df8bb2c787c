//! sekisho beside dpdk-testpmd, and in a runtime of capsule: the same frames, from the same virtual
//! device to the same, one core each, by turns.
//!
//! `cargo bench --features dpdk --bench testpmd [-- EAL ARGUMENTS]`; it needs Debian's `dpdk` and
//! `libclang-dev`, two lcores, and hugepages, or the arguments `--no-huge -m 512`. How to read it:
//! `benches/README.md`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

mod capsule;
mod peer;
mod product;
#[path = "../worker/ring.rs"]
mod ring;

use capsule::Programs;
use sekisho::io::{CaptureWriter, Record};
use sekisho::loadgen::traffic::{Network, Sizes};
use sekisho::policy::effective_yaml;
use sekisho::wire::{AsFrame, LinkType};
use std::path::Path;

/// Distinct frames; net_pcap holds them all, and begins again after the last.
const FRAMES: usize = 2_048;

/// Each program so often, by turns.
const ROUNDS: usize = 5;

/// Where all programs work; DPDK's own thread is on the other one.
pub(crate) const LCORE: u32 = 1;

/// What sekisho is to reach of testpmd's `mac`, every frame classified.
const LEAST_RATIO: f64 = 0.75;

/// Of the frames, the share that must reach the tables.
const LEAST_LOOKED_UP: f64 = 0.99;

fn main() {
    let words: Vec<_> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if let Some((product::WORD, rest)) = words.split_first().map(|(word, rest)| (&**word, rest)) {
        return product::serve(rest);
    }
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("frames.pcap");
    let network = network();
    write(&capture, &network);
    let policy = folder.path().join("policy.yaml");
    let text = effective_yaml(network.program().resolved());
    std::fs::write(&policy, text).unwrap();
    compare(&capture, &policy, &words);
}

/// One subscriber prefix in ten of a fixed-line provider's, a hundred thousand in all.
pub(crate) fn network() -> Network {
    Network::synthetic(&"dense-100k".parse().unwrap()).unwrap()
}

/// The same words for all programs, behind `--vdev` or as the devices of a pipeline.
pub(crate) fn devices(capture: &Path) -> [String; 2] {
    let source = format!("net_pcap0,rx_pcap={},infinite_rx=1", capture.display());
    [source, "net_null0,no-rx=1".to_owned()]
}

/// What each program forwards, in the order of the table's columns.
type Round = [f64; 5];

const COLUMNS: [&str; 5] = [
    "testpmd io",
    "testpmd mac",
    "sekisho",
    "capsule alone",
    "sekisho in capsule",
];

fn compare(capture: &Path, policy: &Path, eal: &[String]) {
    let capsule = Programs::build(capture, policy, eal);
    let mut looked_up = 1.0_f64;
    let mut rounds: Vec<Round> = Vec::new();
    println!("\nmillion 64-byte frames a second of processor time, one core, {FRAMES} distinct\n");
    println!(
        "| round | {} | sekisho ÷ mac | in capsule ÷ sekisho |\n|---:{}|",
        COLUMNS.join(" | "),
        "|---:".repeat(COLUMNS.len() + 2)
    );
    for round in 1..=ROUNDS {
        let of_io = peer::mpps("io", capture, eal);
        let of_mac = peer::mpps("mac", capture, eal);
        let run = product::run(capture, eal);
        looked_up = looked_up.min(run.looked_up);
        let mpps = [of_io, of_mac, run.mpps, capsule.splice(), capsule.stages()];
        row(&round.to_string(), mpps, ratios(mpps));
        rounds.push(mpps);
    }
    let of = |column: usize| median(rounds.iter().map(|mpps| mpps[column]));
    let ratio = [0, 1].map(|column| median(rounds.iter().map(|mpps| ratios(*mpps)[column])));
    row("median", std::array::from_fn(of), ratio);
    println!(
        "\n{:.2} % of the frames reached the tables",
        looked_up * 100.0
    );
    assert!(looked_up >= LEAST_LOOKED_UP, "frames passed the tables by");
    assert!(
        ratio[0] >= LEAST_RATIO,
        "less than {LEAST_RATIO} × testpmd's mac"
    );
}

/// Both ports driven by sekisho against testpmd; by capsule against by sekisho.
fn ratios([_, mac, ours, _, in_capsule]: Round) -> [f64; 2] {
    [ours / mac, in_capsule / ours]
}

fn row(name: &str, mpps: Round, [to_mac, to_ours]: [f64; 2]) {
    let mpps = mpps.map(|figure| format!("{figure:.1}")).join(" | ");
    println!("| {name} | {mpps} | {to_mac:.2} | {to_ours:.2} |");
}

fn median(samples: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = samples.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn write(path: &Path, network: &Network) {
    let mut capture = CaptureWriter::create(path).unwrap();
    let frames = ring::frames(network, Sizes::least(), 0.01);
    for octets in frames.iter().take(FRAMES) {
        let octets = octets.as_slice();
        let record = Record {
            frame: octets.as_frame(),
            timestamp_ns: Some(0),
        };
        capture.write(&record).unwrap();
    }
    capture.finish(LinkType::ETHERNET).unwrap();
}
