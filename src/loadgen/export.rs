use super::traffic::Spread;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The schema of what [`Export`] writes and reads.
pub const SCHEMA: &str = "sekisho.bench/1";

/// What a run of `sekisho bench` measured, where, and how. Keys that a reader does not know are
/// passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// The program that measured.
    pub version: String,
    /// When the run began.
    pub started: Timestamp,
    /// The machine that it ran on.
    pub machine: Machine,
    /// How it measured.
    pub settings: Settings,
    /// What speaks against the figures, a sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The engine alone: frames in memory through the stages.
    #[serde(default)]
    pub cases: Vec<Case>,
    /// Whole loops: a port's frames through a worker and out again.
    #[serde(default)]
    pub loops: Vec<Loop>,
}

/// The machine of a run, as far as the system tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Processors that the run may use.
    pub cores: u32,
    /// What the system said of each processor's clock.
    pub mhz: Option<Vec<f64>>,
    /// The second-level cache of one core.
    pub l2_bytes: Option<u64>,
    /// The third-level cache.
    pub l3_bytes: Option<u64>,
    /// All of the memory.
    pub memory_bytes: Option<u64>,
    /// The share of the processors' time that the host gave to others while the run went on.
    pub steal_share: Option<f64>,
}

/// How a run measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Samples of each figure.
    pub samples: u32,
    /// Of the traffic, the tables, and the resampling behind the intervals.
    pub seed: u64,
    /// A short run on small pools, to see that it works.
    #[serde(default)]
    pub quick: bool,
    /// The program was built with optimisation.
    #[serde(default = "yes")]
    pub optimised: bool,
}

fn yes() -> bool {
    true
}

/// One case: what went through the engine, and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// `ipv4/64/strewn-100k/every-frame/0.01/ring`.
    pub name: String,
    /// Of the packets.
    pub family: Family,
    /// Of the frames.
    pub size: Size,
    /// What stands between Ethernet and IP.
    pub encapsulation: Encapsulation,
    /// How the subscribers lie in the address space.
    pub table: Spread,
    /// The subscribers' prefixes, of the families of this case.
    pub prefixes: u64,
    /// What the compiled tables take.
    pub table_bytes: u64,
    /// Which frames are counted under their plan.
    pub account: Accounting,
    /// The share of frames that open a connection to port 25.
    pub port25_share: f64,
    /// Who sends.
    pub traffic: Mix,
    /// Distinct frames in memory.
    pub frames: u64,
    /// One word of each header's cache line read, nothing decided.
    pub floor: Estimate,
    /// The most that the floor may take on a machine that measures well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_limit_ns: Option<f64>,
    /// All stages, from the frame to its verdict, counted.
    pub whole: Estimate,
    /// Processor cycles a frame, where the clock's rate is known.
    pub cycles: Option<f64>,
    /// The most floors that it is meant to take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_ratio: Option<f64>,
    /// The whole loop in floors.
    pub ratio: f64,
    /// The low end of its interval.
    pub ratio_low: f64,
    /// The high end of its interval.
    pub ratio_high: f64,
    /// Millions of frames a second on one core.
    pub mpps: f64,
    /// What each stage takes of the whole.
    pub stages: Vec<StageCost>,
    /// How long bursts took, one behind the other.
    pub burst_latency_ns: Option<LatencyNs>,
    /// How long they would have waited and taken at an offered rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<Offered>,
}

impl Case {
    /// Whether the floor is as low as it must be for the ratio to mean anything.
    pub fn is_sound(&self) -> bool {
        self.floor_limit_ns
            .is_none_or(|limit_ns| self.floor.ns <= limit_ns)
    }
}

/// A median in nanoseconds a frame, and the interval around it: distribution-free, at 95 % (at
/// five samples 93.75 %).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The median.
    pub ns: f64,
    /// The low end of the interval.
    pub low_ns: f64,
    /// The high end of the interval.
    pub high_ns: f64,
    /// What the median was taken of, in the order of measuring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples_ns: Vec<f64>,
}

/// What one stage takes of the whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageCost {
    /// `parse`, `classify`, `decide` or `count`.
    pub name: String,
    /// Nanoseconds a frame.
    pub ns: f64,
}

/// Bursts that come at a rate of their own, whatever became of those before them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offered {
    /// Millions of frames a second.
    pub mpps: f64,
    /// From when a burst was due to when it was done.
    pub burst_latency_ns: LatencyNs,
}

/// How long bursts took, by percentile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyNs {
    /// Half of the bursts took no longer.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000.
    pub p99_9: f64,
    /// The slowest.
    pub max: f64,
}

/// A whole loop: a port's frames through a worker and out again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loop {
    /// `memory-port/64`.
    pub name: String,
    /// How many ran side by side, each on a core of its own.
    pub workers: u32,
    /// The frames' size on the wire, with their check sequence.
    pub frame_bytes: u32,
    /// The median of one worker's nanoseconds a frame.
    pub ns: f64,
    /// The low end of its interval.
    pub low_ns: f64,
    /// The high end of its interval.
    pub high_ns: f64,
    /// Millions of frames a second, of all workers together.
    pub mpps: f64,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$each])* #[serde(rename = $label)] $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in outputs and names.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.label())
            }
        }
    };
}

words! {
    /// The packets' family.
    Family {
        /// IPv4.
        Ipv4 "ipv4",
        /// IPv6.
        Ipv6 "ipv6",
        /// Both, in random order.
        Mixed "mixed",
    }
}

words! {
    /// The frames' size on the wire, with their check sequence.
    Size {
        /// The smallest that holds the headers: 64 octets, or a few more.
        Least "64",
        /// The simple IMIX: 64, 594 and 1,518 octets at 7 : 4 : 1.
        Imix "imix",
        /// Ethernet's largest.
        Largest "1518",
    }
}

words! {
    /// What stands between Ethernet and IP.
    Encapsulation {
        /// Nothing.
        None "none",
        /// One 802.1Q tag.
        Vlan "vlan",
        /// Two stacked tags (802.1ad).
        Qinq "qinq",
        /// Two stacked tags and a PPPoE session.
        QinqPppoe "qinq-pppoe",
        /// IPv4 in IPv6, to a border relay (RFC 7597).
        MapE "map-e",
    }
}

words! {
    /// Which frames are counted under their plan.
    Accounting {
        /// Those whose verdict needs one.
        Candidates "candidates",
        /// All.
        EveryFrame "every-frame",
    }
}

words! {
    /// Who sends.
    Mix {
        /// Each subscriber as likely as any other.
        Uniform "uniform",
        /// A few subscribers send most (Zipf's law).
        Zipf "zipf",
        /// Sources of the whole address space.
        Spoofed "spoofed",
        /// The headers that take longest to read, in random order.
        Adversarial "adversarial",
        /// The longest chains of headers alone: IPv4's of 60 octets, IPv6's of eight extension
        /// headers.
        Chains "chains",
        /// First fragments with 8 octets of TCP alone; IPv4's.
        TinyFragments "tiny-fragments",
        /// The longest source routes alone.
        SourceRouted "source-routed",
        /// Sources of the plans, each address as likely as any other, under a rule that limits
        /// each of them.
        Flood "flood",
    }
}

/// Why a text is no export that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or lacks what an export has.
    #[error("not an export of `sekisho bench`: {0}")]
    Json(#[from] serde_json::Error),
    /// It says that it is something else.
    #[error(
        "the schema is {found}, and {SCHEMA:?} is expected: was it written by `sekisho bench`?"
    )]
    Schema {
        /// What stands there.
        found: String,
    },
    /// A figure that no run can have measured.
    #[error("{name}: {figure} is {value}, and must be more than 0")]
    Figure {
        /// The case or loop.
        name: String,
        /// Which figure of it.
        figure: &'static str,
        /// What stands there.
        value: f64,
    },
}

impl Export {
    /// Reads what [`Export::to_json`] wrote.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Head {
            schema: Option<serde_json::Value>,
        }
        let head: Head = serde_json::from_str(text)?;
        match head.schema {
            Some(serde_json::Value::String(schema)) if schema == SCHEMA => {}
            found => {
                let found = found.map_or("missing".to_owned(), |schema| schema.to_string());
                return Err(ReadError::Schema { found });
            }
        }
        let export: Self = serde_json::from_str(text)?;
        export.check_figures()?;
        Ok(export)
    }

    /// The export as JSON, indented, its schema first.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Tagged<'a> {
            schema: &'a str,
            #[serde(flatten)]
            export: &'a Export,
        }
        let mut text = serde_json::to_string_pretty(&Tagged {
            schema: SCHEMA,
            export: self,
        })?;
        text.push('\n');
        Ok(text)
    }

    /// Readers divide by these.
    fn check_figures(&self) -> Result<(), ReadError> {
        let cases = self.cases.iter().flat_map(|case| {
            [
                (&case.name, "floor.ns", case.floor.ns),
                (&case.name, "whole.ns", case.whole.ns),
                (&case.name, "ratio", case.ratio),
                (&case.name, "mpps", case.mpps),
            ]
        });
        let loops = self
            .loops
            .iter()
            .flat_map(|each| [(&each.name, "ns", each.ns), (&each.name, "mpps", each.mpps)]);
        for (name, figure, value) in cases.chain(loops) {
            if value <= 0.0 {
                return Err(ReadError::Figure {
                    name: name.clone(),
                    figure,
                    value,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Written by hand, after the agreed form.
    fn sample() -> Value {
        json!({
            "schema": "sekisho.bench/1", "version": "0.1.0", "started": "2026-11-22T06:40:00Z",
            "machine": {"cpu": "a processor", "cores": 2, "mhz": [2000.0, 2000.0],
                "l2_bytes": 2_097_152, "l3_bytes": null, "memory_bytes": 8_589_934_592_u64,
                "steal_share": 0.0},
            "settings": {"samples": 5, "seed": 25, "something_new": true},
            "warnings": ["a busy machine"],
            "cases": [{"name": "ipv4/64/strewn-100k/every-frame/0.01/ring",
                "family": "ipv4", "size": "64", "encapsulation": "qinq-pppoe", "table": "strewn",
                "prefixes": 100_000, "table_bytes": 12_000_000, "account": "every-frame",
                "port25_share": 0.01, "traffic": "uniform", "frames": 32768,
                "floor": {"ns": 1.5, "low_ns": 1.4, "high_ns": 1.6},
                "whole": {"ns": 4.2, "low_ns": 4.1, "high_ns": 4.4, "samples_ns": [4.1, 4.2, 4.4]},
                "cycles": null, "ratio": 2.8, "ratio_low": 2.7, "ratio_high": 2.9, "mpps": 238.0,
                "stages": [{"name": "parse", "ns": 1.0}],
                "burst_latency_ns": {"p50": 260.0, "p90": 270.0, "p99": 300.0, "p99_9": 900.0,
                    "max": 5000.0}}],
            "loops": [{"name": "memory-port/64", "workers": 1, "frame_bytes": 64, "ns": 6.0,
                "low_ns": 5.9, "high_ns": 6.1, "mpps": 166.0}],
            "a_later_key": {"is": "passed over"},
        })
    }

    #[test]
    fn the_agreed_form_is_read_and_survives_a_round_trip() {
        let export = Export::read(&sample().to_string()).unwrap();
        let case = &export.cases[0];
        assert_eq!(
            (case.encapsulation, case.account, case.size),
            (
                Encapsulation::QinqPppoe,
                Accounting::EveryFrame,
                Size::Least
            )
        );
        assert_eq!(export.loops[0].name, "memory-port/64");
        let written = export.to_json().unwrap();
        assert!(written.starts_with("{\n  \"schema\": \"sekisho.bench/1\",\n"));
        assert_eq!(Export::read(&written).unwrap(), export);
    }

    #[test]
    fn what_is_no_export_is_refused_and_named() {
        let message = |change: &dyn Fn(&mut Value)| {
            let mut value = sample();
            change(&mut value);
            Export::read(&value.to_string()).unwrap_err().to_string()
        };
        let schema = message(&|v| v["schema"] = "sekisho.replay/1".into());
        assert!(schema.contains("\"sekisho.replay/1\""), "{schema}");
        let missing = message(&|v| {
            v.as_object_mut().unwrap().remove("schema");
        });
        assert!(missing.contains("missing"), "{missing}");
        let word = message(&|v| v["cases"][0]["size"] = "65".into());
        assert!(word.contains("65"), "{word}");
        let zero = message(&|v| v["cases"][0]["floor"]["ns"] = 0.0.into());
        assert!(zero.contains("floor.ns is 0"), "{zero}");
        assert!(Export::read("not JSON").is_err());
    }

    #[test]
    fn a_slow_floor_makes_a_case_unsound() {
        let mut export = Export::read(&sample().to_string()).unwrap();
        let case = &mut export.cases[0];
        assert!(case.is_sound());
        case.floor_limit_ns = Some(1.49);
        assert!(!case.is_sound());
    }
}
