//! What if.

use super::basis::Basis;
use super::model::Model;
use super::scaling::Scaling;
use super::traffic::{Frames, Traffic};
use crate::loadgen::{Accounting, Export};
use serde::Serialize;

/// The plan with one thing changed, on the target date.
#[derive(Clone, Debug, Serialize)]
pub struct Variation {
    /// What is changed.
    pub text: String,
    /// Frames a second at the peak.
    pub offered_pps: f64,
    /// A frame, with the driver.
    pub frame_ns: f64,
    /// Lcores of each box; nothing if no number suffices.
    pub lcores: Option<u32>,
    /// How it is known.
    pub basis: Basis,
}

/// The plan as it is, and each of its variations.
pub(super) fn variations(traffic: &Traffic, export: &Export) -> Vec<Variation> {
    let mut found = Vec::new();
    let mut add = |text: String, change: &dyn Fn(&mut Traffic)| {
        let mut changed = traffic.clone();
        change(&mut changed);
        found.push(variation(text, &Model::new(&changed, export)));
    };
    add("as planned".into(), &|_| {});
    add("all frames 64 octets, the links as full".into(), &|t| {
        t.frames = Frames::all(64)
    });
    add("all links full of 64 octets, no headroom".into(), &|t| {
        t.frames = Frames::all(64);
        t.traffic_growth.value = 0.0;
        t.headroom.value = 1.0;
        t.attacks.clear();
        for link in &mut t.links {
            (link.up, link.down) = (1.0, 1.0);
        }
    });
    let (other, text) = match traffic.account.value {
        Accounting::Candidates => (
            Accounting::EveryFrame,
            "every frame is counted under its plan",
        ),
        Accounting::EveryFrame => (
            Accounting::Candidates,
            "only candidates are counted under their plan",
        ),
    };
    add(text.into(), &|t| t.account.value = other);
    add(
        "four times the subscribers, the same traffic".into(),
        &|t| {
            for group in &mut t.subscribers {
                group.count *= 4.0;
            }
        },
    );
    let io_ns = traffic.io_ns.value;
    for factor in [0.5, 2.0] {
        let text = format!(
            "the driver takes {} ns a frame instead of {io_ns}",
            io_ns * factor
        );
        add(text, &|t| t.io_ns.value = io_ns * factor);
    }
    let mut model = Model::new(traffic, export);
    model.high = true;
    found.push(variation(
        "costs at the far end of their intervals".into(),
        &model,
    ));
    model.high = false;
    model.scaling = Scaling::flat(0.7, Basis::Assumed, String::new());
    found.push(variation("each further worker adds 0.7".into(), &model));
    found
}

fn variation(text: String, model: &Model<'_>) -> Variation {
    let days = model.days(model.traffic.target.value);
    let cost = model.frame(days);
    let workers = model.workers(model.required_work(days));
    Variation {
        text,
        offered_pps: model.peak_pps(days),
        frame_ns: cost.ns,
        lcores: workers.map(|workers| workers + 1),
        basis: model.basis(&cost.grounds, workers.unwrap_or(0)),
    }
}
