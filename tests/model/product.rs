//! The product: its loader, its tables, its stages.

use crate::evaluate::{Judged, Run};
use crate::made::MadeFrame;
use crate::naive::tunnel::{Kind, Tunnel};
use crate::policy::{Policy, timestamp};
use ipnet::IpNet;
use sekisho::limit::{Buckets, Moment};
use sekisho::policy::{Program, RuleId, Severity, Tables, load_with, render};
use sekisho::stage::{Account, Burst, Settings, Source, Unparsed};
use sekisho::wire::{self, AsFrame, Frame, Subscriber, TunnelKind, Unwrap};
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

/// The tables of a policy as of a second. Those of the last one are kept: while frames shrink,
/// their policy stays.
pub fn tables(policy: &Policy, at: i64) -> Result<Arc<Tables>, String> {
    thread_local! {
        static LAST: RefCell<Option<(String, Arc<Tables>)>> = const { RefCell::new(None) };
    }
    let tenants = policy.tenants.iter().enumerate();
    let yaml: String = tenants
        .map(|(number, tenant)| tenant.yaml(number))
        .collect();
    let key = format!("{at}\n{yaml}");
    let last = LAST.with_borrow(Clone::clone);
    if let Some((_, tables)) = last.filter(|(last, _)| *last == key) {
        return Ok(tables);
    }
    let tables = compiled(policy, at)?;
    LAST.set(Some((key, tables.clone())));
    Ok(tables)
}

///
/// A rule that can never match is an error of the policy; random ones have many. Such rules are
/// left out of what the product gets, and stay in what the evaluator sees: if the loader is
/// right, that changes no verdict.
fn compiled(policy: &Policy, at: i64) -> Result<Arc<Tables>, String> {
    let mut policy = policy.clone();
    let names: Vec<String> = (0..policy.tenants.len()).map(|n| n.to_string()).collect();
    loop {
        let read = |path: &Path| {
            let number: usize = path.to_str().unwrap().parse().unwrap();
            Ok(policy.tenants[number].yaml(number).into_bytes())
        };
        let loaded = load_with(&names, timestamp(at), &read);
        if let Some(resolved) = loaded.resolved {
            let program = Program::compile(Arc::new(resolved));
            let program = program.map_err(|faults| format!("not compiled: {faults:?}"))?;
            return Ok(program.at(timestamp(at)).map_err(|_| "too large")?.tables);
        }
        let errors = loaded.diagnostics.iter();
        let errors: Vec<_> = errors.filter(|d| d.severity == Severity::Error).collect();
        let mut useless = Vec::new();
        for error in errors {
            let place = &error.labels[0].origin;
            if !["rule-never-matches", "dated-rule-hidden"].contains(&error.code) {
                return Err(render(&loaded.sources, &loaded.diagnostics, false));
            }
            useless.push((place.source.0 as usize, place.line as usize));
        }
        useless.sort_unstable();
        for (tenant, line) in useless.into_iter().rev() {
            let yaml = policy.tenants[tenant].yaml(tenant);
            let first = yaml.lines().position(|line| line == "rules:").unwrap() + 2;
            policy.tenants[tenant].rules.remove(line - first);
        }
    }
}

/// As a run of the product looks at frames; what it knows of rates is its own.
pub fn burst(run: Run, account: Account, tunnels: &[Tunnel]) -> Box<Burst> {
    let settings = Settings {
        unparsed: match run.unparsed_is_dropped {
            true => Unparsed::Drop,
            false => Unparsed::Forward,
        },
        source: match run.sources_are_known {
            true => Source::Known,
            false => Source::Any,
        },
        buckets: Arc::new(Buckets::new(4096)),
        unwrap: Arc::new(Unwrap::new(tunnels.iter().map(opened).collect())),
        ..Settings::new(account)
    };
    Box::new(Burst::new(run.facing, settings))
}

fn opened(tunnel: &Tunnel) -> wire::Tunnel {
    let endpoints = tunnel.endpoints.iter();
    let endpoints = endpoints.map(|prefix| {
        let length = prefix.length as u8;
        IpNet::new(prefix.address, length).unwrap()
    });
    wire::Tunnel {
        kind: match tunnel.kind {
            Kind::FourInSix => TunnelKind::Ipv4InIpv6,
            Kind::SixInFour => TunnelKind::Ipv6InIpv4,
            Kind::Gre => TunnelKind::Gre,
            Kind::L2tp => TunnelKind::L2tp,
            Kind::Vxlan => TunnelKind::Vxlan,
            Kind::GtpU => TunnelKind::GtpU,
        },
        endpoints: endpoints.collect(),
        subscriber: match tunnel.by_outer {
            true => Subscriber::Outer,
            false => Subscriber::Inner,
        },
        rules: Vec::new(),
    }
}

/// What the stages make of frames.
pub fn judge(burst: &mut Burst, frames: &[MadeFrame], tables: &Tables) -> Vec<Judged> {
    burst.run(frames, tables, Moment::default());
    let judged = burst.decisions().map(|decision| Judged {
        verdict: decision.verdict,
        reason: decision.reason,
        rule: (decision.rule != RuleId::NONE).then(|| {
            let (tenant, rule) = tables.legend.rule(decision.rule).unwrap();
            format!("{}/{}", tenant.name, rule.name)
        }),
    });
    judged.collect()
}

impl AsFrame for MadeFrame {
    fn as_frame(&self) -> Frame<'_> {
        self.frame()
    }

    fn at_ns(&self) -> Option<u64> {
        Some(self.at_ns)
    }
}
