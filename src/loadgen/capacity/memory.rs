//! What tables and frames take.

use super::basis::{Basis, Grounds};
use super::cost::count;
use super::traffic::{Addresses, Traffic};
use crate::loadgen::{Case, Export, Family, Spread};
use serde::Serialize;

/// Bytes a prefix where the export has no such table. Single IPv4 addresses all over the space
/// take a page of a /24 each; those that fill their pools, little.
const ASSUMED_BYTES: [(Family, Spread, f64); 4] = [
    (Family::Ipv4, Spread::Dense, 4.0),
    (Family::Ipv4, Spread::Strewn, 256.0),
    (Family::Ipv6, Spread::Dense, 32.0),
    (Family::Ipv6, Spread::Strewn, 32.0),
];

/// Frames that a worker holds beside those in rings: a burst received and one to send.
const HELD_FRAMES: f64 = 128.0;

/// Memory of one box.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Memory {
    /// Subscribers' prefixes.
    pub prefixes: f64,
    /// The tables in use.
    pub table_bytes: f64,
    /// A new set of tables beside the old, while a policy is loaded.
    pub reload_bytes: f64,
    /// Buffers of frames: for each worker, a receive and a send ring at each port, and its bursts.
    pub frames: f64,
    /// What those buffers take.
    pub frame_bytes: f64,
    /// How the tables' size is known.
    pub table_basis: Basis,
    /// How the buffers' size is known.
    pub frame_basis: Basis,
    /// What the tables' size rests on.
    pub grounds: Grounds,
}

impl Memory {
    /// With the subscribers grown by a factor.
    pub(super) fn new(traffic: &Traffic, export: &Export, growth: f64, workers: u32) -> Self {
        let mut grounds = Grounds::default();
        let (mut table_bytes, mut prefixes) = (0.0, 0.0);
        for (family, spread) in ASSUMED_BYTES.map(|(family, spread, _)| (family, spread)) {
            let own = traffic.subscribers.iter().filter(|group| {
                let without = match family {
                    Family::Ipv4 => Addresses::Ipv6,
                    _ => Addresses::Ipv4,
                };
                group.spread == spread && group.addresses != without
            });
            let count: f64 = own.map(|group| group.count * growth).sum();
            if count > 0.0 {
                table_bytes += bytes(export, family, spread, count, &mut grounds);
                prefixes += count;
            }
        }
        let ring = f64::from(traffic.ring_frames.value);
        let ports = f64::from(traffic.ports());
        let frames = f64::from(workers) * (ports * 2.0 * ring + HELD_FRAMES);
        let given = traffic.ring_frames.given && traffic.buffer_bytes.given;
        Self {
            prefixes,
            table_bytes,
            reload_bytes: table_bytes,
            frames,
            frame_bytes: frames * f64::from(traffic.buffer_bytes.value),
            table_basis: grounds.basis(),
            frame_basis: Basis::of_setting(given),
            grounds,
        }
    }

    /// Of the box.
    pub fn total_bytes(&self) -> f64 {
        self.table_bytes + self.reload_bytes + self.frame_bytes
    }
}

fn bytes(
    export: &Export,
    family: Family,
    spread: Spread,
    wanted: f64,
    grounds: &mut Grounds,
) -> f64 {
    let like = |case: &&Case| case.family == family && case.table == spread && case.prefixes > 0;
    let mut tables: Vec<&Case> = export.cases.iter().filter(like).collect();
    tables.sort_by_key(|case| (case.prefixes, case.table_bytes));
    tables.dedup_by_key(|case| case.prefixes);
    let named = tables.iter().map(|case| case.name.clone());
    let (found, how) = match (family, tables.as_slice()) {
        (Family::Ipv6, [.., a, b]) => (per_prefix(a, b) * wanted, "by what more prefixes took"),
        (Family::Ipv4, [_, ..]) => whole(&tables, wanted),
        _ => {
            let each = assumed_bytes(family, spread);
            let text =
                format!("{spread} {family} prefixes: no case tells; {each} bytes each are assumed");
            grounds.steps.insert(text);
            return wanted * each;
        }
    };
    grounds.cases.extend(named);
    if !how.is_empty() {
        grounds.steps.insert(format!(
            "{spread} {family} prefixes: the tables' size is {how}"
        ));
    }
    found
}

/// What the tables of the export take is the sum of both families; so that nothing is left out,
/// IPv4 is taken with all that stood beside it, and IPv6 prefixes are added.
fn whole(tables: &[&Case], wanted: f64) -> (f64, &'static str) {
    let point = |case: &Case| (count(case.prefixes), count(case.table_bytes));
    let after = tables
        .iter()
        .position(|case| count(case.prefixes) >= wanted);
    match (after, tables) {
        (Some(0), [first, ..]) if count(first.prefixes) > wanted => (
            point(first).1,
            "that of the smallest table measured, which has more",
        ),
        (Some(at), _) => match (
            at.checked_sub(1).and_then(|at| tables.get(at)),
            tables.get(at),
        ) {
            (_, Some(b)) if point(b).0 == wanted => (point(b).1, ""),
            (Some(a), Some(b)) => {
                let more = per_prefix(a, b) * (wanted - point(a).0);
                (point(a).1 + more, "interpolated between two cases")
            }
            _ => (0.0, ""),
        },
        (None, [.., a, b]) => {
            let more = per_prefix(a, b) * (wanted - point(b).0);
            (
                point(b).1 + more,
                "beyond the largest table measured, by what more prefixes took",
            )
        }
        (None, [only]) => {
            let (prefixes, bytes) = point(only);
            let more = assumed_bytes(Family::Ipv4, only.table) * (wanted - prefixes);
            (
                bytes + more,
                "that of the only table measured, and assumed bytes for what is beyond it",
            )
        }
        (None, []) => (0.0, ""),
    }
}

/// Bytes that each more prefix took; a larger table takes no less.
fn per_prefix(a: &Case, b: &Case) -> f64 {
    let prefixes = count(b.prefixes.saturating_sub(a.prefixes)).max(1.0);
    count(b.table_bytes.saturating_sub(a.table_bytes)) / prefixes
}

fn assumed_bytes(family: Family, spread: Spread) -> f64 {
    let found = ASSUMED_BYTES
        .iter()
        .find(|(f, s, _)| (*f, *s) == (family, spread));
    found.map_or(0.0, |(_, _, bytes)| *bytes)
}
