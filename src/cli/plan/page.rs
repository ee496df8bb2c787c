//! The plan as a page.

use super::needs::{Need, mebibytes, needs};
use super::text::{answer, mpps};
use crate::loadgen::capacity::{Basis, CoreLoad, Figure, Plan};
use crate::loadgen::page::{
    Bar, Bars, Block, Cell, Chart, Column, Curve, Fact, Figure as Picture, Group, Limit, Lines,
    Mark, Moment, Page, Section, Stack, Stacks, Table, readable,
};

/// Lcores that are drawn one by one.
const CORES_SHOWN: usize = 10;

/// The page, the answer first.
pub(super) fn page(plan: &Plan, files: &[String; 2]) -> Page {
    let [traffic, bench] = files;
    let measured = &plan.measured;
    let foot = format!(
        "Made by sekisho {} from {traffic} and {bench}; costs measured {} on {} by sekisho {}.",
        env!("CARGO_PKG_VERSION"),
        measured.started,
        measured.cpu,
        measured.version
    );
    let reading = "How figures are known stands beside them: given by the description; measured, \
        as one case of the measurements shows it; extrapolated, from measurements and more than \
        that; assumed, where nobody said and nobody measured.";
    Page {
        title: plan.name.clone(),
        lead: answer(plan),
        facts: facts(plan),
        sections: vec![
            growth(plan),
            a_box(plan),
            attacks(plan),
            what_if(plan),
            assumptions(plan),
        ],
        foot: vec![reading.to_owned(), foot],
    }
}

fn facts(plan: &Plan) -> Vec<Fact> {
    let needed = plan.needed;
    let lcores = needed
        .target_lcores
        .map_or("–".to_owned(), |lcores| lcores.to_string());
    let offered = plan.offered_target_pps;
    let lossless = plan.lossless_pps;
    let outgrown = plan
        .outgrown
        .map_or_else(|| format!("after {}", plan.horizon), |day| day.to_string());
    vec![
        fact(
            &format!(
                "needed in each box ({} in all) until {}",
                plan.boxes, plan.target
            ),
            lcores,
            "lcores",
            needed.basis,
        ),
        fact(
            &format!(
                "first day on which {} lcores a box no longer hold the headroom",
                plan.lcores
            ),
            outgrown,
            "",
            plan.outgrown_basis,
        ),
        fact(
            "memory of a box for tables and frames",
            mebibytes(plan.memory.total_bytes()),
            "",
            plan.memory.table_basis.with(plan.memory.frame_basis),
        ),
        fact(
            &format!("offered at the peak on {}", plan.target),
            mpps(offered.value),
            "Mpps",
            offered.basis,
        ),
        fact(
            "carried without loss while the spare boxes have failed",
            mpps(lossless.value),
            "Mpps",
            lossless.basis,
        ),
        fact(
            "a frame of the ordinary mix takes",
            readable(plan.frame.ns.value),
            "ns",
            plan.frame.ns.basis,
        ),
    ]
}

fn fact(text: &str, value: String, unit: &str, basis: Basis) -> Fact {
    Fact {
        text: text.to_owned(),
        value,
        unit: unit.to_owned(),
        mark: Some(mark(basis)),
    }
}

fn growth(plan: &Plan) -> Section {
    let curve = |label: &str, value: &dyn Fn(&crate::loadgen::capacity::Point) -> f64| Curve {
        label: label.to_owned(),
        points: plan
            .points
            .iter()
            .map(|point| (point.day, value(point) / 1e6))
            .collect(),
    };
    let mut moments = vec![Moment {
        label: format!("{} target date", plan.target),
        day: plan.target,
        value: None,
    }];
    if let Some(day) = plan.outgrown {
        let near = plan.points.iter().rev().find(|point| point.day <= day);
        moments.push(Moment {
            label: format!("{day} outgrown"),
            day,
            value: near.map(|point| point.lossless_pps / 1e6),
        });
    }
    moments.sort_by_key(|moment| moment.day);
    let lines = Lines {
        unit: "Mpps".to_owned(),
        curves: vec![
            curve("peak with headroom", &|point| point.required_pps),
            curve("peak", &|point| point.peak_pps),
            curve("carried without loss, spare boxes failed", &|point| {
                point.lossless_pps
            }),
        ],
        limits: Vec::new(),
        moments,
    };
    let picture = Picture {
        title: "Load and capacity over time".to_owned(),
        summary: match plan.outgrown {
            Some(day) => format!(
                "On {day} the peak with its headroom exceeds what {} lcores a box carry.",
                plan.lcores
            ),
            None => "The peak with its headroom stays below what the boxes carry.".to_owned(),
        },
        chart: Chart::Lines(lines),
    };
    let mut blocks: Vec<Block> = plan
        .warnings
        .iter()
        .map(|warning| Block::Note(format!("About the measurements: {warning}.")))
        .collect();
    blocks.push(Block::Figure(picture));
    blocks.push(Block::Table(links(plan)));
    Section {
        title: "Until when".to_owned(),
        blocks,
    }
}

fn links(plan: &Plan) -> Table {
    let heads = [
        "links",
        "Gbit/s",
        "up, Mpps",
        "down, Mpps",
        "full at, Mpps",
        "full of 64 octets, Mpps",
    ];
    let mut columns = vec![Column::words("link")];
    columns.extend(heads.map(Column::numbers));
    let row = |link: &crate::loadgen::capacity::LinkLoad| {
        vec![
            link.name.as_str().into(),
            link.count.to_string().into(),
            readable(link.rate_bps / 1e9).into(),
            mpps(link.up_pps).into(),
            mpps(link.down_pps).into(),
            mpps(link.line_pps).into(),
            mpps(link.smallest_pps).into(),
        ]
    };
    Table {
        caption: format!(
            "Frames of the links at the peak on {}, each direction (given)",
            plan.start
        ),
        columns,
        rows: plan.links.iter().map(row).collect(),
    }
}

fn a_box(plan: &Plan) -> Section {
    let names: Vec<String> = plan
        .frame
        .parts
        .iter()
        .map(|part| part.name.clone())
        .collect();
    let workers: Vec<&CoreLoad> = plan
        .cores
        .iter()
        .filter(|core| core.role != "control")
        .collect();
    let shown = workers.iter().take(CORES_SHOWN);
    let stack = |core: &&CoreLoad| Stack {
        label: format!("lcore {}", core.lcore),
        values: core.parts.iter().map(|part| part.value * 100.0).collect(),
    };
    let hidden = workers.len().saturating_sub(CORES_SHOWN);
    let more = if hidden > 0 {
        format!(" {hidden} more are like the last.")
    } else {
        String::new()
    };
    let picture = Picture {
        title: format!("Load of each worker at the peak on {}", plan.target),
        summary: format!(
            "While the spare boxes have failed. Lcore 0 is for control; lcore 1 stands for the busiest worker.{more}"
        ),
        chart: Chart::Stacks(Stacks {
            unit: "% of a core".to_owned(),
            rows: "lcore".to_owned(),
            parts: names,
            stacks: shown.map(stack).collect(),
            limits: vec![Limit {
                label: "100 %: frames are lost".to_owned(),
                value: 100.0,
            }],
        }),
    };
    Section {
        title: "What a box needs".to_owned(),
        blocks: vec![Block::Table(needs_table(plan)), Block::Figure(picture)],
    }
}

fn needs_table(plan: &Plan) -> Table {
    let row = |need: &Need| {
        vec![
            need.what.into(),
            Cell::from(need.value.as_str()).marked(mark(need.basis)),
        ]
    };
    Table {
        caption: format!("One box, on {} unless it says otherwise", plan.target),
        columns: vec![Column::words("what"), Column::words("how much")],
        rows: needs(plan).iter().map(row).collect(),
    }
}

fn attacks(plan: &Plan) -> Section {
    let bar = |figure: Figure| Bar {
        value: figure.value / 1e6,
        bounds: None,
        extrapolated: figure.basis != Basis::Measured,
    };
    let offered = |pps: f64| Bar::new(pps / 1e6);
    let mut groups = vec![Group {
        label: "the peak".to_owned(),
        bars: vec![
            offered(plan.offered_target_pps.value),
            bar(plan.lossless_pps),
        ],
        goal: None,
    }];
    groups.extend(plan.attacks.iter().map(|attack| Group {
        label: format!("the peak under {}", attack.name),
        bars: vec![offered(attack.offered_pps), bar(attack.lossless_pps)],
        goal: None,
    }));
    let picture = Picture {
        title: format!("Offered, and carried without loss, on {}", plan.target),
        summary: "Where the second bar is shorter than the first, the difference is lost. An attack comes on top of the peak.".to_owned(),
        chart: Chart::Bars(Bars {
            unit: "Mpps".to_owned(),
            rows: "load".to_owned(),
            series: vec!["offered".to_owned(), "carried without loss".to_owned()],
            groups,
            limits: Vec::new(),
            goal: String::new(),
        }),
    };
    let mut blocks = vec![Block::Figure(picture)];
    if !plan.attacks.is_empty() {
        blocks.push(Block::Table(outcomes(plan)));
    }
    Section {
        title: "When frames would be lost".to_owned(),
        blocks,
    }
}

fn outcomes(plan: &Plan) -> Table {
    let row = |attack: &crate::loadgen::capacity::AttackOutcome| {
        let held = attack.lost_pps <= 0.0;
        let full = if attack.links_full {
            "the links hold no more of it"
        } else {
            ""
        };
        vec![
            attack.name.as_str().into(),
            attack.kind.into(),
            Cell::from(readable(attack.frame_ns.value)).marked(mark(attack.frame_ns.basis)),
            Cell::from(mpps(attack.lost_pps)).marked(if held { Mark::Met } else { Mark::Missed }),
            attack
                .lcores
                .map_or("none suffices".to_owned(), |n| n.to_string())
                .into(),
            attack
                .lost_from
                .map_or("–".to_owned(), |day| day.to_string())
                .into(),
            full.into(),
        ]
    };
    Table {
        caption: format!("Attacks on {} lcores a box", plan.lcores),
        columns: vec![
            Column::words("attack"),
            Column::words("its frames"),
            Column::numbers("ns each"),
            Column::numbers("lost, Mpps"),
            Column::numbers("lcores to lose none"),
            Column::words("frames are lost from"),
            Column::words("note"),
        ],
        rows: plan.attacks.iter().map(row).collect(),
    }
}

fn what_if(plan: &Plan) -> Section {
    let bars = |variation: &crate::loadgen::capacity::Variation| Group {
        label: variation.text.clone(),
        bars: vec![Bar {
            value: f64::from(variation.lcores.unwrap_or(0)),
            bounds: None,
            extrapolated: variation.basis != Basis::Measured,
        }],
        goal: None,
    };
    let there = plan.given_lcores.map(|given| Limit {
        label: format!("there are {given}"),
        value: f64::from(given),
    });
    let picture = Picture {
        title: format!(
            "Lcores of a box on {}, if one thing were different",
            plan.target
        ),
        summary:
            "The first bar is the plan. No bar at all: no number of lcores of one box suffices."
                .to_owned(),
        chart: Chart::Bars(Bars {
            unit: "lcores".to_owned(),
            rows: "what if".to_owned(),
            series: vec!["lcores a box".to_owned()],
            groups: plan.variations.iter().map(bars).collect(),
            limits: there.into_iter().collect(),
            goal: String::new(),
        }),
    };
    Section {
        title: "How much hangs on what".to_owned(),
        blocks: vec![Block::Figure(picture)],
    }
}

fn assumptions(plan: &Plan) -> Section {
    let row = |assumption: &crate::loadgen::capacity::Assumption| {
        vec![
            assumption.what.as_str().into(),
            Cell::from("").marked(mark(assumption.basis)),
            assumption.value.as_str().into(),
            assumption.source.as_str().into(),
        ]
    };
    let table = Table {
        caption: "Everything that was taken for granted".to_owned(),
        columns: ["what", "known", "how much", "source"]
            .map(Column::words)
            .into(),
        rows: plan.assumptions.iter().map(row).collect(),
    };
    Section {
        title: "Assumptions".to_owned(),
        blocks: vec![Block::Table(table)],
    }
}

fn mark(basis: Basis) -> Mark {
    match basis {
        Basis::Given => Mark::Given,
        Basis::Measured => Mark::Measured,
        Basis::Extrapolated => Mark::Extrapolated,
        Basis::Assumed => Mark::Assumed,
    }
}
