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
use policy::Policy;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sekisho::stage::Facing;
use sekisho::wire::BURST;
use std::fmt::{self, Write as _};

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
    (made::policy(), made::at(), vec(made::frame(), 1..=BURST))
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
    #![proptest_config(usual(120))]

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
    for (facing, account, mut burst) in product::bursts() {
        let wanted = seen.iter().map(|seen| evaluate(policy, *seen, facing, *at));
        let wanted: Vec<Judged> = wanted.collect();
        let together = product::judge(&mut burst, &borrowed, &tables);
        for (number, wanted) in wanted.iter().enumerate() {
            let alone = product::judge(&mut burst, &borrowed[number..=number], &tables);
            let what = (facing, account);
            let seen = &seen[number];
            holds(wanted, &alone[0], what, &frames[number], seen)?;
            holds(wanted, &together[number], what, &frames[number], seen)?;
        }
    }
    Ok(())
}

fn holds(
    wanted: &Judged,
    found: &Judged,
    what: (Facing, sekisho::stage::Account),
    frame: &MadeFrame,
    seen: &naive::Seen,
) -> Result<(), TestCaseError> {
    prop_assert!(
        wanted == found,
        "{what:?}\n{}\nseen: {seen:?}\nthe model: {wanted:?}\nthe stages: {found:?}",
        described(frame)
    );
    Ok(())
}
