//! Acceptance cases: each row becomes a real frame and goes through the real stages.

use crate::cli::policies::Policies;
use crate::cli::{Exit, Failure};
use crate::limit::Moment;
use crate::stage::{Account, Burst, Facing, Settings};
use crate::stats::Verdict;
use crate::wire::{self, Family, Frame, LinkType, TcpFlags};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

/// The subscriber's port where a row names none.
const LOCAL_PORT: u16 = 49152;

/// One row, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    isp: String,
    /// Civil time in Japan.
    when_jst: DateTime,
    plan: String,
    ip_version: u8,
    direction: Way,
    peer_class: String,
    peer_port: u16,
    tcp_flags: String,
    verdict: String,
    /// For people.
    #[serde(rename = "note", default)]
    _note: String,
    #[serde(default)]
    local_port: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Out,
    In,
}

/// How the rows fared.
pub(super) struct Outcomes {
    passed: usize,
    skipped: usize,
    failures: Vec<Failed>,
}

/// A row that did not give what it says, or an ISP without a row.
struct Failed {
    id: String,
    line: Option<u64>,
    why: String,
}

/// Runs the rows of the ISPs whose policies are in force.
pub(super) fn run(path: &Path, policies: &Policies) -> Result<Outcomes, Failure> {
    let shown = path.display();
    let file = std::fs::File::open(path)
        .map_err(|error| Failure::io(format_args!("{shown}: cannot be opened: {error}")))?;
    let mut csv = csv::Reader::from_reader(file);
    let tokyo = TimeZone::get("Asia/Tokyo").map_err(Failure::io)?;
    let headers = csv
        .headers()
        .map_err(|error| malformed(path, &csv::StringRecord::new(), &error))?
        .clone();
    let mut outcomes = Outcomes {
        passed: 0,
        skipped: 0,
        failures: Vec::new(),
    };
    let mut record = csv::StringRecord::new();
    let mut met = vec![false; policies.legend().tenants().len()];
    while csv
        .read_record(&mut record)
        .map_err(|error| malformed(path, &headers, &error))?
    {
        let line = record.position().map(csv::Position::line);
        let row: Row = record
            .deserialize(Some(&headers))
            .map_err(|error| malformed(path, &headers, &error))?;
        let Some(tenant) = policies.legend().tenant_named(&row.isp) else {
            outcomes.skipped += 1;
            continue;
        };
        if let Some(met) = met.get_mut(tenant) {
            *met = true;
        }
        match row.run(policies, tenant, &tokyo)? {
            Ok(()) => outcomes.passed += 1,
            Err(why) => outcomes.failures.push(Failed {
                id: row.id,
                line,
                why,
            }),
        }
    }
    for (tenant, _) in policies
        .legend()
        .tenants()
        .iter()
        .zip(met)
        .filter(|(_, met)| !met)
    {
        let why = format!("no row is about {}", tenant.name);
        outcomes.failures.push(Failed {
            id: tenant.name.clone(),
            line: None,
            why,
        });
    }
    Ok(outcomes)
}

/// A cases file that cannot be understood proves nothing: it is a configuration error.
fn malformed(path: &Path, headers: &csv::StringRecord, error: &csv::Error) -> Failure {
    let file = path.display();
    let said = match error.kind() {
        csv::ErrorKind::Io(cause) => {
            return Failure::io(format_args!("{file}: cannot be read: {cause}"));
        }
        csv::ErrorKind::Deserialize { pos: Some(at), err } => {
            let column = err.field().and_then(|column| usize::try_from(column).ok());
            let column = column.and_then(|column| headers.get(column));
            let column = column.map(|name| format!("{name}: ")).unwrap_or_default();
            format!("{file}:{}: {column}{}", at.line(), err.kind())
        }
        csv::ErrorKind::UnequalLengths {
            pos: Some(at),
            expected_len,
            len,
        } => {
            let line = at.line();
            format!("{file}:{line}: has {len} columns, where the first line has {expected_len}")
        }
        _ => format!("{file}: {error}"),
    };
    Failure::Said(Exit::Config, said)
}

impl Row {
    /// Builds the frame, runs it, compares; the inner error says what differs.
    fn run(
        &self,
        policies: &Policies,
        tenant: usize,
        tokyo: &TimeZone,
    ) -> Result<Result<(), String>, Failure> {
        let frame = self
            .when_jst
            .to_zoned(tokyo.clone())
            .map_err(|error| format!("when_jst: {error}"))
            .map(|zoned| zoned.timestamp())
            .and_then(|at| Ok((at, self.frame(policies, tenant, at)?)));
        let (at, bytes) = match frame {
            Ok(frame) => frame,
            Err(why) => return Ok(Err(why)),
        };
        let original_len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let frame = Frame {
            bytes: &bytes,
            original_len,
            link_type: LinkType::ETHERNET,
        };
        let mut burst = Burst::new(self.direction.into(), Settings::new(Account::Candidates));
        burst.run(&[frame], &policies.epoch(at)?.tables, Moment::default());
        Ok(match burst.decisions().next() {
            Some(found) if found.verdict.label() == self.verdict => Ok(()),
            Some(found) => {
                let legend = policies.legend();
                let rule = legend
                    .rule(found.rule)
                    .map_or("no rule", |(_, rule)| &rule.name);
                let (verdict, reason) = (found.verdict, found.reason);
                Err(format!(
                    "expected {}, found {verdict} ({reason}, {rule})",
                    self.verdict
                ))
            }
            None => Err("the stages gave no decision".to_owned()),
        })
    }

    /// The frame that the row is about, between two addresses of its plan and its class.
    fn frame(&self, policies: &Policies, tenant: usize, at: Timestamp) -> Result<Vec<u8>, String> {
        let Self {
            plan,
            peer_class,
            peer_port,
            tcp_flags,
            verdict,
            ..
        } = self;
        if Verdict::ALL.iter().all(|known| known.label() != verdict) {
            return Err(format!("{verdict} is no verdict"));
        }
        let family = match self.ip_version {
            4 => Family::V4,
            6 => Family::V6,
            other => return Err(format!("ip_version is {other}, expected 4 or 6")),
        };
        let flags = TcpFlags::from_letters(tcp_flags)
            .ok_or_else(|| format!("tcp_flags {tcp_flags}: expected letters of SFRPAUECN"))?;
        let legend = policies.legend();
        let plan_id = legend
            .plan_named(tenant, plan)
            .ok_or_else(|| format!("the policy has no plan {plan}"))?;
        let class = legend
            .tenants()
            .get(tenant)
            .and_then(|tenant| tenant.class_index(peer_class))
            .ok_or_else(|| format!("the policy has no destination class {peer_class}"))?;
        let family_label = family.label();
        let program = &policies.program;
        let subscriber = program
            .subscriber_in(plan_id, family, at)
            .ok_or_else(|| format!("plan {plan} has no {family_label} address"))?;
        let peer = program
            .peer_in(tenant, class, family, at)
            .ok_or_else(|| format!("class {peer_class} has no {family_label} address"))?;
        let local_port = self.local_port.unwrap_or(LOCAL_PORT);
        match self.direction {
            Way::Out => wire::tcp_probe(subscriber, peer, local_port, *peer_port, flags),
            Way::In => wire::tcp_probe(peer, subscriber, *peer_port, local_port, flags),
        }
        .ok_or_else(|| format!("{subscriber} and {peer} are of different IP versions"))
    }
}

impl From<Way> for Facing {
    fn from(way: Way) -> Self {
        match way {
            Way::Out => Self::Out,
            Way::In => Self::In,
        }
    }
}

impl Outcomes {
    pub(super) fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    pub(super) fn text(&self, file: &Path) -> String {
        let mut text = String::new();
        for Failed { id, line, why } in &self.failures {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            text += &format!("{}{line}: {id}: {why}\n", file.display());
        }
        let failed = self.failures.iter().filter(|failed| failed.line.is_some());
        let run = self.passed + failed.count();
        text += &format!(
            "cases     {} of {run} pass; {} of other ISPs skipped\n",
            self.passed, self.skipped
        );
        text
    }

    pub(super) fn json(&self) -> Value {
        let failures = self
            .failures
            .iter()
            .map(|failed| json!({ "id": failed.id, "line": failed.line, "why": failed.why }));
        json!({
            "passed": self.passed,
            "skipped": self.skipped,
            "failures": failures.collect::<Vec<_>>(),
        })
    }
}
