//! Everything that a plan takes for granted, with its source.

use super::basis::Basis;
use super::memory::Memory;
use super::model::{FrameCost, Model};
use super::traffic::{Addresses, Setting, Subscribers};
use crate::loadgen::page::readable;
use serde::Serialize;
use std::fmt::Display;

/// Something that was taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// What.
    pub what: String,
    /// How much.
    pub value: String,
    /// How it is known.
    pub basis: Basis,
    /// Where it comes from.
    pub source: String,
}

impl Assumption {
    fn new(what: &str, value: impl Display, basis: Basis, source: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            value: value.to_string(),
            basis,
            source: source.into(),
        }
    }

    fn setting<T>(what: &str, value: impl Display, setting: &Setting<T>) -> Self {
        let source = if setting.given {
            "description"
        } else {
            "default"
        };
        Self::new(what, value, Basis::of_setting(setting.given), source)
    }
}

/// All of them: what was given, what was measured, and what was neither.
pub(super) fn assumptions(
    model: &Model<'_>,
    cost: &FrameCost,
    memory: &Memory,
    workers: u32,
) -> Vec<Assumption> {
    let mut list = described(model);
    list.extend(defaults(model));
    let days = model.days(model.traffic.target.value);
    list.extend(costs("engine, a frame", cost));
    for attack in &model.traffic.attacks {
        let what = format!("engine, a frame of {}", attack.name);
        list.extend(costs(&what, &model.attack_frame(attack, days)));
    }
    let scaling = &model.scaling;
    let together = format!(
        "{} workers do {} × one",
        workers,
        readable(scaling.work(workers))
    );
    list.push(Assumption::new(
        "several workers",
        together,
        scaling.basis(workers),
        scaling.text.clone(),
    ));
    list.extend(tables(memory));
    list.extend(rules());
    list
}

fn described(model: &Model<'_>) -> Vec<Assumption> {
    let traffic = model.traffic;
    let given =
        |what: &str, value: String| Assumption::new(what, value, Basis::Given, "description");
    let mut list = Vec::new();
    for link in &traffic.links {
        let value = format!(
            "{} × {} Gbit/s each way, peak {} % up, {} % down",
            link.count,
            readable(link.rate_bps / 1e9),
            readable(link.up * 100.0),
            readable(link.down * 100.0)
        );
        list.push(given(&format!("link {}", link.name), value));
    }
    let frames = format!(
        "{}, mean {:.1} octets",
        traffic.frames.label,
        traffic.frames.mean_bytes()
    );
    list.push(given("frames", frames));
    for group in &traffic.subscribers {
        list.push(given(
            &format!("subscribers of {}", group.plan),
            subscribers(group),
        ));
    }
    for attack in &traffic.attacks {
        let value = format!(
            "{} % of all frames are {}, {} octets each",
            readable(attack.share * 100.0),
            attack.kind.label(),
            attack.frame_bytes
        );
        list.push(given(&format!("attack: {}", attack.name), value));
    }
    list
}

fn subscribers(group: &Subscribers) -> String {
    let family = match group.addresses {
        Addresses::Ipv4 => "IPv4".to_owned(),
        Addresses::Ipv6 => "IPv6".to_owned(),
        Addresses::Dual { ipv6_share } => format!(
            "both families, {} % of frames IPv6",
            readable(ipv6_share * 100.0)
        ),
    };
    format!(
        "{}, {family}, encapsulation {}, {}",
        readable(group.count),
        group.encapsulation,
        group.spread
    )
}

fn defaults(model: &Model<'_>) -> Vec<Assumption> {
    let t = model.traffic;
    let percent = |share: f64| format!("{} %", readable(share * 100.0));
    let boxes = t.redundancy.value;
    let redundancy = format!(
        "{}+{}: {} boxes, {} may fail",
        boxes.carrying,
        boxes.spare,
        boxes.boxes(),
        boxes.spare
    );
    vec![
        Assumption::setting("target date", t.target.value, &t.target),
        Assumption::setting(
            "port 25",
            format!("{} of frames", percent(t.port25_share.value)),
            &t.port25_share,
        ),
        Assumption::setting("accounting", t.account.value, &t.account),
        Assumption::setting(
            "growth of subscribers",
            format!("{} a year", percent(t.subscriber_growth.value)),
            &t.subscriber_growth,
        ),
        Assumption::setting(
            "growth of traffic",
            format!("{} a year", percent(t.traffic_growth.value)),
            &t.traffic_growth,
        ),
        Assumption::setting(
            "headroom",
            format!("{} × the peak", t.headroom.value),
            &t.headroom,
        ),
        Assumption::setting("redundancy", redundancy, &t.redundancy),
        Assumption::setting(
            "driver, a frame received and sent",
            format!("{} ns", t.io_ns.value),
            &t.io_ns,
        ),
        Assumption::setting(
            "busiest worker",
            format!("{} × the mean", t.imbalance.value),
            &t.imbalance,
        ),
        Assumption::setting(
            "ring of a queue",
            format!("{} frames", t.ring_frames.value),
            &t.ring_frames,
        ),
        Assumption::setting(
            "buffer of a frame",
            format!("{} octets", t.buffer_bytes.value),
            &t.buffer_bytes,
        ),
    ]
}

/// The cost, and each step beyond what was measured.
fn costs(what: &str, cost: &FrameCost) -> Vec<Assumption> {
    let cases: Vec<&str> = cost.grounds.cases.iter().map(String::as_str).collect();
    let value = format!("{} ns", readable(cost.engine_ns));
    let mut list = vec![Assumption::new(
        what,
        value,
        cost.grounds.basis(),
        format!("cases {}", cases.join(", ")),
    )];
    for step in &cost.grounds.steps {
        list.push(Assumption::new(
            &format!("{what}: beyond the cases"),
            "",
            Basis::Extrapolated,
            step,
        ));
    }
    list
}

/// Which tables the memory was reckoned from.
fn tables(memory: &Memory) -> Vec<Assumption> {
    let cases: Vec<&str> = memory.grounds.cases.iter().map(String::as_str).collect();
    let value = format!("{} bytes", readable(memory.table_bytes));
    let source = match cases.is_empty() {
        true => "default".to_owned(),
        false => format!("cases {}", cases.join(", ")),
    };
    let mut list = vec![Assumption::new("tables", value, memory.table_basis, source)];
    for step in &memory.grounds.steps {
        list.push(Assumption::new(
            "tables: beyond the cases",
            "",
            Basis::Extrapolated,
            step,
        ));
    }
    list
}

/// What the model itself takes for granted.
fn rules() -> Vec<Assumption> {
    let rule = |what, source| Assumption::new(what, "", Basis::Assumed, source);
    vec![
        rule(
            "machine",
            "the boxes' cores are as fast as the machine that was measured",
        ),
        rule("peaks", "the peaks of all links and directions coincide"),
        rule(
            "mix",
            "both directions have the same mix of sizes, and each subscriber sends as many frames as any other",
        ),
        rule(
            "boxes",
            "traffic divides evenly among the boxes that carry it; control takes one lcore a box",
        ),
        rule(
            "ports",
            "each link has two ports, and each worker a receive and a send queue at every port",
        ),
        rule(
            "attacks",
            "come on top of the peak, one at a time; the headroom is not added to them",
        ),
        rule("growth", "compound, in years of 365.25 days"),
        rule(
            "overhead",
            "20 octets a frame on the wire: preamble, start delimiter and gap",
        ),
    ]
}
