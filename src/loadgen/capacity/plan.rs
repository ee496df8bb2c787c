//! The answer: what is needed, until when, and what it rests on.

use super::assumptions::{Assumption, assumptions};
use super::basis::Basis;
use super::dates::{self, Point};
use super::memory::Memory;
use super::model::{FrameCost, MOST_WORKERS, Model};
use super::sensitivity::{Variation, variations};
use super::traffic::Traffic;
use crate::loadgen::Export;
use jiff::civil::Date;
use serde::Serialize;

/// A figure, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// In the unit that its name says.
    pub value: f64,
    /// How it is known.
    pub basis: Basis,
}

/// A capacity plan.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// What the traffic is called.
    pub name: String,
    /// The day that the description speaks of.
    pub start: Date,
    /// The last day on which the hardware must suffice.
    pub target: Date,
    /// Where the costs were measured.
    pub measured: Measured,
    /// What speaks against the measurements.
    pub warnings: Vec<String>,
    /// The frames of each link.
    pub links: Vec<LinkLoad>,
    /// A frame of the ordinary mix, on the target date.
    pub frame: Frame,
    /// What each box needs.
    pub needed: Needed,
    /// The lcores of a box that is there already.
    pub given_lcores: Option<u32>,
    /// The lcores of a box that all that follows is about: those given, else those needed until
    /// the target date, else those needed at the start.
    pub lcores: u32,
    /// Boxes in all.
    pub boxes: u32,
    /// Boxes that carry everything while the others have failed.
    pub carrying: u32,
    /// Queues of a box.
    pub queues: Queues,
    /// Memory of a box, on the target date.
    pub memory: Memory,
    /// The load of each lcore at the peak.
    pub cores: Vec<CoreLoad>,
    /// Frames a second at the peak of the start, of all links.
    pub offered_start_pps: Figure,
    /// The same on the target date.
    pub offered_target_pps: Figure,
    /// Frames a second of the ordinary mix beyond which frames are lost, on the target date.
    pub lossless_pps: Figure,
    /// What happens under attack, on the target date.
    pub attacks: Vec<AttackOutcome>,
    /// The first day on which the peak with its headroom no longer fits.
    pub outgrown: Option<Date>,
    /// The last day that was looked at.
    pub horizon: Date,
    /// How the day is known.
    pub outgrown_basis: Basis,
    /// The first day on which a link is full at the peak, and which.
    pub link_full: Option<(String, Date)>,
    /// Whether the lcores given suffice until the target date, and under attack.
    pub suffices: bool,
    /// What is missing.
    pub missing: Vec<String>,
    /// What if.
    pub variations: Vec<Variation>,
    /// Load and capacity over time.
    pub points: Vec<Point>,
    /// Everything that was taken for granted.
    pub assumptions: Vec<Assumption>,
}

/// Where costs were measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The processor.
    pub cpu: String,
    /// When.
    pub started: String,
    /// By which version.
    pub version: String,
}

/// The frames of links of one kind, at the peak of the start.
#[derive(Clone, Debug, Serialize)]
pub struct LinkLoad {
    /// Its name.
    pub name: String,
    /// How many there are.
    pub count: u32,
    /// Of one, in each direction.
    pub rate_bps: f64,
    /// From subscribers, all together.
    pub up_pps: f64,
    /// To subscribers, all together.
    pub down_pps: f64,
    /// At which one direction of all of them is full with these frames.
    pub line_pps: f64,
    /// At which it is full with frames of 64 octets.
    pub smallest_pps: f64,
}

/// What a frame costs.
#[derive(Clone, Debug, Serialize)]
pub struct Frame {
    /// In all.
    pub ns: Figure,
    /// In the engine.
    pub engine_ns: Figure,
    /// By stage.
    pub parts: Vec<Part>,
}

/// A part of a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// `driver`, `parse`, `classify`, `decide` or `count`.
    pub name: String,
    /// Nanoseconds a frame, or a share of a core.
    pub value: f64,
}

/// Lcores of each box: workers and one for control.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Needed {
    /// For the peak of the start; nothing if no number suffices.
    pub start_lcores: Option<u32>,
    /// For every day until the target date.
    pub target_lcores: Option<u32>,
    /// How they are known.
    pub basis: Basis,
}

/// Queues of one box: each worker has a receive and a send queue at each port.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Queues {
    /// Ports.
    pub ports: u32,
    /// Receive queues of each port, and as many send queues.
    pub per_port: u32,
    /// Of all ports, both kinds.
    pub total: u32,
}

/// The load of one lcore while the spare boxes have failed.
#[derive(Clone, Debug, Serialize)]
pub struct CoreLoad {
    /// Its number.
    pub lcore: u32,
    /// What it does.
    pub role: &'static str,
    /// At the peak of the start, as a share of its time.
    pub start_share: f64,
    /// On the target date.
    pub target_share: f64,
    /// The share on the target date, by stage.
    pub parts: Vec<Part>,
}

/// What an attack does.
#[derive(Clone, Debug, Serialize)]
pub struct AttackOutcome {
    /// What it is called.
    pub name: String,
    /// What its frames are.
    pub kind: &'static str,
    /// A frame of it.
    pub frame_ns: Figure,
    /// Frames a second in all.
    pub offered_pps: f64,
    /// The links hold no more of it.
    pub links_full: bool,
    /// Frames a second of that mix beyond which frames are lost.
    pub lossless_pps: Figure,
    /// Frames a second that are lost.
    pub lost_pps: f64,
    /// Lcores of each box that lose none until the target date.
    pub lcores: Option<u32>,
    /// The first day on which the peak under attack loses frames.
    pub lost_from: Option<Date>,
}

/// Makes the plan. `None` if the export has no case to reckon from.
pub fn plan(traffic: &Traffic, export: &Export) -> Option<Plan> {
    if export.cases.is_empty() {
        return None;
    }
    let model = Model::new(traffic, export);
    let target = model.days(traffic.target.value);
    let cost = model.frame(target);
    let needed = needed(&model, target, &cost);
    let enough = needed.target_lcores.or(needed.start_lcores);
    let box_lcores = traffic.cores.or(enough).unwrap_or(MOST_WORKERS);
    let workers = box_lcores.saturating_sub(1).max(1);
    let basis = model.basis(&cost.grounds, workers);
    let capacity = model.capacity(workers);
    let memory = Memory::new(traffic, export, model.growth(target), workers);
    let attacks = attacks(&model, target, workers);
    let missing = missing(&model, &needed, &attacks);
    let (outgrown, horizon) = dates::outgrown(&model, workers);
    Some(Plan {
        name: traffic.name.clone(),
        start: traffic.start,
        target: traffic.target.value,
        measured: measured(export),
        warnings: warnings(export),
        links: links(traffic),
        frame: frame(&cost, &model),
        needed,
        given_lcores: traffic.cores,
        lcores: box_lcores,
        boxes: traffic.redundancy.value.boxes(),
        carrying: traffic.redundancy.value.carrying,
        queues: queues(traffic, workers),
        assumptions: assumptions(&model, &cost, &memory, workers),
        memory,
        cores: cores(&model, workers, target, &cost),
        offered_start_pps: Figure {
            value: model.peak_pps(0.0),
            basis: Basis::Given,
        },
        offered_target_pps: Figure {
            value: model.peak_pps(target),
            basis: Basis::of_setting(traffic.traffic_growth.given),
        },
        lossless_pps: Figure {
            value: capacity / (cost.ns * 1e-9),
            basis,
        },
        attacks,
        outgrown,
        horizon,
        outgrown_basis: basis,
        link_full: dates::link_full(traffic),
        suffices: missing.is_empty(),
        missing,
        variations: variations(traffic, export),
        points: dates::points(&model, workers, outgrown),
    })
}

fn needed(model: &Model<'_>, target: f64, cost: &FrameCost) -> Needed {
    let lcores = |work: f64| model.workers(work).map(|workers| workers + 1);
    Needed {
        start_lcores: lcores(model.required_work(0.0)),
        target_lcores: lcores(model.required_work(target)),
        basis: model.basis(&cost.grounds, 0),
    }
}

fn measured(export: &Export) -> Measured {
    Measured {
        cpu: export.machine.cpu.clone(),
        started: export.started.to_string(),
        version: export.version.clone(),
    }
}

fn queues(traffic: &Traffic, workers: u32) -> Queues {
    let ports = traffic.ports();
    Queues {
        ports,
        per_port: workers,
        total: ports.saturating_mul(workers).saturating_mul(2),
    }
}

/// The run's own warnings, and what it says of itself.
fn warnings(export: &Export) -> Vec<String> {
    let mut warnings = export.warnings.clone();
    if export.settings.quick {
        warnings.push("the export is of a quick run: its figures are rough".to_owned());
    }
    if !export.settings.optimised {
        warnings.push(
            "the program that measured was built without optimisation: its figures are worthless"
                .to_owned(),
        );
    }
    warnings
}

fn links(traffic: &Traffic) -> Vec<LinkLoad> {
    let link = |link: &super::Link| {
        let line_pps = traffic.frames.line_pps(link.line_bps());
        LinkLoad {
            name: link.name.clone(),
            count: link.count,
            rate_bps: link.rate_bps,
            up_pps: line_pps * link.up,
            down_pps: line_pps * link.down,
            line_pps,
            smallest_pps: super::line_pps(link.line_bps(), 64.0),
        }
    };
    traffic.links.iter().map(link).collect()
}

fn frame(cost: &FrameCost, model: &Model<'_>) -> Frame {
    let engine = cost.grounds.basis();
    let io = Basis::of_setting(model.traffic.io_ns.given);
    Frame {
        ns: Figure {
            value: cost.ns,
            basis: engine.with(io),
        },
        engine_ns: Figure {
            value: cost.engine_ns,
            basis: engine,
        },
        parts: parts(cost, 1.0),
    }
}

fn parts(cost: &FrameCost, factor: f64) -> Vec<Part> {
    let part = |(name, ns): &(String, f64)| Part {
        name: name.clone(),
        value: ns * factor,
    };
    cost.parts.iter().map(part).collect()
}

fn cores(model: &Model<'_>, workers: u32, target: f64, cost: &FrameCost) -> Vec<CoreLoad> {
    let boxes = f64::from(model.traffic.redundancy.value.carrying);
    let mean = |work: f64| work / (model.scaling.work(workers) * boxes);
    let (start, end) = (mean(model.peak(0.0).work), mean(model.peak(target).work));
    let busiest = model.imbalance(workers);
    let others = (f64::from(workers) - busiest) / f64::from(workers.saturating_sub(1).max(1));
    let control = CoreLoad {
        lcore: 0,
        role: "control",
        start_share: 0.0,
        target_share: 0.0,
        parts: Vec::new(),
    };
    let worker = |lcore: u32| {
        let factor = if lcore == 1 { busiest } else { others };
        CoreLoad {
            lcore,
            role: if lcore == 1 {
                "busiest worker"
            } else {
                "worker"
            },
            start_share: start * factor,
            target_share: end * factor,
            parts: parts(cost, end * factor / cost.ns),
        }
    };
    std::iter::once(control)
        .chain((1..=workers).map(worker))
        .collect()
}

fn attacks(model: &Model<'_>, days: f64, workers: u32) -> Vec<AttackOutcome> {
    let outcome = |attack: &super::Attack| {
        let (load, links_full) = model.under_attack(attack, days);
        let cost = model.attack_frame(attack, days);
        let lossless = load.pps * model.capacity(workers) / load.work;
        let io = Basis::of_setting(model.traffic.io_ns.given);
        let mut grounds = cost.grounds.clone();
        grounds.join(model.frame(days).grounds);
        AttackOutcome {
            name: attack.name.clone(),
            kind: attack.kind.label(),
            frame_ns: Figure {
                value: cost.ns,
                basis: cost.grounds.basis().with(io),
            },
            offered_pps: load.pps,
            links_full,
            lossless_pps: Figure {
                value: lossless,
                basis: model.basis(&grounds, workers),
            },
            lost_pps: (load.pps - lossless).max(0.0),
            lcores: model
                .workers(model.attacked_work(attack, days))
                .map(|workers| workers + 1),
            lost_from: dates::first_day(model, |days| {
                model.under_attack(attack, days).0.work > model.capacity(workers)
            }),
        }
    };
    model.traffic.attacks.iter().map(outcome).collect()
}

/// What is short of what is needed until the target date, in words.
fn missing(model: &Model<'_>, needed: &Needed, attacks: &[AttackOutcome]) -> Vec<String> {
    let Some(given) = model.traffic.cores else {
        let none = needed.target_lcores.is_none();
        let text = "no number of lcores of one box suffices: share the links among more boxes";
        return if none {
            vec![text.to_owned()]
        } else {
            Vec::new()
        };
    };
    let target = model.traffic.target.value;
    let peak = model.headroom_work(model.days(target));
    let for_peak = model.workers(peak).map(|workers| workers + 1);
    let peak = std::iter::once(("the peak with its headroom".to_owned(), for_peak));
    let attacked = attacks
        .iter()
        .map(|attack| (format!("the peak under {}", attack.name), attack.lcores));
    let short = |(what, needed): (String, Option<u32>)| match needed {
        Some(needed) if needed <= given => None,
        Some(needed) => {
            let more = needed - given;
            Some(format!(
                "{what} until {target} needs {needed} lcores a box: {more} more than the {given} there are"
            ))
        }
        None => Some(format!("{what} until {target} needs more than any box has")),
    };
    peak.chain(attacked).filter_map(short).collect()
}
