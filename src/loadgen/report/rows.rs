use crate::loadgen::{Case, Export};

/// Rows of a table, the head first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The head, then a row for each case.
    pub rows: Vec<Vec<String>>,
    /// Which columns are numbers.
    pub numbers: Vec<usize>,
}

const CASE_HEAD: [&str; 8] = [
    "CASE",
    "FLOOR ns",
    "ENGINE ns",
    "× FLOOR",
    "95 %",
    "GOAL",
    "CYCLES",
    "Mpps",
];

/// What each case costs beside its floor.
pub fn case_rows(export: &Export) -> Rows {
    let row = |case: &Case| {
        let slow = if case.is_sound() { "" } else { " !" };
        let goal = case.goal_ratio.map(|goal| {
            let met = match case.is_sound() {
                true if case.ratio <= goal => "met",
                true => "missed",
                false => "unsound",
            };
            format!("≤ {goal} {met}")
        });
        vec![
            case.name.clone(),
            format!("{:.2}{slow}", case.floor.ns),
            format!("{:.2}", case.whole.ns),
            format!("{:.2}", case.ratio),
            format!("{:.2}–{:.2}", case.ratio_low, case.ratio_high),
            goal.unwrap_or_default(),
            optional(case.cycles, 1),
            format!("{:.1}", case.mpps),
        ]
    };
    Rows {
        rows: with_head(&CASE_HEAD, export.cases.iter().map(row)),
        numbers: vec![1, 2, 3, 6, 7],
    }
}

/// What each stage of each case costs, and how long its bursts took.
pub fn cost_rows(export: &Export) -> Rows {
    let mut stages: Vec<&str> = Vec::new();
    for stage in export.cases.iter().flat_map(|case| &case.stages) {
        if !stages.contains(&&*stage.name) {
            stages.push(&stage.name);
        }
    }
    let mut head = vec!["CASE".to_owned()];
    head.extend(stages.iter().map(|name| format!("{name} ns")));
    head.extend(["BURST p50 ns", "p90", "p99", "p99.9", "max"].map(str::to_owned));
    let row = |case: &Case| {
        let cost = |name: &&str| {
            let stage = case.stages.iter().find(|stage| stage.name == **name);
            optional(stage.map(|stage| stage.ns), 2)
        };
        let mut row = vec![case.name.clone()];
        row.extend(stages.iter().map(cost));
        let latency = case.burst_latency_ns;
        let percentiles = latency.map(|ns| [ns.p50, ns.p90, ns.p99, ns.p99_9, ns.max]);
        row.extend(
            percentiles.map_or_else(Default::default, |all| all.map(|ns| format!("{ns:.0}"))),
        );
        row
    };
    let rows = export.cases.iter().map(row);
    Rows {
        numbers: (1..head.len()).collect(),
        rows: std::iter::once(head).chain(rows).collect(),
    }
}

/// What each whole loop costs; `None` when there is none.
pub fn loop_rows(export: &Export) -> Option<Rows> {
    let row = |each: &crate::loadgen::Loop| {
        vec![
            each.name.clone(),
            each.workers.to_string(),
            each.frame_bytes.to_string(),
            format!("{:.2}", each.ns),
            format!("{:.2}–{:.2}", each.low_ns, each.high_ns),
            format!("{:.1}", each.mpps),
        ]
    };
    let head = ["LOOP", "WORKERS", "FRAME bytes", "ns", "95 %", "Mpps"];
    (!export.loops.is_empty()).then(|| Rows {
        rows: with_head(&head, export.loops.iter().map(row)),
        numbers: vec![1, 2, 3, 5],
    })
}

fn with_head(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let head = head.iter().map(|word| (*word).to_owned()).collect();
    std::iter::once(head).chain(rows).collect()
}

/// A figure, or nothing where it was not measured.
fn optional(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(String::new, |figure| format!("{figure:.digits$}"))
}
