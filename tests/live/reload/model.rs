//! Ten thousand changes and twenty reloads at once, against a model of a few lines.

use crate::line::Line;
use crate::load::{Frames, Numbered, Receiver, Sender};
use crate::net::run;
use crate::program::{Driver, Pipeline, Policy};
use crate::wrapping::Wrapping;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

const CHANGES: usize = 10_000;
const RELOADS: usize = 20;
/// The subscribers are 100.64.0.0 to 100.64.0.255, in blocks of 16.
const BLOCKS: usize = 16;

/// What was given above the file, by prefix; a block's plan goes before the file's for that block,
/// an address's own before both.
type Overrides = BTreeMap<String, &'static str>;

#[test]
#[ignore = "needs root and network namespaces"]
fn ten_thousand_changes_during_twenty_reloads_end_where_a_model_says() {
    let line = Line::new(Wrapping::Plain);
    let policy = Policy::new(None, &[]);
    let pipeline = Pipeline::new(Driver::AfXdp, &[&policy.file()]);
    let program = pipeline.start(&line);
    let (lines, overrides) = changes();
    let offices: Vec<_> = (0..BLOCKS).step_by(3).map(block).collect();
    let offices: Vec<_> = offices.iter().map(|prefix| &**prefix).collect();
    fs::write(pipeline.place("changes"), lines).unwrap();

    thread::scope(|scope| {
        let changing = scope.spawn(|| ctl(&pipeline, &["plan", "apply"], Some("changes")));
        for number in 0..RELOADS {
            // The last one leaves the offices of the file where they are.
            policy.write(None, if number % 2 == 0 { &[] } else { &offices });
            assert_eq!(ctl(&pipeline, &["reload"], None)["answer"], "reloaded");
        }
        changing.join().unwrap();
    });

    let found = ctl(&pipeline, &["plan", "list"], None);
    let found = found["overrides"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found: BTreeMap<_, _> = found
        .map(|one| (text(&one["prefix"]), text(&one["plan"])))
        .collect();
    let expected = overrides
        .iter()
        .map(|(prefix, plan)| (prefix.clone(), (*plan).to_owned()));
    assert_eq!(found, expected.collect());

    let free = (0..BLOCKS * 16).filter(|number| plan(*number, &overrides, &offices) == "office");
    assert_eq!(
        probe(&line),
        free.map(|number| number as u64).collect::<Vec<_>>()
    );
    program.end().balance();
}

/// Lines for `sekisho ctl plan apply`, and what holds after them.
fn changes() -> (String, Overrides) {
    let mut dice = Pcg64Mcg::seed_from_u64(25);
    let (mut lines, mut overrides) = (String::new(), Overrides::new());
    for _ in 0..CHANGES {
        let number = dice.random_range(0..BLOCKS * 17);
        let prefix = number
            .checked_sub(BLOCKS)
            .map_or_else(|| block(number), address);
        let plan = if dice.random() { "home" } else { "office" };
        // Every third is taken back when it is there.
        if dice.random_ratio(1, 3) && overrides.remove(&prefix).is_some() {
            let _ = writeln!(lines, "unset {prefix}");
        } else {
            let _ = writeln!(lines, "set {prefix} {plan}");
            overrides.insert(prefix, plan);
        }
    }
    (lines, overrides)
}

fn block(number: usize) -> String {
    format!("100.64.0.{}/28", number * 16)
}

fn address(number: usize) -> String {
    format!("100.64.0.{number}/32")
}

/// The plan of an address.
fn plan(number: usize, overrides: &Overrides, offices: &[&str]) -> &'static str {
    let block = block(number / 16);
    let own = overrides
        .get(&address(number))
        .or_else(|| overrides.get(&block));
    let filed = if offices.contains(&&*block) {
        "office"
    } else {
        "home"
    };
    own.copied().unwrap_or(filed)
}

/// Which addresses reach port 25.
fn probe(line: &Line) -> Vec<u64> {
    let to = "203.0.113.25".parse().unwrap();
    let from = (0..BLOCKS * 16).map(|number| format!("100.64.0.{number}").parse().unwrap());
    let load = Frames::new(
        from.map(|from| Numbered::syn(from, to, 25, Wrapping::Plain))
            .collect(),
    );
    let receiver = Receiver::start(&line.internet, "wire", load.clone());
    Sender::new(&line.subscriber, "wire", load).send((BLOCKS * 16) as u64, 10_000);
    receiver
        .finish(Duration::from_millis(300))
        .numbers()
        .collect()
}

/// The program's own client; the file lies beside the pipeline.
fn ctl(pipeline: &Pipeline, arguments: &[&str], file: Option<&str>) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command
        .args(["ctl", "--output", "json", "--socket"])
        .arg(pipeline.place("ctl.sock"));
    command
        .args(arguments)
        .args(file.map(|name| pipeline.place(name)));
    let said = run(&mut command);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{command:?}: {error}\n{said}"))
}
