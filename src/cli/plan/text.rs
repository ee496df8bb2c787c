//! The plan for a terminal.

use super::needs::{Need, needs};
use crate::cli::out::table;
use crate::loadgen::capacity::{Basis, Plan};
use crate::loadgen::page::readable;
use std::fmt::Write as _;

/// Lines of a list of lcores that are alike.
const CORES_SHOWN: usize = 4;
/// Of the sentences about assumptions.
const WIDTH: usize = 92;

/// The plan, the answer first.
pub(super) fn text(plan: &Plan, files: &[String; 2]) -> String {
    let mut text = format!("{}\n\n", plan.name);
    for line in answer(plan) {
        let _ = writeln!(text, "{line}");
    }
    for warning in &plan.warnings {
        let _ = writeln!(text, "warning: the measurements: {warning}");
    }
    let parts = [
        ("LINKS, at the peak of the start", links(plan)),
        ("A BOX", a_box(plan)),
        ("LCORES, while the spare boxes have failed", cores(plan)),
        ("LOSS, on the target date", loss(plan)),
        ("WHAT IF", variations(plan)),
        ("ASSUMPTIONS", assumptions(plan)),
    ];
    for (title, part) in parts {
        let _ = write!(text, "\n{title}\n{part}");
    }
    let [traffic, bench] = files;
    let measured = &plan.measured;
    let _ = write!(
        text,
        "\nFrom {traffic} and {bench}: measured {} on {} by sekisho {}.\n",
        measured.started, measured.cpu, measured.version
    );
    text
}

/// The answer in sentences.
pub(super) fn answer(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let boxes = match (plan.boxes, plan.carrying) {
        (1, _) => "one box".to_owned(),
        (boxes, carrying) if boxes == carrying => format!("{boxes} boxes, all in use"),
        (boxes, 1) => format!("{boxes} boxes, each of which can carry everything"),
        (boxes, carrying) => format!("{boxes} boxes, any {carrying} of which carry everything"),
    };
    lines.push(match (plan.given_lcores, plan.needed.target_lcores) {
        (_, None) => format!(
            "No number of lcores suffices until {} with {boxes}.",
            plan.target
        ),
        (None, Some(lcores)) => format!(
            "Until {}: {boxes}, {lcores} lcores each ({} workers and one for control). [{}]",
            plan.target,
            lcores - 1,
            plan.needed.basis.label()
        ),
        (Some(given), Some(_)) if plan.suffices => {
            format!(
                "{given} lcores a box suffice until {}, with {boxes}.",
                plan.target
            )
        }
        (Some(given), Some(_)) => {
            format!(
                "{given} lcores a box do not suffice until {}, with {boxes}.",
                plan.target
            )
        }
    });
    lines.extend(
        plan.missing
            .iter()
            .map(|missing| format!("Missing: {missing}.")),
    );
    lines.push(match plan.outgrown {
        Some(day) if day == plan.start => {
            format!("Outgrown from the first day: the peak with its headroom does not fit {} lcores.", plan.lcores)
        }
        Some(day) => format!(
            "Outgrown on {day}: the first day on which the peak with its headroom does not fit {} lcores. [{}]",
            plan.lcores,
            plan.outgrown_basis.label()
        ),
        None => format!("Not outgrown before {}.", plan.horizon),
    });
    if let Some((link, day)) = &plan.link_full {
        let first = plan.outgrown.is_none_or(|outgrown| *day <= outgrown);
        let note = if first {
            ": the links are full before the boxes are"
        } else {
            ""
        };
        lines.push(format!("Link {link} is full at the peak from {day}{note}."));
    }
    lines
}

fn links(plan: &Plan) -> String {
    let mut rows = vec![words(&[
        "LINK",
        "LINKS",
        "GBIT/S",
        "UP MPPS",
        "DOWN MPPS",
        "FULL AT",
        "FULL AT 64 OCTETS",
    ])];
    for link in &plan.links {
        rows.push(vec![
            link.name.clone(),
            link.count.to_string(),
            readable(link.rate_bps / 1e9),
            mpps(link.up_pps),
            mpps(link.down_pps),
            mpps(link.line_pps),
            mpps(link.smallest_pps),
        ]);
    }
    let mut text = table(&rows, &[1, 2, 3, 4, 5, 6]);
    let _ = writeln!(
        text,
        "  together {} Mpps [{}], on {} {} Mpps [{}]",
        mpps(plan.offered_start_pps.value),
        plan.offered_start_pps.basis.label(),
        plan.target,
        mpps(plan.offered_target_pps.value),
        plan.offered_target_pps.basis.label()
    );
    text
}

fn a_box(plan: &Plan) -> String {
    let row = |need: &Need| {
        vec![
            bracketed(need.basis),
            need.what.to_owned(),
            need.value.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = needs(plan).iter().map(row).collect();
    table(&rows, &[])
}

fn cores(plan: &Plan) -> String {
    let mut rows = vec![words(&[
        "LCORE",
        "ROLE",
        "AT THE START",
        "ON THE TARGET DATE",
    ])];
    for core in plan.cores.iter().take(CORES_SHOWN) {
        let (start, target) = if core.role == "control" {
            ("no frames".to_owned(), "no frames".to_owned())
        } else {
            (percent(core.start_share), percent(core.target_share))
        };
        rows.push(vec![
            core.lcore.to_string(),
            core.role.to_owned(),
            start,
            target,
        ]);
    }
    let mut text = table(&rows, &[0, 2, 3]);
    if plan.cores.len() > CORES_SHOWN {
        let _ = writeln!(
            text,
            "  and {} more like the last",
            plan.cores.len() - CORES_SHOWN
        );
    }
    text
}

fn loss(plan: &Plan) -> String {
    let mut rows = vec![words(&[
        "LOAD",
        "OFFERED MPPS",
        "LOSSLESS UP TO",
        "LOST MPPS",
        "LCORES TO LOSE NONE",
        "LOST FROM",
        "",
    ])];
    let offered = plan.offered_target_pps.value;
    let lossless = plan.lossless_pps;
    rows.push(vec![
        "the peak".into(),
        mpps(offered),
        mpps(lossless.value),
        mpps((offered - lossless.value).max(0.0)),
        String::new(),
        String::new(),
        bracketed(lossless.basis),
    ]);
    for attack in &plan.attacks {
        let full = if attack.links_full {
            ", links full"
        } else {
            ""
        };
        rows.push(vec![
            format!("the peak under {}{full}", attack.name),
            mpps(attack.offered_pps),
            mpps(attack.lossless_pps.value),
            mpps(attack.lost_pps),
            attack
                .lcores
                .map_or("none suffices".into(), |lcores| lcores.to_string()),
            attack
                .lost_from
                .map_or(format!("after {}", plan.horizon), |day| day.to_string()),
            bracketed(attack.lossless_pps.basis),
        ]);
    }
    table(&rows, &[1, 2, 3, 4])
}

fn variations(plan: &Plan) -> String {
    let mut rows = vec![words(&[
        "ON THE TARGET DATE",
        "OFFERED MPPS",
        "NS A FRAME",
        "LCORES",
        "",
    ])];
    for variation in &plan.variations {
        rows.push(vec![
            variation.text.clone(),
            mpps(variation.offered_pps),
            readable(variation.frame_ns),
            variation
                .lcores
                .map_or("none suffices".into(), |lcores| lcores.to_string()),
            bracketed(variation.basis),
        ]);
    }
    table(&rows, &[1, 2, 3])
}

fn assumptions(plan: &Plan) -> String {
    let mut text = String::new();
    for assumption in &plan.assumptions {
        let basis = bracketed(assumption.basis);
        let said = [&assumption.what, &assumption.value, &assumption.source];
        let said: Vec<&str> = said
            .into_iter()
            .map(String::as_str)
            .filter(|said| !said.is_empty())
            .collect();
        for (number, line) in wrapped(&said.join(": ")).iter().enumerate() {
            let _ = match number {
                0 => writeln!(text, "  {basis:<14} {line}"),
                _ => writeln!(text, "  {:<14}   {line}", ""),
            };
        }
    }
    text
}

/// Lines of a width, broken between words.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn words(titles: &[&str]) -> Vec<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

fn bracketed(basis: Basis) -> String {
    format!("[{}]", basis.label())
}

pub(super) fn mpps(pps: f64) -> String {
    readable(pps / 1e6)
}

pub(super) fn percent(share: f64) -> String {
    format!("{} %", readable(share * 100.0))
}
