//! The published table: plan × destination class → what happens to new connections to port 25, and
//! where rules speak of connections that come in, plan or hosts × class of the callers. Generated
//! from what runs.

use super::compile::program::Program;
use super::compile::tables::{Path, PeerSetId, PlanId, Question, Tables};
use super::sentence::Lang;
use super::{Action, Class, Kind, Plan, RuleKind, Tenant};
use crate::lpm::TooLarge;
use crate::wire::Family;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

/// One tenant's table at an instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// The tenant.
    pub tenant: String,
    /// Its name for people.
    pub label: Option<String>,
    /// The columns: the classes that some address can be in.
    pub classes: Vec<Column>,
    /// The rows: each plan, in each family in which it has addresses; then each plan and each group
    /// of hosts whose own port 25 is called, where rules speak of that.
    pub rows: Vec<Row>,
}

/// A destination class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its name for customers.
    pub label: Option<String>,
}

/// A plan in one family.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The plan's name.
    pub plan: String,
    /// Its name for customers.
    pub label: Option<String>,
    /// Its kind.
    #[serde(serialize_with = "kind")]
    pub kind: Kind,
    /// 4 or 6.
    pub ip_version: u8,
    /// Whose port 25: of the peers, or its own.
    #[serde(serialize_with = "called")]
    pub path: Path,
    /// One for each column.
    pub cells: Vec<Cell>,
}

/// What happens, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// What happens.
    #[serde(serialize_with = "action")]
    pub action: Action,
    /// How many pass, of a limit; how callers are told, of a rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub particulars: Option<serde_json::Value>,
    /// The rule that says so; `None` when none speaks of it.
    pub rule: Option<String>,
    /// The first instant of this action, in the tenant's zone; `None` = since ever.
    #[serde(serialize_with = "instant")]
    pub since: Option<Zoned>,
    /// The first instant of another action; `None` = for ever.
    #[serde(serialize_with = "instant")]
    pub until: Option<Zoned>,
}

/// The table of a tenant (its index) at an instant; `None` without such a tenant.
///
/// # Errors
/// [`TooLarge`] as [`Program::at`] has it.
pub fn published(
    program: &Program,
    tenant: usize,
    at: Timestamp,
) -> Result<Option<Published>, TooLarge> {
    let legend = program.legend();
    let Some(of) = legend.tenants().get(tenant) else {
        return Ok(None);
    };
    let tables = program.at(at)?.tables;
    let used: Vec<(&Class, PeerSetId)> = (0..of.classes.len())
        .filter_map(|class| Some((of.classes.get(class)?, legend.peer_set_with(tenant, class)?)))
        .collect();
    let [v4, v6] = [Family::V4, Family::V6].map(|family| plans_in(program, family, at));
    let mut rows = Vec::new();
    for path in [Path::Outbound, Path::Inbound] {
        for id in legend.plan_ids() {
            let (Some((_, plan)), true) = (legend.plan(id), legend.tenant_of(id) == Some(tenant))
            else {
                continue;
            };
            if !is_shown(of, plan, path) {
                continue;
            }
            for (family, ip_version, plans) in [(Family::V4, 4, &v4), (Family::V6, 6, &v6)] {
                if !plans.contains(&id) {
                    continue;
                }
                let cells = used.iter().map(|(_, peer_set)| {
                    let question = question((family, path), id, *peer_set);
                    cell(program, &tables, question, (at, &of.zone))
                });
                rows.push(Row {
                    plan: plan.name.clone(),
                    label: plan.label.clone(),
                    kind: plan.kind,
                    ip_version,
                    path,
                    cells: cells.collect(),
                });
            }
        }
    }
    Ok(Some(Published {
        tenant: of.name.clone(),
        label: of.label.clone(),
        classes: used.iter().map(|(class, _)| column(class)).collect(),
        rows,
    }))
}

/// No rule is about connections from hosts, and few policies have rules about those to subscribers.
fn is_shown(tenant: &Tenant, plan: &Plan, path: Path) -> bool {
    match (path, plan.kind) {
        (Path::Outbound | Path::Return, kind) => kind != Kind::Server,
        (Path::Inbound, Kind::Server) => true,
        (Path::Inbound, _) => {
            let mut rules = tenant.rules.iter();
            rules.any(|rule| rule.kind == RuleKind::InboundToSubscriber)
        }
    }
}

fn plans_in(program: &Program, family: Family, at: Timestamp) -> BTreeSet<PlanId> {
    let parts = program.subscriber_partition(family, at);
    parts.into_iter().map(|(_, plan)| plan).collect()
}

fn cell(
    program: &Program,
    tables: &Tables,
    question: Question,
    (at, zone): (Timestamp, &TimeZone),
) -> Cell {
    let rule = tables.rule(question);
    let span = program.span(question, at);
    let action = tables.action(rule);
    Cell {
        action,
        particulars: action.document().as_object().and_then(|particulars| {
            let mut values = particulars.values();
            values.next().cloned()
        }),
        rule: tables.legend.rule(rule).map(|(_, rule)| rule.name.clone()),
        since: zoned(span.since, zone),
        until: zoned(span.until, zone),
    }
}

fn question((family, path): (Family, Path), plan: PlanId, peer_set: PeerSetId) -> Question {
    Question {
        family,
        path,
        opening: true,
        plan,
        peer_set,
    }
}

fn column(class: &Class) -> Column {
    Column {
        name: class.name.clone(),
        label: class.label.clone(),
    }
}

fn zoned(instant: Option<Timestamp>, zone: &TimeZone) -> Option<Zoned> {
    instant.map(|instant| instant.to_zoned(zone.clone()))
}

impl Published {
    /// The table for a terminal, its columns aligned (a CJK character takes two places).
    pub fn text(&self, lang: Lang) -> String {
        let mut lines = vec![self.heading(lang)];
        lines.extend(self.rows.iter().map(|row| row.texts(lang)));
        let columns = self.classes.len() + 2;
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let texts = lines.iter().filter_map(|line| line.get(column));
                texts.map(|text| text.width()).max().unwrap_or(0)
            })
            .collect();
        let mut out = String::new();
        for line in &lines {
            let padded = line.iter().zip(&widths).map(|(text, width)| {
                let padding = width.saturating_sub(text.width());
                format!("{text}{}", " ".repeat(padding))
            });
            let padded: Vec<String> = padded.collect();
            out.push_str(padded.join("  ").trim_end());
            out.push('\n');
        }
        out
    }

    fn heading(&self, lang: Lang) -> Vec<String> {
        let fixed = match lang {
            Lang::En => ["plan", "IP"],
            Lang::Ja => ["サービス", "IP"],
        };
        let classes = self.classes.iter().map(|class| match (lang, &class.label) {
            (_, Some(label)) => label.clone(),
            (Lang::En, None) => class.name.clone(),
            (Lang::Ja, None) => japanese(&class.name).to_owned(),
        });
        fixed
            .map(str::to_owned)
            .into_iter()
            .chain(classes)
            .collect()
    }
}

impl Row {
    fn texts(&self, lang: Lang) -> Vec<String> {
        let label = self.label.as_ref().unwrap_or(&self.plan);
        let label = match (self.path, lang) {
            (Path::Outbound | Path::Return, _) => label.clone(),
            (Path::Inbound, Lang::En) => format!("to port 25 of {label}"),
            (Path::Inbound, Lang::Ja) => format!("{label}の25番ポート宛"),
        };
        let version = format!("IPv{}", self.ip_version);
        let cells = self.cells.iter().map(|cell| cell.text(lang));
        [label, version].into_iter().chain(cells).collect()
    }
}

impl Cell {
    fn text(&self, lang: Lang) -> String {
        let mut text = self.action.text(lang);
        if let Some(rule) = &self.rule {
            text += &format!(" [{rule}]");
        }
        if let Some(since) = &self.since {
            let day = day(since);
            text += &match lang {
                Lang::En => format!(" from {day}"),
                Lang::Ja => format!(" {day}から"),
            };
        }
        if let Some(until) = &self.until {
            let day = day(until);
            text += &match lang {
                Lang::En => format!(" before {day}"),
                Lang::Ja => format!(" {day}より前"),
            };
        }
        text
    }
}

/// The date alone where the day begins, as policies write it.
fn day(instant: &Zoned) -> String {
    let start = instant.start_of_day();
    if start.is_ok_and(|start| start == *instant) {
        instant.date().to_string()
    } else {
        instant.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

fn japanese(class: &str) -> &str {
    match class {
        "own" => "自社メールサーバー",
        "own-hosting" => "自社ホスティング",
        "mobile" => "携帯電話事業者",
        "upstream" => "上位事業者",
        "on-net" => "自社網内",
        "other" => "他社",
        declared => declared,
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde wants"
)]
fn kind<S: Serializer>(kind: &Kind, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(kind.label())
}

fn action<S: Serializer>(action: &Action, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(action.label())
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde wants"
)]
fn called<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match path {
        Path::Outbound | Path::Return => "outbound",
        Path::Inbound => "inbound",
    })
}

fn instant<S: Serializer>(instant: &Option<Zoned>, to: S) -> Result<S::Ok, S::Error> {
    let text = |at: &Zoned| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    instant.as_ref().map(text).serialize(to)
}
