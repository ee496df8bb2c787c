use crate::loadgen::traffic::Synthetic;
use crate::loadgen::{Accounting, Encapsulation, Family, Mix, Size};

/// A case: what goes through the engine, and under which tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Of the packets.
    pub family: Family,
    /// What stands between Ethernet and IP.
    pub encapsulation: Encapsulation,
    /// Who sends.
    pub mix: Mix,
    /// Of the frames.
    pub size: Size,
    /// The subscribers.
    pub table: Synthetic,
    /// Which frames are counted under their plan.
    pub account: Accounting,
    /// The share of frames that open a connection to port 25.
    pub port25_share: f64,
    /// Distinct frames.
    pub frames: u32,
}

/// The cases that run when none is named, and the most times the floor that each is meant to take.
pub const DEFAULTS: [(&str, Option<f64>); 37] = [
    ("ipv4/64/strewn-100k/candidates/0/ring", None),
    ("ipv4/64/strewn-100k/candidates/0.0001/ring", None),
    ("ipv4/64/strewn-100k/candidates/0.01/ring", None),
    ("ipv4/64/strewn-100k/candidates/0.01/1m", Some(1.5)),
    ("ipv4/64/strewn-100k/candidates/1/ring", None),
    ("ipv4/64/strewn-100k/every-frame/0/ring", None),
    ("ipv4/64/strewn-100k/every-frame/0.01/ring", Some(3.0)),
    ("ipv4/64/strewn-100k/every-frame/0.01/1m", Some(6.0)),
    ("ipv4/64/strewn-100k/every-frame/1/ring", Some(4.0)),
    ("ipv4-zipf/64/strewn-100k/every-frame/0.01/ring", None),
    ("ipv4-spoofed/64/strewn-100k/every-frame/1/ring", None),
    ("ipv4/imix/strewn-100k/every-frame/0.01/ring", None),
    ("ipv4/1518/strewn-100k/every-frame/0.01/ring", None),
    ("ipv4-vlan/64/strewn-100k/every-frame/0.01/ring", None),
    ("ipv4-qinq/64/strewn-100k/every-frame/0.01/ring", None),
    (
        "ipv4-qinq-pppoe/64/strewn-100k/every-frame/0.01/ring",
        Some(4.0),
    ),
    (
        "ipv6-qinq-pppoe/64/strewn-100k/every-frame/0.01/ring",
        Some(4.0),
    ),
    ("ipv6/64/strewn-100k/candidates/0.01/ring", None),
    ("ipv6/64/strewn-100k/every-frame/0.01/ring", Some(4.0)),
    ("ipv6/64/strewn-100k/every-frame/0.01/1m", Some(4.0)),
    ("mixed/64/strewn-100k/every-frame/0.01/ring", None),
    (
        "mixed-adversarial/64/strewn-100k/every-frame/0.01/ring",
        Some(15.0),
    ),
    ("ipv4-map-e/64/strewn-100k/every-frame/0.01/ring", None),
    ("ipv4-map-e/imix/strewn-100k/every-frame/0.01/ring", None),
    ("ipv4-chains/64/strewn-100k/every-frame/1/ring", None),
    ("ipv6-chains/64/strewn-100k/every-frame/1/ring", None),
    (
        "ipv4-tiny-fragments/64/strewn-100k/every-frame/1/ring",
        None,
    ),
    ("ipv4-source-routed/64/strewn-100k/every-frame/1/ring", None),
    ("ipv6-source-routed/64/strewn-100k/every-frame/1/ring", None),
    ("ipv4-flood/64/strewn-100k/every-frame/1/ring", None),
    ("ipv4-flood/64/strewn-100k/every-frame/1/1m", None),
    ("ipv4/64/dense-100k/every-frame/0.01/ring", Some(3.0)),
    ("ipv4/64/dense-100k/every-frame/0.01/1m", Some(3.0)),
    ("ipv4/64/strewn-10k/every-frame/0.01/ring", None),
    ("ipv4/64/dense-10k/every-frame/0.01/ring", None),
    ("ipv4/64/dense-1m/every-frame/0.01/ring", None),
    ("ipv4/64/dense-4m/every-frame/0.01/ring", None),
];

/// What `--quick` leaves of a case.
const QUICK_FRAMES: u32 = 2_048;
const QUICK_PREFIXES: u32 = 10_000;

impl Spec {
    /// The most times the floor that this case is meant to take.
    pub fn goal_ratio(&self) -> Option<f64> {
        let name = self.to_string();
        DEFAULTS.iter().find(|(case, _)| *case == name)?.1
    }

    /// The same on a small pool and a small table; its name says so.
    #[must_use]
    pub fn quick(self) -> Self {
        Self {
            frames: self.frames.min(QUICK_FRAMES),
            table: Synthetic {
                spread: self.table.spread,
                v4_prefixes: self.table.v4_prefixes.min(QUICK_PREFIXES),
                v6_prefixes: self.table.v6_prefixes.min(QUICK_PREFIXES),
            },
            ..self
        }
    }
}

/// Values that replace those of each case, every combination once; an empty list replaces nothing.
#[derive(Clone, Debug, Default)]
pub struct Axes {
    /// Frame sizes.
    pub sizes: Vec<Size>,
    /// Tables.
    pub tables: Vec<Synthetic>,
    /// Accounting modes.
    pub accounts: Vec<Accounting>,
    /// Shares of port 25.
    pub port25_shares: Vec<f64>,
    /// Distinct frames.
    pub frames: Vec<u32>,
}

impl Axes {
    /// Every combination for every case, each once.
    pub fn vary(&self, specs: &[Spec]) -> Vec<Spec> {
        let mut specs = specs.to_vec();
        replace(&mut specs, &self.sizes, |spec, size| spec.size = size);
        replace(&mut specs, &self.tables, |spec, table| spec.table = table);
        replace(&mut specs, &self.accounts, |spec, account| {
            spec.account = account
        });
        replace(&mut specs, &self.port25_shares, |spec, share| {
            spec.port25_share = share
        });
        replace(&mut specs, &self.frames, |spec, frames| {
            spec.frames = frames
        });
        once(specs)
    }
}

fn replace<T: Copy>(specs: &mut Vec<Spec>, values: &[T], set: impl Fn(&mut Spec, T)) {
    if values.is_empty() {
        return;
    }
    let varied = specs.iter().flat_map(|spec| {
        values.iter().map(|value| {
            let mut spec = *spec;
            set(&mut spec, *value);
            spec
        })
    });
    *specs = varied.collect();
}

/// Each case once, where it stands first.
pub(super) fn once(specs: Vec<Spec>) -> Vec<Spec> {
    let mut kept: Vec<Spec> = Vec::with_capacity(specs.len());
    for spec in specs {
        if !kept.contains(&spec) {
            kept.push(spec);
        }
    }
    kept
}
