//! Random policies and random frames: a slow evaluator that knows no table, and a parser written
//! apart from the product's, give the same verdict, reason and rule as the stages do.
//!
//! - `policy`: a policy as a plain value, and the YAML of it that the product loads.
//! - `naive`: the parser, octet by octet; each is there, cut by the capture, or was never sent.
//! - `owners`, `evaluate`, `limits`: whose an address is, what the rules say, what a rate lets pass.
//! - `made`: the generators. `product`: the real loader, tables and stages.
//!
//! Not modelled: port sets of MAP-E, tables of rates that are full, and packets in tunnels that hide
//! whose they are, where their outer ends are nobody's either; link types beyond those of `made::frame`.
//!
//! Each run tries the same few cases, so that a change fails by what it changes and never by chance.
//! With `PROPTEST_CASES` it searches, each time from another seed, which a failure names:
//! `PROPTEST_CASES=10000 cargo test --profile live --test model` takes some minutes, optimised.
//! `PROPTEST_RNG_SEED` repeats it. Search so after a change of the parser, the stages or the tables.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "tests"
)]

mod evaluate;
mod limits;
mod made;
mod naive;
mod owners;
mod policy;
mod product;

use evaluate::{Judged, Opinion, Run, evaluate};
use limits::{Buckets, Taken};
use made::MadeFrame;
use naive::Seen;
use naive::tunnel::Tunnel;
use policy::Policy;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError};
use sekisho::stage::{Account, Facing};
use sekisho::stats::Verdict;
use sekisho::wire::BURST;
use std::fmt::{self, Write as _};
use std::hash::{BuildHasher, RandomState};

/// Four bursts: to compile a policy takes as long as to judge many frames.
const MOST_FRAMES: usize = 4 * BURST;

/// A policy, a second, and frames that are judged under it.
#[derive(Clone)]
struct Case {
    policy: Policy,
    at: i64,
    /// The `unparsed` and the `source` of a pipeline.
    unparsed_is_dropped: bool,
    sources_are_known: bool,
    tunnels: Vec<Tunnel>,
    frames: Vec<MadeFrame>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "as of {}; unparsed are dropped: {}; sources are to be known: {}",
            policy::timestamp(self.at),
            self.unparsed_is_dropped,
            self.sources_are_known
        )?;
        for tunnel in &self.tunnels {
            writeln!(f, "opened: {tunnel:?}")?;
        }
        for (number, tenant) in self.policy.tenants.iter().enumerate() {
            writeln!(f, "---\n{}", tenant.yaml(number))?;
        }
        let frames = self.frames.iter();
        frames
            .map(described)
            .try_for_each(|frame| writeln!(f, "{frame}"))
    }
}

fn described(frame: &MadeFrame) -> String {
    let mut text = format!(
        "at {} ms, link type {}, {} of {} octets: ",
        frame.at_ns / 1_000_000,
        frame.link_type,
        frame.bytes.len(),
        frame.original_len
    );
    for octet in &frame.bytes {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

fn case(tunnels: impl Strategy<Value = Vec<Tunnel>>) -> impl Strategy<Value = Case> {
    let settings = (
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.3),
        tunnels,
    );
    let frames = vec(made::frame(), 1..=MOST_FRAMES);
    (made::policy(), made::at(), settings, frames).prop_map(|(policy, at, settings, mut frames)| {
        made::one_after_the_other(&mut frames);
        let (unparsed_is_dropped, sources_are_known, tunnels) = settings;
        Case {
            policy,
            at,
            unparsed_is_dropped,
            sources_are_known,
            tunnels,
            frames,
        }
    })
}

/// So many cases, the same ones each time; or what the environment asks for.
fn usual(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let asks_for = |name| std::env::var_os(name).is_some();
    let (cases, rng_seed) = match (asks_for("PROPTEST_CASES"), asks_for("PROPTEST_RNG_SEED")) {
        (true, true) => (asked.cases, asked.rng_seed),
        (true, false) => (asked.cases, RngSeed::Fixed(RandomState::new().hash_one(()))),
        (false, true) => (cases, asked.rng_seed),
        (false, false) => (cases, RngSeed::Fixed(25)),
    };
    tell(rng_seed, cases);
    ProptestConfig {
        cases,
        rng_seed,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..asked
    }
}

/// How to have the same cases again. Where a test passes, its output is not shown.
#[expect(clippy::print_stderr, reason = "for whoever reads why it failed")]
fn tell(rng_seed: RngSeed, cases: u32) {
    eprintln!("the cases are those of PROPTEST_RNG_SEED={rng_seed} PROPTEST_CASES={cases}");
}

proptest! {
    #![proptest_config(usual(40))]

    #[test]
    fn every_verdict_is_the_one_that_the_rules_say(case in case(Just(Vec::new()))) {
        agrees(&case)?;
    }

    /// Verdicts alone: which name an outer fragment's trick has, the two readers of tunnels do not
    /// always agree.
    #[test]
    fn so_it_is_where_tunnels_are_opened(case in case(made::tunnels())) {
        agrees(&case)?;
    }
}

fn agrees(case: &Case) -> Result<(), TestCaseError> {
    let tables = product::tables(&case.policy, case.at).map_err(TestCaseError::fail)?;
    let frames = case.frames.iter();
    let seen = frames.map(|frame| naive::see(frame.frame(), &case.tunnels));
    let seen: Vec<_> = seen.collect();
    for facing in [Facing::Out, Facing::In, Facing::Auto] {
        let run = Run {
            facing,
            unparsed_is_dropped: case.unparsed_is_dropped,
            sources_are_known: case.sources_are_known,
        };
        let wanted = wanted(case, &seen, run);
        let frames = &case.frames[..wanted.len()];
        // One by one under one kind of account or the other.
        let (one, other) = match case.frames.len() % 2 {
            0 => (Account::Candidates, Account::EveryFrame),
            _ => (Account::EveryFrame, Account::Candidates),
        };
        for (account, together) in [(one, 1), (one, BURST), (other, BURST)] {
            let burst = &mut product::burst(run, account, &case.tunnels);
            let found = frames.chunks(together);
            let found = found.flat_map(|frames| product::judge(burst, frames, &tables));
            for (number, found) in found.enumerate() {
                if evaluate::hides(&case.policy, &seen[number], case.at) {
                    continue;
                }
                let is_same = wanted[number].verdict == found.verdict;
                if !case.tunnels.is_empty() && is_same {
                    continue;
                }
                let of = (&wanted[number], &seen[number], &frames[number]);
                holds(of, &found, (run, account, together))?;
            }
        }
    }
    Ok(())
}

/// What the model says of the frames, up to the first of which it cannot.
fn wanted(case: &Case, seen: &[Seen], run: Run) -> Vec<Judged> {
    let mut buckets = Buckets::default();
    let settled = case.frames.iter().zip(seen).map_while(|(frame, seen)| {
        let Opinion { judged, limit } = evaluate(&case.policy, seen, run, case.at);
        let Some((key, limit, above)) = limit else {
            return Some(judged);
        };
        match buckets.take(key, limit, frame.at_ns) {
            Taken::Token => Some(Judged {
                verdict: Verdict::Forward,
                ..judged
            }),
            Taken::None => Some(above),
            Taken::TooNearToCall => None,
        }
    });
    settled.collect()
}

fn holds(
    (wanted, seen, frame): (&Judged, &Seen, &MadeFrame),
    found: &Judged,
    run: (Run, Account, usize),
) -> Result<(), TestCaseError> {
    prop_assert!(
        wanted == found,
        "{run:?}\n{}\nseen: {seen:?}\nthe model: {wanted:?}\nthe stages: {found:?}",
        described(frame)
    );
    Ok(())
}
