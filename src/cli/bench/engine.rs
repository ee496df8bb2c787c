//! `sekisho bench engine`.

use super::super::{Exit, Failure, Format, out};
use super::exports::{Opened, Target};
use super::{baseline, machine, text};
use crate::loadgen::engine::{
    self, Axes, Measured, Pool, Sampling, Spec, parse_account, parse_frames, parse_share,
    parse_size, parse_table,
};
use crate::loadgen::measure::Noise;
use crate::loadgen::traffic::{Network, Synthetic};
use crate::loadgen::{
    Accounting, Case, Comparison, Export, Loop, Machine, Offered, Settings, Size,
};
use crate::worker::Lcore;
use jiff::Timestamp;
use serde_json::json;
use std::fmt::Display;
use std::path::PathBuf;

/// Of processor time that one sample takes, at least.
const SAMPLE_NS: u64 = 25_000_000;
const QUICK_SAMPLE_NS: u64 = 1_000_000;

/// Bursts whose time is told by percentile, at least.
const BURSTS: usize = 20_000;
const QUICK_BURSTS: usize = 500;

/// How many times the floor of the limit study a floor may take.
const FLOOR_FACTOR: f64 = 1.3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run the cases whose names hold this, where `*` stands for anything; or the case of this
    /// whole name, in the list or not. Each field of a whole name may be a list: `ipv4,ipv6/64/…`.
    #[arg(long = "case", value_name = "PATTERN")]
    cases: Vec<String>,
    /// Print the names of the cases, and measure nothing.
    #[arg(long)]
    list: bool,
    /// Run each case at these frame sizes: 64 (the smallest that holds the headers), imix, 1518.
    #[arg(long, value_name = "SIZE", value_delimiter = ',', value_parser = size)]
    sizes: Vec<Size>,
    /// Run each case under these tables: strewn- or dense-, and 10k, 100k, 1m or 4m.
    #[arg(long, value_name = "TABLE", value_delimiter = ',', value_parser = table)]
    tables: Vec<Synthetic>,
    /// Run each case in these accounting modes: candidates, every-frame.
    #[arg(long, value_name = "MODE", value_delimiter = ',', value_parser = account)]
    accounts: Vec<Accounting>,
    /// Run each case with these shares of new connections to port 25, from 0 to 1.
    #[arg(long, value_name = "SHARE", value_delimiter = ',', value_parser = share)]
    port25: Vec<f64>,
    /// Run each case with so many distinct frames: ring (32,768), 1m, or a number.
    #[arg(long, value_name = "FRAMES", value_delimiter = ',', value_parser = frames)]
    frames: Vec<u32>,
    /// Also measure whole loops: a worker between memory ports, alone and two side by side.
    #[arg(long)]
    loops: bool,
    /// Samples of each figure.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(5..=1_000))]
    samples: u32,
    /// A short run on small pools and tables, to see that it works.
    #[arg(long)]
    quick: bool,
    /// What frames are drawn with: the same seed makes the same frames.
    #[arg(long, default_value_t = 25)]
    seed: u64,
    /// Also tell how long bursts would wait and take if so many million frames came a second.
    #[arg(long, value_name = "MPPS", value_parser = above_zero)]
    offered: Option<f64>,
    /// The most that a floor may take, in those of the limit study; a slower one fails the run.
    #[arg(long, value_name = "TIMES", value_parser = above_zero)]
    floor_limit: Option<f64>,
    /// Measure a program that was built without optimisation; its floors are held against no limit.
    #[arg(long)]
    allow_debug: bool,
    /// Keep the run under this name.
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// Tell what changed since the run of this name, or since the one exported to this .json file.
    #[arg(long, value_name = "NAME")]
    compare: Option<String>,
    /// Where named runs are kept, instead of in the user's data folder.
    #[arg(long, value_name = "FOLDER")]
    baseline_dir: Option<PathBuf>,
    /// The share by which a ratio to the floor may grow; more, and surely, is a regression.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = above_zero)]
    threshold: f64,
    /// Write the run to this file, in the form of its ending: .json, .md, .csv, .html.
    #[arg(long, value_name = "FILE")]
    export: Vec<Target>,
}

pub(super) fn run(args: &Args, format: Format) -> Result<Exit, Failure> {
    let specs = args.specs()?;
    if args.list {
        return list(&specs, format);
    }
    super::refuse_debug(args.allow_debug)?;
    let earlier = args.compare.as_deref();
    let earlier = earlier.map(|name| baseline::read(args.baseline_dir.as_deref(), name));
    let earlier = earlier.transpose()?;
    let outputs = args.outputs()?;
    let export = args.measure(&specs)?;
    for output in outputs {
        output.finish(&export)?;
    }
    let found = earlier.map(|earlier| Comparison::new(&earlier, &export, args.threshold));
    args.tell(&export, found.as_ref(), format)
}

fn list(specs: &[Spec], format: Format) -> Result<Exit, Failure> {
    let names: Vec<_> = specs.iter().map(ToString::to_string).collect();
    match format {
        Format::Text => out::print(&(names.join("\n") + "\n"))?,
        Format::Json => out::print_json("bench-list", &json!({ "cases": names }))?,
    }
    Ok(Exit::Ok)
}

impl Args {
    fn specs(&self) -> Result<Vec<Spec>, Failure> {
        let axes = Axes {
            sizes: self.sizes.clone(),
            tables: self.tables.clone(),
            accounts: self.accounts.clone(),
            port25_shares: self.port25.clone(),
            frames: self.frames.clone(),
        };
        let mut specs = engine::select(&self.cases).map_err(Failure::usage)?;
        specs = axes.vary(&specs);
        if self.quick {
            let quick: Vec<_> = specs.into_iter().map(Spec::quick).collect();
            specs = Axes::default().vary(&quick);
        }
        let available_bytes = machine::available_bytes().unwrap_or(u64::MAX);
        match specs
            .iter()
            .find(|spec| spec.pool_bytes() > available_bytes / 2)
        {
            Some(spec) => Err(Failure::usage(format_args!(
                "{spec}: its frames take {} bytes, more than half of the memory that is free",
                out::grouped(spec.pool_bytes())
            ))),
            None => Ok(specs),
        }
    }

    /// The files of a run, opened before it begins.
    fn outputs(&self) -> Result<Vec<Opened>, Failure> {
        let mut targets = self.export.clone();
        if let Some(name) = &self.baseline {
            let path = baseline::path(self.baseline_dir.as_deref(), name)?;
            baseline::make_folder(&path)?;
            targets.push(Target::json(path));
        }
        targets.iter().map(Target::create).collect()
    }

    fn measure(&self, specs: &[Spec]) -> Result<Export, Failure> {
        let started = Timestamp::now();
        let mut machine = machine::machine();
        let mut noise = Noise {
            before: machine::reading(),
            cores: machine.cores,
            ..Noise::default()
        };
        let mut cases = Vec::new();
        let mut networks = Networks::default();
        let progress = super::progress(specs.len());
        for spec in specs {
            progress.set_message(spec.to_string());
            let network = networks.get(spec)?;
            let settings = spec.settings();
            let buckets_bytes = settings.buckets.memory_bytes() as u64;
            let pool = spec.pool(network, self.seed);
            let pool = pool.map_err(|error| Failure::usage(format_args!("{spec}: {error}")))?;
            if let Some(found) = engine::measure(&pool, network, settings, &self.sampling()) {
                if !found.balance.closes() {
                    let message = format!("{spec}: the counters do not balance: {}", found.balance);
                    return Err(Failure::Said(Exit::No, message));
                }
                noise.busy_seconds += found.busy_ns as f64 / 1e9;
                noise.clock_mhz.extend(&found.clock_mhz);
                let limited = if spec.is_limited() { buckets_bytes } else { 0 };
                let table_bytes = network.table_bytes() + limited;
                cases.push(self.case(spec, &pool, table_bytes, found));
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        let loops = self.loops(&mut networks)?;
        noise.after = machine::reading();
        machine.steal_share = noise.steal_share();
        Ok(Export {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started,
            warnings: self.warnings(&noise, &cases),
            machine: Machine { ..machine },
            settings: Settings {
                samples: self.samples,
                seed: self.seed,
                quick: self.quick,
                optimised: !cfg!(debug_assertions),
            },
            cases,
            loops,
        })
    }

    /// Whole loops of plain frames at each size, every frame classified; two workers where there are two
    /// processors.
    fn loops(&self, networks: &mut Networks) -> Result<Vec<Loop>, Failure> {
        let mut loops = Vec::new();
        if !self.loops {
            return Ok(loops);
        }
        let said = |error: &dyn Display| Failure::Said(Exit::Io, error.to_string());
        let usable = Lcore::usable().map_err(|error| said(&error))?;
        for size in Size::ALL {
            let named = format!("ipv4/{size}/strewn-100k/every-frame/0.01/ring");
            for spec in engine::select(&[named]).map_err(Failure::usage)? {
                let spec = if self.quick { spec.quick() } else { spec };
                let network = networks.get(&spec)?;
                let pool = spec
                    .pool(network, self.seed)
                    .map_err(|error| said(&error))?;
                for lcores in [usable.get(..1), usable.get(..2)].into_iter().flatten() {
                    let name = format!("memory-port/{size}");
                    let found =
                        engine::measure_loop(name, &pool, network, lcores, &self.sampling());
                    loops.push(found.map_err(|error| said(&error))?);
                }
            }
        }
        Ok(loops)
    }

    fn sampling(&self) -> Sampling {
        Sampling {
            samples: self.samples,
            sample_ns: if self.quick {
                QUICK_SAMPLE_NS
            } else {
                SAMPLE_NS
            },
            bursts: if self.quick { QUICK_BURSTS } else { BURSTS },
            offered_mpps: self.offered,
        }
    }

    /// The factor on the limit study's floors; none for a program that is slow all over.
    fn floor_factor(&self) -> Option<f64> {
        let usual = (!cfg!(debug_assertions)).then_some(FLOOR_FACTOR);
        self.floor_limit.or(usual)
    }

    fn case(&self, spec: &Spec, pool: &Pool, table_bytes: u64, found: Measured) -> Case {
        let frames = spec.frames as usize;
        let limit_ns = self.floor_factor().map(|factor| {
            engine::floor_limit_ns(frames, pool.header_lines(), pool.is_packed(), factor)
        });
        let mhz = found.clock_mhz.iter().sum::<f64>() / found.clock_mhz.len() as f64;
        Case {
            name: spec.to_string(),
            family: spec.family,
            size: spec.size,
            encapsulation: spec.encapsulation,
            table: spec.table.spread,
            prefixes: spec.prefixes(),
            table_bytes,
            account: spec.account,
            port25_share: spec.port25_share,
            traffic: spec.mix,
            frames: u64::from(spec.frames),
            floor_limit_ns: limit_ns,
            cycles: mhz.is_finite().then(|| found.whole.ns * mhz / 1e3),
            goal_ratio: spec.goal_ratio(),
            ratio: found.ratio.median,
            ratio_low: found.ratio.low,
            ratio_high: found.ratio.high,
            mpps: 1e3 / found.whole.ns,
            stages: found.stages,
            burst_latency_ns: found.latency_ns,
            offered: self
                .offered
                .zip(found.offered_latency_ns)
                .map(|(mpps, latency)| Offered {
                    mpps,
                    burst_latency_ns: latency,
                }),
            floor: found.floor,
            whole: found.whole,
        }
    }

    fn warnings(&self, noise: &Noise, cases: &[Case]) -> Vec<String> {
        let mut said = noise.warnings();
        if cfg!(debug_assertions) {
            said.push(
                "the program was built without optimisation: the figures mean nothing".into(),
            );
        }
        if self.quick {
            said.push("a quick run: short samples, small pools and tables".into());
        }
        for case in cases.iter().filter(|case| !case.is_sound()) {
            said.push(format!(
                "{}: a floor of {:.2} ns, where at most {:.2} is sound: the machine is too noisy \
                 or too slow for the ratio to mean anything",
                case.name,
                case.floor.ns,
                case.floor_limit_ns.unwrap_or_default()
            ));
        }
        said
    }

    fn tell(
        &self,
        export: &Export,
        found: Option<&Comparison>,
        format: Format,
    ) -> Result<Exit, Failure> {
        let mut warnings = export.warnings.clone();
        warnings.extend(found.iter().flat_map(|found| found.warnings.clone()));
        for warning in warnings {
            out::complain("warning", warning);
        }
        match format {
            Format::Text => {
                let mut said = text::run(export);
                if let (Some(found), Some(name)) = (found, &self.compare) {
                    said += &text::comparison(name, self.threshold, found);
                }
                out::print(&said)?;
            }
            Format::Json => {
                let mut body = json!(export);
                if let (Some(found), Some(body)) = (found, body.as_object_mut()) {
                    body.insert("comparison".to_owned(), json!(found));
                }
                out::print_json("bench", &body)?;
            }
        }
        let unsound = export.cases.iter().any(|case| !case.is_sound());
        let slower = found.is_some_and(Comparison::has_regression);
        Ok(if unsound || slower {
            Exit::No
        } else {
            Exit::Ok
        })
    }
}

/// The network that was last used: large ones take long to make, and much memory.
#[derive(Default)]
struct Networks {
    last: Option<((Synthetic, bool), Network)>,
}

impl Networks {
    fn get(&mut self, spec: &Spec) -> Result<&Network, Failure> {
        let wanted = (spec.table, spec.is_limited());
        let network = match self.last.take() {
            Some((of, network)) if of == wanted => network,
            _ => spec
                .network()
                .map_err(|error| Failure::Said(Exit::Config, error.to_string()))?,
        };
        Ok(&self.last.insert((wanted, network)).1)
    }
}

fn size(text: &str) -> Result<Size, &'static str> {
    parse_size(text).ok_or("expected 64, imix or 1518")
}

fn table(text: &str) -> Result<Synthetic, &'static str> {
    parse_table(text).ok_or("expected strewn- or dense-, and 10k, 100k, 1m or 4m")
}

fn account(text: &str) -> Result<Accounting, &'static str> {
    parse_account(text).ok_or("expected candidates or every-frame")
}

fn share(text: &str) -> Result<f64, &'static str> {
    parse_share(text).ok_or("expected a number from 0 to 1")
}

fn frames(text: &str) -> Result<u32, &'static str> {
    parse_frames(text).ok_or("expected ring, 1m, or a number from 64 on")
}

fn above_zero(text: &str) -> Result<f64, &'static str> {
    let number = text
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or("expected a number above 0")
}
