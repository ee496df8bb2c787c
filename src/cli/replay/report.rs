use super::outputs::Replied;
use super::{Capture, Deployment, Policies, out};
use crate::cli::policies::show_instant;
use crate::stats::{Balance, ByVerdict, Count, Counters, Verdict, counter_name};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// What a run found.
pub(super) struct Report<'a> {
    pub(super) deployment: &'a Deployment,
    /// As of when; `None`: each frame as of its own time.
    pub(super) at: Option<Timestamp>,
    pub(super) captures: Vec<Capture>,
    pub(super) balance: Balance,
    /// Where replies are written.
    pub(super) replied: Option<Replied>,
    pub(super) elapsed: Duration,
    pub(super) counters: &'a Counters,
}

impl Report<'_> {
    fn policies(&self) -> &Policies {
        &self.deployment.policies
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some((path, pipeline)) = &self.deployment.pipeline {
            text += &format!("pipeline  {} ({})\n", pipeline.name, path.display());
        }
        for tenant in self.policies().tenants() {
            let at = match self.at {
                Some(at) => show_instant(tenant, at),
                None => "each frame's own time".to_owned(),
            };
            let file = self.policies().file(tenant);
            text += &format!("policy    {} ({file}), as of {at}\n", tenant.name);
        }
        for capture in &self.captures {
            let frames = out::grouped(capture.frames);
            let fault = if capture.fault.is_some() {
                ", then a fault ended it"
            } else {
                ""
            };
            text += &format!("capture   {}, {frames} frames{fault}\n", capture.file);
        }
        text.push('\n');
        text += &self.reasons();
        text += &self.by_verdict("RULE", "ACTION", &self.rules());
        text += &self.by_verdict("PLAN", "LABEL", &self.plans());
        text += &format!("balance   {}\n", self.balance);
        if let Some(Replied {
            generated,
            impossible,
        }) = self.replied
        {
            text += &format!(
                "replies   {} generated, {} rejected frames without\n",
                out::grouped(generated),
                out::grouped(impossible),
            );
        }
        text += &format!(
            "speed     {} frames/s ({} frames in {:.3} s)\n",
            out::grouped(self.frames_per_second()),
            out::grouped(self.balance.rx),
            self.elapsed.as_secs_f64(),
        );
        text
    }

    pub(super) fn json(&self) -> Value {
        let reasons: serde_json::Map<_, _> = self
            .counters
            .reasons()
            .map(|(verdict, reason, count)| (counter_name(verdict, reason), json!(count)))
            .collect();
        let rows = |rows: Vec<Row>| rows.iter().map(Row::json).collect::<Vec<_>>();
        let verdicts: serde_json::Map<_, _> = Verdict::ALL
            .into_iter()
            .zip(self.balance.verdicts)
            .map(|(verdict, frames)| (verdict.to_string(), frames.into()))
            .collect();
        let mut balance = json!({ "rx": self.balance.rx, "closes": self.balance.closes() });
        if let Value::Object(balance) = &mut balance {
            balance.extend(verdicts);
        }
        let mut report = json!({
            "policies": self.policies().tenants().iter()
                .map(|tenant| json!({ "isp": tenant.name, "file": self.policies().file(tenant) }))
                .collect::<Vec<_>>(),
            "pipeline": self.deployment.pipeline.as_ref()
                .map(|(path, pipeline)| json!({ "name": pipeline.name, "file": path })),
            "at": self.at.map_or_else(|| "capture".to_owned(), |at| at.to_string()),
            "captures": self.captures.iter()
                .map(|c| json!({ "file": c.file, "frames": c.frames, "fault": c.fault }))
                .collect::<Vec<_>>(),
            "counters": reasons,
            "rules": rows(self.rules()),
            "plans": rows(self.plans()),
            "balance": balance,
            "elapsed_s": self.elapsed.as_secs_f64(),
            "frames_per_second": self.frames_per_second(),
        });
        if let (Some(replied), Value::Object(report)) = (self.replied, &mut report) {
            let Replied {
                generated,
                impossible,
            } = replied;
            let replies = json!({ "generated": generated, "impossible": impossible });
            report.insert("replies".to_owned(), replies);
        }
        report
    }

    fn frames_per_second(&self) -> u64 {
        let frames = u128::from(self.balance.rx);
        let per_second = frames * 1_000_000_000 / self.elapsed.as_nanos().max(1);
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }

    fn reasons(&self) -> String {
        let head = ["VERDICT", "REASON", "FRAMES", "BYTES"]
            .map(str::to_owned)
            .to_vec();
        let rows = self.counters.reasons().map(|(verdict, reason, count)| {
            vec![
                verdict.to_string(),
                reason.to_string(),
                out::grouped(count.frames),
                out::grouped(count.bytes),
            ]
        });
        let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
        format!("{}\n", out::table(&rows, &[2, 3]))
    }

    /// Rules that frames met.
    fn rules(&self) -> Vec<Row> {
        let legend = self.policies().legend();
        legend
            .rule_ids()
            .zip(self.counters.rules().iter().skip(1))
            .filter_map(|(id, counts)| {
                let (tenant, rule) = legend.rule(id)?;
                let note = rule.action.label().to_owned();
                Some(Row {
                    tenant: tenant.name.clone(),
                    name: rule.name.clone(),
                    note,
                    counts: *counts,
                })
            })
            .filter(Row::is_used)
            .collect()
    }

    /// Plans that frames met, and the frames of nobody's plan.
    fn plans(&self) -> Vec<Row> {
        let legend = self.policies().legend();
        let mut counts = self.counters.plans().iter();
        let nobody = counts.next().map(|counts| Row {
            tenant: String::new(),
            name: "(no plan)".to_owned(),
            note: String::new(),
            counts: *counts,
        });
        let plans = legend.plan_ids().zip(counts).filter_map(|(id, counts)| {
            let (tenant, plan) = legend.plan(id)?;
            let note = plan.label.clone().unwrap_or_default();
            Some(Row {
                tenant: tenant.name.clone(),
                name: plan.name.clone(),
                note,
                counts: *counts,
            })
        });
        plans.chain(nobody).filter(Row::is_used).collect()
    }

    /// A table of rules or plans, under the ISP's name where there are several.
    fn by_verdict(&self, head: &str, note: &str, rows: &[Row]) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let used: Vec<_> = Verdict::ALL
            .into_iter()
            .filter(|verdict| rows.iter().any(|row| row.count(*verdict).frames > 0))
            .collect();
        let several = self.policies().tenants().len() > 1;
        let mut lines = vec![vec![head.to_owned(), note.to_owned()]];
        if let Some(first) = lines.first_mut() {
            first.extend(used.iter().map(|verdict| verdict.label().to_uppercase()));
        }
        lines.extend(rows.iter().map(|row| {
            let name = match several && !row.tenant.is_empty() {
                true => format!("{}/{}", row.tenant, row.name),
                false => row.name.clone(),
            };
            let counts = used
                .iter()
                .map(|verdict| out::grouped(row.count(*verdict).frames));
            [name, row.note.clone()].into_iter().chain(counts).collect()
        }));
        let numbers: Vec<_> = (2..2 + used.len()).collect();
        format!("{}\n", out::table(&lines, &numbers))
    }
}

/// The counts of one rule or plan.
struct Row {
    tenant: String,
    name: String,
    /// What a rule does; what customers call a plan.
    note: String,
    counts: ByVerdict,
}

impl Row {
    fn count(&self, verdict: Verdict) -> Count {
        self.counts
            .get(verdict as usize)
            .copied()
            .unwrap_or_default()
    }

    fn is_used(&self) -> bool {
        self.counts.iter().any(|count| count.frames > 0)
    }

    fn json(&self) -> Value {
        let used = Verdict::ALL
            .into_iter()
            .map(|verdict| (verdict, self.count(verdict)));
        let counts: serde_json::Map<_, _> = used
            .filter(|(_, count)| count.frames > 0)
            .map(|(verdict, count)| (verdict.to_string(), json!(count)))
            .collect();
        json!({ "isp": self.tenant, "name": self.name, "counts": counts })
    }
}
