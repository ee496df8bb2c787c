use super::text::percent;
use crate::loadgen::capacity::{Basis, Plan};
use crate::loadgen::page::readable;

/// Something that a box needs, or that follows for it.
pub(super) struct Need {
    pub(super) what: &'static str,
    pub(super) value: String,
    pub(super) basis: Basis,
}

/// All of it, for the target date unless it says otherwise.
pub(super) fn needs(plan: &Plan) -> Vec<Need> {
    let mut list = lcores(plan);
    list.extend(frame(plan));
    list.extend(memory(plan));
    list
}

fn lcores(plan: &Plan) -> Vec<Need> {
    let (needed, queues) = (plan.needed, plan.queues);
    let number = |lcores: Option<u32>| lcores.map_or("none suffices".to_owned(), |n| n.to_string());
    // What follows from lcores that were given is as sure as they are.
    let chosen = match plan.given_lcores {
        Some(_) => Basis::Given,
        None => needed.basis,
    };
    let per_port = queues.per_port;
    let mut list = vec![
        need(
            "lcores needed at the start",
            number(needed.start_lcores),
            needed.basis,
        ),
        need(
            "lcores needed until the target date",
            number(needed.target_lcores),
            needed.basis,
        ),
        need("lcores of this plan", plan.lcores.to_string(), chosen),
    ];
    if let Some(core) = plan.cores.iter().find(|core| core.role == "busiest worker") {
        let load = format!(
            "{}, at the start {}",
            percent(core.target_share),
            percent(core.start_share)
        );
        list.push(need(
            "load of the busiest worker",
            load,
            plan.lossless_pps.basis,
        ));
    }
    let text = format!(
        "{} ports × {per_port} receive and {per_port} send = {}",
        queues.ports, queues.total
    );
    list.push(need("NIC queues", text, chosen));
    list
}

fn frame(plan: &Plan) -> Vec<Need> {
    let frame = &plan.frame;
    let part =
        |part: &crate::loadgen::capacity::Part| format!("{} {}", part.name, readable(part.value));
    let parts: Vec<String> = frame.parts.iter().map(part).collect();
    let whole = format!("{} ns ({})", readable(frame.ns.value), parts.join(", "));
    let engine = format!("{} ns", readable(frame.engine_ns.value));
    vec![
        need("a frame with the driver", whole, frame.ns.basis),
        need("a frame in the engine", engine, frame.engine_ns.basis),
    ]
}

fn memory(plan: &Plan) -> Vec<Need> {
    let memory = &plan.memory;
    let tables = format!(
        "{} for {} prefixes",
        mebibytes(memory.table_bytes),
        readable(memory.prefixes.round())
    );
    let frames = format!(
        "{} for {} frames",
        mebibytes(memory.frame_bytes),
        readable(memory.frames)
    );
    let both = memory.table_basis.with(memory.frame_basis);
    vec![
        need("tables in use", tables, memory.table_basis),
        need(
            "tables beside them while a policy is loaded",
            mebibytes(memory.reload_bytes),
            memory.table_basis,
        ),
        need("frame buffers", frames, memory.frame_basis),
        need("memory together", mebibytes(memory.total_bytes()), both),
    ]
}

fn need(what: &'static str, value: String, basis: Basis) -> Need {
    Need { what, value, basis }
}

pub(super) fn mebibytes(bytes: f64) -> String {
    format!("{} MiB", readable(bytes / f64::from(1 << 20)))
}
