//! Whose traffic it is: the subscribers, plans and peers of a policy.

use super::ModelError;
use super::pool::{Owned, Pool, pools};
use super::synthetic::{MOBILE_CARRIERS, POLICY, Synthetic};
use crate::lpm::TooLarge;
use crate::policy::{
    Action, Interval, Legend, Origin, Path, PeerSetId, PlanId, Program, Question, SourceId,
    SubscriberPrefix, Tables, load_with,
};
use crate::stats::Tally;
use crate::wire::Family;
use jiff::Timestamp;
use std::io;
use std::path;
use std::sync::Arc;

/// Made-up networks take their tables as of this instant.
const MADE_UP_AT: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// The highest limit that a policy can set.
const MOST_BYTES: u64 = 1 << 40;

/// What a made-up subscriber has of IPv6.
const SUBSCRIBER_LENGTH: u8 = 56;

/// Who sends and receives: the subscribers of compiled policies as of one instant.
#[derive(Debug)]
pub struct Network {
    program: Arc<Program>,
    at: Timestamp,
    tables: Arc<Tables>,
    /// By family, by plan id; the first, of no plan, is empty.
    subscribers: [Vec<Pool>; 2],
}

/// Why there is no such network.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Its tables are past the memory limit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The policy of a made-up network is refused.
    #[error("the made-up policy: {0}")]
    Policy(String),
}

impl Network {
    /// The network of compiled policies at an instant.
    ///
    /// # Errors
    /// The tables of that instant are too large.
    pub fn of(program: Arc<Program>, at: Timestamp) -> Result<Self, NetworkError> {
        let tables = program.at(at)?.tables;
        let plans = program.legend().plan_ids().len() + 1;
        let pools = |family| pools(family, owned(&program, family, at), plans);
        Ok(Self {
            subscribers: [pools(Family::V4), pools(Family::V6)],
            at,
            tables,
            program,
        })
    }

    /// A made-up network.
    ///
    /// # Errors
    /// Its tables are too large.
    pub fn synthetic(synthetic: &Synthetic) -> Result<Self, NetworkError> {
        Self::synthetic_under(synthetic, Action::Drop)
    }

    /// A made-up network of which every rule does this.
    ///
    /// # Errors
    /// Its tables are too large.
    pub fn synthetic_under(synthetic: &Synthetic, action: Action) -> Result<Self, NetworkError> {
        let read = |path: &path::Path| match path.to_str() {
            Some("policy.yaml") => Ok(POLICY.into()),
            Some("mobile-carriers.txt") => Ok(MOBILE_CARRIERS.into()),
            _ => Err(io::ErrorKind::NotFound.into()),
        };
        let loaded = load_with(&["policy.yaml".to_owned()], MADE_UP_AT, &read);
        let said = |message: Option<String>| NetworkError::Policy(message.unwrap_or_default());
        let first = loaded.diagnostics.into_iter().next();
        let mut resolved = loaded
            .resolved
            .ok_or_else(|| said(first.map(|d| d.message)))?;
        resolved.memory_limit_bytes = MOST_BYTES;
        if let Some(tenant) = resolved.tenants.first_mut() {
            tenant
                .rules
                .iter_mut()
                .for_each(|rule| rule.action = action);
            for plan in &mut tenant.plans {
                plan.subscriber_length = Some(SUBSCRIBER_LENGTH);
            }
            let origin = Origin {
                source: SourceId(0),
                line: 1,
                span: 0..0,
            };
            let prefixes = synthetic.prefixes().into_iter();
            tenant.subscribers = prefixes
                .map(|(prefix, plan)| SubscriberPrefix {
                    prefix,
                    plan,
                    ticket: None,
                    until: None,
                    origin: origin.clone(),
                })
                .collect();
        }
        let program = Program::compile(Arc::new(resolved));
        let program = program.map_err(|found| said(found.first().map(|d| d.message.clone())))?;
        Self::of(Arc::new(program), MADE_UP_AT)
    }

    /// Its policies, compiled.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// What verdicts on this traffic are looked up in.
    pub fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }

    /// What the tables take.
    pub fn table_bytes(&self) -> u64 {
        self.program.memory().total_bytes()
    }

    /// What the ids stand for.
    pub fn legend(&self) -> &Legend {
        self.program.legend()
    }

    /// A tally with a place for each of its rules and plans.
    pub fn tally(&self) -> Tally {
        let legend = self.legend();
        Tally::new(legend.rule_ids().len(), legend.plan_ids().len())
    }

    /// How many subscribers there are: addresses of IPv4, /56s of IPv6.
    pub fn subscribers(&self, family: Family) -> u64 {
        self.pools(family).iter().map(Pool::subscribers).sum()
    }

    /// A plan as models and reports name it: with its ISP, where there are several.
    pub fn plan_name(&self, plan: PlanId) -> String {
        match self.legend().plan(plan) {
            Some((tenant, plan)) => self.qualified(&tenant.name, &plan.name),
            None => String::new(),
        }
    }

    pub(super) fn pools(&self, family: Family) -> &[Pool] {
        match family {
            Family::V4 => &self.subscribers[0],
            Family::V6 => &self.subscribers[1],
        }
    }

    /// The plan of that name.
    pub(super) fn plan_named(&self, name: &str) -> Result<PlanId, ModelError> {
        let plans: Vec<_> = self.legend().plan_ids().collect();
        let names = plans.iter().map(|plan| self.legend().plan(*plan));
        let names =
            names.map(|found| found.map_or(["", ""], |(isp, plan)| [&*isp.name, &*plan.name]));
        let place = find("plan", name, &names.collect::<Vec<_>>())?;
        Ok(plans.get(place).copied().unwrap_or_default())
    }

    /// The addresses of a class: by its name, of a family. `None` is `other`, which has none of
    /// its own.
    pub(super) fn class_named(
        &self,
        name: &str,
        family: Family,
    ) -> Result<Option<Pool>, ModelError> {
        let legend = self.legend();
        let tenants = legend.tenants().iter().enumerate();
        let classes: Vec<_> = tenants
            .flat_map(|(tenant, of)| (0..of.classes.len()).map(move |class| (tenant, of, class)))
            .collect();
        let names = classes.iter().map(|(_, of, class)| {
            let class = of.classes.get(*class).map_or("", |class| &class.name);
            [&*of.name, class]
        });
        let place = find("class", name, &names.collect::<Vec<_>>())?;
        let Some((tenant, of, class)) = classes.get(place) else {
            return Ok(None);
        };
        if class + 1 == of.classes.len() {
            return Ok(None);
        }
        let parts = self.program.peer_partition(family, self.at).into_iter();
        let of_class = parts.filter(|(_, set)| legend.class(*tenant, *set) == Some(*class));
        let owned = |(interval, _): (Interval, PeerSetId)| Owned { interval, owner: 0 };
        let pool = pools(family, of_class.map(owned).collect(), 1).pop();
        Ok(Some(pool.unwrap_or_default()))
    }

    /// Whether a plan's connections to port 25 of nobody in particular are dropped.
    pub(super) fn is_blocked(&self, plan: PlanId, family: Family) -> bool {
        let rule = self.tables.rule(Question {
            family,
            path: Path::Outbound,
            opening: true,
            plan,
            peer_set: PeerSetId::OTHER,
        });
        self.tables.action(rule) == Action::Drop
    }

    fn qualified(&self, isp: &str, name: &str) -> String {
        if self.legend().tenants().len() > 1 {
            format!("{isp}/{name}")
        } else {
            name.to_owned()
        }
    }
}

/// The subscriber prefixes of a family that count at an instant, owned by plans.
fn owned(program: &Program, family: Family, at: Timestamp) -> Vec<Owned> {
    let legend = program.legend();
    let tenants = legend.tenants().iter().enumerate();
    let prefixes = tenants.flat_map(|(number, tenant)| {
        let active = tenant
            .subscribers
            .iter()
            .filter(|s| s.until.is_none_or(|until| at < until));
        active.filter_map(move |subscriber| {
            let (is, interval) = Interval::of(subscriber.prefix);
            let owner = legend.plan_at(number, subscriber.plan).0;
            (is == family).then_some(Owned { interval, owner })
        })
    });
    prefixes.collect()
}

/// The place of a name among `[isp, name]`, spelled `name` or `isp/name`.
fn find(what: &'static str, name: &str, known: &[[&str; 2]]) -> Result<usize, ModelError> {
    let matches = |[isp, own]: &[&str; 2]| {
        name == *own
            || name
                .split_once('/')
                .is_some_and(|both| both == (*isp, *own))
    };
    let found: Vec<_> = known
        .iter()
        .enumerate()
        .filter(|(_, k)| matches(k))
        .collect();
    let list = |names: &mut dyn Iterator<Item = &[&str; 2]>| {
        names
            .map(|names| names.join("/"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match found.as_slice() {
        [(place, _)] => Ok(*place),
        [] => Err(ModelError::Unknown {
            what,
            name: name.to_owned(),
            known: list(&mut known.iter()),
        }),
        several => Err(ModelError::Ambiguous {
            what,
            name: name.to_owned(),
            known: list(&mut several.iter().map(|(_, names)| *names)),
        }),
    }
}
