use super::protocol::Counted;
use crate::policy::{Legend, PlanId, RuleId};
use crate::stats::{ByVerdict, Count, Counters, Reason, Verdict, counter_name};
use std::collections::BTreeMap;

/// What was counted under all generations: rules and plans by their names, since their numbers
/// change with the policy.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    reasons: BTreeMap<(Verdict, Reason), Count>,
    rules: BTreeMap<String, ByVerdict>,
    plans: BTreeMap<String, ByVerdict>,
}

/// How what has no rule, or no plan, is named.
const NONE: &str = "(none)";

impl Totals {
    /// Adds what was counted by the rules and plans of a legend.
    pub fn add(&mut self, legend: &Legend, counters: &Counters) {
        for (verdict, reason, count) in counters.reasons() {
            *self.reasons.entry((verdict, reason)).or_default() += count;
        }
        for (number, counts) in (0..).zip(counters.rules()) {
            let name = || match legend.rule(RuleId(number)) {
                Some((tenant, rule)) => format!("{}/{}", tenant.name, rule.name),
                None => NONE.to_owned(),
            };
            add(&mut self.rules, name, counts);
        }
        for (number, counts) in (0..).zip(counters.plans()) {
            let name = || match legend.plan(PlanId(number)) {
                Some((tenant, plan)) => format!("{}/{}", tenant.name, plan.name),
                None => NONE.to_owned(),
            };
            add(&mut self.plans, name, counts);
        }
    }

    /// How many frames have a verdict.
    pub fn decided(&self) -> u64 {
        self.reasons.values().map(|count| count.frames).sum()
    }

    /// How many have one other than forward.
    pub fn discarded(&self) -> u64 {
        let others = self.reasons.iter();
        let others = others.filter(|((verdict, _), _)| *verdict != Verdict::Forward);
        others.map(|(_, count)| count.frames).sum()
    }

    /// By reason: `drop-port25-syn`.
    pub fn reasons(&self) -> Vec<Counted> {
        let counted =
            |(&(verdict, reason), &count)| counted(counter_name(verdict, reason), verdict, count);
        self.reasons.iter().map(counted).collect()
    }

    /// By rule: `isp/rule`.
    pub fn rules(&self) -> Vec<Counted> {
        listed(&self.rules)
    }

    /// By plan: `isp/plan`.
    pub fn plans(&self) -> Vec<Counted> {
        listed(&self.plans)
    }
}

fn add(
    totals: &mut BTreeMap<String, ByVerdict>,
    name: impl FnOnce() -> String,
    counts: &ByVerdict,
) {
    if counts.iter().any(|count| count.frames > 0) {
        let total = totals.entry(name()).or_default();
        for (total, count) in total.iter_mut().zip(counts) {
            *total += *count;
        }
    }
}

fn listed(totals: &BTreeMap<String, ByVerdict>) -> Vec<Counted> {
    let each = totals.iter().flat_map(|(name, counts)| {
        let of_each = Verdict::ALL.into_iter().zip(counts);
        let counted = |(verdict, count): (_, &Count)| counted(name.clone(), verdict, *count);
        of_each.filter(|(_, count)| count.frames > 0).map(counted)
    });
    each.collect()
}

fn counted(name: String, verdict: Verdict, count: Count) -> Counted {
    Counted {
        name,
        verdict: verdict.label().to_owned(),
        frames: count.frames,
        bytes: count.bytes,
    }
}
