//! Everyone's tables, on the same prefixes and the same queries, 64 at a time.
//!
//! Every answer is compared with sekisho's before anything is timed: a peer is also a judge.

mod ipv4;
mod ipv6;

use crate::ffi::{BURST, Eal, heap_bytes};
use crate::measure::{Effort, Pass, by_turns, median, ratio, thread_time};
use crate::prefixes::{dense_ipv4, full_ipv4, real, strewn_ipv4, strewn_ipv6};
use crate::queries::Mix;
use crate::report::{Goal, Report};
use anyhow::{Result, ensure};
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

/// For each mix, whom sekisho should be ahead of, and how many times.
type Goals = &'static [(&'static str, &'static str, f64)];

const IPV4_GOALS: Goals = &[
    ("uniform", "rte_fib, AVX-512", 4.0),
    ("uniform", "prefix-trie", 6.0),
];

const IPV6_GOALS: Goals = &[
    ("uniform", "rte_fib6, AVX-512", 1.0),
    ("Zipf", "rte_fib6, AVX-512", 1.5),
    ("uniform", "prefix-trie", 8.0),
];

/// Runs all tables.
pub(crate) fn run_all(eal: &Eal, effort: Effort, report: &mut Report) {
    report.section(
        "## Lookups\n\n\
         Nanoseconds of thread CPU time a lookup, and how many times sekisho's that is (the median \
         of the ratios within each turn).",
    );
    let shared = std::env::var_os("SEKISHO_SHARED");
    let ipv4 = |name: &str, prefixes: &_, goals, report: &mut Report| {
        ipv4::ipv4(
            eal,
            &format!("IPv4 {name}"),
            prefixes,
            goals,
            effort,
            report,
        );
    };
    let ipv6 = |name: &str, prefixes: &_, goals, report: &mut Report| {
        ipv6::ipv6(
            eal,
            &format!("IPv6 {name}"),
            prefixes,
            goals,
            effort,
            report,
        );
    };
    ipv4("(a) strewn", &strewn_ipv4(), IPV4_GOALS, report);
    ipv4("(a2) dense", &dense_ipv4(), &[], report);
    match real(shared.as_ref(), "rib-full-ipv4.txt.gz") {
        Ok(prefixes) => ipv4("(b) real full table", &prefixes, &[], report),
        Err(error) => absent("IPv4 (b) real full table", &error, report),
    }
    ipv4("(d) full", &full_ipv4(), &[], report);
    ipv6("strewn /56", &strewn_ipv6(), IPV6_GOALS, report);
    match real(shared.as_ref(), "rib-full-ipv6.txt.gz") {
        Ok(prefixes) => ipv6("real full table", &prefixes, &[], report),
        Err(error) => absent("IPv6 real full table", &error, report),
    }
}

/// The real tables are no part of the repository.
fn absent(title: &str, error: &anyhow::Error, report: &mut Report) {
    report.section(&format!("### {title}\n\nNot there: {error:#}."));
    report.limit(&format!("{title}: not there: {error:#}"));
}

/// A table as a burst asks it.
trait Peer<Address> {
    type Answer: Copy + Default;

    /// Comes before every pass.
    fn prepare(&self) {}
    /// At most [`BURST`] addresses.
    fn burst(&self, addresses: &[Address], answers: &mut [Self::Answer; BURST]);
    /// 0 where nothing matched.
    fn value(answer: Self::Answer) -> u8;
}

/// Any [`Peer`].
trait Ask<Address> {
    fn pass(&self, addresses: &[Address]);
    fn values(&self, addresses: &[Address]) -> Vec<u8>;
}

impl<Address, P: Peer<Address>> Ask<Address> for P {
    fn pass(&self, addresses: &[Address]) {
        self.prepare();
        let mut answers = [P::Answer::default(); BURST];
        for burst in black_box(addresses).chunks(BURST) {
            self.burst(burst, &mut answers);
            black_box(&mut answers);
        }
    }

    fn values(&self, addresses: &[Address]) -> Vec<u8> {
        self.prepare();
        let mut answers = [P::Answer::default(); BURST];
        let mut values = Vec::with_capacity(addresses.len());
        for burst in addresses.chunks(BURST) {
            self.burst(burst, &mut answers);
            values.extend(
                burst
                    .iter()
                    .zip(answers)
                    .map(|(_, answer)| P::value(answer)),
            );
        }
        values
    }
}

/// A table that stands, and what it took.
struct Standing<'p, Address> {
    name: &'static str,
    memory_bytes: u64,
    built: Duration,
    table: Box<dyn Ask<Address> + 'p>,
}

/// What became of one who was invited.
enum Entry<'p, Address> {
    Stands(Standing<'p, Address>),
    /// What a peer cannot do by its nature, or this machine; a result as any other.
    Limit(&'static str, String),
    /// What should have run; the whole run fails.
    Failed(&'static str, anyhow::Error),
}

/// Why a peer cannot take part, where it is no fault.
#[derive(Debug)]
struct Limit(String);

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Limit {}

/// Those who take part on one table; the first is sekisho.
struct Field<'p, Address> {
    eal: &'p Eal,
    entries: Vec<Entry<'p, Address>>,
}

impl<'p, Address> Field<'p, Address> {
    fn new(eal: &'p Eal) -> Self {
        Self {
            eal,
            entries: Vec::new(),
        }
    }

    fn enter<P: Peer<Address> + 'p>(
        &mut self,
        name: &'static str,
        build: impl FnOnce() -> Result<P>,
    ) {
        let heap_before = heap_bytes(self.eal);
        let begin = thread_time();
        let entry = match build() {
            Ok(table) => Entry::Stands(Standing {
                name,
                built: thread_time() - begin,
                memory_bytes: heap_bytes(self.eal).saturating_sub(heap_before),
                table: Box::new(table),
            }),
            Err(error) => match error.downcast::<Limit>() {
                Ok(limit) => Entry::Limit(name, limit.0),
                Err(error) => Entry::Failed(name, error),
            },
        };
        self.entries.push(entry);
    }

    /// Enters one who looks into a table that stands already, in another way.
    fn enter_again<P: Peer<Address> + 'p>(
        &mut self,
        name: &'static str,
        of: &str,
        build: impl FnOnce() -> Result<P>,
    ) {
        self.enter(name, build);
        let shared = self.entries.iter().find_map(|entry| match entry {
            Entry::Stands(standing) if standing.name == of => {
                Some((standing.memory_bytes, standing.built))
            }
            _ => None,
        });
        if let (Some((memory_bytes, built)), Some(Entry::Stands(last))) =
            (shared, self.entries.last_mut())
        {
            (last.memory_bytes, last.built) = (memory_bytes, built);
        }
    }
}

/// A table by name, and the goals that are set for it.
struct Case {
    title: String,
    goals: Goals,
}

/// Compares and measures all, and writes the table.
fn run<Address>(
    case: &Case,
    mut field: Field<'_, Address>,
    mixes: &[Mix],
    convert: impl Fn(u128) -> Address,
    effort: Effort,
    report: &mut Report,
) {
    let queries: Vec<Vec<Address>> = mixes
        .iter()
        .map(|mix| {
            mix.addresses
                .iter()
                .map(|&address| convert(address))
                .collect()
        })
        .collect();
    compare(&mut field, mixes, &queries);
    let standing: Vec<_> = field.entries.iter().filter_map(Entry::standing).collect();
    let mut timed = Vec::new();
    for (mix, queries) in mixes.iter().zip(&queries).filter(|(mix, _)| mix.timed) {
        let passes: Vec<Pass<'_>> = standing
            .iter()
            .map(|one| Box::new(|| one.table.pass(queries)) as Pass<'_>)
            .collect();
        timed.push((mix.name, by_turns(&passes, queries.len(), effort)));
    }
    for &(mix, peer, goal) in case.goals {
        let place = standing.iter().position(|one| one.name == peer);
        let samples = timed.iter().find(|(name, _)| *name == mix);
        let measured = samples.and_then(|(_, all)| Some(ratio(all.get(place?)?, all.first()?)));
        report.goal(Goal {
            what: format!("{}, {mix}: times {peer}", case.title),
            goal,
            measured,
        });
    }
    report.section(&render(&case.title, &field, &timed));
    for entry in field.entries {
        match entry {
            Entry::Stands(_) => {}
            Entry::Limit(name, why) => report.limit(&format!("{}: {name}: {why}", case.title)),
            Entry::Failed(name, error) => report.fail(&format!("{}: {name}", case.title), &error),
        }
    }
}

impl<'p, Address> Entry<'p, Address> {
    fn standing(&self) -> Option<&Standing<'p, Address>> {
        match self {
            Self::Stands(standing) => Some(standing),
            Self::Limit(..) | Self::Failed(..) => None,
        }
    }
}

/// Whoever answers otherwise than the first is out.
fn compare<Address>(field: &mut Field<'_, Address>, mixes: &[Mix], queries: &[Vec<Address>]) {
    let first = field.entries.iter().find_map(Entry::standing);
    let Some(expected) = first.map(|first| {
        let answers = queries.iter().map(|queries| first.table.values(queries));
        answers.collect::<Vec<_>>()
    }) else {
        return;
    };
    for entry in &mut field.entries {
        if let Entry::Stands(standing) = entry
            && let Err(error) = agree(standing, &expected, mixes, queries)
        {
            *entry = Entry::Failed(standing.name, error);
        }
    }
}

fn agree<Address>(
    standing: &Standing<'_, Address>,
    expected: &[Vec<u8>],
    mixes: &[Mix],
    queries: &[Vec<Address>],
) -> Result<()> {
    for ((mix, queries), expected) in mixes.iter().zip(queries).zip(expected) {
        let values = standing.table.values(queries);
        let pairs = values.iter().zip(expected).zip(&mix.addresses);
        for ((value, ours), address) in pairs {
            ensure!(
                value == ours,
                "{} queries: {address:#x} has {value} here, {ours} in sekisho",
                mix.name
            );
        }
    }
    Ok(())
}

fn render<Address>(
    title: &str,
    field: &Field<'_, Address>,
    timed: &[(&str, Vec<Vec<f64>>)],
) -> String {
    let mut text = format!("### {title}\n\n| | MiB | built in ms |");
    for (mix, _) in timed {
        let _ = write!(text, " {mix}, ns | × |");
    }
    let _ = writeln!(
        text,
        "\n|---|---:|---:|{}",
        "---:|---:|".repeat(timed.len())
    );
    let mut place = 0;
    for entry in &field.entries {
        match entry {
            Entry::Stands(standing) => {
                let _ = write!(text, "{}", figures(standing));
                for (_, samples) in timed {
                    let (own, first) = (samples.get(place), samples.first());
                    if let (Some(own), Some(first)) = (own, first) {
                        let times = ratio(own, first);
                        let _ = write!(text, " {:.2} | {times:.2} |", median(own));
                    }
                }
                text.push('\n');
                place += 1;
            }
            Entry::Limit(name, why) => {
                let _ = writeln!(text, "| {name} | not measured: {why} |");
            }
            Entry::Failed(name, error) => {
                let _ = writeln!(text, "| {name} | could not run: {error:#} |");
            }
        }
    }
    text
}

fn figures<Address>(standing: &Standing<'_, Address>) -> String {
    let mebibytes = standing.memory_bytes as f64 / (1 << 20) as f64;
    let milliseconds = standing.built.as_secs_f64() * 1e3;
    format!("| {} | {mebibytes:.1} | {milliseconds:.0} |", standing.name)
}

/// The processor's, for DPDK's widest lookups.
fn has_avx512() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512bw")
}

fn need_avx512() -> Result<()> {
    ensure!(has_avx512(), Limit("this processor has no AVX-512".into()));
    Ok(())
}
