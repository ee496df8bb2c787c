//! The whole box: Linux forwards between two veth pairs, and nftables drops what sekisho drops.
//!
//! The box receives in a kernel thread of its own (threaded NAPI), pinned to one processor. From
//! the ring of the first veth to the ring of the second all its work is done in that thread:
//! reception, routing, nftables, transmission. `/proc/PID/schedstat` says how many nanoseconds the
//! thread has run; divided by the frames that the box has received, that is its cost of a frame.

mod network;
mod sender;

use crate::classification::Engine;
use crate::contest::Ask as _;
use crate::ffi::PacketSocket;
use crate::frames::{Frames, Traffic};
use crate::machine::{other_processor, processor};
use crate::measure::{Effort, Pass, by_turns, median, ratio};
use crate::prefixes::strewn_ipv4;
use crate::provider;
use crate::report::Report;
use anyhow::{Result, bail};
use ipnet::Ipv4Net;
use network::{Forwarder, MACS, Network};
use sekisho::stage::Account;
use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Distinct frames.
const FRAMES: usize = 32_768;

/// Far less than what would make anyone drop frames.
const RATE_PPS: u32 = 200_000;

/// How often a sample that lost frames is taken again, each time at half the rate.
const TRIES: u32 = 4;

/// Frames go to TEST-NET-3.
const DESTINATION: Ipv4Net = Ipv4Net::new_assert(std::net::Ipv4Addr::new(203, 0, 113, 0), 24);

const TRAFFIC: [Traffic; 2] = [
    Traffic {
        name: "1 % to port 25",
        port_25: 0.01,
        strangers: 0.1,
    },
    Traffic {
        name: "all to port 25",
        port_25: 1.0,
        strangers: 0.5,
    },
];

/// A set of rules that can be put to sleep, so that it need not be read anew for every turn.
struct Rules {
    name: &'static str,
    /// Its family and name; none forwards everything.
    table: Option<&'static str>,
    hook: &'static str,
    matches: &'static str,
}

const RULES: [Rules; 4] = [
    Rules {
        name: "Linux forwards, no rules",
        table: None,
        hook: "",
        matches: "",
    },
    Rules {
        name: "nftables at forward, port first, then the set",
        table: Some("ip port_first"),
        hook: "filter hook forward priority filter",
        matches: "tcp dport 25 tcp flags & (syn | ack) == syn ip saddr @subscribers",
    },
    Rules {
        name: "nftables at forward, the set first: every frame is looked up",
        table: Some("ip set_first"),
        hook: "filter hook forward priority filter",
        matches: "ip saddr @subscribers tcp dport 25 tcp flags & (syn | ack) == syn",
    },
    Rules {
        name: "nftables at ingress, port first, then the set",
        table: Some("netdev at_ingress"),
        hook: "filter hook ingress device \"spb\" priority filter",
        matches: "tcp dport 25 tcp flags & (syn | ack) == syn ip saddr @subscribers",
    },
];

/// Runs the whole box, and clears it away.
pub(crate) fn run_all(effort: Effort, stop: &AtomicBool, report: &mut Report) {
    if let Err(error) = run(effort, stop, report) {
        report.section(&format!("## The whole box\n\nCould not run: {error:#}"));
        report.fail("the whole box", &error);
    }
}

fn run(effort: Effort, stop: &AtomicBool, report: &mut Report) -> Result<()> {
    let nets: Vec<_> = strewn_ipv4().into_iter().map(|(net, _)| net).collect();
    let tables = provider::tables(nets.iter().copied())?;
    let network = Network::new()?;
    load(&network, &nets)?;
    let whole_box = WholeBox {
        forwarder: network.threads(processor(), other_processor())?,
        socket: sender::open(&network)?,
        network,
        frames: effort.frames,
        stop,
    };
    report.section(INTRODUCTION);
    for traffic in TRAFFIC {
        let frames = Frames::new(FRAMES, traffic, &nets, MACS, DESTINATION);
        let frames = frames.list();
        let engine = Engine::new(tables.clone(), Account::EveryFrame);
        let dropped = engine.values(&frames);
        let mut costs = vec![Vec::new(); RULES.len()];
        let mut ours = Vec::new();
        for _ in 0..effort.samples {
            for (rules, costs) in RULES.iter().zip(&mut costs) {
                costs.push(whole_box.sample(rules, &frames, &dropped)?);
            }
            let pass: Pass<'_> = Box::new(|| engine.pass(&frames));
            let once = Effort {
                samples: 1,
                ..effort
            };
            ours.extend(by_turns(&[pass], frames.len(), once).concat());
        }
        report.section(&render(traffic.name, &costs, &ours));
    }
    Ok(())
}

/// Gives the box all rules, asleep.
fn load(network: &Network, nets: &[Ipv4Net]) -> Result<()> {
    let mut elements = String::new();
    for net in nets {
        let _ = write!(elements, "{net},");
    }
    for rules in &RULES {
        let Some(table) = rules.table else { continue };
        network.nft(&format!(
            "table {table} {{\n\
             flags dormant\n\
             set subscribers {{\n\
             type ipv4_addr\nflags interval\nauto-merge\nelements = {{ {elements} }}\n\
             }}\n\
             chain op25b {{\n\
             type {hook}\n{matches} drop\n\
             }}\n\
             }}\n",
            hook = rules.hook,
            matches = rules.matches,
        ))?;
    }
    Ok(())
}

struct WholeBox<'s> {
    network: Network,
    forwarder: Forwarder,
    socket: PacketSocket,
    /// Sent for each sample.
    frames: usize,
    stop: &'s AtomicBool,
}

/// What has passed so far.
#[derive(Clone, Copy)]
struct Passed {
    received: u64,
    forwarded: u64,
    busy_ns: u64,
}

impl WholeBox<'_> {
    /// Nanoseconds of the forwarding thread for each frame that the box received. As many must have
    /// come out as sekisho forwards.
    fn sample(&self, rules: &Rules, frames: &[&[u8]], dropped: &[u8]) -> Result<f64> {
        let dropped = dropped.iter().cycle().take(self.frames);
        let dropped: u64 = match rules.table {
            Some(_) => dropped.map(|&it| u64::from(it)).sum(),
            None => 0,
        };
        let mut rate_pps = RATE_PPS;
        let mut last = String::new();
        for _ in 0..TRIES {
            self.wake(rules, true)?;
            let before = self.passed()?;
            sender::send(
                &self.socket,
                frames,
                self.frames,
                rate_pps,
                other_processor(),
                self.stop,
            )?;
            let after = self.settled()?;
            self.wake(rules, false)?;
            let received = after.received - before.received;
            let forwarded = after.forwarded - before.forwarded;
            let expected = self.frames as u64 - dropped;
            // The box's ring overflows when this machine is busy with something else.
            if received == self.frames as u64 && forwarded == expected {
                return Ok((after.busy_ns - before.busy_ns) as f64 / received as f64);
            }
            last = format!("{received} received, {forwarded} forwarded at {rate_pps} pps");
            rate_pps /= 2;
        }
        bail!(
            "{}: of {} frames {last}; sekisho drops {dropped}",
            rules.name,
            self.frames
        )
    }

    fn wake(&self, rules: &Rules, awake: bool) -> Result<()> {
        match (rules.table, awake) {
            (None, _) => Ok(()),
            (Some(table), true) => self.network.nft(&format!("add table {table}\n")),
            (Some(table), false) => {
                let asleep = format!("add table {table} {{ flags dormant; }}\n");
                self.network.nft(&asleep)
            }
        }
    }

    fn passed(&self) -> Result<Passed> {
        let [received, forwarded] = self.network.counts()?;
        Ok(Passed {
            received,
            forwarded,
            busy_ns: self.forwarder.busy_ns()?,
        })
    }

    /// When nothing moves any more.
    fn settled(&self) -> Result<Passed> {
        let mut last = self.passed()?;
        loop {
            std::thread::sleep(Duration::from_millis(20));
            let now = self.passed()?;
            let moves = |it: Passed| (it.received, it.forwarded);
            if moves(now) == moves(last) {
                return Ok(now);
            }
            last = now;
        }
    }
}

const INTRODUCTION: &str = "\
## The whole box

CPU time of the forwarding side a frame, and what that is in frames a CPU-second. Linux receives, \
routes and sends between two veth; the line of sekisho is **the engine alone** (parse, look up \
every frame, decide) without input or output: it is no whole box yet, and the ratios to it are an \
upper bound. Every set holds the prefixes of table (a). Linux forwarded as many frames as sekisho \
would have, to the frame.";

fn render(traffic: &str, costs: &[Vec<f64>], ours: &[f64]) -> String {
    let mut text = format!(
        "### {traffic}\n\n| | ns a frame | million frames a CPU-second | × |\n|---|---:|---:|---:|\n"
    );
    let names = RULES.iter().map(|rules| rules.name);
    let lines = std::iter::once(("sekisho, the engine alone", ours))
        .chain(names.zip(costs.iter().map(Vec::as_slice)));
    for (name, samples) in lines {
        let nanoseconds = median(samples);
        let _ = writeln!(
            text,
            "| {name} | {nanoseconds:.1} | {:.2} | {:.2} |",
            1e3 / nanoseconds,
            ratio(samples, ours),
        );
    }
    text
}
