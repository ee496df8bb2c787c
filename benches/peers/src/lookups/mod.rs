//! Everyone's tables, on the same prefixes and the same queries, 64 at a time.

mod ipv4;
mod ipv6;

use crate::contest::{Asked, Goals};
use crate::ffi::Eal;
use crate::measure::Effort;
use crate::prefixes::{dense_ipv4, full_ipv4, real, strewn_ipv4, strewn_ipv6};
use crate::queries::Mix;
use crate::report::Report;

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

fn asked<Address>(mixes: [Mix; 4], convert: impl Fn(u128) -> Address) -> Vec<Asked<Address>> {
    let asked = |mix: Mix| Asked {
        name: mix.name,
        questions: mix.addresses.into_iter().map(&convert).collect(),
        timed: mix.timed,
    };
    mixes.into_iter().map(asked).collect()
}
