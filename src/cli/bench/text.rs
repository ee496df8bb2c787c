//! A run for people.

use super::super::out;
use crate::loadgen::report::{Rows, case_rows, cost_rows, loop_rows};
use crate::loadgen::{Comparison, Export};

/// What was measured.
pub(super) fn run(export: &Export) -> String {
    let machine = &export.machine;
    let mut text = format!(
        "machine   {}, {} processors\nmethod    medians of {} samples of thread CPU time; ns and cycles a frame, on one core\n\n",
        machine.cpu, machine.cores, export.settings.samples,
    );
    text += &table(&case_rows(export));
    text += "\n";
    text += &table(&cost_rows(export));
    if let Some(rows) = loop_rows(export) {
        text += "\nwhole loops: rx, all stages, tx\n\n";
        text += &table(&rows);
    }
    for case in export.cases.iter().filter(|case| case.offered.is_some()) {
        if let Some(offered) = case.offered {
            let ns = offered.burst_latency_ns;
            text += &format!(
                "at {} Mpps  {}: a burst is done p50 {:.0}, p99 {:.0}, p99.9 {:.0}, max {:.0} ns after it was due\n",
                offered.mpps, case.name, ns.p50, ns.p99, ns.p99_9, ns.max,
            );
        }
    }
    text
}

/// What changed since an earlier run.
pub(super) fn comparison(name: &str, threshold: f64, found: &Comparison) -> String {
    let mut text = format!(
        "\nsince {name}  changes of the ratio to the floor; within {:.0} % a change is none\n\n",
        threshold * 100.0
    );
    let mut rows = vec![
        ["CASE", "BEFORE ×", "NOW ×", "CHANGE", "95 %", "FINDING"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let percent = |times: f64| format!("{:+.1} %", (times - 1.0) * 100.0);
    for change in &found.changes {
        rows.push(vec![
            change.name.clone(),
            format!("{:.2}", change.ratio_before),
            format!("{:.2}", change.ratio_after),
            percent(change.times),
            format!(
                "{} to {}",
                percent(change.times_low),
                percent(change.times_high)
            ),
            change.finding.label().to_owned(),
        ]);
    }
    text += &out::table(&rows, &[1, 2, 3]);
    for (cases, run) in [
        (&found.only_before, "the earlier run"),
        (&found.only_after, "this run"),
    ] {
        for case in cases {
            text += &format!("only in {run}: {case}\n");
        }
    }
    text
}

fn table(Rows { rows, numbers }: &Rows) -> String {
    out::table(rows, numbers)
}
