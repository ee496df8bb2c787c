//! The three stages from outside, held against what the contracts say in words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "tests"
)]

mod burst;
mod cut;
mod model;

use jiff::Timestamp;
use sekisho::limit::Moment;
use sekisho::policy::{self, Program, RuleId, Tables};
use sekisho::stage::{Account, Burst, Facing, Settings};
use sekisho::stats::{Reason, Verdict};
use sekisho::wire::Frame;
use std::sync::Arc;

/// The tables of a policy.
fn tables(yaml: &str) -> Arc<Tables> {
    let names = ["policy.yaml".to_owned()];
    let read = |_: &std::path::Path| Ok(yaml.as_bytes().to_vec());
    let loaded = policy::load_with(&names, Timestamp::UNIX_EPOCH, &read);
    let resolved = loaded.resolved.unwrap_or_else(|| {
        panic!(
            "{}",
            policy::render(&loaded.sources, &loaded.diagnostics, false)
        )
    });
    let program = Program::compile(Arc::new(resolved)).unwrap();
    program.at(Timestamp::UNIX_EPOCH).unwrap().tables
}

/// Verdict, reason, and the name of the rule.
type Judged = (Verdict, Reason, Option<String>);

fn judge(frame: Frame<'_>, tables: &Tables, facing: Facing) -> Judged {
    let mut burst = Burst::new(facing, Settings::new(Account::Candidates));
    burst.run(&[frame], tables, Moment::default());
    let decision = burst.decisions().next().unwrap();
    let rule = (decision.rule != RuleId::NONE)
        .then(|| tables.legend.rule(decision.rule).unwrap().1.name.clone());
    (decision.verdict, decision.reason, rule)
}
