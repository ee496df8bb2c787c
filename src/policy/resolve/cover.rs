//! Which rule decides what, exactly: every rule on the finite grid of family × kind of segment ×
//! plan × class × stretch of time. Each kind of rule has a grid of its own: no rule of one kind
//! comes before one of another.

use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::{Action, ClassMatch, Mode, Rule, RuleKind, Tenant};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// What laying may cost, in rules × cells: a policy of every plan, twenty classes and fifty dates
/// stays far below, and an absurd one takes neither the memory nor the minutes.
const MOST_STEPS: usize = 1 << 28;

/// How many of the rules that hide another are shown.
const SHOWN: usize = 8;

/// The rules of one tenant and one kind, laid over the grid. Plans that every rule treats alike share a row,
/// and so do classes.
pub(super) struct Grid {
    /// The instants at which a rule begins or ends, ascending; stretch `n` ends at cut `n`.
    cuts: Vec<Timestamp>,
    plan_row: Vec<usize>,
    class_row: Vec<usize>,
    plan_rows: usize,
    class_rows: usize,
    decided: Vec<Option<usize>>,
    /// By the index of the rule in its tenant.
    takes: Vec<(usize, Take)>,
}

/// A cell of the grid, in rows of plans and classes.
#[derive(Clone, Copy)]
struct Cell {
    family: usize,
    opening: bool,
    plan: usize,
    class: usize,
    stretch: usize,
}

/// What a rule gets of the cells that it speaks of.
#[derive(Default)]
struct Take {
    cells: usize,
    decided: usize,
    hidden_by: BTreeSet<usize>,
}

impl Grid {
    /// Lays the rules of a kind over the grid, the first first; `None` if that would cost too much.
    pub(super) fn new(tenant: &Tenant, kind: RuleKind) -> Option<Self> {
        let rules = tenant.rules.iter().enumerate();
        let rules: Vec<(usize, &Rule)> = rules.filter(|(_, rule)| rule.kind == kind).collect();
        let mut cuts: Vec<Timestamp> = rules
            .iter()
            .flat_map(|(_, rule)| [rule.from, rule.before])
            .flatten()
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let (plan_row, plan_rows) = rows(tenant.plans.len(), &rules, |rule, plan| {
            rule.plans.binary_search(&plan).is_ok()
        });
        let (class_row, class_rows) = rows(tenant.classes.len(), &rules, |rule, class| {
            rule.to.holds(class)
        });
        let sizes = [4, plan_rows, class_rows, cuts.len() + 1];
        let cells = sizes.into_iter().try_fold(1, usize::checked_mul)?;
        cells
            .checked_mul(rules.len())
            .filter(|steps| *steps <= MOST_STEPS)?;
        let mut grid = Self {
            cuts,
            plan_row,
            class_row,
            plan_rows,
            class_rows,
            decided: vec![None; cells],
            takes: Vec::with_capacity(rules.len()),
        };
        for (index, rule) in rules {
            let take = grid.lay(index, rule);
            grid.takes.push((index, take));
        }
        Some(grid)
    }

    /// The rule that decides, if any.
    pub(super) fn rule(
        &self,
        (family, opening): (usize, bool),
        (plan, class): (usize, usize),
        stretch: usize,
    ) -> Option<usize> {
        let cell = Cell {
            family,
            opening,
            plan: *self.plan_row.get(plan)?,
            class: *self.class_row.get(class)?,
            stretch,
        };
        self.decided_at(cell)
    }

    /// Pairs of rules: the first lets a connection begin, the second drops what follows in it.
    pub(super) fn broken(&self, rules: &[Rule], now: Timestamp) -> BTreeSet<(usize, usize)> {
        let does = |rule: Option<usize>| Some(rules.get(rule?)?.action);
        let mut found = BTreeSet::new();
        for family in 0..2 {
            for plan in 0..self.plan_rows {
                for class in 0..self.class_rows {
                    for stretch in self.stretches_from(now) {
                        let [first, second] = [true, false].map(|opening| {
                            self.decided_at(Cell {
                                family,
                                opening,
                                plan,
                                class,
                                stretch,
                            })
                        });
                        let breaks = does(second).is_some_and(blocks);
                        if breaks && does(first).is_some_and(|action| !blocks(action)) {
                            found.extend(first.zip(second));
                        }
                    }
                }
            }
        }
        found
    }

    /// The stretches of time that are not over yet.
    pub(super) fn stretches_from(&self, now: Timestamp) -> std::ops::RangeInclusive<usize> {
        self.cuts.partition_point(|cut| *cut <= now)..=self.cuts.len()
    }

    fn decided_at(&self, cell: Cell) -> Option<usize> {
        self.decided.get(self.index(cell)).copied().flatten()
    }

    fn lay(&mut self, index: usize, rule: &Rule) -> Take {
        let plans: BTreeSet<usize> = rule
            .plans
            .iter()
            .filter_map(|plan| self.plan_row.get(*plan).copied())
            .collect();
        let classes: BTreeSet<usize> = self
            .class_row
            .iter()
            .enumerate()
            .filter(|(class, _)| rule.to.holds(*class))
            .map(|(_, row)| *row)
            .collect();
        let mut take = Take::default();
        for family in (0..2).filter(|family| rule.families.get(*family) == Some(&true)) {
            for opening in [true, false] {
                if !opening && rule.mode == Mode::Syn {
                    continue;
                }
                for &plan in &plans {
                    for &class in &classes {
                        for stretch in self.stretches(rule) {
                            let cell = Cell {
                                family,
                                opening,
                                plan,
                                class,
                                stretch,
                            };
                            self.lay_cell(index, cell, &mut take);
                        }
                    }
                }
            }
        }
        take
    }

    fn lay_cell(&mut self, rule: usize, cell: Cell, take: &mut Take) {
        let index = self.index(cell);
        let Some(decided) = self.decided.get_mut(index) else {
            return;
        };
        take.cells += 1;
        match decided {
            Some(earlier) => {
                take.hidden_by.insert(*earlier);
            }
            None => {
                *decided = Some(rule);
                take.decided += 1;
            }
        }
    }

    /// The stretches in which a rule holds.
    fn stretches(&self, rule: &Rule) -> std::ops::Range<usize> {
        let first = rule
            .from
            .map_or(0, |from| self.cuts.partition_point(|cut| *cut <= from));
        let end = rule.before.map_or(self.cuts.len() + 1, |before| {
            self.cuts.partition_point(|cut| *cut <= before)
        });
        first..end
    }

    fn index(&self, cell: Cell) -> usize {
        let kind = cell.family * 2 + usize::from(cell.opening);
        let pair = (kind * self.plan_rows + cell.plan) * self.class_rows + cell.class;
        pair * (self.cuts.len() + 1) + cell.stretch
    }
}

/// Numbers the items so that those of which all rules say the same share a number.
fn rows(
    items: usize,
    rules: &[(usize, &Rule)],
    speaks_of: impl Fn(&Rule, usize) -> bool,
) -> (Vec<usize>, usize) {
    let mut known: HashMap<Vec<bool>, usize> = HashMap::new();
    let row = (0..items)
        .map(|item| {
            let said = rules
                .iter()
                .map(|(_, rule)| speaks_of(rule, item))
                .collect();
            let next = known.len();
            *known.entry(said).or_insert(next)
        })
        .collect();
    (row, known.len())
}

/// Whether an action lets nothing pass.
pub(super) fn blocks(action: Action) -> bool {
    match action {
        Action::Drop | Action::Reject(_) => true,
        Action::Forward | Action::Count | Action::Limit(_) => false,
    }
}

/// Reports every rule that can never decide anything.
pub(super) fn check(tenant: &Tenant, findings: &mut Findings) {
    for kind in RuleKind::ALL {
        let Some(grid) = Grid::new(tenant, kind) else {
            findings.push(not_compared(tenant));
            continue;
        };
        for (index, take) in &grid.takes {
            let Some(rule) = tenant.rules.get(*index) else {
                continue;
            };
            if take.cells == 0 {
                findings.push(speaks_of_nothing(rule));
            } else if take.decided == 0 {
                findings.push(hidden(rule, &take.hidden_by, tenant));
            }
        }
    }
}

fn speaks_of_nothing(rule: &Rule) -> Diagnostic {
    let inbound = rule.kind.is_inbound();
    let (text, help) = match (rule.kind, &rule.to) {
        (RuleKind::InboundSubmission, _) if rule.plans.is_empty() => (
            "no group of hosts has the role `submission`",
            "name the groups that it speaks of under its key `hosts`, or remove the rule",
        ),
        _ if rule.plans.is_empty() => (
            "no plan is of these kinds",
            "declare a plan of that kind, or remove the rule",
        ),
        (_, ClassMatch::NotIn(_)) if inbound => (
            "it excludes every class of callers",
            "leave at least one class out of `peers-other-than`, or remove the rule",
        ),
        (_, ClassMatch::NotIn(_)) => (
            "it excludes every destination class",
            "leave at least one class out of `to-other-than`, or remove the rule",
        ),
        _ => (
            "it ends before it begins",
            "put `before` after `from`, or remove the rule",
        ),
    };
    never_matches(rule, text).help(help)
}

fn hidden(rule: &Rule, by: &BTreeSet<usize>, tenant: &Tenant) -> Diagnostic {
    let earlier: Vec<&Rule> = by
        .iter()
        .filter_map(|index| tenant.rules.get(*index))
        .collect();
    let undated = |rule: &Rule| rule.from.is_none() && rule.before.is_none();
    let found = if !undated(rule) && earlier.iter().all(|rule| undated(rule)) {
        Diagnostic::new(
            Code::DATED_RULE_HIDDEN,
            format!(
                "the dated rule `{}` can never match: an undated rule before it does",
                rule.name
            ),
            &rule.origin,
            "never reached, whatever the date",
        )
        .help("the first rule that matches decides: put the dated rule first, or give the other one a date")
    } else {
        never_matches(rule, "never reached: earlier rules match everything that it does")
            .help("the first rule that matches decides: put this one before the others, narrow those, or remove it")
    };
    let shown = earlier.iter().take(SHOWN);
    shown.fold(found, |found, rule| {
        found.label(&rule.origin, "an earlier rule")
    })
}

fn not_compared(tenant: &Tenant) -> Diagnostic {
    Diagnostic::new(
        Code::RULES_NOT_COMPARED,
        format!(
            "the {} rules were not held against each other: with all their dates, plans and \
             classes they are too many",
            tenant.rules.len()
        ),
        &tenant.origin,
        "a rule of this policy may never match, or block what it should not, without a word",
    )
    .help("join plans and classes that the rules treat alike, or remove rules that are over")
}

fn never_matches(rule: &Rule, text: &str) -> Diagnostic {
    Diagnostic::new(
        Code::RULE_NEVER_MATCHES,
        format!("the rule `{}` can never match", rule.name),
        &rule.origin,
        text,
    )
}
