//! Rules become cells.

use super::legend::Legend;
use super::tables::{Path, Question, RuleId};
use crate::policy::{Action, Mode, ReturnPath, Rule, Tenant};
use crate::wire::Family;
use jiff::Timestamp;

/// How many [paths](Path) there are.
const PATHS: usize = Path::ALL.len();

/// Question → rule, dense over the ids in use, so that it stays in the nearest caches.
#[derive(Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Ids in use, 0 included.
    plans: usize,
    /// Ids in use, 0 included.
    peer_sets: usize,
    /// family × path × not-opening/opening × plan × peer set.
    cells: Box<[Cell]>,
    /// By path: whether any rule matches segments that open nothing.
    judges_running: [bool; 3],
    /// Whether any rule matches on the inbound path.
    judges_inbound: bool,
    /// By family, by path: what happens to the opening segments that rules are strictest about.
    strictest: [[Act; PATHS]; 2],
    /// Whether any rule needs to know the time of a frame.
    needs_time: bool,
}

/// The rule that matches, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    rule: RuleId,
    act: Act,
}

/// What an [`Action`] does, without its particulars, the strictest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Act {
    /// Let pass.
    Forward,
    /// Let pass what the subscriber's rate allows.
    Limit,
    /// Discard, and tell the sender.
    Reject,
    /// Discard.
    Drop,
}

impl From<Action> for Act {
    fn from(action: Action) -> Self {
        match action {
            Action::Forward | Action::Count => Self::Forward,
            Action::Limit(_) => Self::Limit,
            Action::Reject(_) => Self::Reject,
            Action::Drop => Self::Drop,
        }
    }
}

impl Matrix {
    /// The rule that matches, and what it does; [`RuleId::NONE`], which forwards, for ids that are
    /// not in use.
    #[inline]
    pub fn judge(&self, question: Question) -> (RuleId, Act) {
        let plan = usize::from(question.plan.0);
        let peer_set = usize::from(question.peer_set.0);
        if plan >= self.plans || peer_set >= self.peer_sets {
            return (RuleId::NONE, Act::Forward);
        }
        let half = usize::from(question.opening);
        let block = (question.family as usize * PATHS + question.path as usize) * 2 + half;
        let index = (block * self.plans + plan) * self.peer_sets + peer_set;
        let cell = self.cells.get(index);
        cell.map_or((RuleId::NONE, Act::Forward), |cell| (cell.rule, cell.act))
    }

    /// Whether any rule matches segments of a path that open no connection.
    pub fn judges_running(&self, path: Path) -> bool {
        let [outbound, back, inbound] = self.judges_running;
        match path {
            Path::Outbound => outbound,
            Path::Return => back,
            Path::Inbound => inbound,
        }
    }

    /// Whether any rule matches on the inbound path.
    pub fn judges_inbound(&self) -> bool {
        self.judges_inbound
    }

    /// What the rules are strictest about, of a family and on a path: it happens to whoever does not
    /// show who they are.
    pub fn strictest(&self, family: Family, path: Path) -> Act {
        let [v4, v6] = self.strictest;
        let [outbound, back, inbound] = match family {
            Family::V4 => v4,
            Family::V6 => v6,
        };
        match path {
            Path::Outbound => outbound,
            Path::Return => back,
            Path::Inbound => inbound,
        }
    }

    /// Whether any rule needs to know when a frame came.
    pub fn needs_time(&self) -> bool {
        self.needs_time
    }

    /// What the matrix takes.
    pub fn memory_bytes(&self) -> u64 {
        size_of_val::<[Cell]>(&self.cells) as u64
    }

    /// Evaluates the rules, as of an instant; `None` is before every event.
    pub(super) fn build(legend: &Legend, as_of: Option<Timestamp>) -> Self {
        let plans = legend.plans.len() + 1;
        let peer_sets = legend.peer_sets.len();
        let mut cells = Vec::with_capacity(4 * PATHS * plans * peer_sets);
        for family in [Family::V4, Family::V6] {
            for path in Path::ALL {
                for opening in [false, true] {
                    let matches = first_matches(legend, family, path, opening, as_of);
                    cells.resize(cells.len() + peer_sets, RuleId::NONE);
                    for (by_class, &(tenant, _)) in matches.iter().zip(&legend.plans) {
                        let asked = judges(legend, tenant, path);
                        cells.extend(legend.peer_sets.iter().map(|set| {
                            let class = set.get(tenant).filter(|_| asked);
                            let rule = class.and_then(|class| by_class.get(*class));
                            rule.copied().unwrap_or_default()
                        }));
                    }
                }
            }
        }
        let blocks: Vec<_> = cells.chunks(plans * peer_sets).collect();
        // In the order of the cells: of each family, by path, not opening and opening.
        let any_of = |first: usize| {
            let mut of_both = blocks.iter().skip(first).step_by(2 * PATHS);
            of_both.any(|block| block.iter().any(|rule| *rule != RuleId::NONE))
        };
        let strictest = |family: usize| {
            [1, 3, 5].map(|opening| {
                let block = blocks.get(family * 2 * PATHS + opening);
                let acts = block.into_iter().copied().flatten();
                acts.map(|rule| legend.action(*rule).into())
                    .max()
                    .unwrap_or(Act::Forward)
            })
        };
        let strictest = [0, 1].map(strictest);
        let cells: Box<[Cell]> = cells
            .iter()
            .map(|&rule| Cell {
                rule,
                act: legend.action(rule).into(),
            })
            .collect();
        Self {
            plans,
            peer_sets,
            judges_running: [0, 2, 4].map(any_of),
            strictest,
            judges_inbound: [4, 5].map(any_of).contains(&true),
            needs_time: cells
                .iter()
                .any(|cell| matches!(cell.act, Act::Limit | Act::Reject)),
            cells,
        }
    }
}

/// By plan, by class: the first rule that matches.
fn first_matches(
    legend: &Legend,
    family: Family,
    path: Path,
    opening: bool,
    as_of: Option<Timestamp>,
) -> Vec<Vec<RuleId>> {
    let mut rows = Vec::with_capacity(legend.plans.len());
    for (number, tenant) in legend.tenants().iter().enumerate() {
        let mut of_tenant: Vec<_> =
            vec![vec![RuleId::NONE; tenant.classes.len()]; tenant.plans.len()];
        // How many classes of a row no rule has matched yet: most rows are full after a few rules.
        let mut open = vec![tenant.classes.len(); tenant.plans.len()];
        for (id, rule) in legend.rules_of(number) {
            if !speaks_of(rule, family, path, opening, as_of) {
                continue;
            }
            for plan in &rule.plans {
                let (Some(row), Some(open)) = (of_tenant.get_mut(*plan), open.get_mut(*plan))
                else {
                    continue;
                };
                if *open > 0 {
                    *open -= fill(row, id, rule);
                }
            }
        }
        rows.extend(of_tenant);
    }
    rows
}

/// Gives a rule the classes that no earlier rule has; says how many.
fn fill(row: &mut [RuleId], id: RuleId, rule: &Rule) -> usize {
    let mut filled = 0;
    for (class, cell) in row.iter_mut().enumerate() {
        if *cell == RuleId::NONE && rule.to.holds(class) {
            *cell = id;
            filled += 1;
        }
    }
    filled
}

/// What the rules say to one question as of an instant, without tables: for people who ask how
/// long an answer holds, not for frames.
pub(super) fn evaluate(
    legend: &Legend,
    question: Question,
    as_of: Option<Timestamp>,
) -> (RuleId, Action) {
    let Question {
        family,
        path,
        opening,
        ..
    } = question;
    let index = usize::from(question.plan.0).checked_sub(1);
    let place = index.and_then(|index| legend.plans.get(index));
    let class = place.and_then(|(tenant, _)| legend.class(*tenant, question.peer_set));
    let (Some(&(tenant, plan)), Some(class)) = (place, class) else {
        return (RuleId::NONE, Action::Forward);
    };
    let mut rules = legend
        .rules_of(tenant)
        .filter(|_| judges(legend, tenant, path))
        .filter(|(_, rule)| speaks_of(rule, family, path, opening, as_of));
    let first = rules.find(|(_, rule)| rule.plans.contains(&plan) && rule.to.holds(class));
    first.map_or((RuleId::NONE, Action::Forward), |(id, rule)| {
        (id, rule.action)
    })
}

/// Whether a tenant's rules are asked about a path.
fn judges(legend: &Legend, tenant: usize, path: Path) -> bool {
    match path {
        Path::Outbound | Path::Inbound => true,
        Path::Return => legend.tenants().get(tenant).is_some_and(is_mirrored),
    }
}

fn is_mirrored(tenant: &Tenant) -> bool {
    match tenant.return_path {
        ReturnPath::Mirror => true,
        ReturnPath::Forward => false,
    }
}

/// Whether a rule holds as of an instant, for these segments.
fn speaks_of(
    rule: &Rule,
    family: Family,
    path: Path,
    opening: bool,
    as_of: Option<Timestamp>,
) -> bool {
    let segments = match rule.mode {
        Mode::Syn => opening,
        Mode::Any => true,
    };
    let [v4, v6] = rule.families;
    let of_family = match family {
        Family::V4 => v4,
        Family::V6 => v6,
    };
    path.is_of(rule.kind) && segments && of_family && holds(rule, as_of)
}

/// Whether a rule holds: from `from` on, no longer at `before`. `None` is before every event.
fn holds(rule: &Rule, as_of: Option<Timestamp>) -> bool {
    rule.from <= as_of && rule.before.is_none_or(|before| as_of < Some(before))
}
