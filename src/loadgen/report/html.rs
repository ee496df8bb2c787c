use super::rows::{Rows, case_rows, cost_rows, loop_rows};
use crate::loadgen::page::{
    Bar, Bars, Block, Cell, Chart, Column, Fact, Figure, Group, Limit, Mark, Page, Section, Stack,
    Stacks, Table, readable,
};
use crate::loadgen::{Case, Export};

/// 64-octet frames at 100 Gbit/s, with preamble and gap: nanoseconds a frame.
const LINE_RATE_100_GBE_NS: f64 = 6.72;

/// A run as one page that opens offline.
pub fn html(export: &Export) -> String {
    let mut sections = vec![Section {
        title: "Warnings".into(),
        blocks: match export.warnings.as_slice() {
            [] => vec![Block::Text("Nothing speaks against the figures.".into())],
            warnings => vec![Block::List(warnings.to_vec())],
        },
    }];
    if !export.cases.is_empty() {
        sections.insert(0, floors(export));
        sections.insert(1, stages(export));
        sections.insert(2, bursts(export));
    }
    if let Some(rows) = loop_rows(export) {
        let table = table("From a port through a worker and out again", &rows);
        sections.insert(
            0,
            Section {
                title: "Whole loops".into(),
                blocks: vec![Block::Table(table)],
            },
        );
    }
    let machine = &export.machine;
    let page = Page {
        title: "sekisho bench".into(),
        lead: vec![format!(
            "What deciding a frame costs on one core of {}, beside what no program could do \
             without.",
            machine.cpu
        )],
        facts: facts(export),
        sections,
        foot: vec![format!(
            "Measured {} by sekisho {}: medians of {} samples of thread CPU time, seed {}, {} \
             processors.",
            export.started,
            export.version,
            export.settings.samples,
            export.settings.seed,
            machine.cores
        )],
    };
    page.html()
}

fn facts(export: &Export) -> Vec<Fact> {
    let fact = |text: &str, value: String, unit: &str, mark| Fact {
        text: text.into(),
        value,
        unit: unit.into(),
        mark,
    };
    let mut facts = Vec::new();
    let goals = || export.cases.iter().filter(|case| case.goal_ratio.is_some());
    if goals().count() > 0 {
        let met = goals().filter(|case| mark(case) == Some(Mark::Met)).count();
        let all = if met == goals().count() {
            Mark::Met
        } else {
            Mark::Missed
        };
        let value = format!("{met} of {}", goals().count());
        facts.push(fact(
            "goals of the ratio to the floor that are met",
            value,
            "",
            Some(all),
        ));
    }
    let slowest = export
        .cases
        .iter()
        .max_by(|a, b| a.whole.ns.total_cmp(&b.whole.ns));
    if let Some(case) = slowest {
        let text = format!("the slowest case: {}", case.name);
        facts.push(fact(
            &text,
            readable(case.mpps),
            "Mpps",
            Some(Mark::Measured),
        ));
    }
    let slow = export.cases.iter().filter(|case| !case.is_sound()).count();
    if slow > 0 {
        let text = "cases whose floor is too slow for the ratio to mean anything";
        facts.push(fact(text, slow.to_string(), "", Some(Mark::Missed)));
    }
    facts
}

fn floors(export: &Export) -> Section {
    let bars = |case: &Case| Group {
        label: case.name.clone(),
        bars: vec![Bar {
            value: case.ratio,
            bounds: Some((case.ratio_low, case.ratio_high)),
            extrapolated: false,
        }],
        goal: case.goal_ratio,
    };
    let figure = Figure {
        title: "The engine in floors".into(),
        summary: "How many times as long as reading one word of each header line it takes to \
            decide and count a frame: the median of ratios that were measured side by side, and \
            its interval."
            .into(),
        chart: Chart::Bars(Bars {
            unit: "× floor".into(),
            rows: "case".into(),
            series: vec!["engine".into()],
            groups: export.cases.iter().map(bars).collect(),
            limits: Vec::new(),
            goal: "goal, at most".into(),
        }),
    };
    let mut rows = table("Nanoseconds and cycles a frame", &case_rows(export));
    for (row, case) in rows.rows.iter_mut().zip(&export.cases) {
        if let (Some(cell), Some(mark)) = (row.get_mut(3), mark(case)) {
            *cell = cell.clone().marked(mark);
        }
    }
    Section {
        title: "Beside the floor".into(),
        blocks: vec![Block::Figure(figure), Block::Table(rows)],
    }
}

fn stages(export: &Export) -> Section {
    let mut parts: Vec<String> = Vec::new();
    for stage in export.cases.iter().flat_map(|case| &case.stages) {
        if !parts.contains(&stage.name) {
            parts.push(stage.name.clone());
        }
    }
    let value = |case: &Case, part: &String| {
        let stage = case.stages.iter().find(|stage| stage.name == *part);
        stage.map_or(0.0, |stage| stage.ns)
    };
    let stack = |case: &Case| Stack {
        label: case.name.clone(),
        values: parts.iter().map(|part| value(case, part)).collect(),
    };
    let figure = Figure {
        title: "Where the time goes".into(),
        summary: "Nanoseconds a frame by stage: each the difference between a way through the \
            stages and the next shorter one. At 6.72 ns a frame a core keeps up with 64-byte \
            frames at 100 Gbit/s."
            .into(),
        chart: Chart::Stacks(Stacks {
            unit: "ns a frame".into(),
            rows: "case".into(),
            stacks: export.cases.iter().map(stack).collect(),
            parts,
            limits: vec![Limit {
                label: "100 GbE, 64-byte frames".into(),
                value: LINE_RATE_100_GBE_NS,
            }],
        }),
    };
    Section {
        title: "Stages".into(),
        blocks: vec![Block::Figure(figure)],
    }
}

fn bursts(export: &Export) -> Section {
    let bars = |case: &Case| {
        let ns = case.burst_latency_ns?;
        Some(Group {
            label: case.name.clone(),
            bars: [ns.p50, ns.p99, ns.p99_9].map(Bar::new).to_vec(),
            goal: None,
        })
    };
    let figure = Figure {
        title: "How long a burst takes".into(),
        summary: "Bursts of 64 frames, one behind the other, by the wall clock: half of them, 99 \
            of 100, and 999 of 1,000 took no longer."
            .into(),
        chart: Chart::Bars(Bars {
            unit: "ns a burst".into(),
            rows: "case".into(),
            series: ["p50", "p99", "p99.9"].map(str::to_owned).to_vec(),
            groups: export.cases.iter().filter_map(bars).collect(),
            limits: Vec::new(),
            goal: String::new(),
        }),
    };
    let costs = table("Stages and bursts", &cost_rows(export));
    Section {
        title: "Bursts".into(),
        blocks: vec![Block::Figure(figure), Block::Table(costs)],
    }
}

/// Whether a case meets its goal; nothing is said where the floor proves nothing.
fn mark(case: &Case) -> Option<Mark> {
    let goal = case.goal_ratio.filter(|_| case.is_sound())?;
    Some(if case.ratio <= goal {
        Mark::Met
    } else {
        Mark::Missed
    })
}

fn table(caption: &str, Rows { rows, numbers }: &Rows) -> Table {
    let (head, rows) = rows
        .split_first()
        .map_or((&[][..], &[][..]), |(head, rows)| (head, rows));
    let column = |(place, title): (usize, &String)| match numbers.contains(&place) {
        true => Column::numbers(title),
        false => Column::words(title),
    };
    let cells = |row: &Vec<String>| row.iter().map(Cell::from).collect();
    Table {
        caption: caption.into(),
        columns: head.iter().enumerate().map(column).collect(),
        rows: rows.iter().map(cells).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loadgen::made_up;

    #[test]
    fn the_page_holds_every_case_its_goals_and_its_warnings_and_asks_for_nothing() {
        let mut export = made_up::export(&[("quick<1>", &[2.0]), ("slow", &[4.0])]);
        export.warnings.push("noise & more".into());
        let page = html(&export);
        for text in [
            "quick&lt;1&gt;",
            "slow",
            "noise &amp; more",
            "1 of 2",
            "100 GbE",
            "<svg",
        ] {
            assert!(page.contains(text), "{text}");
        }
        for outside in [
            "http://", "https://", "<script", "<link", "url(//", "@import",
        ] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(!page.contains("quick<1>"));
    }

    #[test]
    fn a_goal_counts_only_on_a_sound_floor() {
        let mut export = made_up::export(&[("a", &[2.0])]);
        assert!(html(&export).contains("1 of 1"));
        export.cases[0].floor_limit_ns = Some(0.1);
        assert!(html(&export).contains("0 of 1"));
    }
}
