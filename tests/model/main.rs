//! Random policies and random frames: a slow evaluator that knows no table and a parser written
//! apart from the product's give the same verdict, reason and rule as the stages do.
//!
//! `PROPTEST_CASES=30000 cargo test --test model` tries more than the usual few.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "tests"
)]

mod evaluate;
mod made;
mod naive;
mod policy;
mod product;

use evaluate::{Judged, evaluate};
use made::MadeFrame;
use naive::Seen;
use policy::Policy;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sekisho::stage::{Account, Burst, Facing};
use sekisho::wire::BURST;
use std::fmt::{self, Write as _};

/// Four bursts: to compile a policy takes as long as to judge many frames.
const MOST_FRAMES: usize = 4 * BURST;

/// A policy, a second, and frames that are judged under it.
#[derive(Clone)]
struct Case {
    policy: Policy,
    at: i64,
    frames: Vec<MadeFrame>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "as of {}", policy::timestamp(self.at))?;
        for (number, tenant) in self.policy.tenants.iter().enumerate() {
            writeln!(f, "---\n{}", tenant.yaml(number))?;
        }
        self.frames
            .iter()
            .try_for_each(|frame| writeln!(f, "{}", described(frame)))
    }
}

fn described(frame: &MadeFrame) -> String {
    let mut text = format!(
        "link type {}, {} of {} octets: ",
        frame.link_type,
        frame.bytes.len(),
        frame.original_len
    );
    for octet in &frame.bytes {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

fn case() -> impl Strategy<Value = Case> {
    (
        made::policy(),
        made::at(),
        vec(made::frame(), 1..=MOST_FRAMES),
    )
        .prop_map(|(policy, at, frames)| Case { policy, at, frames })
}

fn usual(cases: u32) -> ProptestConfig {
    let config = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(cases),
    };
    ProptestConfig {
        failure_persistence: None,
        ..config
    }
}

proptest! {
    #![proptest_config(usual(24))]

    #[test]
    fn every_verdict_is_the_one_that_the_rules_say(case in case()) {
        agrees(&case)?;
    }
}

fn agrees(case: &Case) -> Result<(), TestCaseError> {
    let Case { policy, at, frames } = case;
    let tables = product::tables(policy, *at).map_err(TestCaseError::fail)?;
    let borrowed: Vec<_> = frames.iter().map(MadeFrame::frame).collect();
    let seen: Vec<_> = borrowed.iter().map(|frame| naive::see(*frame)).collect();
    for facing in [Facing::Out, Facing::In, Facing::Auto] {
        let wanted = seen.iter().map(|seen| evaluate(policy, *seen, facing, *at));
        let wanted: Vec<Judged> = wanted.collect();
        for account in [Account::Candidates, Account::EveryFrame] {
            let burst = &mut Box::new(Burst::new(facing, account));
            let together = borrowed.chunks(BURST);
            let together = together.flat_map(|frames| product::judge(burst, frames, &tables));
            let together: Vec<_> = together.collect();
            for (number, frame) in frames.iter().enumerate() {
                let of = (&wanted[number], &seen[number], frame);
                holds(of, &together[number], (facing, account, "together"))?;
                // One half of them under each kind of account.
                if (account == Account::EveryFrame) == (number % 2 == 0) {
                    let alone = product::judge(burst, &borrowed[number..=number], &tables);
                    holds(of, &alone[0], (facing, account, "alone"))?;
                }
            }
        }
    }
    Ok(())
}

fn holds(
    (wanted, seen, frame): (&Judged, &Seen, &MadeFrame),
    found: &Judged,
    run: (Facing, Account, &str),
) -> Result<(), TestCaseError> {
    prop_assert!(
        wanted == found,
        "{run:?}\n{}\nseen: {seen:?}\nthe model: {wanted:?}\nthe stages: {found:?}",
        described(frame)
    );
    Ok(())
}
